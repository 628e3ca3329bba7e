"""What one owner gets for one day: the highest tier first, the rest dated later, nothing dropped."""

# ruff: noqa: E501
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.apply.bench import HERE, Bench
from tests.unit.plan.builders import DAY, customer, holds, made, opening, ruleset, stood

from crmsync.model.plan import TaskCreate
from crmsync.model.task import Due, ScoreMissing, TaskRule
from crmsync.model.text import Text
from crmsync.plan import Evaluated

DUE = DAY + timedelta(days=2)
TIERS = ("vip", "key", "standard")


def with_task(n: int, tier: str = "key", owner: str = "u1", task: str = "call") -> Evaluated:
    was = stood(tier)
    return customer(n, tier, was=was, owned=holds(was), opens=(opening(n, task),), owner=owner)


def rules(whole: int | None = None, **own: int):  # type: ignore[no-untyped-def]
    tasks = tuple(
        TaskRule(id, Text.same(id), ScoreMissing(), ("account owner",), Due(2), capacity=count)
        for id, count in own.items()
    )
    return replace(ruleset(), task_capacity=whole, tasks=tasks)


def tasks_of(items: list[Evaluated], **changes: object) -> list[TaskCreate]:
    _, lines = made(items, **changes)
    return [line for line in lines if isinstance(line, TaskCreate)]


def test_the_highest_tier_keeps_its_day_and_the_rest_is_dated_and_listed() -> None:
    items = [
        with_task(1, "standard"),
        with_task(2, "vip"),
        with_task(3, "key"),
        with_task(4, "vip"),
    ]

    draft, lines = made(items, ruleset=rules(2))

    tasks = {line.about.id: line for line in lines if isinstance(line, TaskCreate)}
    days = {id: (line.due - DUE).days for id, line in tasks.items()}
    assert days == {"A00001": 1, "A00002": 0, "A00003": 1, "A00004": 0}
    assert all(line.values["Due"] == line.due for line in tasks.values())
    listed = [item for item in draft.header.withheld if item.kind == "over_capacity"]
    assert [item.ref.id for item in listed] == ["A00001", "A00003"]
    assert str(DUE + timedelta(days=1)) in listed[0].text.zh
    assert draft.header.counts.new_tasks == 4
    assert draft.header.counts.withheld == 0


def test_what_is_open_already_takes_its_room_and_weekends_are_skipped() -> None:
    booked = {("visit", "u1", DUE): 1, ("call", "u1", DUE): 1}

    def next_week(day: date) -> date:
        return day + timedelta(days=7)

    (task,) = tasks_of([with_task(1)], ruleset=rules(2), booked=booked, next_workday=next_week)
    (free,) = tasks_of([with_task(1)], ruleset=rules(3), booked=booked, next_workday=next_week)

    assert task.due == DUE + timedelta(days=7)
    assert free.due == DUE


def test_a_rule_may_have_a_capacity_of_its_own() -> None:
    items = [with_task(n, task=("call", "visit")[n % 2]) for n in range(1, 7)]

    tasks = tasks_of(items, ruleset=rules(call=1))

    assert sorted((line.due - DUE).days for line in tasks if line.task_id == "call") == [0, 1, 2]
    assert {line.due for line in tasks if line.task_id == "visit"} == {DUE}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(TIERS), st.sampled_from(("u1", "u2"))), max_size=25),
    st.integers(1, 4),
)
def test_nothing_is_dropped_and_no_day_is_overfull(
    people: list[tuple[str, str]], most: int
) -> None:
    items = [with_task(n, tier, owner) for n, (tier, owner) in enumerate(people, 1)]

    tasks = tasks_of(items, ruleset=rules(most))

    assert len(tasks) == len(people)
    assert all(count <= most for count in Counter((t.owner, t.due) for t in tasks).values())
    rank = {f"A{n:05}": TIERS.index(tier) for n, (tier, _) in enumerate(people, 1)}
    for one in tasks:
        for other in tasks:
            if one.owner == other.owner and rank[one.about.id] < rank[other.about.id]:
                assert one.due <= other.due


def test_without_a_capacity_every_task_keeps_its_day() -> None:
    assert {line.due for line in tasks_of([with_task(n) for n in range(1, 30)])} == {DUE}


def test_the_store_knows_whose_open_tasks_fall_on_which_day(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(2)
    bench.apply(bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2)]))

    assert bench.store.episodes.booked(*HERE, since=DAY) == {("call", "u1", DUE): 2}
    assert bench.store.episodes.booked(*HERE, since=DUE + timedelta(days=1)) == {}
    bench.store.close()
