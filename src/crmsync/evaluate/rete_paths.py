"""Conditions turned into what a rete network can be trusted with: paths of simple tests.

A path is a conjunction; a condition holds when one of its paths does. Tests compare one fact with
one constant, or ask whether it is known. Everything else (arithmetic, windows, two facts side by
side, long lists) is computed beforehand by the compiled matcher and enters as a fact of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from crmsync.condition import normal_form
from crmsync.condition import values as reading
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
from crmsync.evaluate.rete_native import MOST_TESTS
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
)
from crmsync.model.fact import FactValue

MOST_PATHS = 8
MOST_CHOICES = 4

_FLIPPED = {
    Comparison.EQ: Comparison.EQ,
    Comparison.NE: Comparison.NE,
    Comparison.LT: Comparison.GT,
    Comparison.LE: Comparison.GE,
    Comparison.GT: Comparison.LT,
    Comparison.GE: Comparison.LE,
}


class FactTest(NamedTuple):
    """A fact compared with a constant; a fact that is unknown fails it."""

    fact: Name
    comparison: Comparison
    constant: FactValue


class IsKnown(NamedTuple):
    """Whether a fact is known, or unknown."""

    fact: Name
    known: bool


class Computed(NamedTuple):
    """A condition that is evaluated beforehand; its verdict is what the network sees."""

    condition: Condition


Test: TypeAlias = FactTest | IsKnown | Computed
Path: TypeAlias = tuple[Test, ...]
_ALWAYS: tuple[Path, ...] = ((),)
_NEVER: tuple[Path, ...] = ()


class _TooWideError(Exception):
    """A condition with more paths, or longer ones, than a network should carry."""


def paths_of(condition: Condition) -> tuple[Path, ...]:
    """The paths of *condition*: none when it can never hold, an empty one when it always does."""
    form = normal_form(condition)
    try:
        return _paths(form)
    except _TooWideError:
        return ((Computed(form),),)


def _paths(node: Condition) -> tuple[Path, ...]:
    match node:
        case All(items=items):
            found = _ALWAYS
            for item in items:
                found = _each(found, _paths(item))
            return found
        case AnyOf(items=items):
            return _any([path for item in items for path in _paths(item)])
        case Compare(comparison=comparison, left=left, right=right):
            return _compare(node, comparison, left, right)
        case Between(operand=operand, low=low, high=high):
            lower = Compare(Comparison.GE, operand, low)
            return _paths(All((lower, Compare(Comparison.LE, operand, high))))
        case OneOf(operand=Name() as fact):
            choices = _choices(node)
            if len(choices) > MOST_CHOICES:
                return ((Computed(node),),)
            return _any([(FactTest(fact, Comparison.EQ, choice),) for choice in choices])
        case Not(item=OneOf(operand=Name() as fact) as listed):
            choices = _choices(listed)
            if len(choices) > MOST_CHOICES:
                return ((Computed(node),),)
            return (tuple(FactTest(fact, Comparison.NE, choice) for choice in choices),)
        case Known(operand=Name() as fact):
            return ((IsKnown(fact, known=True),),)
        case Missing(operand=Name() as fact):
            return ((IsKnown(fact, known=False),),)
        case Holds(operand=Name() as fact) if kind_of(fact) is Kind.YES_NO:
            return ((FactTest(fact, Comparison.EQ, True),),)
        case _:
            return ((Computed(node),),)


def _compare(
    node: Condition, comparison: Comparison, left: Expression, right: Expression
) -> tuple[Path, ...]:
    kind = common_kind(kind_of(left), kind_of(right))
    if kind is None or (comparison not in {"=", "!="} and not ordered(kind)):
        return _NEVER
    if isinstance(left, Literal) and isinstance(right, Name):
        comparison, left, right = _FLIPPED[comparison], right, left
    if not (isinstance(left, Name) and isinstance(right, Literal)):
        return ((Computed(node),),)
    if kind_of(left) is not kind_of(right):  # a moment beside a day
        return ((Computed(node),),)
    constant = reading.read(right.value, right.type)
    return _NEVER if constant is None else ((FactTest(left, comparison, constant),),)


def _choices(leaf: OneOf) -> Sequence[FactValue]:
    kind = kind_of(leaf.operand)
    read = [reading.read(item.value, item.type) for item in leaf.values if kind_of(item) is kind]
    return list(dict.fromkeys(value for value in read if value is not None))


def _each(left: tuple[Path, ...], right: tuple[Path, ...]) -> tuple[Path, ...]:
    return _any([_sorted((*one, *other)) for one in left for other in right])


def _any(paths: Sequence[Path]) -> tuple[Path, ...]:
    found = tuple(dict.fromkeys(paths))
    if () in found:
        return _ALWAYS
    if len(found) > MOST_PATHS or any(len(path) > MOST_TESTS for path in found):
        raise _TooWideError
    return found


def _sorted(path: Path) -> Path:
    """Each test once; equal beginnings are nodes that paths share."""
    return tuple(sorted(dict.fromkeys(path), key=repr))
