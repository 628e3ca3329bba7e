"""Values and conditions as people read them, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from crmsync.condition import verdict
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Expression,
    Holds,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Within,
)
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType, FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text

_SIGNS = {
    Comparison.EQ: "=",
    Comparison.NE: "≠",
    Comparison.LT: "<",
    Comparison.LE: "≤",
    Comparison.GT: ">",
    Comparison.GE: "≥",
}
_STATE = {
    "tier": Text(zh="等级", en="Tier"),
    "tier_before": Text(zh="原等级", en="Tier before"),
    "tier_since": Text(zh="等级起始日", en="Tier since"),
    "lifecycle": Text(zh="生命周期", en="Lifecycle"),
    "lifecycle_before": Text(zh="原生命周期", en="Lifecycle before"),
    "lifecycle_since": Text(zh="生命周期起始日", en="Lifecycle since"),
    "score": Text(zh="得分", en="Score"),
}


def points(value: Decimal) -> str:
    """Points without a trailing zero: ``75.9``, ``80``."""
    return plain(value)


def plain(value: Decimal) -> str:
    """A number without exponent and trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(value: FactValue, type: FactType | None = None) -> Text:
    """A value in words: percent as percent, large Chinese numbers in 万 and 亿."""
    match value:
        case None:
            return Text(zh="未知", en="unknown")
        case bool():
            return Text(zh="是", en="yes") if value else Text(zh="否", en="no")
        case datetime():
            return Text.same(value.strftime("%Y-%m-%d %H:%M"))
        case date():
            return Text.same(value.isoformat())
        case int() | float() | Decimal():
            return _number(value if isinstance(value, Decimal) else Decimal(repr(value)), type)
        case _:
            return Text.same(value)


def _number(value: Decimal, type: FactType | None) -> Text:
    if type is FactType.PERCENT:
        return Text.same(plain(_short(value * 100, 2)) + "%")
    english = f"{_short(value, 2):,f}"
    english = english.rstrip("0").rstrip(".") if "." in english else english
    for size, unit in ((Decimal(10**8), "亿"), (Decimal(10**4), "万")):
        if abs(value) >= size:
            return Text(zh=plain(_short(value / size, 2)) + unit, en=english)
    return Text(zh=plain(_short(value, 2)), en=english)


def _short(value: Decimal, digits: int) -> Decimal:
    return round(value, digits) if value.is_finite() else value


def label(ruleset: Ruleset, name: str) -> Text:
    """The label of a fact or state name; the id where there is none."""
    found = next((fact.label for fact in ruleset.facts if fact.id == name), None)
    return found or _STATE.get(name) or Text.same(name)


def because_of(
    ruleset: Ruleset, condition: Condition, values: Mapping[str, FactValue], as_of: date
) -> Text:
    """A condition that holds, with the values it was decided on: ``Orders 2 ≥ 2``; of an *any* only
    the parts that hold."""
    match condition:
        case All(items=items) | AnyOf(items=items):
            if isinstance(condition, AnyOf):
                true = [item for item in items if verdict(item, values, as_of) is Verdict.TRUE]
                items = tuple(true) or items
            parts = [because_of(ruleset, item, values, as_of) for item in items]
            chinese, english = ("，", " and ") if isinstance(condition, All) else (" 或 ", " or ")
            return Text(
                zh=chinese.join(part.zh for part in parts),
                en=english.join(part.en for part in parts),
            )
        case Not(item=item):
            inner = because_of(ruleset, item, values, as_of)
            return Text(zh=f"非（{inner.zh}）", en=f"not ({inner.en})")
        case Compare(comparison=sign, left=left, right=right):
            a, b = _side(ruleset, left, values), _side(ruleset, right, values)
            return Text(zh=f"{a.zh} {_SIGNS[sign]} {b.zh}", en=f"{a.en} {_SIGNS[sign]} {b.en}")
        case OneOf(operand=operand, values=choices):
            a = _side(ruleset, operand, values)
            listed = [_literal(item) for item in choices]
            return Text(
                zh=f"{a.zh} 属于 {'、'.join(item.zh for item in listed)}",
                en=f"{a.en} in {', '.join(item.en for item in listed)}",
            )
        case Between(operand=operand, low=low, high=high):
            a, b, c = (_side(ruleset, part, values) for part in (operand, low, high))
            return Text(
                zh=f"{a.zh} 在 {b.zh} 与 {c.zh} 之间", en=f"{a.en} between {b.en} and {c.en}"
            )
        case Within(operand=operand):
            a = _side(ruleset, operand, values)
            return Text(zh=f"{a.zh} 在期间内", en=f"{a.en} within the window")
        case Known(operand=operand) | Missing(operand=operand):
            known = isinstance(condition, Known)
            a = _named(ruleset, operand)
            return Text(
                zh=f"{a.zh} {'已知' if known else '缺失'}",
                en=f"{a.en} is {'known' if known else 'missing'}",
            )
        case Holds(operand=operand):
            return _named(ruleset, operand)


def _side(ruleset: Ruleset, side: Expression, values: Mapping[str, FactValue]) -> Text:
    if isinstance(side, Literal):
        return _literal(side)
    named = _named(ruleset, side)
    if not isinstance(side, Name):
        return named
    value = state_value(ruleset, side.id, values.get(side.id)) or shown(
        values.get(side.id), side.type
    )
    return Text(zh=f"{named.zh} {value.zh}", en=f"{named.en} {value.en}")


def state_value(ruleset: Ruleset, name: str, value: FactValue) -> Text | None:
    """The label of a tier or stage where *name* holds its id."""
    if name in {"tier", "tier_before"} and ruleset.tier is not None:
        return next((level.label for level in ruleset.tier.levels if level.id == value), None)
    if name in {"lifecycle", "lifecycle_before"} and ruleset.lifecycle is not None:
        return next((stage.label for stage in ruleset.lifecycle.stages if stage.id == value), None)
    return None


def _literal(side: Literal) -> Text:
    return shown(side.value, side.type)


def _named(ruleset: Ruleset, side: Expression) -> Text:
    if isinstance(side, Name):
        return label(ruleset, side.id)
    return Text(zh="算式", en="the formula")
