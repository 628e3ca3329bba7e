"""What goes wrong before a single value is written: one clear message, the documented exit code.

Every message says what is wrong and where, and what to do next; nothing is written, nothing that
was there is lost, and no traceback is ever shown.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.end_to_end.hands import another_company, revoke_access
from tests.end_to_end.world import Result, World, customers, orders, practice

from crmsync.connector import connectors
from crmsync.errors import ExitCode
from crmsync.testing import RequestKind, SandboxClock
from crmsync.testing.faults import Reply

NAMES = [spec.name for spec in connectors() if spec.sandbox]
NOW = datetime(2026, 11, 16, 10, tzinfo=UTC)
RULES = "rulesets/retail-rfm/rules.yaml"
PEOPLE = 12
ROOT = Path(__file__).resolve().parents[2]
Edit = Callable[[World], None]
anywhere = pytest.mark.parametrize("prepared", NAMES[:1], indirect=True)
"""The connector has no part in it: one is enough."""


@pytest.fixture(scope="module", params=NAMES)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A practice CRM and a project with a plan that nobody has applied yet."""
    folder = tmp_path_factory.mktemp(request.param) / "project"
    with practice(request.param, folder, SandboxClock(NOW)) as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people, NOW.date()))
        made.init("retail-rfm")
        made.create_fields()
        made.plan()
        yield made


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> Iterator[World]:
    """A copy of the project before the same CRM, in which nothing may get written."""
    shutil.copytree(prepared.folder, tmp_path / "project")
    made = World(prepared.name, tmp_path / "project", prepared.sandbox)
    made.on_sandbox_time()
    before = len(made.sandbox.field_writes())
    yield made
    made.sandbox.faults.clear()
    assert len(made.sandbox.field_writes()) == before, "something was written"


def refused(world: World, *words: str, exit: ExitCode) -> str:
    """Run a command that must fail; its message, checked for what every message has."""
    return message(world.run(*words, ok=False), exit)


def message(result: Result, exit: ExitCode) -> str:
    assert result.code == exit, result.err + result.out
    assert result.err.count("error[") == 1
    assert "help: " in result.err
    assert "Traceback" not in result.err
    return result.err


def edit(world: World, file: str, old: str, new: str, encoding: str = "utf-8") -> None:
    path = world.folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode(encoding))


