"""Scorecards: criteria, how each gives its points, and what an unknown one does."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.condition import Condition, Expression
from crmsync.model.position import NOWHERE, Span
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text


class MissingPoints(StrEnum):
    """What an unknown criterion does to the score.

    HOLD (the default) and ASK make the score a range from the criterion's least to its most points;
    ASK also opens a task; SKIP re-weights the others to the full total; GIVEN uses a fixed number.
    """

    HOLD = "hold"
    ASK = "ask"
    SKIP = "skip"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class PointLine:
    """One line of a points table. ``when`` is ``None`` for *otherwise*; ``text`` is as written."""

    when: Condition | None
    points: Decimal
    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PointsTable:
    """The first line that fits gives the points; no line fitting gives 0."""

    of: Expression
    lines: tuple[PointLine, ...]

    @property
    def operands(self) -> tuple[Expression, ...]:
        """What its points hang on."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class PointsMatrix:
    """Points from a decision table over one or more facts.

    ``lines`` stand in the order in which they decide: with a hit policy of one row the first that
    fits gives the points, with one that collects all that fit are made into one number, never
    above the maximum. No line fitting gives 0.
    """

    inputs: tuple[Expression, ...]
    hit: HitPolicy
    lines: tuple[PointLine, ...]

    @property
    def operands(self) -> tuple[Expression, ...]:
        """What its points hang on."""
        return self.inputs


@dataclass(frozen=True, slots=True)
class Scale:
    """Straight lines between ``(value, points)`` anchors, flat beyond the ends."""

    of: Expression
    anchors: tuple[tuple[Decimal, Decimal], ...]

    @property
    def operands(self) -> tuple[Expression, ...]:
        """What its points hang on."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class AsGiven:
    """The fact's own number is the points (a person's score), never above the maximum."""

    of: Expression

    @property
    def operands(self) -> tuple[Expression, ...]:
        """What its points hang on."""
        return (self.of,)


SinglePoints: TypeAlias = PointsTable | PointsMatrix | Scale | AsGiven
"""The ways facts give points by themselves."""


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One part of a criterion that has several."""

    maximum: Decimal
    points: SinglePoints
    span: Span = field(default=NOWHERE, compare=False)


class Combining(StrEnum):
    """How the points of several parts become one number: added up, the most, or their mean."""

    SUM = "sum_of"
    BEST = "best_of"
    AVERAGE = "average_of"


@dataclass(frozen=True, slots=True)
class Combined:
    """The points of several parts, combined before anything is rounded."""

    parts: tuple[ScorePart, ...]
    how: Combining = Combining.SUM


Points: TypeAlias = SinglePoints | Combined


class Edges(StrEnum):
    """Where a value that two touching bands share belongs.

    LOWER: each band holds its lower end (and the top band its upper end too); UPPER: each band
    holds its upper end (and the bottom band its lower end too).
    """

    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True)
class Band:
    """A named stretch of points people read beside the number."""

    name: str
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """What whoever judges should look at, for customers of one kind.

    ``when`` is ``None`` for all others; ``text`` may hold placeholders like the title of a task.
    """

    when: Condition | None
    text: Text
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the scorecard. Its points are rounded half up to 0.1."""

    id: str
    label: Text
    maximum: Decimal
    points: Points
    missing: MissingPoints = MissingPoints.HOLD
    missing_points: Decimal | None = None
    bands: tuple[Band, ...] = ()
    note: Text | None = None
    edges: Edges = Edges.LOWER
    evidence: tuple[Evidence, ...] = ()
    """The first whose condition holds is shown; it gives no points."""
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def ways(self) -> tuple[SinglePoints, ...]:
        """How each part gives its points; one of them when there are no parts."""
        if isinstance(self.points, Combined):
            return tuple(part.points for part in self.points.parts)
        return (self.points,)

    def band(self, points: Decimal) -> Band | None:
        """The band *points* fall into, if bands are given; `Edges` decides where two touch."""
        inside = [band for band in self.bands if band.low <= points <= band.high]
        if not inside:
            return None
        upper = self.edges is Edges.UPPER
        return min(inside, key=lambda b: b.low) if upper else max(inside, key=lambda b: b.low)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A weighted scorecard; ``when`` chooses it among several (``None``: the only one)."""

    id: str
    criteria: tuple[Criterion, ...]
    when: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False)
