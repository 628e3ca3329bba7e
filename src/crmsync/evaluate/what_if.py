"""What would it take: the smallest single change of a fact, or the day, that moves the tier.

Found by search and never by formula: a candidate is fed back through the very policy, so what is
said is what would happen. Facts are tried at the values the rules speak of and at growing steps
from where they stand; the last stretch is halved down to the fact's own unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from crmsync.condition import names
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_compiled
from crmsync.evaluate.places import Line, line_of, thresholds
from crmsync.evaluate.rows import row_from_facts
from crmsync.evaluate.scoring import score_names
from crmsync.evaluate.wording import points, shown
from crmsync.model.decision import Because, Decision, WhatIf
from crmsync.model.fact import FactRow, FactType, FactValue, Judgement
from crmsync.model.ruleset import FactDefinition
from crmsync.model.state import CustomerState
from crmsync.model.text import Text

HORIZON = 400
"""Days looked ahead: longer than every usual hold, patience and window together."""

PER_DIRECTION = 3
_WAITING = frozenset(
    {Because.PATIENCE, Because.GRACE, Because.NEWCOMER, Because.REVIEW, Because.FACT_LOST}
)


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
        # whoever changes a judgement gives it today; all of them grow old
        today = Judgement(on=self._setting.context.as_of)
        judged = {**row.judged, **dict.fromkeys(changed, today)}
        made = row_from_facts(engine, row.ref, facts, context.as_of, judged)
        full = replace(row, facts=made.facts, rejected=made.rejected, judged=made.judged)
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
        line = line_of(fact, current, self._setting.context.as_of, self._thresholds[fact.id])
        if line is None:
            return None
        if current is None and wanted(self._today(fact.id, line.value(line.start))):
            return 0.0, line.value(line.start)  # whatever it is: its nearest value is the first
        hits = [hit for way in (-1, 1) if (hit := self._along(fact, line, way, wanted)) is not None]
        if not hits:
            return None
        nearest = min(hits, key=lambda place: abs(place - line.start))
        return abs(nearest - line.start) * line.weight, line.value(nearest)

    def _along(
        self, fact: FactDefinition, line: Line, way: int, wanted: Callable[[Decision], bool]
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


def _about_to_fall(decision: Decision) -> bool:
    """Whether only a hold, patience, grace, a review or a lost fact keeps the tier up."""
    if decision.tier is None:
        return False
    low = decision.clocks.below_keep_since is not None
    return decision.tier.because in _WAITING or (low and decision.tier.because == Because.HOLD)


def _thresholds(engine: Engine) -> dict[str, frozenset[Decimal | date]]:
    """The constants of the facts a tier can hang on."""
    rules = engine.ruleset
    exceptions = [item.when for item in rules.departures]
    exceptions += [] if rules.newcomer is None else [rules.newcomer.when]
    measured = set() if rules.tier is None or rules.tier.of is None else {rules.tier.of}
    table = None if rules.tier is None else rules.tier.table
    exceptions += [] if table is None else table.conditions
    read = score_names(rules) | measured | {n for e in exceptions for n in names(e)}
    relevant = engine.inputs(read)
    return {fact: marks for fact, marks in thresholds(engine).items() if fact in relevant}
