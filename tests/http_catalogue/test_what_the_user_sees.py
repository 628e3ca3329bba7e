"""Rows 1, 4, 5, 7, 8, 14, 33, 37, 38 and 39 at the command line: the words and the exit code.

The words are checked in English here; both languages stand side by side in the messages that the
other files of this catalogue check.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end import hands
from tests.end_to_end.world import World, customers, orders, practice
from tests.http_catalogue.line import NAMES
from tests.http_catalogue.test_refusals import answers, fxiaoke_code, moved, zoho_code

from crmsync.errors import ExitCode
from crmsync.testing import FaultProxy, RequestKind, SandboxClock
from crmsync.testing.bad_wire import Answer, Behaviour, after_commit, changed, hang_up, reply

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TODAY = ("--today", NOW.date().isoformat())
PEOPLE = 6
ALLOW = [
    word
    for guard in ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")
    for word in ("--allow", f"{guard}=100%")
]


class Seen(World):
    """A project whose CRM is reached through a fault proxy."""

    proxy: FaultProxy

    def shown(self, *words: str, exit: ExitCode) -> str:
        """What a person reads, both streams."""
        result = self.run(*words, ok=False)
        assert result.code == exit, (result.code, result.err, result.out)
        assert "Traceback" not in result.err + result.out
        return result.err + result.out

    def apply_shown(self, exit: ExitCode) -> str:
        return self.shown(
            "apply", str(self.folder / "plan.json"), "--yes", *ALLOW, *TODAY, exit=exit
        )


@pytest.fixture(scope="module", params=NAMES)
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp(request.param) / "project"
    with practice(request.param, folder, SandboxClock(NOW)) as plain:
        people = customers(PEOPLE)
        plain.sandbox.load_over_http(people, orders(people, NOW.date()))
        plain.init("retail-rfm")
        plain.create_fields()
        sandbox = plain.sandbox
        with FaultProxy(sandbox.url, classify=sandbox.classify) as proxy:
            made = behind(proxy, plain.folder, plain)
            settings = made.folder / "crmsync.yaml"
            settings.write_text(settings.read_text().replace(sandbox.url, proxy.url))
            made.plan(*TODAY)
            yield made


def behind(proxy: FaultProxy, folder: Path, like: World) -> Seen:
    made = Seen(like.name, folder, like.sandbox)
    made.proxy = proxy
    made.on_sandbox_time()
    return made


@pytest.fixture
def world(prepared: Seen, tmp_path: Path) -> Iterator[Seen]:
    sandbox = prepared.sandbox
    before = sandbox.store.snapshot()
    shutil.copytree(prepared.folder, tmp_path / "project")
    made = behind(prepared.proxy, tmp_path / "project", prepared)
    sandbox.recorder.clear()
    yield made
    made.proxy.clear()
    made.check_invariants()
    sandbox.store.restore(before)
    tokens = made.folder / "var" / "tokens"
    shutil.copytree(tokens, prepared.folder / "var" / "tokens", dirs_exist_ok=True)


def test_a_pause_is_told_with_how_far_the_run_is(world: Seen) -> None:
    world.proxy.next(answers({}, "429 Slow", Retry_After="30"), kind=RequestKind.WRITE)
    shown = world.apply_shown(ExitCode.DONE)
    assert "Waiting 30 s" in shown
    assert "0 of " in shown


def test_a_pause_without_a_time_says_so(world: Seen) -> None:
    world.proxy.next(answers({}, "429 Slow"), kind=RequestKind.WRITE, times=5)
    shown = world.apply_shown(ExitCode.DONE)
    if "Waiting" in shown:
        assert "the CRM named no time" in shown


def test_a_pause_nobody_waits_for_ends_the_run_resumable(world: Seen) -> None:
    world.proxy.next(answers({}, "429 Slow", Retry_After="4000"), kind=RequestKind.WRITE)
    shown = world.apply_shown(ExitCode.TRY_LATER)
    assert "Try again in 67 minutes" in shown
    assert "crmsync apply --resume 1" in shown


def test_a_spent_quota_ends_the_run_and_says_when(world: Seen) -> None:
    gone = (
        zoho_code("TOO_MANY_REQUESTS", "429 Slow", X_API_CREDITS_REMAINING="0")
        if world.name == "zoho"
        else fxiaoke_code(30002)
    )
    world.proxy.next(gone, kind=RequestKind.WRITE, times=3)
    shown = world.apply_shown(ExitCode.TRY_LATER)
    assert "used up" in shown
    assert "2026-11-17" in shown
    assert "There is room again after" in shown
    assert "crmsync apply --resume 1" in shown


def a_day_holds(world: Seen, calls: int) -> None:
    """The budget of the connection, as its settings give it."""
    settings = world.folder / "crmsync.yaml"
    kept = [line for line in settings.read_text().splitlines() if "calls_per_day" not in line]
    place = kept.index(f"    connector: {world.name}")
    kept.insert(place + 1, f"    calls_per_day: {calls}")
    settings.write_text("\n".join(kept) + "\n")


@pytest.mark.parametrize("prepared", ["fxiaoke"], indirect=True)
def test_a_plan_beyond_the_budget_is_refused_or_written_in_parts(world: Seen) -> None:
    """Where every record is a call of its own, so that the budget ends in the middle of a plan."""
    a_day_holds(world, 10_000)
    cost = world.plan("--no-pull", *TODAY)["cost"]
    used = cost["limit"] - cost["kept"] - cost["free"]
    a_day_holds(world, (used + 20) * 10 // 9 + 1)
    shown = world.apply_shown(ExitCode.TRY_LATER)
    assert f"this plan takes about {cost['price']}" in shown
    assert "nothing was written" in shown
    assert "--in-parts" in shown
    assert world.sandbox.recorder.count(kind=RequestKind.WRITE) == 0
    words = ("apply", str(world.folder / "plan.json"), "--in-parts", "--yes", *ALLOW, *TODAY)
    assert "crmsync apply --resume 1" in world.shown(*words, exit=ExitCode.TRY_LATER)
    customers = world.header()["object"]
    written = {item.id for item in world.sandbox.field_writes() if item.object == customers}
    assert 0 < len(written) < PEOPLE
    a_day_holds(world, 10_000)
    world.run("apply", "--resume", "1", "--yes", *TODAY)
    assert world.plan("--no-pull", *TODAY)["changes"] == []


def test_a_sign_in_that_ended_says_how_to_sign_in(world: Seen) -> None:
    shutil.rmtree(world.folder / "var" / "tokens")
    refused = answers({"error": "invalid_code"}) if world.name == "zoho" else fxiaoke_code(20021)
    world.proxy.next(refused, kind=RequestKind.AUTH)
    shown = world.shown("pull", exit=ExitCode.SIGN_IN)
    assert "crmsync connect practice" in shown or "authorise" in shown


def test_what_is_unconfirmed_is_named_and_settled(world: Seen) -> None:
    """The reply to a creation is lost after it was carried out, and nothing answers any more."""
    method, path = hands.task_creations(world.sandbox)
    world.proxy.next(after_commit(hang_up), method=method, path=path)
    gone = world.proxy.next(hang_up, times=0)

    watching = [True]

    def vanish(record: object) -> None:
        if watching and world.tasks():
            gone.times = 10_000

    world.sandbox.on_request(vanish)
    shown = world.apply_shown(ExitCode.TRY_LATER)
    watching.clear()
    gone.times = 0
    assert "unconfirmed" in shown
    assert "not before" in shown
    world.run("apply", "--resume", "1", "--yes", *TODAY)
    keys = [key for key, _ in world.tasks()]
    assert len(keys) == len(set(keys))


def test_a_web_page_instead_of_data(world: Seen) -> None:
    page = reply(b"<html><title>Sign in</title>Ms Example 555-0100", kind="text/html")
    world.proxy.next(page, kind=RequestKind.READ, times=9)
    shown = world.shown("pull", "--full", exit=ExitCode.TRY_LATER)
    assert "a web page (“Sign in”)" in shown
    assert "single sign-on" in shown
    assert "555-0100" not in shown


def test_a_redirect_says_where_the_account_is(world: Seen) -> None:
    world.proxy.next(moved("https://www.zohoapis.eu/x", 307), kind=RequestKind.READ)
    shown = world.shown("pull", "--full", exit=ExitCode.TRY_LATER)
    expected = "data_centre: eu" if world.name == "zoho" else "api_domain"
    assert expected in shown


def dated(by: timedelta) -> Behaviour:
    def shift(answer: Answer) -> Answer:
        from email.utils import format_datetime

        headers = {**answer.headers, "date": format_datetime(NOW + by, usegmt=True)}
        return Answer(answer.status, answer.reason, headers, answer.body)

    return changed(shift)


def test_a_clock_that_is_wrong_is_told_and_by_days_refused(world: Seen) -> None:
    world.proxy.next(dated(timedelta(minutes=-7)), kind=RequestKind.READ, times=99)
    shown = world.shown("pull", "--full", exit=ExitCode.DONE)
    assert "clock is about" in shown
    world.proxy.clear()
    world.proxy.next(dated(timedelta(days=4)), kind=RequestKind.READ, times=99)
    shown = world.shown("pull", "--full", exit=ExitCode.FINDINGS)
    assert "NTP" in shown


Change = Callable[[Any], Any]


def renamed(field: Any) -> Any:
    return replace(field, api_name=f"{field.api_name}_2", label=f"{field.label} 2")


def retyped(field: Any) -> Any:
    return replace(field, **{hands.type_key(field): "date"})


MOVED: dict[str, tuple[Change, ExitCode]] = {
    "deleted": (lambda field: None, ExitCode.FINDINGS),
    "renamed": (renamed, ExitCode.FINDINGS),
    "another type": (retyped, ExitCode.FINDINGS),
    "a choice gone": (hands.without_choice, ExitCode.PLAN_REFUSED),
}
"""What happens to the field, and how a plan made before it ends."""


@contextmanager
def moved_field(world: Seen, change: Change) -> Iterator[str]:
    """An administrator changes the field of the tier; afterwards it is as it was."""
    object, field = world.header()["object"], world.tier_field()
    fields = hands.fields_of(world.sandbox, object)
    kept = dict(fields)
    moved = change(fields.pop(field))
    if moved is not None:
        fields[moved.api_name] = moved
    try:
        yield field
    finally:
        fields.clear()
        fields.update(kept)


@pytest.mark.parametrize(("change", "exit"), MOVED.values(), ids=MOVED)
def test_a_field_that_changed_is_named_with_its_place_before_any_write(
    world: Seen, change: Change, exit: ExitCode
) -> None:
    with moved_field(world, change) as field:
        shown = world.shown("plan", *TODAY, exit=ExitCode.FINDINGS)
        refused = world.apply_shown(exit)
    assert ".yaml:" in shown
    label = hands.fields_of(world.sandbox, world.header()["object"])[field].label
    assert field in shown or label in shown
    assert ".yaml:" in refused or "crmsync plan" in refused
    assert world.sandbox.recorder.count(kind=RequestKind.WRITE) == 0


def planned(world: Seen) -> set[str]:
    """The customers a new plan would write. Only a full pull learns of deletions everywhere."""
    world.run("pull", "--full")
    found = world.plan("--no-pull", *TODAY)["changes"]
    return {item["id"] for item in found if item["is"] == "fields"}


def test_a_record_deleted_since_the_plan_is_a_conflict(world: Seen) -> None:
    """A merged record is a deleted one to both CRMs. One that came back is written as any other."""
    object = world.header()["object"]
    lost, back = (row.id for row in world.sandbox.store.rows(object)[:2])
    for id in (lost, back):
        world.sandbox.delete_as_person(object, id)
    world.sandbox.clock.advance(60)
    world.sandbox.restore_as_person(object, back)
    shown = world.apply_shown(ExitCode.PARTIAL)
    assert lost in shown
    assert "deleted or merged" in shown
    rows = world.run("runs", "1", "--json").document
    states = {item["id"]: item["state"] for item in rows["rows"]}
    assert (states[lost], states[back]) == ("conflict", "done")
    assert not planned(world) & {lost, back}
    assert world.sandbox.store.get(object, back).get(world.tier_field()) is not None


def test_a_customer_who_comes_back_after_the_next_pull_is_seen_again(world: Seen) -> None:
    object = world.header()["object"]
    lost = world.sandbox.store.rows(object)[0].id
    world.sandbox.delete_as_person(object, lost)
    world.sandbox.clock.advance(60)
    assert lost not in planned(world)
    world.sandbox.restore_as_person(object, lost)
    world.sandbox.clock.advance(60)
    assert lost in planned(world)