def line_of(world: World, file: str, words: str) -> int:
    lines = (world.folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


# Files


FILES = [
    ("orders_total ≥ 1}", "order_total ≥ 1}", "RULE101", "Did you mean “orders_total”?"),
    ("currency: GBP", "currency： GBP", "YAML010", "plain colon"),
    ("revenue_total ≥ 20000", "revenue_total ≥ “plenty”", "RULE060", "Compare with a number"),
]


@anywhere
@pytest.mark.parametrize(("old", "new", "code", "mend"), FILES, ids=["fact", "colon", "type"])
def test_a_wrong_rule_is_shown_at_its_place_with_its_mend(
    world: World, old: str, new: str, code: str, mend: str
) -> None:
    edit(world, RULES, old, new)
    place = f"rules.yaml:{line_of(world, RULES, new)}:"
    for verb in ("plan", "apply"):
        text = refused(world, verb, exit=ExitCode.FINDINGS)
        assert f"error[{code}]" in text
        assert place in text
        assert mend in text
    checked = world.run("check", ok=False)
    assert checked.code == ExitCode.FINDINGS
    assert place in checked.out + checked.err


@anywhere
def test_a_file_saved_as_gbk_is_named_so_and_fmt_mends_it(world: World) -> None:
    edit(world, RULES, "currency: GBP", "currency: GBP", encoding="gb18030")
    text = refused(world, "plan", exit=ExitCode.FINDINGS)
    assert "looks like GBK" in text
    assert "crmsync fmt --from gbk" in text
    world.run("fmt", "--from", "gbk")
    world.run("plan")


@anywhere
def test_a_wrong_setting_is_shown_with_its_line(world: World) -> None:
    edit(world, "crmsync.yaml", "catch_up: once", "catch_up: sometimes")
    text = refused(world, "runs", exit=ExitCode.FINDINGS)
    assert f"crmsync.yaml:{line_of(world, 'crmsync.yaml', 'sometimes')}:" in text
    assert "^^^^^^^^^" in text
    assert "Known: once, skip, all" in text


@anywhere
def test_a_wrong_mapping_key_is_shown_with_the_nearest_known_one(world: World) -> None:
    edit(world, f"rulesets/retail-rfm/mapping/{world.name}.yaml", "lock_field:", "lock_feld:")
    assert "Did you mean “lock_field”?" in refused(world, "plan", exit=ExitCode.FINDINGS)


@anywhere
def test_json_carries_every_finding_with_its_place(world: World) -> None:
    edit(world, RULES, "orders_total ≥ 1}", "order_total ≥ 1}")
    result = world.run("plan", "--json", ok=False)
    assert result.code == ExitCode.FINDINGS
    assert result.document["schema"] == "crmsync.error/1"
    (finding,) = result.document["findings"]
    assert finding["code"] == "RULE101"
    assert finding["line"] == line_of(world, RULES, "order_total ≥ 1}")


def test_a_tier_the_crms_picklist_lacks_is_refused_before_anything_is_written(world: World) -> None:
    edit(world, RULES, "label: 核心客户 | Core", "label: 顶级客户 | Top")
    text = refused(world, "plan", exit=ExitCode.FINDINGS)
    assert "lacks the option “顶级客户”" in text
    assert f"{world.name}.yaml:{line_of(world, mapping_of(world), '  tier:')}:" in text
    assert "crmsync connect" in text
    assert "顶级客户" in world.run("connect", "--json").out


def mapping_of(world: World) -> str:
    return f"rulesets/retail-rfm/mapping/{world.name}.yaml"


# Names nobody knows


UNKNOWN = [
    (("plan", "--connection", "nope"), "no connection “nope”", "practice"),
    (("plan", "nope"), "no ruleset “nope”", "retail-rfm"),
    (("runs", "99"), "no run 99", "crmsync runs"),
    (("report", "99"), "no run 99", "crmsync runs"),
    (("undo", "99"), "no run 99", "crmsync runs"),
    (("apply", "--resume", "99"), "no run 99", "crmsync runs"),
    (("explain", "nobody"), "no customer “nobody”", "crmsync pull"),
    (("sync", "weekly"), "no job “weekly”", "nightly"),
    (("apply", "--yes", "--allow", "demotion=40"), "--allow demotion=40", "demotions"),
    (("apply", "--yes", "--allow", "demotions"), "--allow demotions", "NAME=COUNT"),
    (("apply", "--yes", "--allow", "demotions=lots"), "--allow demotions=lots", "demotions=40"),
]


@anywhere
@pytest.mark.parametrize(("words", "what", "mend"), UNKNOWN, ids=[" ".join(u[0]) for u in UNKNOWN])
def test_an_unknown_name_is_a_wrong_use_and_the_known_ones_are_listed(
    world: World, words: tuple[str, ...], what: str, mend: str
) -> None:
    text = refused(world, *words, exit=ExitCode.USAGE)
    assert what in text
    assert mend in text.partition("help: ")[2]


# Secrets and sign-in


def secret_files(world: World) -> list[Path]:
    """The project's secrets; access tokens kept so far are forgotten."""
    shutil.rmtree(world.folder / "var" / "tokens", ignore_errors=True)
    return [path for path in (world.folder / "var" / "secrets").rglob("*") if path.is_file()]


def test_a_missing_secret_names_the_reference_and_every_place_it_may_stand(world: World) -> None:
    for path in secret_files(world):
        path.unlink()
    text = refused(world, "plan", exit=ExitCode.FINDINGS)
    assert "secret:" in text
    assert "CRMSYNC_SECRET_" in text
    assert "var/secrets/" in text


def test_a_secret_others_can_read_is_not_used(world: World) -> None:
    files = secret_files(world)
    values = [path.read_text().strip() for path in files]
    for path in files:
        path.chmod(0o644)
    text = refused(world, "plan", exit=ExitCode.FINDINGS)
    assert "mode 0644" in text
    assert "chmod 600" in text
    assert not [value for value in values if value in text]


def test_a_wrong_secret_and_a_revoked_access_ask_to_sign_in_again(tmp_path: Path) -> None:
    for name in NAMES:
        with practice(name, tmp_path / name, SandboxClock(NOW)) as world:
            world.init("retail-rfm")
            world.run("connect", "--json")
            revoke_access(world.sandbox)
            text = refused(world, "pull", exit=ExitCode.SIGN_IN)
            assert "practice" in text
            for path in secret_files(world):
                path.write_text("not-the-secret-of-anything\n")
            text = refused(world, "pull", exit=ExitCode.SIGN_IN)
            assert "not-the-secret" not in text


# Plans that no longer hold


def flip(world: World) -> None:
    path = world.folder / "plan.json"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))


