"""A decision with its whole trace: every condition ticked, crossed or unknown, and what if."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from crmsync.condition import names, to_text, trace
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.evidence import evidence_of
from crmsync.evaluate.matching import match_compiled
from crmsync.evaluate.tier_words import keep_line
from crmsync.evaluate.what_if import Setting, what_if
from crmsync.model.condition import All, Condition
from crmsync.model.decision import Decision, Explanation, Trace
from crmsync.model.fact import FactRow, FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.model.task import BecomesTrue, DoneWithin, TaskRule
from crmsync.model.text import Text
from crmsync.model.tier import TierRules


def explain(
    engine: Engine, row: FactRow, state: CustomerState, context: EvaluationContext
) -> Explanation:
    """The decision for one customer and everything that led to it.

    Exceptions are traced in the state the day opens with, moves from the stage it opens with, tasks
    in the state the decision leads to. *row* holds formulas already (`row_from_facts`, or SQL).
    """
    (matched,) = match_compiled([row], engine, context.as_of)
    decision = decide(engine, matched, state, context)
    rules = engine.ruleset
    before, after = _opening(decision, state), _closing(decision, state)
    exceptions = rules.departures
    moves = () if rules.lifecycle is None else rules.lifecycle.moves
    stage = None if decision.lifecycle is None else decision.lifecycle.before
    if rules.lifecycle is not None and stage is None:
        stage = rules.lifecycle.start
    enter, keep = _lines(rules.tier, decision)
    return Explanation(
        decision=decision,
        exceptions=tuple((item.id, _traced(item.when, before, context)) for item in exceptions),
        moves=tuple(
            (move.id, _traced(move.when, {**before, "lifecycle": stage}, context))
            for move in moves
            if stage in move.sources or move.id in _taken(decision)
        ),
        tasks=tuple(
            (name, _traced(condition, after, context))
            for task in rules.tasks
            for name, condition in _asked(task)
        ),
        enter_line=enter,
        keep_line=keep,
        parent=context.parents.get(row.ref),
        drawn=None if rules.tier is None else rules.tier.drawn,
        rows=() if rules.tier is None else tuple(_rows(rules.tier, before, context)),
        segments=tuple((s.id, _traced(s.when, after, context)) for s in rules.segments),
        evidence=_evidence(rules, decision),
        what_if=what_if(Setting(engine, row, state, context, decision)),
    )


def _rows(
    rules: TierRules, values: dict[str, FactValue], context: EvaluationContext
) -> Iterator[tuple[int, Trace]]:
    """The rows of the table tiers come from, if they do."""
    for row in () if rules.table is None else rules.table.rows:
        when = All((), row.span) if row.when is None else row.when
        yield row.number, replace(_traced(when, values, context), span=row.span)


def _evidence(rules: Ruleset, decision: Decision) -> dict[str, Text]:
    lines = () if decision.score is None else decision.score.criteria
    applied = {line.id for line in lines}
    found = {
        item.id: evidence_of(rules, item, decision.facts, decision.as_of, name=decision.name)
        for card in rules.scorecards
        for item in card.criteria
        if item.id in applied
    }
    return {id: text for id, text in found.items() if text is not None}


def _asked(task: TaskRule) -> Iterator[tuple[str, Condition]]:
    """What a task asks before it is created, each with the name it is shown by."""
    if isinstance(task.event, BecomesTrue):
        yield f"{task.id} (event)", task.event.condition
    if task.when is not None:
        yield task.id, task.when
    done = task.counts_as_done
    if done is not None and not isinstance(done, DoneWithin):
        yield f"{task.id} (counts_as_done)", done


def _traced(
    condition: Condition, values: dict[str, FactValue], context: EvaluationContext
) -> Trace:
    read = {name: values.get(name) for name in names(condition)}
    return trace(condition, read, context.as_of, wording=to_text)


def _taken(decision: Decision) -> set[str]:
    return set() if decision.lifecycle is None else {m.id for m in decision.lifecycle.moves}


def _opening(decision: Decision, state: CustomerState) -> dict[str, FactValue]:
    standing = state.standing
    return {
        **decision.facts,
        "tier": standing.tier,
        "tier_before": standing.tier,
        "tier_since": standing.tier_since,
        "lifecycle": standing.lifecycle,
        "lifecycle_before": standing.lifecycle,
        "lifecycle_since": standing.lifecycle_since,
        "score": None if decision.score is None else decision.score.total,
    }


def _closing(decision: Decision, state: CustomerState) -> dict[str, FactValue]:
    standing = decision.standing
    return {
        **_opening(decision, state),
        "tier": standing.tier,
        "tier_since": standing.tier_since,
        "lifecycle": standing.lifecycle,
        "lifecycle_since": standing.lifecycle_since,
    }


def _lines(rules: TierRules | None, decision: Decision) -> tuple[Decimal | None, Decimal | None]:
    """The enter line of the next better level (of the best one, its own) and the own keep line."""
    if rules is None or decision.tier is None:
        return None, None
    levels = rules.ranked
    place = next((n for n, level in enumerate(levels) if level.id == decision.tier.after), None)
    if place is None:
        return None, None
    return levels[max(0, place - 1)].enter, keep_line(levels[place])
