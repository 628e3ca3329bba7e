"""Customers at the boundaries of the rules: one value of a known customer moved to where it counts.

Boundaries are found by trying, never by formula: a value is walked along the places the rules speak
of, and wherever the outcome differs between two of them the stretch is halved down to the unit. So
they are found behind formulas, windows and waiting times just the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, pairwise

from crmsync.condition import names
from crmsync.condition.shape import parts_of
from crmsync.evaluate import Engine
from crmsync.evaluate.places import Line, line_of, thresholds
from crmsync.evaluate.wording import shown
from crmsync.model.case import Case, Expectation
from crmsync.model.condition import Condition, Expression, Literal, OneOf
from crmsync.model.fact import FactType, FactValue, Judgement
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.text import Text
from crmsync.project.boundary_states import Dated, clocks, standings, waits
from crmsync.project.deciding import decide_case
from crmsync.rules import expectation_of
from crmsync.rules.case_state import Opening, opening_of
from crmsync.rules.case_text import fact_text

FEW = 8
"""How many of the known customers are tried in every standing."""

_STATE_DAYS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_Places = Callable[[Case, FactDefinition, Line], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that differs from a known one in a single value, and what that value is."""

    case: Case
    what: Text


def boundary_cases(
    engine: Engine, bases: Sequence[Case], *, deep: bool = True
) -> Iterator[Candidate]:
    """Every customer at a boundary that can be had from *bases* by changing one value.

    With *deep* then those that need another standing and another value at once, from a few of the
    bases. The expectation of each is what the rules make of it now.
    """
    seen: set[str] = set()
    finder = _Finder(engine)
    for candidate in chain(finder.once(bases), finder.twice(bases) if deep else ()):
        key = _identity(candidate.case)
        if key not in seen:
            seen.add(key)
            yield candidate


def _identity(case: Case) -> str:
    opening = replace(opening_of(case.before), pending={})
    pending = sorted(case.before.clocks.pending.items())
    facts = sorted(case.facts.items())
    ages = sorted((fact, told.on) for fact, told in case.judged.items())
    return repr((case.today, facts, ages, opening, pending, case.episodes, case.released))


def _ages(base: Case, rules: Ruleset) -> Iterator[tuple[Case, Text]]:
    """Every judgement that grows old, on the first day that counts and on the day before it."""
    for fact in rules.facts:
        if fact.valid_for is None or base.facts.get(fact.id) is None:
            continue
        oldest = fact.valid_for.before(base.today)
        for day in (oldest, oldest + timedelta(days=1)):
            judged = {**base.judged, fact.id: Judgement(on=day)}
            what = Text(zh=f"{fact.label.zh}评于 {day}", en=f"{fact.label.en} judged on {day}")
            yield replace(base, judged=judged), what


