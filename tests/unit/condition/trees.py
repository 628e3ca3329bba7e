"""Generated conditions and formulas in their canonical shape, for round trips."""

# ruff: noqa: E501

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st
from tests.unit.condition.language import SCOPE

from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Comparison,
    Condition,
    Expression,
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
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow

UNIQUE = tuple(name for name in SCOPE.names if name.id not in {"one", "two"})


def names(*types: FactType) -> st.SearchStrategy[Expression]:
    return st.sampled_from([Name(name.id, name.type) for name in UNIQUE if name.type in types])


NUMERIC = (FactType.INTEGER, FactType.NUMBER, FactType.MONEY, FactType.PERCENT)
whole = st.integers(-(10**12), 10**12)
broken = st.decimals(-1000, 1000, places=3).filter(lambda d: d != d.to_integral_value())
shares = st.decimals(-500, 500, places=2)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="”“\"'「」『』‘’\r\n", exclude_categories=("Cc", "Cs")),
    min_size=1, max_size=12,
).map(str.strip).filter(bool)  # fmt: skip
periods = st.one_of(
    st.integers(1, 60).map(lambda n: Period(months=n)),
    st.integers(1, 900).map(lambda n: Period(days=n)),
)
windows = st.one_of(
    st.builds(RollingWindow, periods, st.one_of(st.just(Period()), periods)),
    st.builds(CalendarWindow, st.sampled_from(CalendarUnit), st.integers(0, 1)),
)


def literal(type: FactType) -> st.SearchStrategy[Literal]:
    match type:
        case FactType.MONEY:
            return st.one_of(whole.map(Decimal), broken).map(lambda v: Literal(v, type))
        case FactType.PERCENT:
            return shares.map(lambda v: Literal(float(v / 100) + 0.0, type))
        case FactType.NUMBER:
            return st.one_of(whole, broken).map(lambda v: Literal(float(v), type))
        case FactType.INTEGER:
            return st.one_of(
                whole.map(lambda v: Literal(v, type)),
                broken.map(lambda v: Literal(float(v), FactType.NUMBER)),
            )
        case FactType.DATE:
            return days.map(lambda v: Literal(v, type))
        case FactType.YES_NO:
            return st.booleans().map(lambda v: Literal(v, type))
        case _:
            return texts.map(lambda v: Literal(v, FactType.TEXT))


loose = st.one_of(
    whole.map(lambda v: Literal(v, FactType.INTEGER)),
    broken.map(lambda v: Literal(float(v), FactType.NUMBER)),
    shares.map(lambda v: Literal(float(v / 100) + 0.0, FactType.PERCENT)),
)
"""Literals inside arithmetic, where no other side says their type."""


def arithmetic(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.builds(Arithmetic, st.sampled_from(Operator), parts, st.one_of(parts, loose))


def calls(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    dates = names(FactType.DATE)
    places = st.integers(0, 6).map(lambda n: Literal(n, FactType.INTEGER))
    return st.one_of(
        st.builds(
            Call,
            st.sampled_from([Function.DAYS_SINCE, Function.MONTHS_SINCE]),
            dates.map(lambda d: (d,)),
        ),
        st.builds(
            Call,
            st.sampled_from([Function.MIN, Function.MAX]),
            st.lists(st.one_of(parts, loose), min_size=2, max_size=3).map(tuple),
        ),
        st.builds(Call, st.just(Function.ABS), parts.map(lambda e: (e,))),
        st.builds(Call, st.just(Function.ROUND), st.tuples(parts, places)),
        st.builds(lambda a, b: Arithmetic(Operator.SUBTRACT, a, b), dates, dates),
    )


numbers: st.SearchStrategy[Expression] = st.recursive(
    names(*NUMERIC), lambda parts: st.one_of(arithmetic(parts), calls(parts)), max_leaves=5
)


@st.composite
def choice_of(draw: st.DrawFn) -> tuple[Expression, list[Literal]]:
    name = draw(st.sampled_from([name for name in UNIQUE if name.type is FactType.CHOICE]))
    picked = draw(
        st.lists(st.sampled_from(name.choices), min_size=1, max_size=3, unique_by=lambda c: c.value)
    )
    return Name(name.id, name.type), [Literal(c.value, FactType.CHOICE) for c in picked]


EQUALITY = st.sampled_from([Comparison.EQ, Comparison.NE])
ORDER = st.sampled_from(Comparison)


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    kind = draw(st.integers(0, 10))
    if kind == 0:
        left = draw(numbers)
        return Compare(draw(ORDER), left, draw(literal(left.type)))
    if kind == 1:
        return Compare(draw(ORDER), draw(numbers), draw(numbers))
    if kind == 2:
        day = draw(names(FactType.DATE))
        right = draw(st.one_of(names(FactType.DATE), literal(FactType.DATE)))
        return Compare(draw(ORDER), day, right)
    if kind == 3:
        operand, options = draw(choice_of())
        return Compare(draw(EQUALITY), operand, options[0])
    if kind == 4:
        operand, options = draw(choice_of())
        return OneOf(operand, tuple(options))
    if kind == 5:
        return Compare(draw(EQUALITY), Name("country", FactType.TEXT), draw(literal(FactType.TEXT)))
    if kind == 6:
        left = draw(numbers)
        low, high = sorted(
            draw(st.lists(literal(left.type), min_size=2, max_size=2)),
            key=lambda item: item.value,  # type: ignore[arg-type,return-value]
        )
        return Between(left, low, high)
    if kind == 7:
        return Within(draw(names(FactType.DATE)), draw(windows))
    if kind == 8:
        known = draw(names(*FactType))
        return Known(known) if draw(st.booleans()) else Missing(known)
    if kind == 9:
        flag = draw(names(FactType.YES_NO))
        return Compare(draw(EQUALITY), flag, draw(literal(FactType.YES_NO)))
    return Holds(draw(names(FactType.YES_NO)))


def groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    lists = st.lists(parts, max_size=3).map(tuple)
    choosing = st.builds(
        lambda test, a, b, limit: Compare(
            Comparison.GT,
            Choose(test, a, b, FactType.NUMBER),
            Literal(float(limit), FactType.NUMBER),
        ),
        parts,
        names(FactType.NUMBER),
        names(FactType.NUMBER),
        whole,
    )
    return st.one_of(
        st.builds(All, lists), st.builds(AnyOf, lists), st.builds(Not, parts), choosing
    )


conditions: st.SearchStrategy[Condition] = st.recursive(leaves(), groups, max_leaves=6)
