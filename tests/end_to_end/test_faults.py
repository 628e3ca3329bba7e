"""A plan is written once and whole, whatever happens on the way: every fault over a real socket.

Each test begins with the same unapplied plan before the same CRM and ends with the same proof: all
rows done, every value written exactly once, no task twice, and a plan made afterwards is empty.
Clock and pauses are the practice CRM's own, so nothing is waited for, except where a process of
its own is stopped or killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.end_to_end import hands
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.cli.face import Clock
from crmsync.connector import connectors
from crmsync.errors import ExitCode
from crmsync.testing import RequestKind, SandboxClock
from crmsync.testing.faults import CommitLate, Delay, Drop, Fault, Reply, Truncate, throttled
from crmsync.testing.recorder import RequestRecord

NAMES = [spec.name for spec in connectors() if spec.sandbox]
NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TODAY = ("--today", NOW.date().isoformat())
PEOPLE = 8
ROOT = Path(__file__).resolve().parents[2]


def prepare(made: World) -> None:
    people = customers(PEOPLE)
    made.sandbox.load_over_http(people, orders(people, made.sandbox.clock.now().date()))
    made.init("retail-rfm")
    made.create_fields()


@pytest.fixture(scope="module", params=NAMES)
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(request.param) / "project"
    with practice(request.param, folder, SandboxClock(NOW)) as made:
        prepare(made)
        made.plan(*TODAY)
        made.planned = made.run("show", "plan.json", "--json").document
        yield made


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> Iterator[World]:
    """The prepared project and CRM, as if nothing had been applied yet."""
    before = prepared.sandbox.store.snapshot()
    shutil.copytree(prepared.folder, tmp_path / "project")
    made = World(prepared.name, tmp_path / "project", prepared.sandbox)
    made.on_sandbox_time()
    made.planned = prepared.planned
    yield made
    made.sandbox.faults.clear()
    made.check_invariants()
    prepared.sandbox.store.restore(before)
    # a token is asked for once, not once a test: vendors count
    shutil.copytree(
        made.folder / "var" / "tokens", prepared.folder / "var" / "tokens", dirs_exist_ok=True
    )


def assert_written(world: World) -> None:
    """Everything the plan said stands in the CRM and was written exactly once."""
    (run,) = world.run("runs", "--json").document["runs"]
    assert run["state"] == "done"
    planned = Counter(
        (row["object"], row["id"], item["field"])
        for row in world.planned["changes"]
        if row["is"] == "fields"
        for item in row["set"]
    )
    object = world.header()["object"]
    written = Counter(
        (item.object, item.id, item.field)
        for item in world.sandbox.field_writes()
        if item.object == object
    )
    assert written == planned
    tasks = Counter(row["key"] for row in world.planned["changes"] if row["is"] == "task")
    assert Counter(key for key, _ in world.tasks()) == tasks
    assert tasks


def assert_complete(world: World) -> None:
    """The same, and there is nothing left to do."""
    assert_written(world)
    assert world.plan(*TODAY)["changes"] == []


def apply(world: World, *, exit: ExitCode = ExitCode.DONE) -> dict:
    """Apply the plan; its report."""
    result = world.apply("plan.json", *TODAY, ok=False)
    assert result.code == exit, result.err + result.out
    assert "Traceback" not in result.err
    return result.document


def resume(world: World) -> None:
    world.run("apply", "--resume", "1", "--yes", *TODAY)


# Single calls that go wrong mend themselves within the run


MENDED: dict[str, tuple[Fault, int]] = {
    "throttled twice": (throttled(30), 2),
    "fails before it is carried out": (Reply(500, {"message": "out of order"}), 1),
    "fails after it was carried out": (Reply(500, {"message": "too late"}, commit=True), 1),
    "reply lost after it was carried out": (Drop(commit=True), 1),
    "connection lost before it was carried out": (Drop(commit=False), 1),
    "reply cut off": (Truncate(20), 1),
    "carried out a minute after the gateway gave up": (CommitLate(60), 1),
}
CALLS = {"fields": hands.field_updates, "tasks": hands.task_creations}
# every fault strikes at tasks, where a repeat would be a second task; fields take the main ones
STRIKES = [("tasks", fault) for fault in MENDED] + [
    ("fields", "throttled twice"),
    ("fields", "fails before it is carried out"),
    ("fields", "reply lost after it was carried out"),
]


@pytest.mark.parametrize(("calls", "fault"), STRIKES)
def test_a_call_that_goes_wrong_is_settled_within_the_run(
    world: World, calls: str, fault: str
) -> None:
    action, times = MENDED[fault]
    planned = world.sandbox.faults.next(*CALLS[calls](world.sandbox), action, times=times)
    report = apply(world)
    assert planned.hits == times
    assert set(report["summary"]["outcomes"]) == {"done"}
    assert_written(world)


def test_a_token_that_dies_in_the_middle_is_renewed_unseen(world: World) -> None:
    ended: list[int] = []

    def end_once(request: RequestRecord) -> None:
        if request.kind is RequestKind.WRITE and not ended:
            ended.append(request.number)
            hands.end_tokens(world.sandbox)

    world.sandbox.on_request(end_once)
    apply(world)
    assert ended
    assert_written(world)


# What cannot be mended within the run ends it, and resuming finishes it


def test_a_pause_longer_than_anybody_waits_ends_the_run_resumable(world: World) -> None:
    place = hands.field_updates(world.sandbox)
    world.sandbox.faults.next(*place, throttled(4000))
    report = apply(world, exit=ExitCode.TRY_LATER)
    assert report["summary"]["resumable"]
    assert set(report["summary"]["outcomes"]) == {"planned"}
    world.sandbox.clock.advance(4000)
    resume(world)
    assert_complete(world)


def test_a_crm_that_goes_away_in_the_middle_is_finished_by_resume(world: World) -> None:
    """It carries out the first call that creates tasks, and nothing gets through any more."""
    faults = world.sandbox.faults
    faults.next(*hands.task_creations(world.sandbox), Drop(commit=True))
    gone = faults.next("*", "*", Drop(commit=False), times=0)

    def go_away(request: RequestRecord) -> None:
        if world.tasks():
            gone.times = 10_000

    world.sandbox.on_request(go_away)
    report = apply(world, exit=ExitCode.TRY_LATER)
    assert gone.hits
    assert report["summary"]["resumable"]
    assert report["summary"]["written"] == PEOPLE
    assert report["summary"]["outcomes"]["in_doubt"]
    world.sandbox.stop()
    away = world.run("apply", "--resume", "1", "--yes", *TODAY, ok=False)
    refused = world.apply("plan.json", *TODAY, ok=False)
    world.sandbox.start(int(world.sandbox.url.rsplit(":", 1)[1]))
    gone.times = 0
    faults.clear()
    assert away.code == ExitCode.TRY_LATER
    assert refused.code == ExitCode.PLAN_REFUSED  # our own books know, whether the CRM is there
    assert "crmsync apply --resume 1" in refused.out
    resume(world)
    assert_complete(world)


def test_one_refused_customer_stops_nobody_else_and_is_tried_again(world: World) -> None:
    object = world.header()["object"]
    locked = world.sandbox.store.rows(object)[0].id
    hands.lock_record(world.sandbox, object, locked)
    report = apply(world, exit=ExitCode.PARTIAL)
    assert report["summary"]["written"] == PEOPLE - 1
    refusals = [row for row in report["problems"] if row["state"] == "rejected"]
    assert [row["id"] for row in refusals] == [locked]
    assert refusals[0]["error"]["code"]
    shown = world.run("runs", "1").out
    assert locked in shown
    assert refusals[0]["error"]["code"] in shown
    hands.unlock_record(world.sandbox, object, locked)
    resume(world)
    assert_complete(world)


# Reading


def test_reading_waits_out_a_pause_and_a_short_outage(world: World) -> None:
    apply(world)
    faults = world.sandbox.faults
    faults.next_of(RequestKind.READ, throttled(30), skip=1)
    faults.next_of(RequestKind.READ, Reply(503, "<html>busy</html>"))
    faults.next_of(RequestKind.READ, Truncate(40))
    assert world.plan(*TODAY)["changes"] == []
    assert faults.waiting() == ()


def test_a_read_that_breaks_off_spoils_neither_mirror_nor_plan(world: World) -> None:
    plan = (world.folder / "plan.json").read_bytes()
    world.sandbox.faults.next_of(RequestKind.READ, Reply(503, "down"), times=500, skip=1)
    broken = world.run("pull", "--full", ok=False)
    assert broken.code == ExitCode.TRY_LATER
    world.sandbox.faults.clear()
    assert (
        world.plan("--no-pull", *TODAY, "-o", str(world.folder / "again.json"))["summary"][
            "evaluated"
        ]
        == PEOPLE
    )
    assert (world.folder / "plan.json").read_bytes() == plan
    world.run("pull")
    apply(world)
    assert_complete(world)


# A process of its own, stopped and killed


@pytest.fixture(params=NAMES)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A practice CRM on the real clock, for processes that read the machine's."""
    with practice(request.param, tmp_path / "project") as made:
        prepare(made)
        made.planned = made.plan()
        yield made
        made.sandbox.faults.clear()
        made.check_invariants()


