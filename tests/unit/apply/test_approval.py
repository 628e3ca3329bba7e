"""Approvals: what lies beyond a ceiling is withheld and counted, the rest goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.apply.bench import Bench
from tests.unit.plan.builders import NOW, opening
from tests.unit.plan.lines import change, task

from crmsync.errors import GuardRefused, UsageError
from crmsync.model.approval import CEILINGS, Approval, Budget, ceiling
from crmsync.model.plan import Direction, PlanLine, RecordChange, TaskCreate
from crmsync.model.run import ApplyReport, OpState
from crmsync.plan import PlanFile


def settle_in(bench: Bench, count: int) -> None:
    """Everybody stands in the tier *key*, applied, and a day has passed."""
    bench.seed(count)
    plan = bench.plan([bench.item(n) for n in range(1, count + 1)])
    bench.apply(plan, "first_assignments=100%")
    bench.clock.sleep(timedelta(days=1).total_seconds())


def falls(bench: Bench, count: int, **more: object) -> PlanFile:
    return bench.plan([bench.item(n, "standard", **more) for n in range(1, count + 1)])


def approved(plan: PlanFile, *caps: str) -> Approval:
    ceilings = tuple(ceiling(cap) for cap in caps)
    return Approval(plan.header.plan_id, plan.digest, "boss", NOW, "reviewed", ceilings)


def apply(bench: Bench, plan: PlanFile, *caps: str, allow: Sequence[str] = ()) -> ApplyReport:
    with bench.applier() as (applier, lock):
        order = replace(bench.order(lock, "apply", *allow), approval=approved(plan, *caps))
        report: ApplyReport = applier.run(plan, order)
        return report


def test_more_than_approved_is_withheld_and_the_rest_goes(bench: Bench) -> None:
    settle_in(bench, 20)
    plan = falls(bench, 20)
    with pytest.raises(GuardRefused):
        bench.apply(plan)
    shift = ("tier_shift=100%",)
    report = apply(bench, plan, "demotions=8", "records_changed=100%", allow=shift)
    assert report.outcomes == {OpState.DONE: 8, OpState.WITHHELD: 12}
    assert bench.tiers(20) == ["普通客户"] * 8 + ["重要客户"] * 12
    held = [row for row in report.problems if row.state is OpState.WITHHELD]
    assert {(row.error.code, row.error.message) for row in held if row.error} == {
        ("BEYOND_APPROVAL", "demotions=8, approved by boss")
    }


def test_a_ceiling_answers_its_own_guard_and_no_other(bench: Bench) -> None:
    settle_in(bench, 20)
    plan = falls(bench, 20)
    calls = len(bench.crm.calls)
    with pytest.raises(GuardRefused) as caught:
        apply(bench, plan, "demotions=100%")
    assert "records_changed" in caught.value.message.en
    assert len(bench.crm.calls) == calls


def test_resume_never_sends_what_was_withheld(bench: Bench) -> None:
    settle_in(bench, 4)
    plan = falls(bench, 4)
    report = apply(bench, plan, "demotions=1")
    calls = len(bench.crm.calls)
    again = bench.resume(report.run.id)
    assert again.outcomes == {OpState.DONE: 1, OpState.WITHHELD: 3}
    assert len(bench.crm.calls) == calls


def test_what_was_withheld_is_planned_again(bench: Bench) -> None:
    settle_in(bench, 4)
    apply(bench, falls(bench, 4), "demotions=1")
    later = [line for line in falls(bench, 4).lines() if isinstance(line, RecordChange)]
    assert [line.ref.id for line in later if line.fields] == ["A00002", "A00003", "A00004"]


def test_a_withheld_customer_s_tasks_wait_with_it(bench: Bench) -> None:
    settle_in(bench, 3)
    plan = bench.plan([bench.item(n, "standard", opens=(opening(n),)) for n in (1, 2, 3)])
    report = apply(bench, plan, "demotions=2")
    assert report.tasks_created == 2
    assert report.outcomes == {OpState.DONE: 4, OpState.WITHHELD: 2}
    assert len(bench.crm.objects["Tasks"]) == 2


def test_tasks_alone_can_be_capped(bench: Bench) -> None:
    settle_in(bench, 3)
    plan = bench.plan([bench.item(n, "standard", opens=(opening(n),)) for n in (1, 2, 3)])
    report = apply(bench, plan, "new_tasks=1")
    assert (report.written, report.tasks_created) == (3, 1)


@pytest.mark.parametrize(
    "written", ["demotions", "demotions=-1", "demotions=x", "source_age=3", "missing_rise=5%", "=3"]
)
def test_a_ceiling_that_cannot_be_one_is_refused(written: str) -> None:
    with pytest.raises(UsageError) as caught:
        ceiling(written)
    assert caught.value.mend is not None


directions = st.sampled_from([Direction.FIRST, Direction.RISE, Direction.FALL, Direction.STAGE])


@given(
    st.lists(st.tuples(directions, st.integers(0, 3)), max_size=30),
    st.dictionaries(st.sampled_from(CEILINGS), st.integers(0, 12), max_size=4),
)
def test_no_figure_ever_exceeds_its_ceiling(
    people: list[tuple[Direction, int]], caps: dict[str, int]
) -> None:
    budget = Budget([ceiling(f"{name}={most}") for name, most in caps.items()], evaluated=100)
    went: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for n, (direction, tasks) in enumerate(people):
        lines = made(n, direction, tasks)
        beyond = budget.beyond(lines)
        assert len(beyond) == len(lines)
        assert all(name is None or name in caps for name in beyond)
        for line, name in zip(lines, beyond, strict=True):
            if name is None:
                count(line, went, pairs)
    for name, most in caps.items():
        assert went[name] <= most
    assert all(figure <= caps.get("demotions_by_pair", 999) for figure in pairs.values())


def made(n: int, direction: Direction, tasks: int) -> list[PlanLine]:
    return [change(n, direction), *(task(n, k) for k in range(tasks))]


def count(line: PlanLine, went: Counter[str], pairs: Counter[tuple[str, str]]) -> None:
    if isinstance(line, TaskCreate):
        went["new_tasks"] += 1
        went["tasks_per_owner"] += 1  # one owner in this world
    elif isinstance(line, RecordChange) and line.direction is Direction.FIRST:
        went["first_assignments"] += 1
    elif isinstance(line, RecordChange):
        went["records_changed"] += 1
        went["tier_changes"] += line.direction in {Direction.RISE, Direction.FALL}
        went["demotions"] += line.direction is Direction.FALL
        if line.direction is Direction.FALL:
            pairs[line.tier_before or "", line.tier_after or ""] += 1


def test_a_held_plan_is_no_measure_for_the_next(bench: Bench) -> None:
    settle_in(bench, 20)
    with pytest.raises(GuardRefused):
        bench.apply(falls(bench, 12))
    figures = bench.store.runs.last_figures("crm", "b2b")
    assert figures is not None
    assert figures.evaluated == 20
