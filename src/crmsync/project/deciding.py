"""What the rules decide for one case, and whether that is what the case expects."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from weakref import WeakKeyDictionary

from crmsync.condition.binding import bind
from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    match,
    past_episode,
    row_from_facts,
)
from crmsync.model.case import Case
from crmsync.model.cut import TIER_LINES
from crmsync.model.decision import Decision
from crmsync.model.frozen import FrozenLines
from crmsync.model.group import ParentTier
from crmsync.model.state import Episode
from crmsync.rules import compare


def decide_case(engine: Engine, case: Case) -> Decision:
    """What the rules decide for one case; its own lines stand in for the rules'."""
    if case.cut_points is not None:
        engine = Engine(bind(engine.ruleset, cuts=case.cut_points))
    engine = _drawn(engine, case)
    state, context = case.before, EvaluationContext(as_of=case.today, released=case.released)
    if case.parent_tier is not None:
        context = replace(context, parents={state.ref: ParentTier("", case.parent_tier)})
    row = row_from_facts(engine, state.ref, dict(case.facts), case.today, case.judged)
    (matched,) = match((row,), engine, case.today)
    decision = decide(engine, matched, state, context)
    if not case.episodes:
        return decision
    today = {opening.task_id: opening.key for opening in decision.opens}
    episodes = tuple(
        Episode(today[item.task_id], item.task_id, state.ref, item.opened_on)
        if item.opened_on == case.today and item.task_id in today
        else past_episode(engine, state, item.task_id, item.opened_on)
        for item in case.episodes
    )
    return decide(engine, matched, state, replace(context, open_episodes={state.ref: episodes}))


def _drawn(engine: Engine, case: Case) -> Engine:
    """The engine with the cut lines of the case; made once for each set of lines."""
    tier = engine.ruleset.tier
    if tier is None or not case.cut_lines:
        return engine
    known = _ENGINES.setdefault(engine, {})
    key = tuple(sorted(case.cut_lines.items()))
    if key not in known:
        frozen = FrozenLines(
            name=TIER_LINES,
            period=case.today.isoformat(),
            version=1,
            basis="",
            drawn_on=case.today,
            customers=0,
            lines={name: (line,) for name, line in key if name in tier.cuts},
        )
        known[key] = Engine(replace(engine.ruleset, tier=tier.drawn_by(frozen)))
    return known[key]


_ENGINES: WeakKeyDictionary[Engine, dict[tuple[tuple[str, Decimal], ...], Engine]] = (
    WeakKeyDictionary()
)


def fails(engine: Engine, case: Case) -> bool:
    """Whether *case* does not come true; one about a task the rules no longer have does not."""
    known = {name for task in engine.ruleset.tasks for name in (task.id, task.was)}
    if any(item.task_id not in known for item in case.episodes):
        return True
    return bool(compare(case, decide_case(engine, case)))
