"""What the rules decide for one case, and whether that is what the case expects."""

from __future__ import annotations

from dataclasses import replace

from crmsync.condition.binding import bind
from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    match_compiled,
    past_episode,
    row_from_facts,
)
from crmsync.model.case import Case
from crmsync.model.decision import Decision
from crmsync.model.state import Episode
from crmsync.rules import compare


def decide_case(engine: Engine, case: Case) -> Decision:
    """What the rules decide for one case; its own cut points stand in for the rules'."""
    if case.cut_points is not None:
        engine = Engine(bind(engine.ruleset, cuts=case.cut_points))
    state, context = case.before, EvaluationContext(as_of=case.today, released=case.released)
    row = row_from_facts(engine, state.ref, dict(case.facts), case.today)
    (matched,) = match_compiled((row,), engine, case.today)
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


def fails(engine: Engine, case: Case) -> bool:
    """Whether *case* does not come true; one about a task the rules no longer have does not."""
    known = {name for task in engine.ruleset.tasks for name in (task.id, task.was)}
    if any(item.task_id not in known for item in case.episodes):
        return True
    return bool(compare(case, decide_case(engine, case)))
