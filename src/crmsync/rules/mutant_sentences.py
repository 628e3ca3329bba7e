"""Single-point changes of conditions and formulas: one threshold, operator, edge or part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from crmsync.condition import Scope, to_text
from crmsync.condition.shape import INVERSE
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
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import CalendarWindow, Period
from crmsync.model.position import Span

C = TypeVar("C")
WITHOUT = ""
"""What a mutant that takes something away has in place of it."""

TENTH_PART = Decimal("0.1")
_EDGES = {
    Comparison.GE: Comparison.GT,
    Comparison.GT: Comparison.GE,
    Comparison.LE: Comparison.LT,
    Comparison.LT: Comparison.LE,
}
_OTHER_SIGN = {
    Operator.ADD: Operator.SUBTRACT,
    Operator.SUBTRACT: Operator.ADD,
    Operator.MULTIPLY: Operator.DIVIDE,
    Operator.DIVIDE: Operator.MULTIPLY,
}
_OTHER_CALL = {Function.MIN: Function.MAX, Function.MAX: Function.MIN}


@dataclass(frozen=True, slots=True)
class Change:
    """One spot of a file changed: how it reads now, and how it would read."""

    before: str
    after: str
    span: Span


def nearby(value: Decimal, *, whole: bool) -> tuple[Decimal, Decimal]:
    """A tenth below and a tenth above; whole numbers move by at least one."""
    step = abs(value) * TENTH_PART
    if whole or value == value.to_integral_value():
        step = max(Decimal(1), step.to_integral_value()) if abs(value) >= 1 or whole else step
    step = step or Decimal(1)
    return value - step, value + step


class Sentences:
    """Writes every single-point change of a condition or an expression, in a scope of names."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def text(self, node: Condition | Expression) -> str:
        """The sentence as signs and ids."""
        return to_text(node, self._scope)

    def of(self, node: Condition) -> Iterator[tuple[Condition, Change]]:
        """Each change as the whole condition anew and the spot that differs."""
        match node:
            case Compare():
                yield from self._compare(node)
            case Between(operand=operand, low=low, high=high):
                for part, change in self.of_expression(operand):
                    yield self._with(node, replace(node, operand=part), change)
                for part, change in self.of_expression(low):
                    yield self._with(node, replace(node, low=part), change)
                for part, change in self.of_expression(high):
                    yield self._with(node, replace(node, high=part), change)
            case OneOf(values=values) if len(values) > 1:
                for number, value in enumerate(values):
                    rest = values[:number] + values[number + 1 :]
                    changed = replace(node, values=rest)
                    yield changed, self._change(node, changed, value.span)
            case OneOf() | Holds():
                yield Not(node, span=node.span), self._change(node, Not(node), node.span)
            case Within():
                yield from self._window(node)
            case Known(operand=operand):
                turned: Condition = Missing(operand, span=node.span)
                yield turned, self._change(node, turned, node.span)
            case Missing(operand=operand):
                turned = Known(operand, span=node.span)
                yield turned, self._change(node, turned, node.span)
            case Not(item=item):
                yield item, self._change(node, item, node.span)
                for inner, change in self.of(item):
                    yield replace(node, item=inner), change
            case All() | AnyOf():
                yield from self._group(node)

    def _compare(self, node: Compare) -> Iterator[tuple[Condition, Change]]:
        others = [INVERSE[node.comparison]]
        if node.comparison in _EDGES:
            others.insert(0, _EDGES[node.comparison])
        for other in others:
            changed = replace(node, comparison=other)
            yield changed, self._change(node, changed, node.span)
        for left, change in self.of_expression(node.left):
            yield self._with(node, replace(node, left=left), change)
        for right, change in self.of_expression(node.right):
            yield self._with(node, replace(node, right=right), change)

    def _with(
        self, node: Condition, changed: Condition, change: Change
    ) -> tuple[Condition, Change]:
        """A comparison read whole, at the place of the part that differs."""
        return changed, self._change(node, changed, change.span)

    def _window(self, node: Within) -> Iterator[tuple[Condition, Change]]:
        if isinstance(node.window, CalendarWindow):
            back = 0 if node.window.back else 1
            changed = replace(node, window=replace(node.window, back=back))
            yield changed, self._change(node, changed, node.span)
            return
        length = node.window.length
        for other in _periods(length):
            changed = replace(node, window=replace(node.window, length=other))
            yield changed, self._change(node, changed, node.span)

    def _group(self, node: All | AnyOf) -> Iterator[tuple[Condition, Change]]:
        items = node.items
        if len(items) > 1:
            other = AnyOf(items, span=node.span) if isinstance(node, All) else All(items, node.span)
            yield other, self._change(node, other, node.span)
            for number, item in enumerate(items):
                rest = items[:number] + items[number + 1 :]
                changed = rest[0] if len(rest) == 1 else replace(node, items=rest)
                text = to_text(item, self._scope)
                yield changed, Change(text, "", item.span)
        for number, item in enumerate(items):
            for part, change in self.of(item):
                yield replace(node, items=(*items[:number], part, *items[number + 1 :])), change

    # ── expressions ────────────────────────────────────────────────────────────────────────────

    def of_expression(self, node: Expression) -> Iterator[tuple[Expression, Change]]:
        """Each change as the whole expression anew and the spot that differs."""
        match node:
            case Name():
                return
            case Literal():
                for value in _constants(node):
                    literal = replace(node, value=value)
                    yield literal, self._change(node, literal, node.span)
            case Arithmetic(operator=operator, left=left, right=right):
                sign = replace(node, operator=_OTHER_SIGN[operator])
                yield sign, self._change(node, sign, node.span)
                for part, change in self.of_expression(left):
                    yield replace(node, left=part), change
                for part, change in self.of_expression(right):
                    yield replace(node, right=part), change
            case Call(function=function, arguments=arguments):
                if function in _OTHER_CALL:
                    called = replace(node, function=_OTHER_CALL[function])
                    yield called, self._change(node, called, node.span)
                for number, argument in enumerate(arguments):
                    for part, change in self.of_expression(argument):
                        with_part = (*arguments[:number], part, *arguments[number + 1 :])
                        yield replace(node, arguments=with_part), change
            case Choose():
                yield from self._choose(node)

    def _choose(self, node: Choose) -> Iterator[tuple[Expression, Change]]:
        turned = replace(node, then=node.otherwise, otherwise=node.then)
        yield turned, self._change(node, turned, node.span)
        for condition, change in self.of(node.condition):
            yield replace(node, condition=condition), change
        for then, change in self.of_expression(node.then):
            yield replace(node, then=then), change
        for otherwise, change in self.of_expression(node.otherwise):
            yield replace(node, otherwise=otherwise), change

    def _change(
        self, before: Condition | Expression, after: Condition | Expression, span: Span
    ) -> Change:
        return Change(to_text(before, self._scope), to_text(after, self._scope), span)


