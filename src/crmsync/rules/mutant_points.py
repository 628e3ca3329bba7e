"""Single-point changes of one criterion: lines, anchors, points, what a missing value does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from crmsync.model.fact import FactType
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Combining,
    Criterion,
    MissingPoints,
    PointLine,
    Points,
    PointsMatrix,
    PointsTable,
    Scale,
    ScorePart,
    SinglePoints,
)
from crmsync.model.table import HitPolicy
from crmsync.rules.mutant_sentences import TENTH_PART, Change, Sentences

Lines = TypeVar("Lines", PointsTable, PointsMatrix)

_OTHER_MISSING = {
    MissingPoints.HOLD: MissingPoints.GIVEN,
    MissingPoints.ASK: MissingPoints.HOLD,
    MissingPoints.SKIP: MissingPoints.HOLD,
    MissingPoints.GIVEN: MissingPoints.HOLD,
}


def criterion_changes(
    criterion: Criterion, sentences: Sentences, *, can_miss: bool
) -> Iterator[tuple[Criterion | None, Change]]:
    """Each changed criterion, ``None`` where it is left out, with the spot that differs.

    *can_miss*: whether its facts can be unknown at all; if not, nothing hangs on that policy.
    """
    yield None, Change(criterion.id, "", criterion.span)
    if can_miss:
        yield from _missing_changes(criterion)
    for points, change in _points(criterion.points, criterion.maximum, sentences):
        yield replace(criterion, points=points), change


def _missing_changes(criterion: Criterion) -> Iterator[tuple[Criterion, Change]]:
    other = _OTHER_MISSING[criterion.missing]
    given = Decimal(0) if other is MissingPoints.GIVEN else None
    change = Change(
        f"missing: {_missing(criterion.missing, criterion.missing_points)}",
        f"missing: {_missing(other, given)}",
        criterion.span,
    )
    yield replace(criterion, missing=other, missing_points=given), change
    if criterion.missing_points is not None:
        more = criterion.missing_points + 1
        change = Change(f"missing: {criterion.missing_points}", f"missing: {more}", criterion.span)
        yield replace(criterion, missing_points=more), change


def plain(number: Decimal) -> str:
    """A number without exponent and trailing zeros."""
    return f"{number.normalize():f}" if number else "0"


def _missing(policy: MissingPoints, points: Decimal | None) -> str:
    return policy.value if points is None else str(points)


def _points(
    points: Points, maximum: Decimal, sentences: Sentences
) -> Iterator[tuple[Points, Change]]:
    if not isinstance(points, Combined):
        yield from _single(points, maximum, sentences)
        return
    if points.how is not Combining.SUM:
        best = points.how is Combining.BEST
        other = Combining.AVERAGE if best else Combining.BEST
        change = Change(points.how.value, other.value, points.parts[0].span)
        yield replace(points, how=other), change
    for number, part in enumerate(points.parts):
        for way, change in _single(part.points, part.maximum, sentences):
            before, after = points.parts[:number], points.parts[number + 1 :]
            changed: ScorePart = replace(part, points=way)
            yield replace(points, parts=(*before, changed, *after)), change


def _single(
    points: SinglePoints, maximum: Decimal, sentences: Sentences
) -> Iterator[tuple[SinglePoints, Change]]:
    match points:
        case PointsTable():
            yield from _table(points, maximum, sentences)
        case PointsMatrix():
            yield from _table(points, maximum, sentences)
            other = _OTHER_HIT.get(points.hit)
            if other is not None and len(points.lines) > 1:
                change = Change(f"hit: {points.hit}", f"hit: {other}", points.lines[0].span)
                yield replace(points, hit=other), change
        case Scale():
            yield from _scale(points, maximum)
            for of, change in sentences.of_expression(points.of):
                yield replace(points, of=of), change
        case AsGiven():
            for of, change in sentences.of_expression(points.of):
                yield replace(points, of=of), change


_OTHER_HIT = {
    HitPolicy.COLLECT_SUM: HitPolicy.COLLECT_MAX,
    HitPolicy.COLLECT_MAX: HitPolicy.COLLECT_MIN,
    HitPolicy.COLLECT_MIN: HitPolicy.COLLECT_MAX,
    HitPolicy.COLLECT_COUNT: HitPolicy.COLLECT_SUM,
}


def _table(table: Lines, maximum: Decimal, sentences: Sentences) -> Iterator[tuple[Lines, Change]]:
    lines: tuple[PointLine, ...] = table.lines
    for number, line in enumerate(lines):
        if line.points or lines[number + 1 :]:
            gone = Change(f"{line.text}: {line.points}", "", line.span)
            yield replace(table, lines=_with(lines, number, None)), gone
        for changed, change in _line(line, maximum, sentences):
            yield replace(table, lines=_with(lines, number, changed)), change


def _with(
    lines: tuple[PointLine, ...], number: int, line: PointLine | None
) -> tuple[PointLine, ...]:
    middle = () if line is None else (line,)
    return (*lines[:number], *middle, *lines[number + 1 :])


def _line(
    line: PointLine, maximum: Decimal, sentences: Sentences
) -> Iterator[tuple[PointLine, Change]]:
    points = _other_points(line.points, maximum)
    change = Change(f"{line.text}: {line.points}", f"{line.text}: {points}", line.span)
    yield replace(line, points=points), change
    if line.when is not None:
        for condition, change in sentences.of(line.when):
            yield replace(line, when=condition), change


def _other_points(points: Decimal, maximum: Decimal) -> Decimal:
    return points - 1 if points >= 1 else min(points + 1, maximum)


def _scale(scale: Scale, maximum: Decimal) -> Iterator[tuple[Scale, Change]]:
    """A scale starts or ends somewhere: an anchor moves by a tenth of the way to its neighbour."""
    places = [at for at, _ in scale.anchors]
    for number, (at, points) in enumerate(scale.anchors):
        step = min(
            abs(at - other) for other in places[max(0, number - 1) : number + 2] if at != other
        )
        shifted = [(at + way * step * TENTH_PART, points) for way in (-1, 1)]
        for anchor in [(at, _other_points(points, maximum)), *shifted]:
            anchors = (*scale.anchors[:number], anchor, *scale.anchors[number + 1 :])
            if all(left[0] < right[0] for left, right in pairwise(anchors)):
                change = Change(_anchor(scale, at, points), _anchor(scale, *anchor), scale.of.span)
                yield replace(scale, anchors=anchors), change


def _anchor(scale: Scale, at: Decimal, points: Decimal) -> str:
    shown = f"{plain(at * 100)}%" if scale.of.type is FactType.PERCENT else plain(at)
    return f"{shown}: {plain(points)}"
