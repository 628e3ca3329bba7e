"""A crash at every point of a run, then resume: nothing lost, nothing doubled, nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.apply.bench import HERE, Bench, fake_crm
from tests.unit.apply.fake import commits_late, half_committed, lost_after_commit
from tests.unit.plan.builders import opening, ref

from crmsync.connector import CreateOnce
from crmsync.model.run import OpState
from crmsync.plan import PlanFile

CUSTOMERS, TASKS = 7, 3


class Crash(BaseException):
    """The process is gone: no clean-up runs that a real death would not run."""


class Countdown:
    """Raises at the n-th checkpoint; ``None`` never does."""

    def __init__(self, at: int | None) -> None:
        self.at, self.passed = at, 0

    def __call__(self, name: str) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Crash(name)


def prepared(folder: Path, rung: CreateOnce) -> tuple[Bench, PlanFile]:
    bench = Bench(folder, fake_crm(create_once=rung))
    bench.seed(CUSTOMERS)
    items = [
        bench.item(n, opens=(opening(n),) if n <= TASKS else ()) for n in range(1, CUSTOMERS + 1)
    ]
    return bench, bench.plan(items)


def carry_on(bench: Bench, plan: PlanFile, checkpoint: Callable[[str], None]) -> bool:
    """What a person or the scheduler does after a restart; false when it crashed again."""
    stored = bench.store.plans.get(plan.header.plan_id)
    assert stored is not None
    try:
        if stored.run_id is None:
            bench.apply(plan, checkpoint=checkpoint)
        else:
            bench.resume(stored.run_id, checkpoint=checkpoint)
    except Crash:
        bench.restart()
        return False
    return True


def whole(bench: Bench) -> None:
    """Every promise at once: all written, once each, and our own books agree."""
    bench.clock.sleep(1000)
    bench.crm.settle()
    assert bench.tiers(CUSTOMERS) == ["重要客户"] * CUSTOMERS
    assert set(bench.crm.sets.values()) == {1}
    keys = sorted(str(fields["Key"]) for fields in bench.crm.tasks().values())
    assert keys == sorted(opening(n).key for n in range(1, TASKS + 1))
    assert bench.store.journal.outcomes(1) == {OpState.DONE: CUSTOMERS + TASKS}
    assert bench.store.states.distribution(*HERE) == {("key", "repeat"): CUSTOMERS}
    episodes = bench.store.episodes.open_for(*HERE, [ref(n) for n in range(1, 8)])
    assert {e.crm_id for found in episodes.values() for e in found} == set(bench.crm.tasks())
    again = bench.plan([bench.item(n) for n in range(1, CUSTOMERS + 1)])
    assert again.header.counts.unchanged == CUSTOMERS


@pytest.mark.parametrize("rung", [CreateOnce.A, CreateOnce.B])
def test_a_crash_at_any_point_loses_and_doubles_nothing(tmp_path: Path, rung: CreateOnce) -> None:
    at = 0
    while True:
        at += 1
        bench, plan = prepared(tmp_path / str(at), rung)
        first = Countdown(at)
        if carry_on(bench, plan, first):
            break
        done = bench.store.journal.outcomes(1).get(OpState.DONE, 0)
        sent = len(bench.crm.calls)
        assert carry_on(bench, plan, Countdown(None))
        whole(bench)
        assert done == 0 or len(bench.crm.calls) - sent < 5
        bench.store.close()
    whole(bench)
    bench.store.close()
    assert at > 20


@pytest.mark.parametrize("seed", range(25))
def test_crash_after_crash_among_faults_ends_whole(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rung = chance.choice([CreateOnce.A, CreateOnce.B])
    bench, plan = prepared(tmp_path, rung)
    faults = [None, None, lost_after_commit, half_committed, commits_late]
    bench.crm.faults = [chance.choice(faults) for _ in range(6)]
    for _ in range(chance.randrange(1, 6)):
        if carry_on(bench, plan, Countdown(chance.randrange(1, 30))):
            break
    while not carry_on(bench, plan, Countdown(None)):
        pass
    bench.clock.sleep(1000)
    bench.crm.settle()
    tasks = [str(fields["Key"]) for fields in bench.crm.tasks().values()]
    assert sorted(tasks) == sorted(opening(n).key for n in range(1, TASKS + 1))
    assert bench.tiers(CUSTOMERS) == ["重要客户"] * CUSTOMERS
    assert bench.store.journal.outcomes(1) == {OpState.DONE: CUSTOMERS + TASKS}
    bench.store.close()
