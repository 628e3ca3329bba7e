"""The ticker: every slot once, missed ones by policy and by name, dead schedulers taken over."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crmsync.errors import ExitCode, Unavailable
from crmsync.model.text import Text
from crmsync.project.opening import Project, open_project
from crmsync.project.syncing import SyncOutcome
from crmsync.schedule.ticker import Pace, Ticker
from crmsync.store import Slot, SlotState

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SETTINGS = """\
version: 1
connections:
  practice: {{connector: zoho}}
jobs:
  nightly:
    ruleset: any
    connection: practice
    cron: "0 * * * *"
    time_zone: UTC
    catch_up: {policy}
"""


class World:
    """A project whose clock stands where the test puts it, and a log of what ran and was said."""

    def __init__(self, folder: Path, policy: str) -> None:
        (folder / "crmsync.yaml").write_text(SETTINGS.format(policy=policy))
        self.now = START
        self.project: Project = open_project(folder, now=lambda: self.now)
        self.ran: list[datetime] = []
        self.said: list[str] = []
        self.failure: Exception | None = None

    def ticker(self) -> Ticker:
        return Ticker(self.project, lambda text: self.said.append(text.en), self.work)

    def work(self, project: Project, job: str, stop: threading.Event) -> SyncOutcome:
        assert job == "nightly"
        if self.failure is not None:
            raise self.failure
        self.ran.append(self.now)
        return SyncOutcome(ExitCode.DONE, Text.same("fine"))

    def slots(self) -> list[tuple[int, SlotState]]:
        with self.project.store() as store:
            return sorted((slot.moment.hour, slot.state) for slot in store.slots.last("nightly"))


def test_a_slot_runs_once_even_with_two_tickers(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    first, second = world.ticker(), world.ticker()
    for _ in range(3):
        first.tick(threading.Event())
        second.tick(threading.Event())
    assert len(world.ran) == 1
    world.now += timedelta(hours=1)
    second.tick(threading.Event())
    first.tick(threading.Event())
    assert len(world.ran) == 2
    assert world.slots() == [(1, SlotState.DONE), (2, SlotState.DONE)]


@pytest.mark.parametrize(
    ("policy", "runs", "states"),
    [
        ("once", 1, ["missed", "missed", "done"]),
        ("all", 3, ["done", "done", "done"]),
        ("skip", 0, ["missed", "missed", "missed"]),
    ],
)
def test_missed_slots_follow_the_policy_and_are_named(
    tmp_path: Path, policy: str, runs: int, states: list[str]
) -> None:
    world = World(tmp_path, policy)
    ticker = world.ticker()
    ticker.tick(threading.Event())
    world.ran.clear()
    world.now = START + timedelta(hours=3, minutes=20)
    ticker.tick(threading.Event())
    assert len(world.ran) == runs
    assert [state.value for _, state in world.slots()][1:] == states
    (line,) = [text for text in world.said if "missed" in text]
    assert "3 slots" in line
    assert all(f"{hour:02}:00" in line for hour in (2, 3, 4))


def test_a_dead_schedulers_slot_is_taken_over(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    with world.project.store() as store:
        gone = Slot("nightly", START, SlotState.CLAIMED, "dead:1", START, START)
        assert store.slots.claim(gone)
    ticker = world.ticker()
    world.now = START + timedelta(minutes=1)
    ticker.tick(threading.Event())
    assert world.ran == []  # it may still be alive
    world.now = START + timedelta(minutes=5)
    ticker.tick(threading.Event())
    assert len(world.ran) == 1
    assert world.slots() == [(1, SlotState.DONE)]
    assert any("taking over" in text for text in world.said)


def test_a_failed_job_is_recorded_and_told_and_the_next_slot_runs(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    ticker = world.ticker()
    world.failure = Unavailable(Text.same("the CRM is not reached"))
    ticker.tick(threading.Event())
    assert world.slots() == [(1, SlotState.FAILED)]
    assert any("not reached" in text for text in world.said)
    world.failure = None
    world.now += timedelta(hours=1)
    ticker.tick(threading.Event())
    assert world.slots() == [(1, SlotState.FAILED), (2, SlotState.DONE)]


def test_every_missed_slot_is_told_even_when_none_is_old(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    path = tmp_path / "crmsync.yaml"
    path.write_text(path.read_text().replace("0 * * * *", "* * * * *"))
    world.project = open_project(tmp_path, now=lambda: world.now)
    ticker = world.ticker()
    ticker.tick(threading.Event())
    world.now += timedelta(minutes=3)
    ticker.tick(threading.Event())
    assert "2 slots were missed" in world.said[-2]
    world.now += timedelta(days=1)
    ticker.tick(threading.Event())
    assert "1439 slots were missed (UTC 2026-11-22 01:04 … 2026-11-23 01:02)" in world.said[-2]


def test_a_bug_in_a_job_fails_its_slot_and_leaves_the_scheduler_running(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    bugs: list[Exception] = []
    ticker = Ticker(world.project, lambda text: None, world.work, bugs.append)
    world.failure = ZeroDivisionError()
    ticker.tick(threading.Event())
    assert bugs == [world.failure]
    assert world.slots() == [(1, SlotState.FAILED)]
    world.failure = None
    world.now += timedelta(hours=1)
    ticker.tick(threading.Event())
    assert world.slots() == [(1, SlotState.FAILED), (2, SlotState.DONE)]


def test_serving_stops_when_asked(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    stop = threading.Event()
    thread = threading.Thread(target=world.ticker().run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert any("next 2026-11-22 02:00" in text for text in world.said)


def test_a_slot_somebody_died_over_counts_into_one_catch_up_run(tmp_path: Path) -> None:
    """Killed mid-run, then off over two more slots: one run and one notice, not two."""
    world = World(tmp_path, "once")
    with world.project.store() as store:
        assert store.slots.claim(Slot("nightly", START, SlotState.CLAIMED, "dead:1", START, START))
    ticker = world.ticker()
    world.now = START + timedelta(hours=2, minutes=20)
    ticker.tick(threading.Event())
    assert len(world.ran) == 1
    assert [state.value for _, state in world.slots()] == ["missed", "missed", "done"]
    (line,) = [text for text in world.said if "missed" in text]
    assert all(f"{hour:02}:00" in line for hour in (1, 2, 3))


def test_one_scheduler_tells_of_an_outage_however_many_there_are(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    tickers = [world.ticker() for _ in range(3)]
    tickers[0].tick(threading.Event())
    world.now = START + timedelta(hours=3, minutes=20)
    threads = [threading.Thread(target=item.tick, args=(threading.Event(),)) for item in tickers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.ran) == 2
    (line,) = [text for text in world.said if "missed" in text]
    assert "3 slots" in line


def test_a_slot_that_was_taken_over_stops_its_first_owner(tmp_path: Path) -> None:
    """A machine that slept through its claim finds it gone with the next heartbeat."""
    world = World(tmp_path, "once")
    halted: list[bool] = []

    def long_work(project: Project, job: str, stop: threading.Event) -> SyncOutcome:
        with project.store() as store:
            (mine,) = store.slots.last(job, 1)
            assert store.slots.take_over(mine, by="other:2", now=world.now)
        while not stop.is_set():
            threading.Event().wait(0.001)
        halted.append(True)
        return SyncOutcome(ExitCode.INTERRUPTED, Text.same("stopped"))

    pace = Pace(beat=timedelta(milliseconds=5))
    Ticker(world.project, lambda text: None, long_work, pace=pace).tick(threading.Event())
    assert halted == [True]
    with world.project.store() as store:
        (slot,) = store.slots.last("nightly", 1)
    assert (slot.claimed_by, slot.state) == ("other:2", SlotState.CLAIMED)


def test_a_clock_that_goes_back_is_told_once_and_no_slot_runs_twice(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    ticker = world.ticker()
    for hour in range(3):
        world.now = START + timedelta(hours=hour)
        ticker.tick(threading.Event())
    ran = list(world.ran)
    world.now -= timedelta(minutes=90)
    for _ in range(3):
        ticker.tick(threading.Event())
    (line,) = [text for text in world.said if "went back" in text]
    assert "90 minutes" in line
    assert "2026-11-22 03:00" in line
    for minutes in (30, 60, 90, 150):
        world.now = START + timedelta(minutes=30 + minutes)
        ticker.tick(threading.Event())
    assert [moment.hour for moment in world.ran] == [*(moment.hour for moment in ran), 4]
    assert [text for text in world.said if "went back" in text] == [line]


def test_seconds_to_and_fro_are_no_news(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    ticker = world.ticker()
    for seconds in (0, 40, 5, 50):
        world.now = START + timedelta(seconds=seconds)
        ticker.tick(threading.Event())
    assert not [text for text in world.said if "went back" in text]


def test_the_exit_code_is_that_of_the_first_job_that_did_not_end_well(tmp_path: Path) -> None:
    world = World(tmp_path, "once")
    ticker = world.ticker()
    for failure, wanted in (
        (None, ExitCode.DONE),
        (Unavailable(Text.same("away")), ExitCode.TRY_LATER),
        (None, ExitCode.TRY_LATER),
    ):
        world.failure = failure
        ticker.tick(threading.Event())
        assert ticker.exit is wanted
        world.now += timedelta(hours=1)
