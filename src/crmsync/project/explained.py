"""An explanation as the JSON object ``explain --json`` prints: the same words, ready for programs.

Ids, dates and numbers are never localised; texts and labels are in the run's language. Points are
decimal text, so that they add up to the score exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crmsync.model.decision import (
    Decision,
    Explanation,
    ScoreResult,
    StageResult,
    TierResult,
    Trace,
)
from crmsync.model.fact import Judgement
from crmsync.model.frozen import FrozenLines
from crmsync.model.position import Span
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.merging import NotedMerge
from crmsync.store import StoredOverride

Words = Callable[[Trace], Text]


def explanation_document(shown: Explanation, rules: Ruleset, words: Words) -> dict[str, Any]:
    """Everything an explanation says, but for sources and history."""
    decision = shown.decision
    return {
        "record": {"object": decision.ref.object, "id": decision.ref.id, "name": decision.name},
        "owner": decision.owner,
        "as_of": decision.as_of,
        "ruleset": rules.id,
        "ruleset_version": rules.version,
        "tier": None if decision.tier is None else _tier(shown, decision.tier),
        "tier_table": [{"row": number, **_trace(trace, words)} for number, trace in shown.rows],
        "score": None if decision.score is None else _score(decision.score, shown.evidence),
        "lifecycle": None if decision.lifecycle is None else _stage(decision.lifecycle),
        "service": decision.service,
        "segments": _segments(shown, words),
        "parent": None
        if shown.parent is None
        else {"name": shown.parent.name, "tier": shown.parent.tier},
        "reason": decision.reason,
        "exceptions": _traces(shown.exceptions, words),
        "moves": _traces(shown.moves, words),
        "tasks": _traces(shown.tasks, words),
        "opens": [
            {
                "task": item.task_id,
                "title": item.title,
                "due": item.due,
                "key": item.key,
                "hands_over": item.hands_over,
                "for_each": item.for_each,
            }
            for item in decision.opens
        ],
        "closes": [{"task": item.task_id, "key": item.key} for item in decision.closes],
        "facts": dict(decision.facts),
        "judged": {fact: _judged(told) for fact, told in decision.judged.items()},
        **_open_points(decision),
        "what_if": [
            {
                "tier": item.tier,
                "text": item.text,
                "fact": item.fact,
                "value": item.value,
                "on": item.on,
            }
            for item in shown.what_if
        ],
    }


def override_document(stored: StoredOverride) -> dict[str, Any]:
    """One override, with who gave it, why and until when."""
    item = stored.override
    return {
        "number": stored.id,
        "object": item.ref.object,
        "id": item.ref.id,
        "kind": item.kind.value,
        "tier": item.level,
        "by": item.by,
        "reason": item.reason,
        "start": item.start,
        "until": item.until,
        "lifted_at": stored.lifted_at,
        "lifted_by": stored.lifted_by,
    }


def merge_document(item: NotedMerge) -> dict[str, Any]:
    """One merge, with who told it, who stands for the record, and when it went over."""
    return {
        "object": item.merge.lost.object,
        "lost": item.merge.lost.id,
        "survivor": item.merge.survivor.id,
        "stands": None if item.stands is None else item.stands.id,
        "by": item.merge.by,
        "at": item.merge.at,
        "runs": list(item.runs),
        "still_there": item.still_there,
        "fresh": item.fresh,
    }


def _judged(told: Judgement) -> dict[str, Any]:
    return {
        "author": told.author,
        "on": told.on,
        "remark": told.remark,
        "expired": told.expired,
    }


def _tier(shown: Explanation, tier: TierResult) -> dict[str, Any]:
    return {
        "before": tier.before,
        "after": tier.after,
        "computed": tier.computed,
        "because": tier.because,
        "text": tier.text,
        "since": tier.since,
        "due_on": tier.due_on,
        "enter": shown.enter_line,
        "keep": shown.keep_line,
        "row": tier.row,
        "cut_lines": None if shown.drawn is None else _lines(shown.drawn),
        "place": _place(tier.span),
    }


def _lines(drawn: FrozenLines) -> dict[str, Any]:
    return {
        "period": drawn.period,
        "version": drawn.version,
        "drawn_on": drawn.drawn_on,
        "customers": drawn.customers,
        "lines": {name: line for name, (line,) in drawn.lines.items()},
    }


def _score(score: ScoreResult, evidence: Mapping[str, Text]) -> dict[str, Any]:
    return {
        "total": score.total,
        "low": score.low,
        "high": score.high,
        "criteria": [
            {
                "id": line.id,
                "label": line.label,
                "value": line.value,
                "hit": line.hit,
                "points": line.low if line.low == line.high else None,
                "low": line.low,
                "high": line.high,
                "max": line.maximum,
                "weight": line.weight,
                "missing": line.missing,
                "evidence": evidence.get(line.id),
                "place": _place(line.span),
            }
            for line in score.criteria
        ],
        "missing": list(score.missing),
    }


def _stage(stage: StageResult) -> dict[str, Any]:
    return {
        "before": stage.before,
        "after": stage.after,
        "since": stage.since,
        "moves": [
            {"from": move.source, "to": move.to, "text": move.text, "place": _place(move.span)}
            for move in stage.moves
        ],
        "waiting": dict(stage.waiting),
    }


def _segments(shown: Explanation, words: Words) -> dict[str, Any] | None:
    result = shown.decision.segments
    if result is None:
        return None
    return {
        "before": list(result.before),
        "after": list(result.after),
        "conditions": _traces(shown.segments, words),
    }


def _open_points(decision: Decision) -> dict[str, Any]:
    return {
        "missing_facts": [
            {"place": item.place, "facts": list(item.facts), "at": _place(item.span)}
            for item in decision.unknown
        ],
        "withheld": [*decision.unfresh, *decision.withheld],
        "unplaced": decision.unplaced,
    }


def _traces(named: Iterable[tuple[str, Trace]], words: Words) -> list[dict[str, Any]]:
    return [{"id": id, **_trace(trace, words)} for id, trace in named]


def _trace(trace: Trace, words: Words) -> dict[str, Any]:
    document: dict[str, Any] = {
        "condition": trace.text,
        "verdict": trace.verdict.value,
        "text": words(trace),
        "place": _place(trace.span),
    }
    if trace.values:
        document["values"] = dict(trace.values)
    if trace.parts:
        document["parts"] = [_trace(part, words) for part in trace.parts]
    return document


def _place(span: Span) -> str | None:
    return span.short if span.file else None
