"""What the CRM refuses run after run is set aside with its own words, until it would be another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.unit.apply.bench import HERE, Bench
from tests.unit.plan.builders import inputs, opening, ref

from crmsync.model.plan import RecordChange, TaskCreate, Withheld
from crmsync.model.record import RecordRef
from crmsync.plan import PlanFile
from crmsync.project.planning import GIVE_UP


def refused(bench: Bench) -> dict[RecordRef, Any]:
    return bench.store.refusals.standing(*HERE, from_runs=GIVE_UP)


def night(bench: Bench, tier: str = "key", **more: Any) -> PlanFile:
    """One night's plan for two customers; the CRM refuses every change of the second one."""
    items = [bench.item(1, tier), bench.item(2, tier, **more)]
    plan = bench.plan(items, refused=refused(bench))

    def mark(crm: Any) -> None:
        latest = bench.store.runs.latest(1)[0].id
        for op in bench.store.journal.rows(latest):
            if op.effect.about == ref(2):
                crm.refused.add(op.record.op_key)

    bench.crm.before_write = mark
    return plan


def next_day(bench: Bench) -> None:
    bench.clock.sleep(timedelta(days=1).total_seconds())


def changed(plan: PlanFile) -> list[str]:
    return [line.ref.id for line in plan.lines() if isinstance(line, RecordChange) and line.fields]


def dead(plan: PlanFile) -> list[Withheld]:
    return [item for item in plan.header.withheld if item.kind == "dead_letter"]


def test_the_sixth_night_does_not_send_it_and_says_why(bench: Bench) -> None:
    bench.seed(2)
    for number in range(GIVE_UP):
        plan = night(bench)
        assert "A00002" in changed(plan), number
        bench.apply(plan, "first_assignments=100%")
        next_day(bench)
    calls = len(bench.crm.calls)
    plan = night(bench)
    assert changed(plan) == []
    (held,) = dead(plan)
    assert held.ref == ref(2)
    assert "refused by the CRM in 5 runs, not sent again: INVALID_DATA Tier" in held.text.en
    assert plan.header.counts.withheld_by_kind == {"dead_letter": 1}
    bench.apply(plan)
    assert len(bench.crm.calls) == calls


def test_another_wanted_value_is_sent(bench: Bench) -> None:
    bench.seed(2)
    for _ in range(GIVE_UP):
        bench.apply(night(bench), "first_assignments=100%")
        next_day(bench)
    assert "A00002" in changed(night(bench, "vip"))


def test_a_write_that_was_taken_begins_the_count_anew(bench: Bench) -> None:
    bench.seed(2)
    for _ in range(GIVE_UP - 1):
        bench.apply(night(bench), "first_assignments=100%")
        next_day(bench)
    plan = night(bench)
    bench.crm.before_write = lambda crm: None
    bench.crm.refused.clear()
    bench.apply(plan, "first_assignments=100%")
    assert refused(bench) == {}
    next_day(bench)
    bench.apply(night(bench, "vip"))
    assert refused(bench) == {}


def test_resuming_one_run_is_not_another_run(bench: Bench) -> None:
    bench.seed(2)
    report = bench.apply(night(bench), "first_assignments=100%")
    for _ in range(GIVE_UP + 1):
        bench.resume(report.run.id)
    assert refused(bench) == {}


def test_a_task_the_crm_will_not_take_is_set_aside_alone(bench: Bench) -> None:
    bench.seed(2)
    first = bench.plan([bench.item(1), bench.item(2)])
    bench.apply(first, "first_assignments=100%")
    for _ in range(GIVE_UP):
        next_day(bench)
        plan = night(bench, opens=(opening(2),))
        assert any(isinstance(line, TaskCreate) for line in plan.lines())
        bench.apply(plan)
    plan = night(bench, "vip", opens=(opening(2),))
    assert not any(isinstance(line, TaskCreate) for line in plan.lines())
    assert [item.kind for item in plan.header.withheld] == ["dead_letter"]
    assert changed(plan) == ["A00001", "A00002"]


def test_a_person_may_have_it_sent_again(bench: Bench) -> None:
    bench.seed(2)
    for _ in range(GIVE_UP):
        bench.apply(night(bench), "first_assignments=100%")
        next_day(bench)
    plan = bench.plan([bench.item(1), bench.item(2)], refused={})
    assert "A00002" in changed(plan)
    assert replace(inputs(), refused=refused(bench)).refused