def cut(world: World) -> None:
    path = world.folder / "plan.json"
    path.write_bytes(path.read_bytes()[:-200])


def raise_the_line(world: World) -> None:
    edit(world, RULES, "enter: 85", "enter: 86")


def drop_a_field(world: World) -> None:
    lines = (world.folder / mapping_of(world)).read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.lstrip().startswith("rules_version:")]
    assert len(kept) == len(lines) - 1
    (world.folder / mapping_of(world)).write_text("".join(kept))


def take_another_key(world: World) -> None:
    (world.folder / "var" / "plan.key").write_text("ab" * 32 + "\n")


STALE = [
    (flip, "was altered"),
    (cut, "is incomplete"),
    (take_another_key, "not signed with this project's key"),
    (raise_the_line, "the rules have changed"),
    (drop_a_field, "the mapping has changed"),
]


@pytest.mark.parametrize(("spoil", "why"), STALE, ids=[item[0].__name__ for item in STALE])
def test_a_plan_that_no_longer_holds_is_refused_with_the_reason(
    world: World, spoil: Edit, why: str
) -> None:
    spoil(world)
    requests = len(world.sandbox.recorder.all(kind=RequestKind.WRITE))
    text = refused(world, "apply", "--yes", exit=ExitCode.PLAN_REFUSED)
    assert why in text
    assert "crmsync plan" in text
    assert len(world.sandbox.recorder.all(kind=RequestKind.WRITE)) == requests


def test_a_plan_expires_after_a_day(world: World) -> None:
    world.plan()
    world.sandbox.clock.advance(timedelta(hours=25))
    text = refused(world, "apply", "--yes", exit=ExitCode.PLAN_REFUSED)
    assert "it expired at" in text


def test_a_plan_for_another_account_is_refused(world: World) -> None:
    world.plan()
    secret_files(world)
    with another_company(world.sandbox):
        text = refused(world, "apply", "--yes", exit=ExitCode.PLAN_REFUSED)
    assert "another CRM account" in text


@anywhere
def test_only_the_reviewed_plan_is_taken_when_a_checksum_is_given(world: World) -> None:
    text = refused(world, "apply", "--yes", "--approve", "0badc0de", exit=ExitCode.PLAN_REFUSED)
    assert "--approve" in text


# Locks and state


