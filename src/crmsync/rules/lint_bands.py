"""Lints of named bands: points that belong to none of them, with an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from crmsync.model.condition import Name
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import AsGiven, Criterion, PointsTable
from crmsync.model.text import Text
from crmsync.source import warning

_TENTH = Decimal("0.1")
"""What points are rounded to."""


def lint_bands(criterion: Criterion, facts: Mapping[str, FactDefinition]) -> Iterator[Diagnostic]:
    """RULE219 with the first points the criterion can give that no band holds."""
    if not criterion.bands:
        return
    lost = next((value for value in _points(criterion, facts) if not criterion.band(value)), None)
    if lost is not None:
        yield warning(
            "RULE219",
            criterion.span,
            Text(zh=f"{lost} 分不属于任何档位", en=f"{lost} points belong to no band"),
            Text(
                zh="让相邻的档位相接，并用 edges 说明端点归谁",
                en="Let neighbouring bands meet, and say with edges whose the shared end is.",
            ),
        )


def _points(criterion: Criterion, facts: Mapping[str, FactDefinition]) -> Iterable[Decimal]:
    """Points that may be given, rising: all of a table; of a straight line or what a person gives
    both ends and the places next to every band, so that no gap is passed over."""
    points = criterion.points
    if isinstance(points, PointsTable):
        return sorted({line.points for line in points.lines})
    low, high, step = Decimal(0), criterion.maximum, _TENTH
    if isinstance(points, AsGiven) and isinstance(points.of, Name) and points.of.id in facts:
        fact = facts[points.of.id]
        low, high = fact.between or (low, high)
        step = Decimal(1) if fact.type is FactType.INTEGER else step
    beside = {end for band in criterion.bands for end in (band.low - step, band.high + step)}
    return [end for end in sorted({low, high, *beside}) if low <= end <= high]
