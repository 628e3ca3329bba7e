"""The values a table's rows cover, column by column: overlaps, gaps and rows never reached.

A column is cut into *atoms*: stretches of values no cell of it tells apart, with the missing value
as an atom of its own where the column asks for it. A row fits an atom wholly or not at all, so a
search over atoms is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

_FIRST, _LAST = date(1900, 1, 1).toordinal(), date(2199, 12, 31).toordinal()
OTHER = "…"
"""Stands for every text that no cell names."""

Gap: TypeAlias = tuple[dict[str, FactValue] | None, bool]


@dataclass(frozen=True, slots=True)
class Atom:
    """Values a column does not tell apart: one of them, and which rows fit them."""

    value: FactValue
    rows: frozenset[int]


@dataclass(frozen=True, slots=True)
class Space:
    """The atoms of every column; ``None`` where a column asks what cannot be laid out."""

    names: tuple[ScopeName, ...]
    atoms: tuple[tuple[Atom, ...] | None, ...]
    rows: int

    @property
    def exact(self) -> bool:
        """Whether every column is laid out."""
        return all(column is not None for column in self.atoms)

    def gap(
        self, rows: frozenset[int], within: int | None = None, *, steps: int = MOST_STEPS
    ) -> Gap:
        """Values that none of *rows* fits, by name; only those of the row *within*, if given.

        With the answer comes whether the search was exact: a table too big to search, or a column
        that cannot be laid out, has no gap that is certain.
        """
        if not self.exact:
            return None, False
        search = _Search(self, within, steps)
        try:
            return search.gap(rows), True
        except _TooMuch:
            return None, False

    def possible(self, row: int) -> bool:
        """Whether any value at all fits the row, as far as it can be laid out."""
        return all(
            column is None or any(row in atom.rows for atom in column) for column in self.atoms
        )

    def common(self, first: int, second: int) -> dict[str, FactValue] | None:
        """Values both rows fit; a column that is not laid out is left out of the answer."""
        found: dict[str, FactValue] = {}
        for name, column in zip(self.names, self.atoms, strict=True):
            if column is None:
                continue
            shared = next((atom for atom in column if {first, second} <= atom.rows), None)
            if shared is None:
                return None
            found[name.id] = shared.value
        return found


class _TooMuch(Exception):
    """The search has taken too many steps."""


class _Search:
    def __init__(self, space: Space, within: int | None, steps: int) -> None:
        self._columns = [column or () for column in space.atoms]
        self._names = [name.id for name in space.names]
        self._within = within
        self._left = steps
        self._full: set[tuple[int, frozenset[int]]] = set()
        """Places from which no gap can be reached."""
        everywhere = [
            frozenset.intersection(*(atom.rows for atom in column)) if column else frozenset()
            for column in self._columns
        ]
        self._open: list[frozenset[int]] = []
        rest = frozenset(range(space.rows))
        for always in reversed(everywhere):
            rest = rest & always
            self._open.insert(0, rest)

    def gap(self, rows: frozenset[int]) -> dict[str, FactValue] | None:
        return self._from(0, rows, {})

    def _from(
        self, at: int, rows: frozenset[int], chosen: dict[str, FactValue]
    ) -> dict[str, FactValue] | None:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        if at == len(self._columns):
            return None if rows else chosen
        if (at, rows) in self._full or rows & self._open[at]:
            return None
        for atom in self._columns[at]:
            if self._within is not None and self._within not in atom.rows:
                continue
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
    return Space(table.inputs, tuple(columns), len(table.rows))


def _column(
    name: ScopeName, tests: Sequence[Condition | None], fact: FactDefinition | None
) -> tuple[Atom, ...] | None:
    universe = _universe(name, fact)
    operand = Name(name.id, name.type)
    sets: list[Values | None] = []
    for test in tests:
        values = universe if test is None else _values(test, operand, name.type)
        met = None if values is None or universe is None else meet(values, universe)
        if met is None:
            return None
        sets.append(met)
    known = [found for found in sets if found is not None]
    assert universe is not None
    atoms = [
        Atom(_typed(value, name.type), frozenset(n for n, v in enumerate(known) if _in(value, v)))
        for value in _samples(known, universe)
    ]
    if any(handles_missing(test) for test in tests):
        rows = frozenset(n for n, test in enumerate(tests) if _fits_missing(test))
        atoms.append(Atom(None, rows))
    return tuple({atom.rows: atom for atom in reversed(atoms)}.values())


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
    samples: list[Decimal | str] = []
    for low, high in pairwise(ordered):
        example = Numbers(((low, high),), universe.whole).example()
        inside = example is not None and _in(example, universe)
        if example is not None and inside and example not in samples:
            samples.append(example)
    return samples


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
