"""Task events as rule files write them: days, birthdays, festivals, conditions that become true."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.writing import load_text, sound

from crmsync.condition.festivals import FESTIVALS, festival_day
from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    match_compiled,
    row_from_facts,
)
from crmsync.model.decision import Decision
from crmsync.model.fact import FactValue
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.rules import mutants

REF = RecordRef("case", "1")
TODAY = date(2026, 11, 22)
ADDED = (
    "  blacklisted:",
    "  birthday: {type: date, label: 生日 | Birthday}\n"
    "  contract_end: {type: date, label: 合同到期日 | Contract end}\n"
    "  contacted: {type: date, label: 最近联系 | Contacted}\n"
    "  reason: {type: choice, label: 流失原因 | Reason, choices: [价格, 服务]}\n"
    "  blacklisted:",
)
TASK = """  - id: visit
    title: 回访 {name} | Visit {name}
    event: every service.visit_every
"""


def engine_of(event: str, extra: str = "") -> Engine:
    """The sound ruleset whose visits happen by *event*."""
    changed = TASK.replace("every service.visit_every", event) + extra
    with TemporaryDirectory() as folder:
        ruleset, findings = load_text(
            Path(folder),
            sound(ADDED, (TASK, changed), ("    once_per: customer, period\n", "")),
        )
    assert ruleset is not None, [(item.code, item.message.en) for item in findings]
    return Engine(ruleset)


def decided(
    engine: Engine, today: date, clocks: Clocks | None = None, **facts: FactValue
) -> Decision:
    given: dict[str, FactValue] = {"orders_12m": 1, **facts}
    row = row_from_facts(engine, REF, given, today)
    state = CustomerState(
        REF,
        Standing("basic", date(2026, 1, 1), date(2026, 1, 1), "active", date(2026, 1, 1)),
        clocks or Clocks(evaluated=today - timedelta(days=1)),
    )
    (matched,) = match_compiled([row], engine, today)
    return decide(engine, matched, state, EvaluationContext(as_of=today))


def opened(engine: Engine, today: date, clocks: Clocks | None = None, **facts: FactValue) -> bool:
    tasks = decided(engine, today, clocks, **facts).opens
    return any(task.task_id == "visit" for task in tasks)


def days_opened(engine: Engine, first: date, count: int, **facts: FactValue) -> list[date]:
    every = [first + timedelta(days=n) for n in range(count)]
    return [day for day in every if opened(engine, day, **facts)]


@pytest.mark.parametrize(
    ("event", "on"),
    [
        ("60 days before contract_end", date(2026, 10, 1)),
        ("合同到期日前60天", date(2026, 10, 1)),
        ("contract_end 前 2 个月", date(2026, 9, 30)),
        ("7 days after contract_end", date(2026, 12, 7)),
        ("合同到期日之后 1 周", date(2026, 12, 7)),
        ("on contract_end", date(2026, 11, 30)),
        ("contract_end", date(2026, 11, 30)),
        ("date of year 12-25", date(2026, 12, 25)),
        ("每年12月25日", date(2026, 12, 25)),
        ("festival 中秋", date(2026, 9, 25)),
        ("7 days before 中秋节", date(2026, 9, 18)),
        ("端午前3天", date(2026, 6, 16)),
        ("节日 国庆", date(2026, 10, 1)),
        ("清明", date(2026, 4, 5)),
    ],
)
def test_an_event_of_a_day_happens_on_that_day_alone(event: str, on: date) -> None:
    days = days_opened(engine_of(event), date(2026, 4, 1), 270, contract_end=date(2026, 11, 30))

    assert days == [on]


def test_a_birthday_comes_once_in_every_year_after_the_first() -> None:
    days = days_opened(engine_of("birthday"), date(2022, 1, 1), 366 * 4, birthday=date(2023, 5, 6))

    assert days == [date(2024, 5, 6), date(2025, 5, 6)]


@pytest.mark.parametrize("event", ["birthday", "date of year 02-29"])
def test_29_february_is_28_february_in_common_years(event: str) -> None:
    days = days_opened(engine_of(event), date(2023, 1, 1), 366 * 3, birthday=date(2000, 2, 29))

    assert days == [date(2023, 2, 28), date(2024, 2, 29), date(2025, 2, 28)]


ENGINES = {festival: engine_of(f"festival {festival}") for festival in sorted(FESTIVALS)}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FESTIVALS)), st.integers(1902, 2098), st.integers(0, 300))
def test_a_festival_happens_once_a_year_however_seldom_it_is_looked_for(
    festival: str, year: int, gap: int
) -> None:
    engine, day = ENGINES[festival], festival_day(festival, year)
    assert day is not None
    seen = day - timedelta(days=1)

    assert opened(engine, day, Clocks(evaluated=seen))
    assert opened(engine, day + timedelta(days=gap), Clocks(evaluated=seen))
    assert not opened(engine, day + timedelta(days=max(1, gap)), Clocks(evaluated=day))


def test_a_missed_span_gives_one_task_for_the_last_day() -> None:
    engine = engine_of("date of year 12-25")

    first = decided(engine, date(2026, 1, 2), Clocks(evaluated=date(2020, 1, 1)))
    again = decided(engine, date(2026, 1, 3), Clocks(evaluated=date(2025, 12, 24)))

    keys = [[task.key for task in one.opens if task.task_id == "visit"] for one in (first, again)]
    assert len(keys[0]) == 1
    assert keys[0] == keys[1]


def test_an_unknown_date_gives_no_task() -> None:
    assert not opened(engine_of("60 days before contract_end"), TODAY)
    assert not opened(engine_of("birthday"), TODAY)


# ── becomes true ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("held", "contacted", "opens", "after"),
    [
        ({"visit": False}, TODAY, True, True),
        ({"visit": True}, TODAY, False, True),
        ({"visit": True}, date(2020, 1, 1), False, False),
        ({"visit": False}, None, False, False),
        ({"visit": True}, None, False, True),
        ({}, TODAY, False, True),
    ],
)
def test_a_condition_becomes_true_once_and_is_remembered(
    held: dict[str, bool], contacted: date | None, opens: bool, after: bool
) -> None:
    engine = engine_of("contacted within 10 days becomes true")
    clocks = Clocks(evaluated=TODAY - timedelta(days=1), held=held)

    decision = decided(engine, TODAY, clocks, contacted=contacted)

    assert any(task.task_id == "visit" for task in decision.opens) is opens
    assert decision.clocks.held["visit"] is after


def test_a_new_rule_that_watches_makes_no_storm_of_tasks() -> None:
    engine = engine_of("blacklisted becomes true")

    assert not opened(engine, TODAY, blacklisted=True)


# ── what keeps a task away ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("contacted", "opens"),
    [
        (TODAY, False),
        (TODAY - timedelta(days=29), False),
        (TODAY - timedelta(days=30), True),
        (TODAY + timedelta(days=1), True),
        (None, True),
    ],
)
@pytest.mark.parametrize("words", ["contacted within period", "最近联系 在周期内"])
def test_what_was_done_within_the_period_counts(
    words: str, contacted: date | None, opens: bool
) -> None:
    engine = engine_of("every 30 days", f"    counts_as_done: {words}\n")
    clocks = Clocks(evaluated=date(2026, 10, 20))  # 28 October is due

    assert opened(engine, TODAY, clocks, contacted=contacted) is opens


def test_a_condition_may_count_as_done() -> None:
    engine = engine_of("birthday", "    counts_as_done: contacted within 3 days\n")
    born = date(1990, TODAY.month, TODAY.day)

    assert opened(engine, TODAY, birthday=born)
    assert not opened(engine, TODAY, birthday=born, contacted=TODAY - timedelta(days=2))


def test_nothing_is_created_before_the_first_day_of_a_task() -> None:
    engine = engine_of("date of year 11-22", "    start: 2026-11-22\n")

    assert not opened(engine, date(2025, 11, 22))
    assert opened(engine, TODAY)


def test_a_start_for_all_tasks_stands_above_the_rules() -> None:
    with TemporaryDirectory() as folder:
        text = sound(("tasks:\n", "tasks:\n  start: 2027-01-01\n  capacity: 5\n  rules:\n"))
        ruleset, findings = load_text(Path(folder), text)
    assert ruleset is not None, findings
    assert {task.start for task in ruleset.tasks} == {date(2027, 1, 1)}
    assert ruleset.task_capacity == 5


# ── channel and result ─────────────────────────────────────────────────────────────────────────


def test_channel_and_result_go_with_the_task() -> None:
    engine = engine_of(
        "date of year 11-22",
        "    via: phone\n    result: {field: reason, choices: [价格, 服务], required: true}\n",
    )

    task = next(one for one in decided(engine, TODAY).opens if one.task_id == "visit")

    assert task.via == "phone"
    assert task.note is not None
    assert task.note.zh == "请填写“流失原因”（价格 / 服务）"
    assert task.note.en == "Please fill in “Reason” (价格 / 服务)"


# ── everything else knows the new keys ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "extra",
    [
        "    via: phone\n",
        "    start: 2026-12-01\n",
        "    capacity: 3\n",
        "    counts_as_done: contacted within 3 days\n",
        "    counts_as_done: contacted within period\n",
        "    result: {field: reason}\n",
    ],
)
def test_the_digest_knows_every_key(extra: str) -> None:
    plain, changed = engine_of("every 30 days"), engine_of("every 30 days", extra)

    assert plain.ruleset.digest != changed.ruleset.digest


@pytest.mark.parametrize(
    ("event", "extra", "mutant"),
    [
        ("60 days before contract_end", "", "61 days before"),
        ("60 days before contract_end", "", "60 days after"),
        ("orders_12m > 2 becomes true", "", "orders_12m ≥ 2"),
        ("every 30 days", "    counts_as_done: contacted within period\n", ""),
        ("every 30 days", "    start: 2026-12-01\n", "2026-12-02"),
    ],
)
def test_mutants_change_every_key(event: str, extra: str, mutant: str) -> None:
    engine = engine_of(event, extra)

    assert mutant in {
        item.change.after for item in mutants(engine.ruleset) if item.place == "tasks.visit"
    }