def start_apply(world: World) -> subprocess.Popen[str]:
    program = "import sys; from crmsync.cli.main import main; sys.argv[0] = 'crmsync'; main()"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "connectors")])
    return subprocess.Popen(
        [sys.executable, "-c", program, "apply", "--project", str(world.folder), "--yes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.01)


def finish(world: World) -> None:
    """Resume with pauses that move the practice CRM's clock instead of being waited out."""
    clock = world.sandbox.clock
    world.clock = Clock(clock.now, clock.advance)
    world.run("apply", "--resume", "1", "--yes")


@pytest.mark.parametrize("running", NAMES[:1], indirect=True)
def test_sigterm_ends_after_the_call_under_way_and_resume_goes_on(running: World) -> None:
    place = hands.field_updates(running.sandbox)
    slow = running.sandbox.faults.next(*place, Delay(1.0))
    process = start_apply(running)
    wait_for(lambda: slow.hits == 1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.TERMINATED, err
    assert "Stopping" in err
    assert "crmsync apply --resume 1" in err
    assert "Traceback" not in err + out
    (run,) = running.run("runs", "--json").document["runs"]
    assert run["state"] == "stopped"
    finish(running)
    assert_written(running)


def test_a_second_ctrl_c_ends_at_once_and_what_was_under_way_is_settled_later(
    running: World,
) -> None:
    place = hands.task_creations(running.sandbox)
    slow = running.sandbox.faults.next(*place, Delay(30, after_commit=True))
    process = start_apply(running)
    wait_for(lambda: slow.hits == 1 and bool(running.tasks()), 90)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    wait_for(lambda: "Stopping" in process.stderr.readline())
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - asked < 12, "it waited for the call's deadline"
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert "Traceback" not in err + out
    finish(running)
    assert_written(running)


def test_a_killed_process_leaves_no_lock_and_no_second_task(running: World) -> None:
    place = hands.task_creations(running.sandbox)
    slow = running.sandbox.faults.next(*place, Delay(20, after_commit=True))
    process = start_apply(running)
    wait_for(lambda: slow.hits == 1 and bool(running.tasks()))
    process.kill()
    process.communicate(timeout=30)
    refused = running.run("apply", "--yes", ok=False)
    assert refused.code == ExitCode.PLAN_REFUSED
    assert "crmsync apply --resume 1" in refused.err
    finish(running)
    assert_written(running)