def maybe(condition: Condition, sentences: Sentences) -> Iterator[tuple[Condition | None, Change]]:
    """The changes of a condition that may also be left out."""
    yield from sentences.of(condition)
    yield None, Change(f"when: {sentences.text(condition)}", WITHOUT, condition.span)


def _constants(node: Literal) -> tuple[FactValue, ...]:
    value, kind = node.value, node.type
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, datetime):
        return (value - timedelta(days=1), value + timedelta(days=1))
    if isinstance(value, date):
        return (value - timedelta(days=1), value + timedelta(days=1))
    if isinstance(value, int | float | Decimal):
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not exact and kind is FactType.PERCENT:
            ends: tuple[Decimal, ...] = (Decimal("-0.01"), Decimal("0.01"))
        else:
            ends = nearby(exact, whole=kind is FactType.INTEGER)
        return tuple(_like(value, end) for end in ends)
    return ()


def _like(value: float | Decimal, number: Decimal) -> FactValue:
    """*number* in the type of *value*; a whole number stays one where it can."""
    if isinstance(value, int):
        return int(number) if number == number.to_integral_value() else number
    return float(number) if isinstance(value, float) else number


def _periods(length: Period) -> Iterator[Period]:
    make: Callable[[int], Period] = (
        (lambda n: Period(months=n)) if length.months else (lambda n: Period(days=n))
    )
    for end in nearby(Decimal(length.months or length.days), whole=True):
        if end > 0:
            yield make(int(end))
