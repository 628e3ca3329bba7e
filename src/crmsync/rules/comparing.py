"""Holds decisions against cases, and counts which rules the cases touch."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmsync.model.case import Case, Expectation, Mismatch, RulePlace
from crmsync.model.decision import Decision, ScoreResult
from crmsync.model.group import GROUP, GroupTier
from crmsync.model.newcomer import NEWCOMER
from crmsync.model.rfm import RFM_SEGMENT
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, PointsMatrix, PointsTable
from crmsync.model.text import Text


def compare(case: Case, decision: Decision) -> tuple[Mismatch, ...]:
    """Every expectation of *case* that *decision* does not meet; empty when it passes."""
    return tuple(_mismatches(case, decision))


def _mismatches(case: Case, decision: Decision) -> Iterator[Mismatch]:
    expect = case.expect
    tier, stage = decision.tier, decision.lifecycle
    if expect.score is not None:
        got = None if decision.score is None else (decision.score.low, decision.score.high)
        if got is None or got[0] != expect.score[0] or got[1] != expect.score[1]:
            yield _miss(case, "score", _range(expect.score), _score(decision.score))
    why = None if tier is None else tier.text
    yield from _word(case, "tier", expect.tier, None if tier is None else tier.after, why)
    yield from _word(
        case, "tier_because", expect.tier_because, None if tier is None else tier.because, why
    )
    waits = None
    if stage is not None and expect.lifecycle is not None and expect.lifecycle in stage.waiting:
        due = stage.waiting[expect.lifecycle].isoformat()
        waits = Text(
            zh=f"到“{expect.lifecycle}”的移动还在等待，{due} 才生效",
            en=f"the move to “{expect.lifecycle}” waits until {due}",
        )
    yield from _word(
        case, "lifecycle", expect.lifecycle, None if stage is None else stage.after, waits
    )
    yield from _word(case, "service", expect.service, decision.service, None)
    told = None if tier is None else tier.notice
    told_of, says = (None, why) if told is None else (told.tier, told.text)
    yield from _word(case, "notice", expect.notice, told_of, says)
    opened = frozenset(task.task_id for task in decision.opens)
    yield from _set(case, "tasks", expect.tasks, opened)
    closed = frozenset(task.task_id for task in decision.closes)
    yield from _set(case, "closes", expect.closes, closed)
    inside = () if decision.segments is None else decision.segments.after
    yield from _set(case, "segments", expect.segments, frozenset(inside))
    if expect.applies is not None and expect.applies is not decision.applies:
        yield _miss(case, "applies", _yes(expect.applies), _yes(decision.applies))


def _yes(applies: bool) -> str:
    return "yes" if applies else "no"


def _word(
    case: Case, key: str, expected: str | None, got: str | None, why: Text | None
) -> Iterator[Mismatch]:
    if expected is not None and expected != (got or ""):
        yield _miss(case, key, expected or "none", got or "none", why)


def _set(
    case: Case, key: str, expected: frozenset[str] | None, got: frozenset[str]
) -> Iterator[Mismatch]:
    if expected is not None and expected != got:
        yield _miss(case, key, _list(expected), _list(got))


def _miss(case: Case, key: str, expected: str, got: str, why: Text | None = None) -> Mismatch:
    return Mismatch(key, expected, got, why, case.expect.spans.get(key, case.span))


def _range(ends: tuple[Decimal, Decimal]) -> str:
    low, high = (f"{end.normalize():f}" for end in ends)
    return low if low == high else f"{low}..{high}"


def _score(score: ScoreResult | None) -> str:
    return "none" if score is None else _range((score.low, score.high))


def _list(names: frozenset[str]) -> str:
    return f"[{', '.join(sorted(names))}]"


def expectation_of(decision: Decision) -> Expectation:
    """All a case could expect of *decision*: with it the case passes."""
    tier, stage, score = decision.tier, decision.lifecycle, decision.score
    told = None if tier is None or tier.notice is None else tier.notice.tier
    return Expectation(
        score=None if score is None else (score.low, score.high),
        tier=None if tier is None else tier.after or "",
        tier_because=None if tier is None else tier.because,
        lifecycle=None if stage is None else stage.after,
        tasks=frozenset(task.task_id for task in decision.opens),
        closes=frozenset(task.task_id for task in decision.closes),
        service=None if tier is None else decision.service or "",
        notice=None if tier is None else told or "",
        applies=None if decision.applies else False,
        segments=None if decision.segments is None else frozenset(decision.segments.after),
    )


# ── coverage ───────────────────────────────────────────────────────────────────────────────────


def rule_places(ruleset: Ruleset) -> tuple[RulePlace, ...]:
    """Every part of the ruleset a case can touch, in file order of the blocks."""
    return tuple(_places(ruleset))


def _places(ruleset: Ruleset) -> Iterator[RulePlace]:
    for group in () if ruleset.rfm is None else ruleset.rfm.segments:
        yield RulePlace(f"rfm.segments.{group.id}", group.span)
    for card in ruleset.scorecards:
        for criterion in card.criteria:
            if isinstance(criterion.points, PointsTable | PointsMatrix):
                for line in criterion.points.lines:
                    yield RulePlace(f"{card.id}.{criterion.id}.{line.text}", line.span)
            else:
                yield RulePlace(f"{card.id}.{criterion.id}", criterion.span)
    if ruleset.tier is not None:
        for level in ruleset.tier.levels:
            yield RulePlace(f"tier.levels.{level.id}", level.span)
        for row in () if ruleset.tier.table is None else ruleset.tier.table.rows:
            yield RulePlace(f"tier.table.{row.number}", row.span)
        for item in ruleset.tier.exceptions:
            yield RulePlace(f"tier.exceptions.{item.id}", item.span)
    if ruleset.group is not None and ruleset.group.tier is not GroupTier.OWN:
        yield RulePlace(GROUP, ruleset.group.span)
    if ruleset.population is not None:
        yield RulePlace("applies_to", ruleset.population.span)
    if ruleset.newcomer is not None:
        yield RulePlace("newcomer", ruleset.newcomer.span)
    if ruleset.lifecycle is not None:
        for move in ruleset.lifecycle.moves:
            yield RulePlace(f"lifecycle.moves.{move.id}", move.span)
    for segment in ruleset.segments:
        yield RulePlace(f"segments.{segment.id}", segment.span)
    for task in ruleset.tasks:
        yield RulePlace(f"tasks.{task.id}", task.span)


def touched(ruleset: Ruleset, decision: Decision) -> frozenset[str]:
    """The ids of `rule_places` that took part in *decision*."""
    found = {f"rfm.segments.{decision.facts.get(RFM_SEGMENT)}"}
    hits = {} if decision.score is None else {item.id: item for item in decision.score.criteria}
    for card in ruleset.scorecards:
        for criterion in card.criteria:
            hit = hits.get(criterion.id)
            if hit is None or hit.missing:
                continue
            found.add(f"{card.id}.{criterion.id}")
            lines = hit.hit.split(" + ") if _gathers(criterion) else [hit.hit]
            found.update(f"{card.id}.{criterion.id}.{line}" for line in lines)
    if decision.tier is not None and decision.tier.after is not None:
        found.add(f"tier.levels.{decision.tier.after}")
        found.add(f"tier.table.{decision.tier.row}")
    found.update(f"tier.exceptions.{name}" for name in decision.exceptions)
    if NEWCOMER in decision.exceptions or (
        decision.tier is not None and decision.tier.because == NEWCOMER
    ):
        found.add("newcomer")
    if not decision.applies:
        found.add("applies_to")
    if decision.tier is not None and decision.tier.because == GROUP:
        found.add(GROUP)
    if decision.lifecycle is not None:
        found.update(f"lifecycle.moves.{move.id}" for move in decision.lifecycle.moves)
    if decision.segments is not None:
        found.update(f"segments.{name}" for name in decision.segments.after)
    found.update(f"tasks.{task.task_id}" for task in decision.opens)
    return frozenset(found) & frozenset(place.id for place in _places(ruleset))


def _gathers(criterion: Criterion) -> bool:
    return isinstance(criterion.points, PointsMatrix) and criterion.points.hit.gathers


def untouched(ruleset: Ruleset, seen: frozenset[str]) -> tuple[RulePlace, ...]:
    """The parts of the ruleset no decision touched."""
    return tuple(place for place in _places(ruleset) if place.id not in seen)
