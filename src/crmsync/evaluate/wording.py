"""Values and conditions as people read them, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeGuard

from crmsync.condition import Scope, ScopeChoice, ScopeName, to_text, verdict
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Expression,
    Literal,
    Name,
    OneOf,
    Within,
)
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType, FactValue
from crmsync.model.ruleset import STATE_NAMES, Ruleset
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


class Wording:
    """Conditions of one ruleset in words, with labels and with the values they were decided on."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._labels = {fact.id: fact.label for fact in ruleset.facts} | dict(_STATE)
        self._scope = _scope(ruleset)

    def because_of(
        self, condition: Condition, values: Mapping[str, FactValue], as_of: date
    ) -> Text:
        """A condition that holds, with its values: ``Orders 2 ≥ 2``; of an *any* only the parts
        that hold."""
        match condition:
            case All(items=items) | AnyOf(items=items) if items:
                if isinstance(condition, AnyOf):
                    true = [item for item in items if verdict(item, values, as_of) is Verdict.TRUE]
                    items = tuple(true) or items
                parts = [self.because_of(item, values, as_of) for item in items]
                either = isinstance(condition, AnyOf)
                return Text(
                    zh=(" 或 " if either else "，").join(part.zh for part in parts),
                    en=(" or " if either else " and ").join(part.en for part in parts),
                )
            case Compare(comparison=sign, left=left, right=right):
                a, b = self._side(left, right, values), self._side(right, left, values)
                return Text(zh=f"{a.zh} {_SIGNS[sign]} {b.zh}", en=f"{a.en} {_SIGNS[sign]} {b.en}")
            case OneOf(operand=operand) | Between(operand=operand) | Within(operand=operand):
                sentence = self._sentence(condition)
                return _beside(sentence, self._side_value(operand, values))
            case _:
                return self._sentence(condition)

    def _sentence(self, node: Condition | Expression) -> Text:
        return Text(zh=to_text(node, self._scope, "zh"), en=to_text(node, self._scope, "en"))

    def _side(self, side: Expression, other: Expression, values: Mapping[str, FactValue]) -> Text:
        if isinstance(side, Literal):
            named = state_value(self._ruleset, other.id, side.value) if is_name(other) else None
            return named or shown(side.value, side.type)
        value = self._side_value(side, values)
        if not isinstance(side, Name):
            return self._sentence(side)
        label = self._labels.get(side.id, Text.same(side.id))
        if value is None:
            return label
        return Text(zh=f"{label.zh} {value.zh}", en=f"{label.en} {value.en}")

    def _side_value(self, side: Expression, values: Mapping[str, FactValue]) -> Text | None:
        if not isinstance(side, Name):
            return None
        value = values.get(side.id)
        return state_value(self._ruleset, side.id, value) or shown(value, side.type)


def _beside(sentence: Text, value: Text | None) -> Text:
    if value is None:
        return sentence
    return Text(zh=f"{sentence.zh}（{value.zh}）", en=f"{sentence.en} ({value.en})")


def is_name(side: Expression) -> TypeGuard[Name]:
    """Whether *side* is a plain name."""
    return isinstance(side, Name)


def _scope(ruleset: Ruleset) -> Scope:
    facts = [
        ScopeName(fact.id, fact.type, fact.label, tuple(ScopeChoice(c) for c in fact.choices))
        for fact in ruleset.facts
    ]
    levels = () if ruleset.tier is None else ruleset.tier.levels
    stages = () if ruleset.lifecycle is None else ruleset.lifecycle.stages
    options = {
        "tier": tuple(ScopeChoice(level.id, level.label) for level in levels),
        "lifecycle": tuple(ScopeChoice(stage.id, stage.label) for stage in stages),
    }
    state = [
        ScopeName(name, kind, _STATE[name], options.get(name.removesuffix("_before"), ()))
        for name, kind in STATE_NAMES.items()
    ]
    return Scope((*facts, *state))


def state_value(ruleset: Ruleset, name: str, value: FactValue) -> Text | None:
    """The label of a tier or stage where *name* holds its id."""
    if name in {"tier", "tier_before"} and ruleset.tier is not None:
        return next((level.label for level in ruleset.tier.levels if level.id == value), None)
    if name in {"lifecycle", "lifecycle_before"} and ruleset.lifecycle is not None:
        return next((stage.label for stage in ruleset.lifecycle.stages if stage.id == value), None)
    return None
