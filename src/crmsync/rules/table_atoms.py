"""The values of one column of a table, cut where its cells tell them apart.

A column is cut into *atoms*: stretches of values no cell of it tells apart, with the missing value
as an atom of its own: only names that always have a value are without it. A row fits an atom
wholly or not at all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from crmsync.condition import ScopeName
from crmsync.condition.reach import EVERYTHING, Numbers, Values, Words, meet, values_of
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Condition,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
)
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType, FactValue
from crmsync.model.ruleset import FactDefinition
from crmsync.rules.table_cells import handles_missing

_FIRST, _LAST = date(1900, 1, 1).toordinal(), date(2199, 12, 31).toordinal()
OTHER = "…"
"""Stands for every text that no cell names."""


@dataclass(frozen=True, slots=True)
class Atom:
    """Values a column does not tell apart: one of them, and the rows that fit them, as bits.

    ``stops``: the rows that keep the later ones from being reached, which may be more than fit.
    """

    value: FactValue
    rows: int
    stops: int


@dataclass(frozen=True, slots=True)
class Column:
    """The atoms of a column, and for each row the atoms it fits, as bits.

    ``asked``: the atoms for which a table should say something: the missing value is among them
    only where a cell speaks of it, for otherwise the block says what is missing.
    """

    atoms: tuple[Atom, ...]
    fits: tuple[int, ...]
    asked: tuple[Atom, ...]

    def of(self, row: int) -> Iterator[Atom]:
        """The atoms a row fits."""
        return (self.atoms[place] for place in bits(self.fits[row]))


def bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@dataclass(frozen=True, slots=True)
class Absence:
    """What a missing value does in a table.

    *never*: the names that always have a value. *stops*: whether a row that is unknown keeps the
    later ones from being reached, as if it fitted.
    """

    never: frozenset[str] = frozenset()
    stops: bool = False


def column_of(
    name: ScopeName,
    tests: Sequence[Condition | None],
    fact: FactDefinition | None,
    absence: Absence,
) -> Column | None:
    """The column of *name*, whose cells ask *tests* from the top; ``None`` where some cell asks
    what cannot be laid out."""
    universe = _universe(name, fact)
    operand = Name(name.id, name.type)
    sets: list[Values] = []
    for test in tests:
        values = universe if test is None else _values(test, operand, name.type)
        met = None if values is None or universe is None else meet(values, universe)
        if met is None:
            return None
        sets.append(met)
    assert universe is not None
    samples = _samples(sets, universe)
    at = {sample: place for place, sample in enumerate(samples)}
    cuts = [(sample, 0) for sample in samples if isinstance(sample, Decimal)]
    places = [_places(at, cuts, found) for found in sets]
    atoms = tuple(
        Atom(_typed(value, name.type), rows, rows)
        for value, rows in zip(samples, _rows_of(places, len(samples)), strict=True)
    )
    handled = any(handles_missing(test) for test in tests)
    if not handled and name.id in absence.never:
        return Column(atoms, tuple(map(_mask, places)), atoms)
    met_by = [_at_missing(test) for test in tests]
    rows = sum(1 << n for n, holds in enumerate(met_by) if holds is Verdict.TRUE)
    unknown = sum(1 << n for n, holds in enumerate(met_by) if holds is Verdict.UNKNOWN)
    missing = Atom(None, rows, rows | unknown if absence.stops else rows)
    places = [
        [*found, (len(samples), len(samples) + 1)] if holds is Verdict.TRUE else found
        for found, holds in zip(places, met_by, strict=True)
    ]
    both = (*atoms, missing)
    return Column(both, tuple(map(_mask, places)), both if handled else atoms)


_Runs: TypeAlias = list[tuple[int, int]]
"""Neighbouring samples, from the first up to and without the last."""


def _places(
    at: Mapping[Decimal | str, int], cuts: Sequence[tuple[Decimal, int]], values: Values
) -> _Runs:
    """Which samples, whose places are *at*, are among *values*."""
    if isinstance(values, Words):
        named = sorted(at[word] for word in values.words if word in at)
        if not values.others:
            return [(place, place + 1) for place in named]
        between = pairwise([-1, *named, len(at)])
        return [(before + 1, after) for before, after in between if before + 1 < after]
    runs = ((bisect_left(cuts, low), bisect_left(cuts, high)) for low, high in values.stretches)
    return [(first, last) for first, last in runs if first < last]


def _rows_of(places: Sequence[_Runs], samples: int) -> Iterator[int]:
    """For every sample the rows that fit it."""
    turns = [0] * (samples + 1)
    for row, runs in enumerate(places):
        for first, last in runs:
            turns[first] ^= 1 << row
            turns[last] ^= 1 << row
    rows = 0
    for turn in turns[:samples]:
        rows ^= turn
        yield rows


def _mask(runs: _Runs) -> int:
    return sum(((1 << (last - first)) - 1) << first for first, last in runs)


def _universe(name: ScopeName, fact: FactDefinition | None) -> Values | None:
    match name.type:
        case FactType.CHOICE:
            return Words(frozenset(choice.value for choice in name.choices))
        case FactType.YES_NO:
            return Words(frozenset({"True", "False"}))
        case FactType.TEXT:
            return Words(frozenset(), others=True)
        case FactType.DATE:
            return Numbers((((Decimal(_FIRST), 0), (Decimal(_LAST), 1)),), whole=True)
        case FactType.DATETIME:
            return None
    whole = name.type is FactType.INTEGER
    if fact is not None and fact.between is not None:
        low, high = fact.between
        return Numbers((((low, 0), (high, 1)),), whole)
    return Numbers(EVERYTHING, whole)


def _values(test: Condition, operand: Name, type: FactType) -> Values | None:
    """The known values that pass *test*; none of them where it asks for absence."""
    whole = type in {FactType.INTEGER, FactType.DATE}
    numeric = type.numeric or type is FactType.DATE
    nothing: Values = Numbers((), whole) if numeric else Words(frozenset())
    if isinstance(test, Missing):
        return nothing
    if isinstance(test, Known):
        return Numbers(EVERYTHING, whole) if numeric else Words(frozenset(), others=True)
    if isinstance(test, All) and any(isinstance(item, Known) for item in test.items):
        rest = tuple(item for item in test.items if not isinstance(item, Known))
        return _values(rest[0] if len(rest) == 1 else All(rest), operand, type)
    return values_of(_ordinal(test), operand, whole=whole)


def _ordinal(test: Condition) -> Condition:
    """The same test with days as the numbers they have in the calendar."""
    match test:
        case Compare(comparison=comparison, left=left, right=Literal() as right):
            return Compare(comparison, left, _day(right))
        case Between(operand=operand, low=Literal() as low, high=Literal() as high):
            return Between(operand, _day(low), _day(high))
        case OneOf(operand=operand, values=values):
            return OneOf(operand, tuple(_day(value) for value in values))
        case Not(item=item):
            return Not(_ordinal(item))
        case All(items=items):
            return All(tuple(_ordinal(item) for item in items))
        case AnyOf(items=items):
            return AnyOf(tuple(_ordinal(item) for item in items))
    return test


def _day(literal: Literal) -> Literal:
    if isinstance(literal.value, date):
        return Literal(Decimal(literal.value.toordinal()), FactType.NUMBER)
    return literal


_DEGREES = (Verdict.FALSE, Verdict.UNKNOWN, Verdict.TRUE)


def _at_missing(test: Condition | None) -> Verdict:
    """What a cell says of the missing value."""
    match test:
        case None | Missing():
            return Verdict.TRUE
        case Known():
            return Verdict.FALSE
        case Not(item=item):
            return _DEGREES[-1 - _DEGREES.index(_at_missing(item))]
        case All(items=items):
            return min(map(_at_missing, items), key=_DEGREES.index)
        case AnyOf(items=items):
            return max(map(_at_missing, items), key=_DEGREES.index)
    return Verdict.UNKNOWN


# ── atoms ──────────────────────────────────────────────────────────────────────────────────────


def _samples(sets: Iterable[Values], universe: Values) -> list[Decimal | str]:
    """One value of every stretch no set tells apart, from the lowest."""
    found = list(sets)
    if isinstance(universe, Words):
        words = set(universe.words)
        for item in found:
            if isinstance(item, Words):
                words |= item.words if universe.others else item.words & universe.words
        return [*sorted(words), *([OTHER] if universe.others else [])]
    cuts = set()
    for item in (*found, universe):
        if isinstance(item, Numbers):
            cuts |= {cut for stretch in item.stretches for cut in stretch}
    ordered = sorted(cuts)
    examples = (Numbers((ends,), universe.whole).example() for ends in pairwise(ordered))
    inside = (item for item in examples if item is not None and _in(item, universe))
    return sorted(dict.fromkeys(inside))


def _in(value: Decimal | str, values: Values) -> bool:
    if isinstance(values, Numbers):
        assert isinstance(value, Decimal)
        return any(low <= (value, 0) and (value, 1) <= high for low, high in values.stretches)
    return (value in values.words) is not values.others


def _typed(value: Decimal | str, type: FactType) -> FactValue:
    """A value of the column's own type that stands for the atom."""
    if isinstance(value, str):
        return value == "True" if type is FactType.YES_NO else value
    match type:
        case FactType.DATE:
            return date.fromordinal(int(value))
        case FactType.INTEGER:
            return int(value)
        case FactType.MONEY:
            return value
        case _:
            return float(value)
