"""When a condition cannot be unknown: what must be known of it, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.condition import values as reading
from crmsync.condition.shape import parts_of
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
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


def facts_of(node: Condition | Expression) -> Iterator[Name]:
    """Every name *node* reads, as often as it does."""
    if isinstance(node, Name):
        yield node
        return
    for part in parts_of(node):
        yield from facts_of(part)


def decided(node: Condition) -> bool:
    """Whether *node* is true or false as soon as every fact it reads is known."""
    match node:
        case All(items=items) | AnyOf(items=items):
            return all(decided(item) for item in items)
        case Not(item=item):
            return decided(item)
        case Known() | Missing():
            return True
        case Compare(comparison=comparison, left=left, right=right):
            return _comparable(comparison, left, right)
        case Between(operand=operand, low=low, high=high):
            return _comparable(Comparison.GE, operand, low) and _comparable(
                Comparison.LE, operand, high
            )
        case OneOf(operand=operand):
            return _sure(operand)
        case Within(operand=operand):
            return _sure(operand) and kind_of(operand) in {Kind.DAY, Kind.MOMENT}
        case Holds(operand=operand):
            return _sure(operand) and kind_of(operand) is Kind.YES_NO


def _comparable(comparison: Comparison, left: Expression, right: Expression) -> bool:
    kind = common_kind(kind_of(left), kind_of(right))
    if kind is None or not (_sure(left) and _sure(right)):
        return False
    return comparison in {"=", "!="} or ordered(kind)


def _sure(expression: Expression) -> bool:
    """Whether the value is known as soon as the facts are: arithmetic may divide by zero."""
    if isinstance(expression, Literal):
        return reading.read(expression.value, expression.type) is not None
    return isinstance(expression, Name)
