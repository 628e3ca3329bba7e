"""A customer played through the real policy, day after day, between two sets of facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_compiled
from crmsync.evaluate.rows import row_from_facts
from crmsync.model.decision import Decision
from crmsync.model.fact import FactValue
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState, Standing

NOBODY = RecordRef("", "customer")
LONG = 5000
"""Days a customer has stood where it stands: longer than every clock."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The day on which it came so, and ``began``: the first change on the way there."""

    facts: Mapping[str, FactValue]
    decision: Decision
    began: date


class Player:
    """One customer under one ruleset. Dates among the facts move on with the days.

    Reviews are released on every day: a review may come at any time, so a proof must bear it.
    ``daily``: no day is passed over. Waiting that is counted in evaluations needs that.
    """

    def __init__(self, engine: Engine, standing: Standing, day: date, *, daily: bool) -> None:
        self._engine = engine
        self._begun = day
        self.day = day
        self.state = CustomerState(NOBODY, standing, known_facts=frozenset(engine.facts))
        rules = engine.ruleset.tier
        counted = rules is not None and rules.down.demote_after.evaluations is not None
        self._daily = daily or counted

    def until(
        self, facts: Mapping[str, FactValue], wanted: Callable[[Decision], bool], *, within: int
    ) -> Shown | None:
        """Evaluate with *facts* from this day on until *wanted*; ``None`` when it never is.

        Days on which nothing can move are passed over.
        """
        last = self.day + timedelta(days=within)
        began: date | None = None
        while self.day <= last:
            seen = facts_on(facts, (self.day - self._begun).days)
            decision = self._evaluated(seen)
            if began is None and _changed(decision):
                began = self.day
            tomorrow = self.day + timedelta(days=1)
            due = _next_due(decision)
            if self._daily or due is None:
                if not (self._daily or _changed(decision) or wanted(decision)):
                    return None
                self.day = tomorrow
            else:
                self.day = tomorrow if wanted(decision) else max(tomorrow, due)
            if wanted(decision):
                return Shown(seen, decision, began or decision.as_of)
        return None

    def _evaluated(self, facts: Mapping[str, FactValue]) -> Decision:
        context = EvaluationContext(self.day, released=True)
        row = row_from_facts(self._engine, NOBODY, facts, self.day)
        (matched,) = match_compiled([row], self._engine, self.day)
        decision = decide(self._engine, matched, self.state, context)
        self.state = CustomerState(NOBODY, decision.standing, decision.clocks, decision.known_facts)
        return decision


def _next_due(decision: Decision) -> date | None:
    waiting = [] if decision.lifecycle is None else list(decision.lifecycle.waiting.values())
    if decision.tier is not None and decision.tier.due_on is not None:
        waiting.append(decision.tier.due_on)
    return min(waiting, default=None)


def _changed(decision: Decision) -> bool:
    tier, stage = decision.tier, decision.lifecycle
    return (tier is not None and tier.before != tier.after) or (
        stage is not None and stage.before != stage.after
    )


def facts_on(facts: Mapping[str, FactValue], days: int) -> dict[str, FactValue]:
    """The same facts so many days later: dates are as far back as they were."""
    by = timedelta(days=days)
    return {name: value + by if isinstance(value, date) else value for name, value in facts.items()}
