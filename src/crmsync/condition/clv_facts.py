"""The facts of the clv block as formulas: one tree for Python and for SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from crmsync.condition.shape import names
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.condition import Arithmetic, Call, Expression, Function, Literal, Name, Operator
from crmsync.model.fact import FactType
from crmsync.model.frozen import FrozenLines
from crmsync.model.period import Period
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text

LINES = "clv"
"""The name of a frozen fit."""
BG_NBD = ("r", "alpha", "a", "b")
GAMMA_GAMMA = ("p", "q", "gamma")
CLV, EXPECTED, ALIVE = "clv", "expected_orders", "p_alive"
DAYS_A_WEEK = 7
_YEAR_DAYS = Decimal("365.25")


def clv_facts(
    rules: ClvRules, facts: Mapping[str, FactDefinition], fit: FrozenLines | None
) -> Iterator[FactDefinition]:
    """``clv``, ``expected_orders`` and, from BG/NBD, ``p_alive``.

    Without a *fit* the facts of BG/NBD have no formula: they stay unknown unless they are given.
    """
    formulas: dict[str, Expression | None] = {CLV: None, EXPECTED: None}
    if rules.model is ClvModel.SIMPLE:
        formulas = dict(_simple(rules, facts))
    else:
        formulas[ALIVE] = None
        if fit is not None:
            formulas = dict(_fitted(rules, facts, fit))
    types = {CLV: FactType.MONEY, EXPECTED: FactType.NUMBER, ALIVE: FactType.PERCENT}
    for id, formula in formulas.items():
        yield FactDefinition(
            id=id,
            label=_LABELS[id],
            type=types[id],
            formula=formula,
            model=LINES,
            span=rules.span,
        )


_LABELS = {
    CLV: Text(zh="客户终身价值", en="Customer lifetime value"),
    EXPECTED: Text(zh="预期订单数", en="Expected orders"),
    ALIVE: Text(zh="活跃概率", en="Chance of being active"),
}


def clv_inputs(rules: ClvRules) -> frozenset[str]:
    """The facts the model reads."""
    found = {rules.orders, rules.revenue, rules.first, rules.last} - {None}
    for expression in (rules.margin, rules.retention):
        if expression is not None:
            found |= names(expression)
    return frozenset(name for name in found if name is not None)


def years_of(period: Period) -> Decimal:
    """*period* in years: 12 months or 365.25 days each."""
    return Decimal(period.months) / 12 + Decimal(period.days) / _YEAR_DAYS


# ── the plain formula ──────────────────────────────────────────────────────────────────────────


def _simple(
    rules: ClvRules, facts: Mapping[str, FactDefinition]
) -> Iterator[tuple[str, Expression]]:
    """CLV = average order × orders a year × margin × expected lifetime in years.

    Average order × orders a year is the net revenue of the window over the window's years, so a
    customer without orders is worth 0. The expected lifetime inside a horizon of H years at a
    retention ρ a year is Σ ρ^t for t = 0 … H-1, a last part of a year counting in part; it grows
    to 1 / (1 - ρ). P. D. Berger, N. I. Nasr, Customer Lifetime Value: Marketing Models and
    Applications, Journal of Interactive Marketing 12 (1998), 17–30, case 1 without discounting.
    """
    assert rules.window is not None
    assert rules.retention is not None
    years = years_of(rules.window)
    lifetime = _lifetime(rules.retention, years_of(rules.horizon))
    yearly = _over(_fact(facts, rules.revenue), years)
    margin = rules.margin
    if isinstance(margin, Name) and margin.type is FactType.MONEY:
        yearly, margin = _over(margin, years), None
    value = _times(yearly, lifetime)
    yield CLV, value if margin is None else _times(value, margin)
    yield EXPECTED, _times(_over(_fact(facts, rules.orders), years), lifetime)


def _lifetime(retention: Expression, years: Decimal) -> Expression:
    """Σ ρ^t by Horner's scheme: 1 + ρ (1 + ρ (… + part ρ))."""
    whole = int(years)
    total: Expression = _number(years - whole)
    for _ in range(whole):
        total = Arithmetic(Operator.ADD, _number(Decimal(1)), _times(retention, total))
    return total


# ── BG/NBD and Gamma-Gamma ─────────────────────────────────────────────────────────────────────


def _fitted(
    rules: ClvRules, facts: Mapping[str, FactDefinition], fit: FrozenLines
) -> Iterator[tuple[str, Expression]]:
    """Expected orders by BG/NBD × the worth of an order × margin; see `repeat_buying`."""
    assert rules.first is not None
    assert rules.last is not None
    first, last = _fact(facts, rules.first), _fact(facts, rules.last)
    orders = _fact(facts, rules.orders)
    repeats = Arithmetic(Operator.SUBTRACT, orders, _number(Decimal(1)))
    history = (
        repeats,
        _weeks(Arithmetic(Operator.SUBTRACT, last, first)),
        _weeks(Call(Function.DAYS_SINCE, (first,))),
    )
    found = tuple(_number(fit.lines[name][0]) for name in BG_NBD)
    ahead = _number(weeks_of(rules.horizon))
    expected = Call(Function.EXPECTED_ORDERS, (*history, ahead, *found))
    worth = _worth(rules, facts, fit)
    value = _times(Name(EXPECTED, FactType.NUMBER), worth)
    yield CLV, value if rules.margin is None else _times(value, rules.margin)
    yield EXPECTED, expected
    yield ALIVE, Call(Function.P_ALIVE, (*history, *found))


def _worth(rules: ClvRules, facts: Mapping[str, FactDefinition], fit: FrozenLines) -> Expression:
    """The net worth of one order to come.

    With Gamma-Gamma E(Z | z̄, x) = p (γ + x z̄) / (p x + q - 1): P. S. Fader, B. G. S. Hardie, The
    Gamma-Gamma Model of Monetary Value (2013), equation (5), where x counts the orders and x z̄ is
    what they brought together. Without it: the customer's own mean.
    """
    orders, revenue = _fact(facts, rules.orders), _fact(facts, rules.revenue)
    if not rules.gamma_gamma:
        return Arithmetic(Operator.DIVIDE, revenue, orders)
    p, q, gamma = (fit.lines[name][0] for name in GAMMA_GAMMA)
    above = _times(_number(p), Arithmetic(Operator.ADD, _number(gamma), revenue))
    below = Arithmetic(Operator.ADD, _times(_number(p), orders), _number(q - 1))
    return Arithmetic(Operator.DIVIDE, above, below)


def weeks_of(period: Period) -> Decimal:
    """*period* in weeks; a month is a twelfth of 365.25 days."""
    return (Decimal(period.months) * _YEAR_DAYS / 12 + Decimal(period.days)) / DAYS_A_WEEK


def _weeks(days: Expression) -> Expression:
    return Arithmetic(Operator.DIVIDE, days, _number(Decimal(DAYS_A_WEEK)))


def _fact(facts: Mapping[str, FactDefinition], id: str) -> Name:
    return Name(id, facts[id].type)


def _number(value: Decimal) -> Literal:
    return Literal(value, FactType.NUMBER)


def _times(left: Expression, right: Expression) -> Expression:
    return Arithmetic(Operator.MULTIPLY, left, right)


def _over(value: Expression, years: Decimal) -> Expression:
    return value if years == 1 else Arithmetic(Operator.DIVIDE, value, _number(years))