class _Finder:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rules = engine.ruleset
        self._marks = thresholds(engine)
        self._words = words_compared(engine)
        self._waits = waits(self._rules)

    def once(self, bases: Sequence[Case]) -> Iterator[Candidate]:
        """One value changed: at every border of the outcome."""
        for base in bases:
            for fact in self._rules.facts:
                for value in self._values(base, fact, self._searched):
                    yield self._told(*_with(base, fact, value))
            for changed, what in _ages(base, self._rules):
                yield self._told(changed, what)
            for opening, what in self._openings(base):
                yield self._told(_opened(base, opening), what)

    def twice(self, bases: Sequence[Case]) -> Iterator[Candidate]:
        """Another standing, and one value at the places the rules speak of."""
        few = bases[:: max(1, len(bases) // FEW)]
        for base in few:
            for opening, told in standings(self._rules, base):
                moved = _opened(base, opening)
                for case in _released(moved, self._rules):
                    for fact in self._rules.facts:
                        for value in self._values(base, fact, _near):
                            changed, what = _with(case, fact, value)
                            both = Text(zh=f"{told.zh}，{what.zh}", en=f"{told.en}, {what.en}")
                            yield self._told(changed, both)

    def _told(self, case: Case, what: Text) -> Candidate:
        decision = decide_case(self._engine, case)
        return Candidate(replace(case, expect=expectation_of(decision)), what)

    def _outcome(self, case: Case) -> Hashable:
        """What a case looks at, with the lines hit in place of the points."""
        decision = decide_case(self._engine, case)
        lines = () if decision.score is None else tuple(c.hit for c in decision.score.criteria)
        expect = replace(expectation_of(decision), score=None, spans={})
        return (lines, _fields(expect))

    # ── facts ──────────────────────────────────────────────────────────────────────────────────

    def _values(
        self,
        base: Case,
        fact: FactDefinition,
        places: _Places,
    ) -> Iterable[FactValue]:
        """Values worth trying for one fact, "not known" included."""
        current = base.facts.get(fact.id)
        if fact.formula is not None:
            return ()
        if fact.type is FactType.CHOICE:
            return [item for item in (*fact.choices, None) if item != current]
        if fact.type is FactType.YES_NO:
            return [item for item in (True, False, None) if item is not current]
        if fact.type is FactType.TEXT:
            others = [*sorted(self._words.get(fact.id, ())), "Example", None]
            return [item for item in others if item != current]
        line = line_of(fact, current, base.today, self._marks.get(fact.id, frozenset()))
        if line is None:
            return [None] if current is not None else []
        found: list[FactValue] = [line.value(place) for place in places(base, fact, line)]
        found += [line.value((low + high) // 2) for low, high in pairwise(line.marks)]
        if fact.between is not None:
            found += [line.value(line.low), line.value(line.high)]
        return [*found, None] if current is not None else found

    def _searched(self, base: Case, fact: FactDefinition, line: Line) -> Iterator[int]:
        """Both sides of every border of the outcome along *line*."""

        def outcome(place: int) -> Hashable:
            return self._outcome(_with(base, fact, line.value(place))[0])

        return borders({*line.places(-1), line.start, *line.places(1)}, outcome)

    # ── state ──────────────────────────────────────────────────────────────────────────────────

    def _openings(self, base: Case) -> Iterator[tuple[Opening, Text]]:
        yield from standings(self._rules, base)
        ref = base.before.ref
        for dated, word in clocks(self._rules, base):

            def outcome(days: int, dated: Dated = dated) -> Hashable:
                opening = dated(base.today - timedelta(days=days))
                return self._outcome(replace(base, before=opening.state(ref, base.today)))

            for days in borders({*_STATE_DAYS, *self._waits}, outcome):
                day = base.today - timedelta(days=days)
                yield dated(day), Text(zh=f"{word.zh} {day}", en=f"{word.en} {day}")


def _with(base: Case, fact: FactDefinition, value: FactValue) -> tuple[Case, Text]:
    facts = {key: item for key, item in base.facts.items() if key != fact.id}
    if value is not None:
        facts[fact.id] = value
    word = shown(None) if value is None else Text.same(fact_text(value, fact.type))
    what = Text(zh=f"{fact.label.zh} {word.zh}", en=f"{fact.label.en} {word.en}")
    return replace(base, facts=facts), what


def _opened(base: Case, opening: Opening) -> Case:
    return replace(base, before=opening.state(base.before.ref, base.today))


def _released(case: Case, rules: Ruleset) -> tuple[Case, ...]:
    """The case, and where demotions wait for a review, the same with one released."""
    if rules.tier is None or not rules.tier.down.at_review:
        return (case,)
    return (case, replace(case, released=True))


def _near(base: Case, fact: FactDefinition, line: Line) -> Iterator[int]:
    """The places the rules speak of, and their neighbours."""
    del base, fact
    for place in sorted({mark + shift for mark in line.marks for shift in (-1, 0, 1)}):
        if line.low <= place <= line.high:
            yield place


def borders(places: Iterable[int], outcome: Callable[[int], Hashable]) -> Iterator[int]:
    """Both sides of every border between neighbouring *places* whose outcomes differ."""
    told = [(place, outcome(place)) for place in sorted(places)]
    for (low, below), (high, above) in pairwise(told):
        if below == above:
            continue
        left, right = low, high
        while right - left > 1:
            middle = (left + right) // 2
            if outcome(middle) == below:
                left = middle
            else:
                right = middle
        yield left
        yield right


def _fields(expect: Expectation) -> tuple[Hashable, ...]:
    return (
        expect.tier,
        expect.tier_because,
        expect.lifecycle,
        expect.tasks,
        expect.closes,
        expect.service,
        expect.notice,
    )


def words_compared(engine: Engine) -> dict[str, set[str]]:
    """The words the rules compare each text with."""
    found: dict[str, set[str]] = {
        fact.id: set() for fact in engine.ruleset.facts if fact.type is FactType.TEXT
    }
    for condition in engine.every:
        for name in engine.inputs(names(condition)) & found.keys():
            found[name] |= set(_texts(condition))
    return found


def _texts(node: Condition | Expression) -> Iterator[str]:
    literals = node.values if isinstance(node, OneOf) else (node,)
    for literal in literals:
        if isinstance(literal, Literal) and isinstance(literal.value, str):
            yield literal.value
    for part in parts_of(node):
        yield from _texts(part)
