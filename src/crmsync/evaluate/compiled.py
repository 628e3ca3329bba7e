"""A ruleset made ready to run: its conditions numbered and compiled, its formulas in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from crmsync.condition import (
    compile_expression,
    compile_matcher,
    names,
    negate,
)
from crmsync.condition.compiled import Formula, Matcher
from crmsync.evaluate.wording import Wording
from crmsync.model.condition import Condition, Expression
from crmsync.model.decision import UnknownCondition, Verdict
from crmsync.model.fact import FactValue, MatchedRow
from crmsync.model.position import NOWHERE, Span
from crmsync.model.ruleset import STATE_NAMES, FactDefinition, Ruleset
from crmsync.model.scorecard import PointsMatrix, PointsTable, Scorecard

_STATE_PLACES = {name: place for place, name in enumerate(STATE_NAMES)}


class Test(NamedTuple):
    """A condition's place: its bit, in the match or among the conditions that read state."""

    bit: int
    reads_state: bool
    condition: Condition


class CompiledRuleset:
    """One ruleset, compiled once and used for any number of customers and days.

    ``conditions`` are those that read facts only, each once: bit *n* of a `MatchedRow` speaks of
    ``conditions[n]``. Conditions that read state (`STATE_NAMES`) are asked per customer afterwards;
    ``every`` holds both.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.wording = Wording(ruleset)
        self.facts = tuple(fact.id for fact in ruleset.facts)
        every = tuple(dict.fromkeys(conditions_of(ruleset)))
        self.every: tuple[Condition, ...] = every
        of_facts = [item for item in every if not _reads_state(item)]
        self.conditions: tuple[Condition, ...] = tuple(dict.fromkeys(of_facts))
        self._of_state = tuple(dict.fromkeys(item for item in every if _reads_state(item)))
        self._bits = {item: bit for bit, item in enumerate(self.conditions)}
        self._state_bits = {item: bit for bit, item in enumerate(self._of_state)}
        self.matcher = _both(self.conditions, self.facts)
        self._state_matcher = _both(self._of_state, (*self.facts, *STATE_NAMES))
        self._inputs = {fact.id: self._expand({fact.id}) for fact in ruleset.facts}
        self.formulas = tuple(self._formulas())

    def test(self, condition: Condition) -> Test:
        """Where the verdict of one of the ruleset's conditions is found."""
        if condition in self._bits:
            return Test(self._bits[condition], reads_state=False, condition=condition)
        return Test(self._state_bits[condition], reads_state=True, condition=condition)

    def formula(self, expression: Expression) -> Formula:
        """*expression* compiled over the ruleset's facts."""
        return compile_expression(expression, self.facts)

    def match_state(self, values: Sequence[FactValue], as_of: date) -> tuple[int, int]:
        """``(true, unknown)`` of the conditions that read state, over facts and state values."""
        return split(self._state_matcher(values, as_of), len(self._of_state))

    def inputs(self, read: Iterable[str]) -> frozenset[str]:
        """The facts *read* and every fact their formulas hang on."""
        found: frozenset[str] = frozenset()
        for name in read:
            found |= self._inputs.get(name, frozenset())
        return found

    def _expand(self, read: set[str]) -> frozenset[str]:
        known = {fact.id: fact for fact in self.ruleset.facts}
        waiting, found = list(read), set(read)
        while waiting:
            fact = known.get(waiting.pop())
            if fact is None or fact.formula is None:
                continue
            fresh = names(fact.formula) - found
            found |= fresh
            waiting += fresh
        return frozenset(found)

    def _formulas(self) -> Iterable[tuple[FactDefinition, Formula]]:
        waiting = {fact.id: fact for fact in self.ruleset.facts if fact.formula is not None}
        while waiting:
            ready = [
                (fact, fact.formula)
                for fact in waiting.values()
                if fact.formula is not None and not (names(fact.formula) & waiting.keys())
            ]
            if not ready:
                raise ValueError(f"formulas read one another in a circle: {', '.join(waiting)}")
            for fact, formula in ready:
                yield fact, compile_expression(formula, self.facts)
                del waiting[fact.id]


