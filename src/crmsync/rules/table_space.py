"""The values a table's rows cover, column by column: overlaps, gaps and rows never reached.

A column is cut into *atoms*: stretches of values no cell of it tells apart, with the missing value
as an atom of its own where the column asks for it. A row fits an atom wholly or not at all, so a
search over atoms is exact.
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
from crmsync.model.fact import FactType, FactValue
from crmsync.model.ruleset import FactDefinition
from crmsync.rules.table_cells import handles_missing
from crmsync.rules.tables import DecisionTable

MOST_STEPS = 200_000
"""Where a search gives up: it then claims nothing."""

_MOST_COMPARED = 500
"""Stretches of one row that are compared with the other rows'."""

_FIRST, _LAST = date(1900, 1, 1).toordinal(), date(2199, 12, 31).toordinal()
OTHER = "…"
"""Stands for every text that no cell names."""

Gap: TypeAlias = tuple[dict[str, FactValue] | None, bool, int]


@dataclass(frozen=True, slots=True)
class Atom:
    """Values a column does not tell apart: one of them, and the rows that fit them, as bits."""

    value: FactValue
    rows: int


@dataclass(frozen=True, slots=True)
class Column:
    """The atoms of a column, and for each row the atoms it fits, as bits."""

    atoms: tuple[Atom, ...]
    fits: tuple[int, ...]

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
class Space:
    """The atoms of every column; ``None`` where a column asks what cannot be laid out. Rows are
    bits of a number: a table of 2,000 rows is searched in the time a person waits."""

    names: tuple[ScopeName, ...]
    columns: tuple[Column | None, ...]
    rows: int
    open: tuple[int, ...] = ()
    """For each column the rows that fit anything in it and in all that follow."""

    @property
    def exact(self) -> bool:
        """Whether every column is laid out."""
        return all(column is not None for column in self.columns)

    def gap(self, rows: int, within: int | None = None, *, steps: int = MOST_STEPS) -> Gap:
        """Values that none of *rows* fits, by name; only those of the row *within*, if given.

        With the answer comes whether the search was exact: a table too big to search, or a column
        that cannot be laid out, has no gap that is certain; and how many steps it took.
        """
        if not self.exact:
            return None, False, 0
        search = _Search(self, within, steps)
        try:
            found = search.gap(rows)
        except _TooMuch:
            return None, False, steps
        return found, True, steps - search.left

    def possible(self, row: int) -> bool:
        """Whether any value at all fits the row, as far as it can be laid out."""
        return all(column is None or bool(column.fits[row]) for column in self.columns)

    def covering(self, row: int) -> int:
        """The rows that fit whatever *row* fits; none is said where a column is not laid out or
        the row fits very many stretches."""
        many = sum(0 if column is None else column.fits[row].bit_count() for column in self.columns)
        found = (1 << self.rows) - 1 if self.exact and many <= _MOST_COMPARED else 0
        for column in self.columns:
            for atom in column.of(row) if column is not None and found else ():
                found &= atom.rows
                if not found:
                    return 0
        return found & ~(1 << row)

    def meeting(self, row: int) -> int:
        """The rows that share a value with *row* in every column that is laid out."""
        found = (1 << self.rows) - 1
        for column in self.columns:
            if column is not None and found:
                shared = 0
                for atom in column.of(row):
                    shared |= atom.rows
                found &= shared
        return found & ~(1 << row)

    def common(self, first: int, second: int) -> dict[str, FactValue] | None:
        """Values both rows fit; a column that is not laid out is left out of the answer."""
        found: dict[str, FactValue] = {}
        for name, column in zip(self.names, self.columns, strict=True):
            if column is None:
                continue
            shared = column.fits[first] & column.fits[second]
            if not shared:
                return None
            found[name.id] = column.atoms[next(bits(shared))].value
        return found


class _TooMuch(Exception):
    """The search has taken too many steps."""


class _Search:
    def __init__(self, space: Space, within: int | None, steps: int) -> None:
        self._columns = [column for column in space.columns if column is not None]
        self._names = [name.id for name in space.names]
        self._within = within
        self._open = space.open
        self.left = steps
        self._full: set[tuple[int, int]] = set()
        """Places from which no gap can be reached."""

    def gap(self, rows: int) -> dict[str, FactValue] | None:
        return self._from(0, rows, {})

    def _from(
        self, at: int, rows: int, chosen: dict[str, FactValue]
    ) -> dict[str, FactValue] | None:
        self.left -= 1
        if self.left < 0:
            raise _TooMuch
        if at == len(self._columns):
            return None if rows else chosen
        if (at, rows) in self._full or rows & self._open[at]:
            return None
        column = self._columns[at]
        for atom in column.atoms if self._within is None else column.of(self._within):
            found = self._from(at + 1, rows & atom.rows, {**chosen, self._names[at]: atom.value})
            if found is not None:
                return found
        self._full.add((at, rows))
        return None


def space_of(table: DecisionTable, facts: Mapping[str, FactDefinition]) -> Space:
    """The space of a table's rows over what its facts can be."""
    columns = []
    for number, name in enumerate(table.inputs):
        tests = [row.tests[number] for row in table.rows]
        columns.append(_column(name, tests, facts.get(name.id)))
    rest = (1 << len(table.rows)) - 1
    open_: list[int] = []
    for column in reversed(columns):
        for atom in () if column is None else column.atoms:
            rest &= atom.rows
        open_.insert(0, 0 if column is None else rest)
    return Space(table.inputs, tuple(columns), len(table.rows), tuple(open_))


def _column(
    name: ScopeName, tests: Sequence[Condition | None], fact: FactDefinition | None
) -> Column | None:
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
    atoms = [
        Atom(_typed(value, name.type), rows)
        for value, rows in zip(samples, _rows_of(places, len(samples)), strict=True)
    ]
    if any(handles_missing(test) for test in tests):
        asked = [_fits_missing(test) for test in tests]
        atoms.append(Atom(None, sum(1 << n for n, fits in enumerate(asked) if fits)))
        places = [
            [*found, (len(samples), len(samples) + 1)] if fits else found
            for found, fits in zip(places, asked, strict=True)
        ]
    return Column(tuple(atoms), tuple(map(_mask, places)))


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


def _fits_missing(test: Condition | None) -> bool:
    match test:
        case None | Missing():
            return True
        case AnyOf(items=items):
            return any(_fits_missing(item) for item in items)
        case Not(item=item):
            return not _fits_missing(item) and not isinstance(item, Known)
    return False


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
