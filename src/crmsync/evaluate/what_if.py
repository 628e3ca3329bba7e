"""What would it take: the smallest single change of a fact, or the day, that moves the tier.

Found by search and never by formula: a candidate is fed back through the very policy, so what is
said is what would happen. Facts are tried at the values the rules speak of and at growing steps
from where they stand; the last stretch is halved down to the fact's own unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from crmsync.condition import names
from crmsync.condition.shape import parts_of
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_compiled
from crmsync.evaluate.rows import row_from_facts
from crmsync.evaluate.scoring import score_names
from crmsync.evaluate.wording import points, shown
from crmsync.model.condition import All, AnyOf, Condition, Expression, Literal, Not, Within
from crmsync.model.decision import Because, Decision, WhatIf
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import Scale, SumOf
from crmsync.model.state import CustomerState
from crmsync.model.text import Text

HORIZON = 400
"""Days looked ahead: longer than every usual hold, patience and window together."""

PER_DIRECTION = 3
_STEPS = 40
_OLDEST = 3650
_WAITING = frozenset({Because.PATIENCE, Because.GRACE, Because.REVIEW, Because.FACT_LOST})


@dataclass(frozen=True, slots=True)
class Setting:
    """One customer on one day, and what was decided."""

    engine: Engine
    row: FactRow
    state: CustomerState
    context: EvaluationContext
    decision: Decision


def what_if(setting: Setting) -> tuple[WhatIf, ...]:
    """The nearest changes up, to safety, and down, then the days on which time alone moves it."""
    if setting.decision.tier is None:
        return ()
    search = _Search(setting)
    return (*search.by_facts(), *search.by_time())


class _Search:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._engine = setting.engine
        assert setting.decision.tier is not None
        assert setting.engine.ruleset.tier is not None
        self._tier = setting.decision.tier
        ranked = setting.engine.ruleset.tier.ranked
        self._labels = {level.id: level.label for level in setting.engine.ruleset.tier.levels}
        self._ranks = {level.id: rank for rank, level in enumerate(ranked)}
        self._thresholds = _thresholds(setting.engine)

    def _rank(self, tier: str | None) -> int:
        return self._ranks.get(tier or "", len(self._ranks) + (tier is None))

    # ── feeding back ───────────────────────────────────────────────────────────────────────────

    def _decided(
        self, changed: Mapping[str, FactValue], state: CustomerState, context: EvaluationContext
    ) -> Decision:
        row, engine = self._setting.row, self._engine
        facts = {**row.facts, **changed}
        made = row_from_facts(engine, row.ref, facts, context.as_of)
        full = replace(row, facts=made.facts, rejected=made.rejected)
        (matched,) = match_compiled([full], engine, context.as_of)
        return decide(engine, matched, state, context)

    def _today(self, fact: str, value: FactValue) -> Decision:
        return self._decided({fact: value}, self._setting.state, self._setting.context)

    def _future(self, changed: Mapping[str, FactValue]) -> Iterable[Decision]:
        """The decisions of the coming days when all of them are written."""
        decision = self._decided(changed, self._setting.state, self._setting.context)
        for number in range(1, HORIZON + 1):
            state = CustomerState(
                decision.ref, decision.standing, decision.clocks, decision.known_facts
            )
            day = self._setting.context.as_of + timedelta(days=number)
            decision = self._decided(changed, state, replace(self._setting.context, as_of=day))
            yield decision

    # ── by facts ───────────────────────────────────────────────────────────────────────────────

    def by_facts(self) -> list[WhatIf]:
        now = self._rank(self._tier.after)

        def lifts(decision: Decision) -> bool:
            return decision.tier is not None and self._rank(decision.tier.after) < now

        def secures(decision: Decision) -> bool:
            stays = decision.tier is not None and self._rank(decision.tier.after) <= now
            return stays and not _about_to_fall(decision)

        def sinks(decision: Decision) -> bool:
            lower = decision.tier is not None and self._rank(decision.tier.after) > now
            return lower or _about_to_fall(decision)

        found = self._nearest(lifts, self._said)
        if _about_to_fall(self._setting.decision):
            found += self._nearest(secures, self._said)
        else:
            found += self._nearest(sinks, self._fallen)
        return found

    def _nearest(
        self,
        wanted: Callable[[Decision], bool],
        say: Callable[[FactDefinition, FactValue], WhatIf | None],
    ) -> list[WhatIf]:
        candidates = []
        for fact in self._engine.ruleset.facts:
            if fact.formula is not None or fact.id not in self._thresholds:
                continue
            nearest = self._of_fact(fact, wanted)
            if nearest is not None:
                candidates.append((nearest[0], fact.id, fact, nearest[1]))
        candidates.sort(key=lambda item: item[:2])
        said = (say(fact, value) for _, _, fact, value in candidates[:PER_DIRECTION])
        return [item for item in said if item is not None]

    def _of_fact(
        self, fact: FactDefinition, wanted: Callable[[Decision], bool]
    ) -> tuple[float, FactValue] | None:
        """The nearest value of one fact that does it, with how far away it is."""
        current = self._setting.row.facts.get(fact.id)
        if fact.type in {FactType.CHOICE, FactType.YES_NO}:
            options: list[FactValue] = list(fact.choices) or [True, False]
            fitting = (v for v in options if v != current and wanted(self._today(fact.id, v)))
            value = next(fitting, None)
            return None if value is None else (1.0, value)
        line = _line_of(fact, current, self._setting.context.as_of, self._thresholds[fact.id])
        if line is None:
            return None
        hits = [hit for way in (-1, 1) if (hit := self._along(fact, line, way, wanted)) is not None]
        if not hits:
            return None
        nearest = min(hits, key=lambda place: abs(place - line.start))
        return abs(nearest - line.start) * line.weight, line.value(nearest)

    def _along(
        self, fact: FactDefinition, line: _Line, way: int, wanted: Callable[[Decision], bool]
    ) -> int | None:
        """The nearest place in one direction that is *wanted*, to the unit."""
        outside = line.start
        for place in line.places(way):
            if wanted(self._today(fact.id, line.value(place))):
                inside = place
                break
            outside = place
        else:
            return None
        while abs(inside - outside) > 1:
            middle = (inside + outside) // 2
            if wanted(self._today(fact.id, line.value(middle))):
                inside = middle
            else:
                outside = middle
        return inside

    # ── by time ────────────────────────────────────────────────────────────────────────────────

    def by_time(self) -> list[WhatIf]:
        """The first day on which the tier moves although no fact is told anew."""
        for decision in self._future({}):
            tier = decision.tier
            if tier is not None and tier.after is not None and tier.after != self._tier.after:
                return [self._on(tier.after, decision.as_of)]
        return []

    # ── words ──────────────────────────────────────────────────────────────────────────────────

    def _said(self, fact: FactDefinition, value: FactValue) -> WhatIf | None:
        decision = self._today(fact.id, value)
        if decision.tier is None or decision.tier.after is None:
            return None
        after = decision.tier.after
        stays = after == self._tier.after
        label, head = self._labels[after], self._change(fact, value, decision)
        text = Text(
            zh=f"{head.zh}，{'保住' if stays else '即为'}{label.zh}",
            en=f"{head.en}: {'stays' if stays else 'becomes'} {label.en}",
        )
        return WhatIf(after, text, fact.id, value)

    def _fallen(self, fact: FactDefinition, value: FactValue) -> WhatIf | None:
        """A change that lowers the tier: today, or on the day patience and hold run out."""
        decision = self._today(fact.id, value)
        now, on = self._rank(self._tier.after), None
        if decision.tier is not None and self._rank(decision.tier.after) <= now:
            later = (
                item
                for item in self._future({fact.id: value})
                if item.tier is not None and self._rank(item.tier.after) > now
            )
            later_decision = next(later, None)
            if later_decision is None:
                return None
            decision, on = later_decision, later_decision.as_of
        if decision.tier is None or decision.tier.after is None:
            return None
        label, head = self._labels[decision.tier.after], self._change(fact, value, decision)
        when = Text(zh="" if on is None else f"（{on}）", en="" if on is None else f" on {on}")
        text = Text(
            zh=f"{head.zh}，会降为{label.zh}{when.zh}",
            en=f"{head.en}: falls to {label.en}{when.en}",
        )
        return WhatIf(decision.tier.after, text, fact.id, value, on)

    def _change(self, fact: FactDefinition, value: FactValue, decision: Decision) -> Text:
        new, old = shown(value, fact.type), shown(self._setting.row.facts.get(fact.id), fact.type)
        total = None if decision.score is None else decision.score.total
        zh = "" if total is None else f"，得分 {points(total)}"
        en = "" if total is None else f", score {points(total)}"
        return Text(
            zh=f"{fact.label.zh}为 {new.zh}（现为 {old.zh}）{zh}",
            en=f"{fact.label.en} {new.en} (now {old.en}){en}",
        )

    def _on(self, tier: str, day: date) -> WhatIf:
        label = self._labels[tier]
        text = Text(
            zh=f"其他不变，{day} 变为{label.zh}", en=f"if nothing else changes: {label.en} on {day}"
        )
        return WhatIf(tier, text, on=day)


@dataclass(frozen=True, slots=True)
class _Line:
    """The values of one fact as whole numbers of its unit, from where it stands."""

    start: int
    low: int
    high: int
    marks: tuple[int, ...]
    value: Callable[[int], FactValue]
    weight: float
    """How far one unit is, so that changes of different facts can be compared."""

    def places(self, way: int) -> list[int]:
        """The places to try in one direction, nearest first."""
        steps = {self.start + way * 2**power for power in range(_STEPS)}
        near = {mark + shift for mark in self.marks for shift in (-1, 0, 1)}
        ahead = [
            place
            for place in steps | near
            if (place - self.start) * way > 0 and self.low <= place <= self.high
        ]
        return sorted(ahead, reverse=way < 0)


def _about_to_fall(decision: Decision) -> bool:
    """Whether only a hold, patience, grace, a review or a lost fact keeps the tier up."""
    if decision.tier is None:
        return False
    low = decision.clocks.below_keep_since is not None
    return decision.tier.because in _WAITING or (low and decision.tier.because == Because.HOLD)


def _line_of(
    fact: FactDefinition, current: FactValue, as_of: date, marks: frozenset[Decimal | date]
) -> _Line | None:
    if fact.type is FactType.DATE:
        days = {(as_of - mark).days for mark in marks if isinstance(mark, date)}
        days |= {int(mark) for mark in marks if isinstance(mark, Decimal) and abs(mark) < _OLDEST}
        start = (as_of - current).days if isinstance(current, date) else 0
        return _Line(
            start=start,
            low=0,
            high=max(_OLDEST, start),
            marks=tuple(sorted(days | {0})),
            value=lambda place: as_of - timedelta(days=place),
            weight=1 / 30,
        )
    if not fact.type.numeric:
        return None
    unit = _unit(fact.type, current)
    exact = _number(current)
    numbers = [mark for mark in marks if isinstance(mark, Decimal)]
    places = {math.floor(mark / unit) for mark in numbers} | {
        math.ceil(mark / unit) for mark in numbers
    }
    furthest = max([abs(place) for place in places] + [abs(int(exact / unit)), 1]) * 4
    low = 0 if exact >= 0 else -furthest
    high = furthest
    if fact.between is not None:
        low, high = math.ceil(fact.between[0] / unit), math.floor(fact.between[1] / unit)
    scale = max(abs(exact), unit * 10)
    return _Line(
        start=math.floor(exact / unit),
        low=low,
        high=high,
        marks=tuple(sorted(places)),
        value=lambda place: _typed(place * unit, fact.type),
        weight=float(unit / scale),
    )


def _number(value: FactValue) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Decimal(0)
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _unit(type: FactType, current: FactValue) -> Decimal:
    if type is FactType.PERCENT:
        return Decimal("0.001")
    if type is FactType.NUMBER:
        return Decimal(1) if abs(_number(current)) >= 100 else Decimal("0.1")
    return Decimal(1)


def _typed(value: Decimal, type: FactType) -> FactValue:
    if type is FactType.INTEGER:
        return int(value)
    return value if type is FactType.MONEY else float(value)


def _thresholds(engine: Engine) -> dict[str, frozenset[Decimal | date]]:
    """For each fact a tier can hang on: the constants the rules compare it with.

    Constants compared with a formula count for every fact the formula reads.
    """
    found: dict[str, set[Decimal | date]] = {}
    rules = engine.ruleset
    exceptions = () if rules.tier is None else tuple(item.when for item in rules.tier.exceptions)
    read: list[tuple[frozenset[str], set[Decimal | date]]] = []
    for condition in (*engine.conditions, *exceptions):
        read += [(names(leaf), _constants(leaf)) for leaf in _leaves(condition)]
    for card in rules.scorecards:
        for criterion in card.criteria:
            points = criterion.points
            parts = (
                [part.points for part in points.parts] if isinstance(points, SumOf) else [points]
            )
            for part in parts:
                anchors = {at for at, _ in part.anchors} if isinstance(part, Scale) else set()
                read.append((names(part.of), set(anchors)))
    relevant = engine.inputs(score_names(rules) | {n for e in exceptions for n in names(e)})
    for facts, constants in read:
        for fact in engine.inputs(facts) & relevant:
            found.setdefault(fact, set()).update(constants)
    return {fact: frozenset(constants) for fact, constants in found.items()}


def _leaves(node: Condition) -> Iterable[Condition]:
    if isinstance(node, All | AnyOf):
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, Not):
        yield from _leaves(node.item)
    else:
        yield node


def _constants(node: Condition | Expression) -> set[Decimal | date]:
    if isinstance(node, Literal):
        value = node.value
        if isinstance(value, date):
            return {value}
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return {_number(value)} if number else set()
    found: set[Decimal | date] = set()
    if isinstance(node, Within):
        length = node.window.length
        found.add(Decimal(length.months * 30 + length.days))
    for part in parts_of(node):
        found |= _constants(part)
    return found
