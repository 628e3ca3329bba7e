"""Whether two conditions can both come true while facts wobble around one set of values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from crmsync.condition import names, normal_form
from crmsync.condition.reach import Numbers, Stretch, Values, Words, values_of
from crmsync.evaluate.swings import Wobbling
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Condition,
    Expression,
    Holds,
    Not,
    OneOf,
)
from crmsync.model.fact import FactType
from crmsync.model.wobble import Wobble

_MOST = 64
"""Ways a condition can come true that are looked at one by one."""

_Way = dict[Expression, Values]


def apart(first: Condition, second: Condition, wobbling: Wobbling) -> bool:
    """Whether no wobble reaches from one to the other: proved, or else false.

    They are apart when every way the first comes true and every way the second does disagree on
    some expression by more than it wobbles.
    """
    one, other = _ways(normal_form(first)), _ways(normal_form(second))
    if one is None or other is None:
        return False
    return all(_disagree(a, b, wobbling) for a, b in product(one, other))


def still(condition: Condition, wobbling: Wobbling) -> bool:
    """Whether nothing *condition* reads wobbles or is moved by the decision itself."""
    return all(wobbling.of_name(name) == Wobble() for name in names(condition))


def _ways(condition: Condition) -> list[_Way] | None:
    match condition:
        case All(items=items):
            found: list[_Way] = [{}]
            for item in items:
                below = _ways(item)
                if below is None or len(found) * len(below) > _MOST:
                    return None
                found = [way for a, b in product(found, below) if (way := _both(a, b)) is not None]
            return found
        case AnyOf(items=items):
            lists = [_ways(item) for item in items]
            known = [way for ways in lists if ways is not None for way in ways]
            return None if None in lists or len(known) > _MOST else known
        case _:
            return [_leaf(condition)]


def _leaf(leaf: Condition) -> _Way:
    """The values a leaf asks of its operand; nothing when it asks anything else."""
    operand = _operand(leaf)
    if operand is None:
        return {}
    values = values_of(leaf, operand, whole=operand.type is FactType.INTEGER)
    return {} if values is None else {operand: values}


def _operand(leaf: Condition) -> Expression | None:
    match leaf:
        case Compare(left=left):
            return left
        case Between(operand=operand) | OneOf(operand=operand) | Holds(operand=operand):
            return operand
        case Not(item=item):
            return _operand(item)
    return None


def _both(one: _Way, other: _Way) -> _Way | None:
    """Both at once; ``None`` when an operand is left no value."""
    found = dict(one)
    for operand, values in other.items():
        mine = found.get(operand)
        found[operand] = values if mine is None else _shared(mine, values)
        if found[operand].empty:
            return None
    return found


def _shared(one: Values, other: Values) -> Values:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one.rest().join(other.rest()).rest()
    if isinstance(one, Words) and isinstance(other, Words):
        joined = Words(one.words, not one.others).join(Words(other.words, not other.others))
        return Words(joined.words, not joined.others)
    return one


def _disagree(one: _Way, other: _Way, wobbling: Wobbling) -> bool:
    for operand in one.keys() & other.keys():
        wobble = wobbling.of(operand)
        if wobble is not None and not _meet(one[operand], other[operand], wobble):
            return True
    return False


def _meet(one: Values, other: Values, wobble: Wobble) -> bool:
    """Whether some window holds a value of each."""
    if not _shared(one, other).empty:
        return True
    if not wobble or not isinstance(one, Numbers) or not isinstance(other, Numbers):
        return False
    return any(_near(a, b, wobble) for a, b in _gaps(one, other))


def _gaps(one: Numbers, other: Numbers) -> Iterator[tuple[Decimal, Decimal]]:
    """The ends of every gap between a stretch of each, the lower end first."""
    for a, b in product(one.stretches, other.stretches):
        below, above = sorted((a, b))
        yield _last(below, one.whole), above[0][0]


def _last(stretch: Stretch, whole: bool) -> Decimal:
    end = stretch[1][0]
    return end - 1 if whole else end


def _near(low: Decimal, high: Decimal, wobble: Wobble) -> bool:
    """Whether one window reaches from *low* to *high*."""
    if wobble.share >= 1:
        return True
    reach = high - wobble.amount
    centre = reach / (1 + wobble.share if reach >= 0 else 1 - wobble.share)
    return wobble.window(centre)[0] <= low
