"""Sets of values a point line fits: shows which lines can never be reached, and what is left over.

Numbers are stretches between *cuts*: a cut ``(v, 0)`` lies just before v, ``(v, 1)`` just after.
So ``≥ 5`` is everything from the cut (5, 0) on and ``> 5`` from (5, 1) on, and whether one set
lies inside another is plain comparison. Choices and truth values are sets of words, or all but
some.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Expression,
    Holds,
    Literal,
    Not,
    OneOf,
)

Cut: TypeAlias = tuple[Decimal, int]
Stretch: TypeAlias = tuple[Cut, Cut]
LOWEST: Cut = (Decimal("-Infinity"), 0)
HIGHEST: Cut = (Decimal("Infinity"), 1)
EVERYTHING: tuple[Stretch, ...] = ((LOWEST, HIGHEST),)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A union of stretches, ordered and apart; ``whole`` when only whole numbers occur."""

    stretches: tuple[Stretch, ...]
    whole: bool = False

    def join(self, other: Numbers) -> Numbers:
        """Values in either."""
        return _numbers((*self.stretches, *other.stretches), self.whole)

    def rest(self, within: Stretch = EVERYTHING[0]) -> Numbers:
        """Values of *within* that are not here."""
        found: list[Stretch] = []
        start = within[0]
        for low, high in self.stretches:
            if low > start:
                found.append((start, min(low, within[1])))
            start = max(start, high)
        if start < within[1]:
            found.append((start, within[1]))
        return _numbers(found, self.whole)

    def inside(self, other: Numbers) -> bool:
        """Whether every value here is in *other*."""
        return all(
            any(low >= o_low and high <= o_high for o_low, o_high in other.stretches)
            for low, high in self.stretches
        )

    @property
    def empty(self) -> bool:
        """Whether no value is here."""
        return not self.stretches

    def example(self) -> Decimal | None:
        """Some value that is here, the simplest at hand."""
        for low, high in self.stretches:
            if low == LOWEST and high == HIGHEST:
                return Decimal(0)
            if low == LOWEST:
                return high[0] if high[1] else high[0] - 1
            if low[1] == 0:
                return low[0]
            if high == HIGHEST:
                return low[0] + 1
            return high[0] if high[1] else (low[0] + high[0]) / 2
        return None


@dataclass(frozen=True, slots=True)
class Words:
    """Some words, or (``others``) every word but those."""

    words: frozenset[str]
    others: bool = False

    def join(self, other: Words) -> Words:
        """Words in either."""
        if self.others and other.others:
            return Words(self.words & other.words, others=True)
        if self.others or other.others:
            open_, closed = (self, other) if self.others else (other, self)
            return Words(open_.words - closed.words, others=True)
        return Words(self.words | other.words)

    def inside(self, other: Words) -> bool:
        """Whether every word here is in *other*."""
        if not self.others:
            return all((word in other.words) is not other.others for word in self.words)
        return other.others and other.words <= self.words

    @property
    def empty(self) -> bool:
        """Whether no word is here."""
        return not self.others and not self.words


Values: TypeAlias = Numbers | Words


def _numbers(stretches: Iterable[Stretch], whole: bool) -> Numbers:
    ordered = sorted(_whole(stretch) if whole else stretch for stretch in stretches)
    found: list[Stretch] = []
    for low, high in ordered:
        if low >= high:
            continue
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return Numbers(tuple(found), whole)


def _whole(stretch: Stretch) -> Stretch:
    """The same whole numbers with every cut just before a whole number."""
    low, high = stretch
    return (_next_whole(low), _next_whole(high))


def _next_whole(cut: Cut) -> Cut:
    value, after = cut
    if not value.is_finite():
        return cut
    floor = value.to_integral_value(rounding="ROUND_FLOOR")
    if floor == value and not after:
        return (floor, 0)
    return (floor + 1, 0)


def everything(*, whole: bool) -> Numbers:
    """All numbers."""
    return Numbers(EVERYTHING, whole)


def nothing(*, whole: bool) -> Numbers:
    """No number."""
    return Numbers((), whole)


def values_of(condition: Condition | None, operand: Expression, *, whole: bool) -> Values | None:
    """The values of *operand* that make *condition* true; ``None`` when it asks anything else."""
    match condition:
        case Compare(comparison=comparison, left=left, right=Literal() as right):
            return _compare(comparison, right, whole) if left == operand else None
        case Between(operand=inner, low=Literal() as low, high=Literal() as high):
            ends = (_decimal(low), _decimal(high))
            if inner != operand or ends[0] is None or ends[1] is None:
                return None
            return _numbers([((ends[0], 0), (ends[1], 1))], whole)
        case OneOf(operand=inner, values=values) if inner == operand:
            return _one_of(values, whole)
        case Holds(operand=inner) if inner == operand:
            return Words(frozenset({"True"}))
        case Not(item=item):
            return _complement(values_of(item, operand, whole=whole))
        case All(items=items) if items:
            return _met([values_of(item, operand, whole=whole) for item in items])
        case AnyOf(items=items) if items:
            inverse = _met([_complement(values_of(i, operand, whole=whole)) for i in items])
            return _complement(inverse)
    return None


def _met(parts: list[Values | None]) -> Values | None:
    """The values in every part; ``None`` where one part is not known or of another kind."""
    found = parts[0]
    for part in parts[1:]:
        found = None if found is None or part is None else meet(found, part)
    return found


def meet(one: Values, other: Values) -> Values | None:
    """The values in both; ``None`` when one is numbers and the other words."""
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one.rest().join(other.rest()).rest()
    if isinstance(one, Words) and isinstance(other, Words):
        left = Words(one.words, others=not one.others)
        union = left.join(Words(other.words, others=not other.others))
        return Words(union.words, others=not union.others)
    return None


def _complement(found: Values | None) -> Values | None:
    if isinstance(found, Numbers):
        return found.rest()
    if isinstance(found, Words):
        return Words(found.words, others=not found.others)
    return None


def _compare(comparison: Comparison, right: Literal, whole: bool) -> Values | None:
    value = _decimal(right)
    if value is None:
        if comparison is Comparison.EQ:
            return Words(frozenset({str(right.value)}))
        if comparison is Comparison.NE:
            return Words(frozenset({str(right.value)}), others=True)
        return None
    before, after = (value, 0), (value, 1)
    stretches: dict[Comparison, list[Stretch]] = {
        Comparison.EQ: [(before, after)],
        Comparison.NE: [(LOWEST, before), (after, HIGHEST)],
        Comparison.LT: [(LOWEST, before)],
        Comparison.LE: [(LOWEST, after)],
        Comparison.GT: [(after, HIGHEST)],
        Comparison.GE: [(before, HIGHEST)],
    }
    return _numbers(stretches[comparison], whole)


def _one_of(values: tuple[Literal, ...], whole: bool) -> Values:
    numbers = [_decimal(value) for value in values]
    known = [number for number in numbers if number is not None]
    if len(known) == len(values):
        return _numbers([((number, 0), (number, 1)) for number in known], whole)
    return Words(frozenset(str(value.value) for value in values))


def _decimal(literal: Literal) -> Decimal | None:
    value = literal.value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value))


def apart(first: Values, second: Values) -> bool:
    """Whether no value is in both."""
    if isinstance(first, Numbers) and isinstance(second, Numbers):
        cuts = sorted((*first.stretches, *second.stretches))
        return all(low[1] <= high[0] for low, high in pairwise(cuts))
    if isinstance(first, Words) and isinstance(second, Words):
        return first.inside(Words(second.words, others=not second.others))
    return False
