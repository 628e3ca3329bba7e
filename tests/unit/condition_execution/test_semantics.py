"""Fine points of values and time, each written down as one example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from crmsync.condition import compile_matcher, names, negate, trace, verdict
from crmsync.condition.tracing import evaluate
from crmsync.condition.values import months_between, round_half_away
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Call,
    Choose,
    Compare,
    Comparison,
    Function,
    Known,
    Literal,
    Name,
    Not,
    Operator,
    Within,
)
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow

TODAY = date(2026, 11, 22)
REVENUE = Name("revenue", FactType.MONEY)
ORDERS = Name("orders", FactType.INTEGER)
LAST = Name("last", FactType.DATE)
SEEN = Name("seen", FactType.DATETIME)


def say(condition, **values):
    return verdict(condition, values, TODAY)


def number(value):
    return Literal(value, FactType.NUMBER)


def test_a_comparison_with_an_unknown_value_is_unknown_and_so_is_its_negation():
    condition = Compare(Comparison.GT, REVENUE, number(5))

    assert say(condition) is Verdict.UNKNOWN
    assert say(Not(condition)) is Verdict.UNKNOWN
    assert say(negate(condition)) is Verdict.UNKNOWN


def test_false_beats_unknown_in_all_and_true_beats_it_in_any():
    unknown = Compare(Comparison.GT, REVENUE, number(5))
    no, yes = AnyOf(()), All(())

    assert say(All((unknown, no))) is Verdict.FALSE
    assert say(AnyOf((unknown, yes))) is Verdict.TRUE
    assert say(All((unknown, yes))) is Verdict.UNKNOWN


def test_an_integer_beyond_two_to_the_53_is_unknown():
    condition = Compare(Comparison.GT, ORDERS, number(0))

    assert say(condition, orders=2**53) is Verdict.TRUE
    assert say(condition, orders=2**53 + 1) is Verdict.UNKNOWN


def test_an_ill_typed_value_is_unknown():
    assert say(Known(ORDERS), orders="7") is Verdict.FALSE
    assert say(Known(ORDERS), orders=True) is Verdict.FALSE
    assert say(Known(LAST), last=datetime(2026, 1, 1, tzinfo=UTC)) is Verdict.FALSE


def test_a_window_leaves_out_its_first_day_and_the_future():
    condition = Within(LAST, RollingWindow(Period(months=12)))

    assert say(condition, last=date(2025, 11, 22)) is Verdict.FALSE
    assert say(condition, last=date(2025, 11, 23)) is Verdict.TRUE
    assert say(condition, last=TODAY) is Verdict.TRUE
    assert say(condition, last=date(2026, 11, 23)) is Verdict.FALSE


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (CalendarWindow(CalendarUnit.WEEK, 0), date(2026, 11, 16), TODAY),
        (CalendarWindow(CalendarUnit.WEEK), date(2026, 11, 9), date(2026, 11, 15)),
        (CalendarWindow(CalendarUnit.MONTH, 0), date(2026, 11, 1), TODAY),
        (CalendarWindow(CalendarUnit.MONTH), date(2026, 10, 1), date(2026, 10, 31)),
        (CalendarWindow(CalendarUnit.QUARTER), date(2026, 7, 1), date(2026, 9, 30)),
        (CalendarWindow(CalendarUnit.QUARTER, 1, 2), date(2026, 8, 1), date(2026, 10, 31)),
        (CalendarWindow(CalendarUnit.YEAR), date(2025, 1, 1), date(2025, 12, 31)),
        (CalendarWindow(CalendarUnit.YEAR, 1, 4), date(2025, 4, 1), date(2026, 3, 31)),
        (CalendarWindow(CalendarUnit.YEAR, 0, 4), date(2026, 4, 1), TODAY),
        (CalendarWindow(CalendarUnit.YEAR, 1, 12), date(2024, 12, 1), date(2025, 11, 30)),
    ],
)
def test_a_window_of_the_calendar_holds_its_first_and_its_last_day(window, first, last):
    condition, one = Within(LAST, window), timedelta(days=1)

    assert say(condition, last=first - one) is Verdict.FALSE
    assert say(condition, last=first) is Verdict.TRUE
    assert say(condition, last=last) is Verdict.TRUE
    assert say(condition, last=last + one) is Verdict.FALSE


def test_a_moment_compares_with_a_day_by_its_utc_day():
    day = Literal(date(2026, 11, 22), FactType.DATE)
    condition = Compare(Comparison.EQ, SEEN, day)

    assert say(condition, seen=datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) is Verdict.TRUE
    assert say(condition, seen=datetime(2026, 11, 23, tzinfo=UTC)) is Verdict.FALSE


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2026, 10, 31), date(2026, 11, 30), 1),
        (date(2026, 11, 30), date(2026, 12, 29), 0),
        (date(2026, 12, 23), date(2026, 11, 22), -2),
        (date(2026, 12, 22), date(2026, 11, 22), -1),
    ],
)
def test_months_are_whole_and_elapsed(start, end, months):
    assert months_between(start, end) == months
    assert Period(months=months).after(start) <= end < Period(months=months + 1).after(start)


def test_halves_round_away_from_zero():
    assert [round_half_away(value, 0) for value in (0.5, 1.5, 2.5, -0.5, -2.5)] == [1, 2, 3, -1, -3]
    assert round_half_away(1250.0, -2) == 1300.0
    assert round_half_away(1e308, 5) is None


def test_dividing_by_zero_and_overflowing_are_unknown():
    ratio = Arithmetic(Operator.DIVIDE, number(1), REVENUE)
    huge = Arithmetic(Operator.MULTIPLY, number(1e308), REVENUE)

    assert evaluate(ratio, {"revenue": Decimal(0)}, TODAY) is None
    assert evaluate(huge, {"revenue": Decimal(100)}, TODAY) is None


def test_a_choice_between_expressions_is_unknown_when_its_condition_is():
    formula = Choose(
        Compare(Comparison.GT, ORDERS, number(1)), number(1), number(2), FactType.NUMBER
    )

    assert evaluate(formula, {"orders": 2}, TODAY) == 1.0
    assert evaluate(formula, {"orders": 0}, TODAY) == 2.0
    assert evaluate(formula, {}, TODAY) is None


def test_min_is_unknown_when_one_value_is():
    least = Call(Function.MIN, (REVENUE, ORDERS))

    assert evaluate(least, {"revenue": Decimal(3), "orders": 2}, TODAY) == 2.0
    assert evaluate(least, {"orders": 2}, TODAY) is None


def test_names_are_found_at_any_depth():
    inner = Compare(Comparison.GT, Call(Function.DAYS_SINCE, (LAST,)), ORDERS)
    formula = Choose(Not(All((inner,))), REVENUE, number(0), FactType.NUMBER)

    assert names(formula) == {"last", "orders", "revenue"}


def test_a_trace_shows_the_parts_and_the_values_they_read():
    enough = Compare(Comparison.GE, ORDERS, number(6))
    recent = Within(LAST, RollingWindow(Period(days=60)))

    seen = trace(
        All((enough, recent)), {"orders": 7}, TODAY, wording=lambda node: type(node).__name__
    )

    assert seen.verdict is Verdict.UNKNOWN
    assert [part.verdict for part in seen.parts] == [Verdict.TRUE, Verdict.UNKNOWN]
    assert seen.values == {"orders": 7, "last": None}
    assert [part.text for part in seen.parts] == ["Compare", "Within"]


def test_one_function_serves_several_days():
    condition = Compare(Comparison.LE, Call(Function.DAYS_SINCE, (LAST,)), number(30))
    match = compile_matcher([condition], ["last"])

    assert match([date(2026, 11, 1)], TODAY) == 1
    assert match([date(2026, 11, 1)], date(2027, 1, 1)) == 0


def test_a_name_without_a_slot_is_refused_when_compiling():
    with pytest.raises(KeyError):
        compile_matcher([Known(ORDERS)], ["revenue"])