class Answers:
    """The verdicts of every condition for one customer, in one state."""

    __slots__ = ("_of_state", "_state", "as_of", "engine", "matched")

    def __init__(
        self,
        engine: CompiledRuleset,
        matched: MatchedRow,
        as_of: date,
        state: tuple[FactValue, ...] = (None,) * len(STATE_NAMES),
    ) -> None:
        self.engine = engine
        self.matched = matched
        self.as_of = as_of
        self._state = state
        self._of_state: tuple[int, int] | None = None

    def under(self, **state: FactValue) -> Answers:
        """The answers when these state names have these values and the others stay."""
        values = list(self._state)
        for name, value in state.items():
            values[_STATE_PLACES[name]] = value
        return Answers(self.engine, self.matched, self.as_of, tuple(values))

    def holds(self, test: Test) -> Verdict:
        """The verdict of one condition."""
        if test.reads_state:
            true, unknown = self._state_masks()
        else:
            true, unknown = self.matched.true, self.matched.unknown
        if true >> test.bit & 1:
            return Verdict.TRUE
        return Verdict.UNKNOWN if unknown >> test.bit & 1 else Verdict.FALSE

    def _state_masks(self) -> tuple[int, int]:
        if self._of_state is None:
            facts = self.matched.row.facts
            row = [*(facts.get(name) for name in self.engine.facts), *self._state]
            self._of_state = self.engine.match_state(row, self.as_of)
        return self._of_state

    def value(self, name: str) -> FactValue:
        """The value of a fact or a state name."""
        if name in _STATE_PLACES:
            return self._state[_STATE_PLACES[name]]
        return self.matched.row.facts.get(name)

    def values(self) -> dict[str, FactValue]:
        """Every fact and state name with its value."""
        return {**self.matched.row.facts, **dict(zip(STATE_NAMES, self._state, strict=True))}

    def unknown(self, place: str, test: Test, span: Span = NOWHERE) -> UnknownCondition:
        """*test* listed as undecided, with the facts it lacked (inputs of formulas included)."""
        read = names(test.condition)
        lacking = [name for name in self.engine.inputs(read) if self.value(name) is None]
        return UnknownCondition(place, tuple(sorted(lacking)), span)


def split(mask: int, count: int) -> tuple[int, int]:
    """``(true, unknown)`` from a mask of conditions followed by their negations."""
    every = (1 << count) - 1
    true, false = mask & every, mask >> count
    return true, every & ~(true | false)


def _both(conditions: Sequence[Condition], slots: Sequence[str]) -> Matcher:
    return compile_matcher([*conditions, *(negate(item) for item in conditions)], slots)


def _reads_state(condition: Condition) -> bool:
    return bool(names(condition) & STATE_NAMES.keys())


def conditions_of(ruleset: Ruleset) -> Iterable[Condition]:
    """Every condition of the rules, as often as it is used."""
    for card in ruleset.scorecards:
        yield from scorecard_conditions(card)
    if ruleset.tier is not None and ruleset.tier.table is not None:
        yield from ruleset.tier.table.conditions
    yield from (item.when for item in ruleset.departures)
    if ruleset.newcomer is not None:
        yield ruleset.newcomer.when
    if ruleset.population is not None:
        yield ruleset.population
    if ruleset.lifecycle is not None:
        yield from (move.when for move in ruleset.lifecycle.moves)
    yield from (segment.when for segment in ruleset.segments)
    for task in ruleset.tasks:
        yield from task.conditions()


def scorecard_conditions(card: Scorecard) -> Iterable[Condition]:
    """Every condition of a scorecard: its own and those of its tables."""
    if card.when is not None:
        yield card.when
    for criterion in card.criteria:
        for table in criterion.ways:
            if isinstance(table, PointsTable | PointsMatrix):
                yield from (line.when for line in table.lines if line.when is not None)