@anywhere
def test_a_second_run_finds_the_connection_locked(world: World) -> None:
    world.plan()
    folder = world.folder / "var" / "locks"
    folder.mkdir(exist_ok=True)
    holder = json.dumps({"pid": 4711, "by": "sync nightly", "since": NOW.isoformat()})
    (folder / "practice.lock").write_text(holder)
    descriptor = os.open(folder / "practice.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        text = refused(world, "apply", "--yes", exit=ExitCode.LOCKED)
    finally:
        os.close(descriptor)
    assert "sync nightly" in text
    assert "4711" in text


@anywhere
@pytest.mark.parametrize("verb", ["plan", "apply", "runs"])
def test_a_state_database_that_is_none_stops_everything(world: World, verb: str) -> None:
    path = world.folder / "var" / "crmsync.db"
    for rest in path.parent.glob("crmsync.db-*"):
        rest.unlink()
    path.write_bytes(b"no database at all " * 400)
    text = refused(world, verb, exit=ExitCode.STORE)
    assert str(path) in text
    assert path.read_bytes().startswith(b"no database")  # kept for whoever can rescue it


@anywhere
def test_a_broken_mirror_is_read_anew(world: World) -> None:
    (path,) = (world.folder / "var" / "mirrors").glob("*.duckdb")
    path.write_bytes(b"no mirror either " * 400)
    text = refused(world, "plan", "--no-pull", exit=ExitCode.STORE)
    assert "crmsync pull --full" in text
    world.run("pull", "--full")
    assert world.plan("--no-pull")["summary"]["evaluated"] == PEOPLE


# The network


def test_a_crm_that_is_not_there_is_tried_again_later(world: World) -> None:
    port = world.sandbox.url.rsplit(":", 1)[1]
    edit(world, "crmsync.yaml", f":{port}", ":1")
    text = refused(world, "plan", exit=ExitCode.TRY_LATER)
    assert "127.0.0.1:1" in text
    assert "nothing listens there" in text


def test_a_web_page_instead_of_data_is_named_by_its_title(world: World) -> None:
    page = "<html><title>Sign in to the company network</title><p>not for you</p></html>"
    world.sandbox.faults.next_of(RequestKind.META, Reply(200, page), times=20)
    text = refused(world, "plan", exit=ExitCode.TRY_LATER)
    assert "a web page (“Sign in to the company network”) came instead of data" in text
    assert "not for you" not in text


def test_a_crm_that_answers_503_to_everything_is_tried_again_later(world: World) -> None:
    world.sandbox.faults.next("*", "*", Reply(503, "<html>busy</html>"), times=500)
    assert "HTTP 503" in refused(world, "plan", exit=ExitCode.TRY_LATER)


# Guards and pauses


def test_a_tripped_guard_names_figure_limit_and_the_consent_it_needs(world: World) -> None:
    edit(world, RULES, "  tier_changes: 10%", "  first_assignments: 10%\n  tier_changes: 10%")
    plan = world.plan()
    assert [guard["name"] for guard in plan["guards"] if guard["tripped"]] == ["first_assignments"]
    text = refused(world, "apply", "--yes", exit=ExitCode.HELD_BACK)
    assert "first_assignments is 100.0%, limit 10.0%" in text
    assert "--allow first_assignments=100%" in text
    too_little = ("--allow", "first_assignments=99%")
    refused(world, "apply", "--yes", *too_little, exit=ExitCode.HELD_BACK)
    (held, *_) = world.run("runs", "--json").document["runs"]
    assert held["state"] == "held"
    result = world.run("apply", "--yes", "--json", ok=False)
    assert result.document["schema"] == "crmsync.error/1"
    assert result.document["code"] == "GUARD"
    assert result.document["help"].endswith("--allow first_assignments=100%")


def test_the_first_writing_on_an_account_is_not_left_to_the_nightly_job(world: World) -> None:
    result = world.run("sync", "nightly", ok=False)
    assert result.code == ExitCode.HELD_BACK
    assert "by hand" in result.out
    assert "crmsync apply " in result.err
    document = world.run("sync", "nightly", "--json", ok=False).document
    assert document["schema"] == "crmsync.sync/1"
    assert document["exit"] == ExitCode.HELD_BACK


# In Chinese


def in_chinese(world: World, *words: str) -> Result:
    """The installed command in a process of its own, as a person starts it."""
    program = "import sys; from crmsync.cli.main import main; sys.argv[0] = 'crmsync'; main()"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "connectors")])
    done = subprocess.run(
        [sys.executable, "-c", program, words[0], "--project", str(world.folder), *words[1:]],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, "CRMSYNC_LANG": "zh", "PYTHONPATH": path, "PYTHONUTF8": "1"},
    )
    return Result(done.returncode, done.stdout, done.stderr)


@anywhere
def test_the_same_refusals_speak_chinese(world: World) -> None:
    result = in_chinese(world, "undo", "99")
    assert result.code == ExitCode.USAGE
    assert result.err == "错误[USAGE]: 没有第 99 次运行\n  = 建议: 用 crmsync runs 查看。\n"
    edit(world, RULES, "orders_total ≥ 1}", "order_total ≥ 1}")
    result = in_chinese(world, "plan")
    assert result.code == ExitCode.FINDINGS
    assert "错误[RULE101]: 没有名为“order_total”的事实" in result.err
    assert "建议: 是不是“orders_total”？" in result.err
    assert "error" not in result.err
