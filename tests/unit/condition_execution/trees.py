"""Generated condition trees over one set of names, and rows of awkward values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Comparison,
    Function,
    Holds,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Operator,
    Within,
)
from crmsync.model.fact import FactType
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow, Window

AS_OF = date(2026, 11, 22)
COLUMNS = {
    "whole": (FactType.INTEGER, "BIGINT"),
    "count": (FactType.INTEGER, "BIGINT"),
    "size": (FactType.NUMBER, "DOUBLE"),
    "ratio": (FactType.PERCENT, "DOUBLE"),
    "money": (FactType.MONEY, "DECIMAL(28, 6)"),
    "bought_on": (FactType.DATE, "DATE"),
    "born_on": (FactType.DATE, "DATE"),
    "seen_at": (FactType.DATETIME, "TIMESTAMP"),
    "remark": (FactType.TEXT, "VARCHAR"),
    "kind": (FactType.CHOICE, "VARCHAR"),
    "vip": (FactType.YES_NO, "BOOLEAN"),
    "late": (FactType.YES_NO, "BOOLEAN"),
}
SLOTS = tuple(COLUMNS)

INTEGERS = [0, 1, -1, 2, 7, 30, 107, 2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**63 - 1, -(2**63)]
DOUBLES = [
    *(0.0, -0.0, 0.1, 0.2, 0.1 + 0.2, 0.3, 1.0, -1.0, 0.5, 2.5, -2.5, 1.005, 0.49999999999999994),
    *(1e-05, 1e16, 1e22, 5e-324, 1e300, -1e300, 1.7976931348623157e308, 9007199254740993.0),
]
ODD_DOUBLES = [*DOUBLES, float("nan"), float("inf"), float("-inf")]
AMOUNTS = [
    "0",
    "0.1",
    "-0.1",
    "100",
    "1e16",
    "1e-6",
    "0.000001",
    "300000",
    "9007199254740993.000001",
]
MONEY = [Decimal(amount) for amount in (*AMOUNTS, "123456789012345678901.123456", "-2.5")]
DAYS = [
    *(date(2026, 11, 22), date(2026, 11, 21), date(2026, 11, 23), date(2025, 11, 22)),
    *(
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 10, 31),
        date(2026, 8, 31),
        date(2026, 9, 30),
    ),
    *(
        date(1900, 1, 1),
        date(1899, 12, 31),
        date(2199, 12, 31),
        date(2200, 1, 1),
        date(9999, 12, 31),
    ),
    *(date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1)),
]
MOMENTS = [
    *(datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, 23, 59, 59, 999999, tzinfo=UTC)),
    *(datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC)),
    *(datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)),
    *(datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)),
]
WORDS = [
    *("", " ", "高", "中", "低", "O'Brien", 'say "hi"', "a\\b", "100%", "null", "NULL", "🙂", "é"),
    *(
        "e\u0301",
        "ß",
        "SS",
        "ss",
        "line\nbreak",
        "tab\t",
        "--",
        "; drop table t",
        "\u202e",
        "A",
        "a",
    ),
    *("\ufeff高", "高 ", "\x01", "{name}", "$1", "?", "'''"),
]
VALUES: dict[FactType, list[object]] = {
    FactType.INTEGER: list(INTEGERS),
    FactType.NUMBER: list(ODD_DOUBLES),
    FactType.PERCENT: list(ODD_DOUBLES),
    FactType.MONEY: list(MONEY),
    FactType.DATE: list(DAYS),
    FactType.DATETIME: list(MOMENTS),
    FactType.TEXT: list(WORDS),
    FactType.CHOICE: list(WORDS),
    FactType.YES_NO: [True, False],
}
NUMERIC = [FactType.INTEGER, FactType.NUMBER, FactType.PERCENT, FactType.MONEY]


def value_of(type: FactType) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), st.sampled_from(VALUES[type]), st.sampled_from(VALUES[type]))


def rows() -> st.SearchStrategy[list[tuple[object, ...]]]:
    row = st.tuples(*(value_of(kind) for kind, _ in COLUMNS.values()))
    return st.lists(row, min_size=4, max_size=12)


def name_of(*types: FactType) -> st.SearchStrategy[Name]:
    fitting = [Name(slot, kind) for slot, (kind, _) in COLUMNS.items() if kind in types]
    return st.sampled_from(fitting)


def literal_of(*types: FactType) -> st.SearchStrategy[Literal]:
    return st.one_of(
        *(
            st.builds(Literal, value=st.sampled_from(VALUES[kind]), type=st.just(kind))
            for kind in types
        )
    )


def numbers(depth: int = 2) -> st.SearchStrategy[object]:
    flat = st.one_of(name_of(*NUMERIC), name_of(*NUMERIC), literal_of(*NUMERIC))
    if depth == 0:
        return flat
    inner = numbers(depth - 1)
    moment_or_day = days(0)
    digits = st.builds(Literal, value=st.integers(-3, 6), type=st.just(FactType.INTEGER))
    return st.one_of(
        flat,
        st.builds(Arithmetic, st.sampled_from(Operator), inner, inner),
        st.builds(Arithmetic, st.just(Operator.SUBTRACT), moment_or_day, moment_or_day),
        call(Function.DAYS_SINCE, moment_or_day),
        call(Function.MONTHS_SINCE, moment_or_day),
        call(Function.ROUND, inner, digits),
        call(Function.ABS, inner),
        call(Function.MIN, inner, inner),
        call(Function.MAX, inner, inner, inner),
        st.builds(Choose, conditions(depth - 1), inner, inner, type=st.just(FactType.NUMBER)),
    )


def call(function: Function, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Call]:
    return st.builds(Call, st.just(function), st.tuples(*arguments))


def days(depth: int = 1) -> st.SearchStrategy[object]:
    types = (FactType.DATE, FactType.DATETIME)
    flat = st.one_of(name_of(*types), literal_of(*types))
    if depth == 0:
        return flat
    dates = st.one_of(name_of(FactType.DATE), literal_of(FactType.DATE))
    moments = st.one_of(name_of(FactType.DATETIME), literal_of(FactType.DATETIME))
    return st.one_of(
        flat,
        call(Function.MAX, dates, dates),
        call(Function.MIN, moments, moments),
        st.builds(Choose, conditions(0), dates, dates, type=st.just(FactType.DATE)),
    )


def windows() -> st.SearchStrategy[Window]:
    periods = st.builds(Period, st.sampled_from([0, 1, 3, 12, 120]), st.sampled_from([0, 1, 30]))
    long = st.just(RollingWindow(Period(months=12 * 3000)))
    calendar = st.builds(
        CalendarWindow, st.sampled_from(CalendarUnit), st.integers(0, 2), st.integers(1, 12)
    )
    rolling = st.builds(RollingWindow, periods, periods)
    return st.one_of(rolling, st.builds(RollingWindow, periods), long, calendar)


def conditions(depth: int = 2) -> st.SearchStrategy[object]:
    words = st.one_of(name_of(FactType.TEXT, FactType.CHOICE), literal_of(FactType.TEXT))
    flags = st.one_of(name_of(FactType.YES_NO), literal_of(FactType.YES_NO))
    equal = st.sampled_from([Comparison.EQ, Comparison.NE])
    number = numbers(min(depth, 2))
    day = days(min(depth, 1))
    mixed = st.one_of(number, day, words, flags)
    leaf = st.one_of(
        st.builds(Compare, st.sampled_from(Comparison), number, number),
        st.builds(Compare, st.sampled_from(Comparison), day, day),
        st.builds(Compare, equal, words, words),
        st.builds(Compare, equal, flags, flags),
        st.builds(Compare, st.sampled_from(Comparison), mixed, mixed),
        st.builds(OneOf, number, st.lists(literal_of(*NUMERIC), max_size=4).map(tuple)),
        st.builds(OneOf, words, st.lists(literal_of(FactType.CHOICE), max_size=4).map(tuple)),
        st.builds(Between, number, number, number),
        st.builds(Between, day, day, day),
        st.builds(Within, day, windows()),
        st.builds(Known, mixed),
        st.builds(Missing, mixed),
        st.builds(Holds, flags),
    )
    if depth == 0:
        return leaf
    inner = conditions(depth - 1)
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        leaf, leaf, st.builds(All, several), st.builds(AnyOf, several), st.builds(Not, inner)
    )
