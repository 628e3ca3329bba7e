"""One record at a time, as events bring them: by the compiled matcher or by the rete network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

from crmsync.condition import negate
from crmsync.condition import values as reading
from crmsync.evaluate.compiled import CompiledRuleset, split
from crmsync.evaluate.decided import decided, facts_of
from crmsync.evaluate.rete import ReteMatcher
from crmsync.model.fact import FactRow, FactType, MatchedRow


class RecordMatcher(Protocol):
    """Tells which conditions of one ruleset hold for one record."""

    def match(self, row: FactRow, as_of: date) -> MatchedRow:
        """The row with its verdicts; the same from every matcher."""
        ...


class CompiledRecords:
    """The verdicts of the compiled matcher."""

    def __init__(self, engine: CompiledRuleset) -> None:
        self._engine = engine

    def match(self, row: FactRow, as_of: date) -> MatchedRow:
        """The row with its verdicts."""
        engine = self._engine
        values = [row.facts.get(name) for name in engine.facts]
        return MatchedRow(row, *split(engine.matcher(values, as_of), len(engine.conditions)))


class ReteRecords:
    """The verdicts of the rete matcher; raises ReteError where there is no extension.

    What is neither true nor able to be unknown is false, so the second network, of negations, is
    asked only when a fact that some condition reads is unknown.
    """

    def __init__(self, engine: CompiledRuleset) -> None:
        self._facts = engine.facts
        self._every = (1 << len(engine.conditions)) - 1
        self._true = ReteMatcher(engine.conditions, engine.facts)
        self._false = ReteMatcher([negate(item) for item in engine.conditions], engine.facts)
        self._doubtful = 0
        reads: dict[tuple[int, FactType], int] = {}
        places = {name: slot for slot, name in enumerate(engine.facts)}
        for bit, condition in enumerate(engine.conditions):
            if not decided(condition):
                self._doubtful |= 1 << bit
            for name in facts_of(condition):
                key = places[name.id], name.type
                reads[key] = reads.get(key, 0) | 1 << bit
        self._reads: list[tuple[int, Callable[[object], object], int]] = [
            (slot, reading.READERS[kind], mask) for (slot, kind), mask in reads.items()
        ]

    def match(self, row: FactRow, as_of: date) -> MatchedRow:
        """The row with its verdicts."""
        values = [row.facts.get(name) for name in self._facts]
        true = self._true(values, as_of)
        open_still = self._doubtful
        for slot, read, mask in self._reads:
            if read(values[slot]) is None:
                open_still |= mask
        if not open_still & ~true:
            return MatchedRow(row, true, 0)
        return MatchedRow(row, true, self._every & ~(true | self._false(values, as_of)))

    @property
    def failures(self) -> int:
        """How often the compiled matcher had to take over."""
        return self._true.failures + self._false.failures

    def close(self) -> None:
        """Free what the extension holds."""
        self._true.close()
        self._false.close()
