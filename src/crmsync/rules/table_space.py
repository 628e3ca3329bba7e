"""The values a table's rows cover together: overlaps, gaps and rows never reached.

Each column is cut into atoms, which a row fits wholly or not at all, so a search over atoms is
exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from crmsync.condition import ScopeName
from crmsync.model.fact import FactValue
from crmsync.model.ruleset import FactDefinition
from crmsync.rules.table_atoms import Absence, Column, bits, column_of
from crmsync.rules.tables import DecisionTable

MOST_STEPS = 200_000
"""Where a search gives up: it then claims nothing."""

_MOST_COMPARED = 500
"""Stretches of one row that are compared with the other rows'."""

Gap: TypeAlias = tuple[dict[str, FactValue] | None, bool, int]


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
        """Values that none of *rows* fits, by name.

        With *within*: values of that row with which it is reached past *rows*, a missing value
        among them.

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
        """The rows that keep *row* from being reached, if they stand before it; none is said where
        a column is not laid out or the row fits very many stretches."""
        many = sum(0 if column is None else column.fits[row].bit_count() for column in self.columns)
        found = (1 << self.rows) - 1 if self.exact and many <= _MOST_COMPARED else 0
        for column in self.columns:
            for atom in column.of(row) if column is not None and found else ():
                found &= atom.stops
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
        alone = self._within is None
        for atom in column.asked if self._within is None else column.of(self._within):
            left = rows & (atom.rows if alone else atom.stops)
            found = self._from(at + 1, left, {**chosen, self._names[at]: atom.value})
            if found is not None:
                return found
        self._full.add((at, rows))
        return None


def space_of(table: DecisionTable, facts: Mapping[str, FactDefinition], absence: Absence) -> Space:
    """The space of a table's rows over what its facts can be."""
    columns = []
    for number, name in enumerate(table.inputs):
        tests = [row.tests[number] for row in table.rows]
        columns.append(column_of(name, tests, facts.get(name.id), absence))
    rest = (1 << len(table.rows)) - 1
    open_: list[int] = []
    for column in reversed(columns):
        for atom in () if column is None else column.atoms:
            rest &= atom.rows
        open_.insert(0, 0 if column is None else rest)
    return Space(table.inputs, tuple(columns), len(table.rows), tuple(open_))
