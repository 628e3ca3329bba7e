"""The shape of conditions: which names they read, and the form without inner negations."""

from __future__ import annotations

from collections.abc import Iterator

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
    Holds,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Within,
)
from crmsync.model.fact import FactType

INVERSE: dict[Comparison, Comparison] = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}


def names(node: Condition | Expression) -> frozenset[str]:
    """The ids of every fact and state name *node* reads, at any depth."""
    return frozenset(_names(node))


def negate(condition: Condition) -> Condition:
    """A normal form that is true exactly when *condition* is false.

    A condition is unknown when neither it nor its negation is true, so one two-valued pass over
    both gives all three values.
    """
    return _shape(condition, wanted=False)


def normal_form(condition: Condition) -> Condition:
    """*condition* with ``Not`` pushed to the leaves.

    Only `OneOf` and `Within` keep a ``Not`` directly above them; every other leaf is replaced by
    its opposite. A leaf that reads an unknown value is then simply not true, and no engine needs a
    three-valued logic of its own to know what is true.
    """
    return _shape(condition, wanted=True)


def _shape(condition: Condition, *, wanted: bool) -> Condition:
    match condition:
        case Not(item=item):
            return _shape(item, wanted=not wanted)
        case All(items=items, span=span):
            parts = tuple(_shape(item, wanted=wanted) for item in items)
            return All(parts, span=span) if wanted else AnyOf(parts, span=span)
        case AnyOf(items=items, span=span):
            parts = tuple(_shape(item, wanted=wanted) for item in items)
            return AnyOf(parts, span=span) if wanted else All(parts, span=span)
        case _:
            return condition if wanted else _opposite(condition)


def _opposite(leaf: Condition) -> Condition:
    match leaf:
        case Compare(comparison=comparison, left=left, right=right, span=span):
            return Compare(INVERSE[comparison], left, right, span=span)
        case Between(operand=operand, low=low, high=high, span=span):
            below = Compare(Comparison.LT, operand, low, span=span)
            return AnyOf((below, Compare(Comparison.GT, operand, high, span=span)), span=span)
        case Known(operand=operand, span=span):
            return Missing(operand, span=span)
        case Missing(operand=operand, span=span):
            return Known(operand, span=span)
        case Holds(operand=operand, span=span):
            no = Literal(value=False, type=FactType.YES_NO)
            return Compare(Comparison.EQ, operand, no, span=span)
        case _:
            return Not(leaf, span=leaf.span)


def _names(node: Condition | Expression) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.id
        return
    for part in parts_of(node):
        yield from _names(part)


def parts_of(node: Condition | Expression) -> tuple[Condition | Expression, ...]:
    """The conditions and expressions directly below *node*."""
    match node:
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Choose(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Between(operand=operand, low=low, high=high):
            return (operand, low, high)
        case OneOf() | Within() | Known() | Missing() | Holds():
            return (node.operand,)
        case All(items=items) | AnyOf(items=items):
            return items
        case Not(item=item):
            return (item,)
        case _:
            return ()
