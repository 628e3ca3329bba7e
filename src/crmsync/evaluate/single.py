"""One record at a time, as events bring them: by the compiled matcher or by the rete network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Protocol

from crmsync.condition import negate
from crmsync.condition import values as reading
from crmsync.condition.shape import parts_of
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
from crmsync.evaluate.compiled import CompiledRuleset, split
from crmsync.evaluate.rete import ReteMatcher
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
            if not _decided(condition):
                self._doubtful |= 1 << bit
            for name in _facts(condition):
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


def _facts(node: Condition | Expression) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
        return
    for part in parts_of(node):
        yield from _facts(part)


def _decided(node: Condition) -> bool:
    """Whether *node* is true or false as soon as every fact it reads is known."""
    match node:
        case All(items=items) | AnyOf(items=items):
            return all(_decided(item) for item in items)
        case Not(item=item):
            return _decided(item)
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
