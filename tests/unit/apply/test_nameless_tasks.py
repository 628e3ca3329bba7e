"""Tasks whose creation the CRM confirms without an id: named when they show, closed by key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.apply.bench import HERE, Bench, fake_crm
from tests.unit.plan.builders import closing, opening, ref

from crmsync.connector import CreateOnce
from crmsync.model.plan import TaskClose
from crmsync.model.run import OpState
from crmsync.model.state import Episode

LAG = timedelta(seconds=60)
FREE = ("tasks_per_owner=100", "new_tasks=100")


@pytest.fixture(params=[CreateOnce.B, CreateOnce.C])
def quiet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A CRM that tells no ids; on rung C its index lags as well."""
    lag = LAG if request.param is CreateOnce.C else timedelta()
    bench = Bench(tmp_path, fake_crm(create_once=request.param, index_lag=lag))
    bench.crm.tells_ids = False
    bench.seed(3)
    bench.apply(bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)]), *FREE)
    yield bench
    bench.store.close()


def lagging(bench: Bench) -> bool:
    return bench.crm.capabilities.index_lag > timedelta()


def known(bench: Bench, n: int) -> Episode:
    return bench.store.episodes.known(*HERE, [opening(n).key])[opening(n).key]


def status(bench: Bench, n: int) -> object:
    (task,) = [task for task in bench.crm.tasks().values() if task["Key"] == opening(n).key]
    return task["Status"]


def closed(bench: Bench, *numbers: int) -> dict[OpState, int]:
    plan = bench.plan([bench.item(n, closes=(closing(n),)) for n in numbers])
    assert sum(isinstance(line, TaskClose) for line in plan.lines()) == len(numbers)
    return dict(bench.apply(plan).outcomes)


def test_ids_are_learnt_at_the_end_of_the_run_where_the_crm_shows_them(quiet: Bench) -> None:
    ids = {known(quiet, n).crm_id for n in (1, 2, 3)}
    assert ids == ({None} if lagging(quiet) else set(quiet.crm.tasks()))


def test_a_nameless_task_is_found_by_its_key_and_closed(quiet: Bench) -> None:
    quiet.clock.sleep(1000)
    assert closed(quiet, 1, 2) == {OpState.DONE: 2}
    assert [status(quiet, n) for n in (1, 2, 3)] == ["Completed", "Completed", "Not Started"]
    assert known(quiet, 1).closed_on is not None
    assert known(quiet, 1).crm_id in quiet.crm.tasks()
    assert known(quiet, 3).closed_on is None


@pytest.mark.parametrize("quiet", [CreateOnce.C], indirect=True)
def test_a_task_that_may_show_yet_is_closed_by_a_later_plan(quiet: Bench) -> None:
    assert closed(quiet, 1) == {OpState.CANCELLED: 1}
    assert known(quiet, 1).closed_on is None
    quiet.clock.sleep(1000)
    assert closed(quiet, 1) == {OpState.DONE: 1}
    assert status(quiet, 1) == "Completed"


def test_a_nameless_task_that_a_person_deleted_needs_no_call(quiet: Bench) -> None:
    quiet.clock.sleep(1000)
    gone = next(id for id, task in quiet.crm.tasks().items() if task["Key"] == opening(2).key)
    quiet.crm.delete(type(ref(1))("Tasks", gone))
    calls = len(quiet.crm.calls)
    assert closed(quiet, 2) == {OpState.DONE: 1}
    assert len(quiet.crm.calls) == calls
    assert known(quiet, 2).closed_on is not None


def test_undo_closes_nameless_tasks_and_keeps_those_that_do_not_show(quiet: Bench) -> None:
    plan = quiet.undo(1)
    closings = [line for line in plan.lines() if isinstance(line, TaskClose)]
    if lagging(quiet):
        assert closings == []
        assert [held.ref for held in plan.header.withheld] == [ref(1), ref(2), ref(3)]
        quiet.clock.sleep(1000)
        plan = quiet.undo(1)
    assert quiet.apply(plan, "records_changed=100%").complete
    assert {status(quiet, n) for n in (1, 2, 3)} == {"Completed"}
