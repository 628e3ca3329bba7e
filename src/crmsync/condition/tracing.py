"""One condition looked at for one customer: every part ticked, crossed or unknown.

This is a plain interpreter of the tree in Kleene's logic. It shares no generated code with the
matchers, so it also serves as the yardstick they are tested against.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from crmsync.condition import repeat_buying
from crmsync.condition import values as reading
from crmsync.condition.compiled import round_digits
from crmsync.condition.shape import names
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
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
from crmsync.model.decision import Trace, Verdict
from crmsync.model.fact import FactValue

Wording: TypeAlias = Callable[[Condition], str]
_Seen: TypeAlias = Any  # a value of the one kind its expression has, or None

_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQ: operator.eq,
    Comparison.NE: operator.ne,
    Comparison.LT: operator.lt,
    Comparison.LE: operator.le,
    Comparison.GT: operator.gt,
    Comparison.GE: operator.ge,
}
_ARITHMETIC: dict[Operator, Callable[[float, float], float]] = {
    Operator.ADD: operator.add,
    Operator.SUBTRACT: operator.sub,
    Operator.MULTIPLY: operator.mul,
    Operator.DIVIDE: operator.truediv,
}


def trace(
    condition: Condition,
    values: Mapping[str, FactValue],
    as_of: date,
    wording: Wording | None = None,
) -> Trace:
    """*condition* with its verdict, its parts and the values it read.

    A name without an entry in *values* is unknown. *wording* gives the text of each part; without
    it the texts are empty.
    """
    look = _Look(values, as_of)
    return look.trace(condition, wording or _no_words)


def verdict(condition: Condition, values: Mapping[str, FactValue], as_of: date) -> Verdict:
    """The three-valued truth of *condition*."""
    return _Look(values, as_of).verdict(condition)


def evaluate(expression: Expression, values: Mapping[str, FactValue], as_of: date) -> FactValue:
    """The value of *expression*; numbers as ``float``, unknown as ``None``."""
    result: FactValue = _Look(values, as_of).value(expression)
    return result


def _no_words(condition: Condition) -> str:
    return ""


class _Look:
    def __init__(self, values: Mapping[str, FactValue], as_of: date) -> None:
        self._values = values
        self._as_of = as_of

    def trace(self, condition: Condition, wording: Wording) -> Trace:
        match condition:
            case All(items=items) | AnyOf(items=items):
                parts = tuple(self.trace(item, wording) for item in items)
            case Not(item=item):
                parts = (self.trace(item, wording),)
            case _:
                parts = ()
        return Trace(
            text=wording(condition),
            verdict=self.verdict(condition),
            condition=condition,
            parts=parts,
            values={name: self._values.get(name) for name in sorted(names(condition))},
            span=condition.span,
        )

    def verdict(self, condition: Condition) -> Verdict:
        match condition:
            case All(items=items):
                return _all(self.verdict(item) for item in items)
            case AnyOf(items=items):
                return _opposite(_all(_opposite(self.verdict(item)) for item in items))
            case Not(item=item):
                return _opposite(self.verdict(item))
            case Between(operand=operand, low=low, high=high):
                lower = self._compare(Comparison.GE, operand, low)
                return _all((lower, self._compare(Comparison.LE, operand, high)))
            case Compare(comparison=comparison, left=left, right=right):
                return self._compare(comparison, left, right)
            case OneOf(operand=operand, values=choices):
                return self._one_of(operand, choices)
            case Within(operand=operand):
                return self._within(condition)
            case Known(operand=operand):
                return _truth(self.value(operand) is not None)
            case Missing(operand=operand):
                return _truth(self.value(operand) is None)
            case Holds(operand=operand):
                value = self.value(operand)
                return _truth(value) if isinstance(value, bool) else Verdict.UNKNOWN

    def _compare(self, comparison: Comparison, left: Expression, right: Expression) -> Verdict:
        kind = common_kind(kind_of(left), kind_of(right))
        if kind is None or (comparison not in {"=", "!="} and not ordered(kind)):
            return Verdict.UNKNOWN
        a, b = self._as_kind(left, kind), self._as_kind(right, kind)
        if a is None or b is None:
            return Verdict.UNKNOWN
        return _truth(_COMPARE[comparison](a, b))

    def _one_of(self, operand: Expression, choices: tuple[Literal, ...]) -> Verdict:
        kind = kind_of(operand)
        known = [
            value
            for item in choices
            if kind_of(item) is kind and (value := self.value(item)) is not None
        ]
        value = self.value(operand)
        if not known:
            return Verdict.FALSE
        return Verdict.UNKNOWN if value is None else _truth(value in known)

    def _within(self, leaf: Within) -> Verdict:
        day = self._as_kind(leaf.operand, Kind.DAY)
        if day is None:
            return Verdict.UNKNOWN
        after, until = reading.window_bounds(leaf.window, self._as_of)
        return _truth(after < day <= until)

    def _as_kind(self, expression: Expression, wanted: Kind) -> _Seen:
        value = self.value(expression)
        kind = kind_of(expression)
        if kind is Kind.MOMENT and wanted is Kind.DAY and isinstance(value, datetime):
            return value.date()
        return value if kind is wanted else None

    def value(self, expression: Expression) -> _Seen:
        match expression:
            case Literal(value=value, type=type):
                return reading.read(value, type)
            case Name(id=id, type=type):
                return reading.read(self._values.get(id), type)
            case Arithmetic():
                return self._arithmetic(expression)
            case Call(function=function, arguments=arguments):
                return self._call(function, arguments)
            case Choose(condition=condition, then=then, otherwise=otherwise):
                chosen = {Verdict.TRUE: then, Verdict.FALSE: otherwise}.get(self.verdict(condition))
                if chosen is None or kind_of(chosen) is not kind_of(expression):
                    return None
                return self.value(chosen)

    def _arithmetic(self, node: Arithmetic) -> float | None:
        kinds = {kind_of(node.left), kind_of(node.right)}
        if kinds <= {Kind.DAY, Kind.MOMENT} and node.operator is Operator.SUBTRACT:
            end, start = self._as_kind(node.left, Kind.DAY), self._as_kind(node.right, Kind.DAY)
            return None if end is None or start is None else float((end - start).days)
        left, right = self._as_kind(node.left, Kind.NUMBER), self._as_kind(node.right, Kind.NUMBER)
        if left is None or right is None or (node.operator is Operator.DIVIDE and right == 0):
            return None
        return reading.finite(_ARITHMETIC[node.operator](left, right))

    def _call(self, function: Function, arguments: tuple[Expression, ...]) -> _Seen:
        match function:
            case Function.DAYS_SINCE | Function.MONTHS_SINCE:
                day = self._as_kind(arguments[0], Kind.DAY)
                if day is None:
                    return None
                if function is Function.DAYS_SINCE:
                    return float((self._as_of - day).days)
                return float(reading.months_between(day, self._as_of))
            case Function.ROUND:
                value = self._as_kind(arguments[0], Kind.NUMBER)
                digits = round_digits(arguments)
                return None if value is None else reading.round_half_away(value, digits)
            case Function.ABS:
                value = self._as_kind(arguments[0], Kind.NUMBER)
                return None if value is None else abs(value)
            case Function.MIN | Function.MAX:
                kinds = {kind_of(argument) for argument in arguments}
                values = [self.value(argument) for argument in arguments]
                if len(kinds) != 1 or not ordered(kinds.pop()) or None in values:
                    return None
                return min(values) if function is Function.MIN else max(values)
            case Function.P_ALIVE | Function.EXPECTED_ORDERS:
                numbers = [self._as_kind(argument, Kind.NUMBER) for argument in arguments]
                if None in numbers:
                    return None
                alive = function is Function.P_ALIVE
                foresee = repeat_buying.p_alive_of if alive else repeat_buying.expected_orders_of
                return foresee(*numbers)


def _truth(value: bool) -> Verdict:
    return Verdict.TRUE if value else Verdict.FALSE


def _opposite(verdict: Verdict) -> Verdict:
    return {Verdict.TRUE: Verdict.FALSE, Verdict.FALSE: Verdict.TRUE}.get(verdict, verdict)


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    result = Verdict.TRUE
    for verdict in verdicts:
        if verdict is Verdict.FALSE:
            return verdict
        if verdict is Verdict.UNKNOWN:
            result = verdict
    return result
