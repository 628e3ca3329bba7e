"""Points as a curve over one number, and how far they swing while that number wobbles.

A table is cut into stretches of equal points, a scale into straight pieces. Around every centre the
least and the most points inside the window are a `Swing`. Tables are exact; a scale is cut into
small cells and each cell's swing covers all of its centres, so the whole is never too narrow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from crmsync.condition.reach import Numbers, Stretch, everything, nothing, values_of
from crmsync.evaluate.scoring import ZERO, tenths
from crmsync.model.fact import FactType
from crmsync.model.scorecard import AsGiven, PointsMatrix, PointsTable, Scale, SinglePoints
from crmsync.model.wobble import Wobble

CELLS = 48
"""Cells per straight piece of a scale: what a bound may be too wide by is a share of its rise."""

_FAR = Decimal(10) ** 15
_HAIR = Decimal("1e-12")


class Swing(NamedTuple):
    """The least and the most points seen while the facts stay within one wobble."""

    low: Decimal
    high: Decimal


def frontier(swings: Iterable[Swing]) -> tuple[Swing, ...]:
    """Those swings no other one covers, by their high ends."""
    best: list[Swing] = []
    for swing in sorted(set(swings), key=lambda item: (-item.high, item.low)):
        if not best or swing.low < best[-1].low:
            best.append(swing)
    return tuple(reversed(best))


class Steps:
    """A points table over a number: stretches of equal points."""

    def __init__(self, pieces: Sequence[tuple[Stretch, Decimal]], *, whole: bool) -> None:
        self._pieces = sorted(pieces)
        self._whole = whole
        self.edges = sorted({cut[0] for piece, _ in pieces for cut in piece if cut[0].is_finite()})

    def over(self, low: Decimal, high: Decimal) -> Swing | None:
        """The points between *low* and *high*, both ends included; ``None``: no such number."""
        window = Numbers((), self._whole).join(Numbers((((low, 0), (high, 1)),), self._whole))
        if window.empty:
            return None
        ((start, end),) = window.stretches
        points = [p for (left, right), p in self._pieces if left < end and start < right]
        return Swing(min(points), max(points)) if points else None

    def swings(self, wobble: Wobble, within: tuple[Decimal, Decimal] | None) -> tuple[Swing, ...]:
        """Every swing around any centre."""
        found = (self._around(v, wobble, within) for v in centres(self.edges, wobble))
        return frontier(item for item in found if item is not None)

    def _around(
        self, centre: Decimal, wobble: Wobble, within: tuple[Decimal, Decimal] | None
    ) -> Swing | None:
        low, high = wobble.window(centre)
        hair = abs(centre) * _HAIR if wobble else ZERO
        if within is not None:
            low, high = max(low, within[0]), min(high, within[1])
        return self.over(low - hair, high + hair) if low <= high else None


class Slope:
    """A scale, or points as given: straight pieces between anchors, flat beyond them."""

    def __init__(self, anchors: Sequence[tuple[Decimal, Decimal]]) -> None:
        self._anchors = list(anchors)
        self._at = [at for at, _ in anchors]
        self.edges = list(self._at)

    def points(self, value: Decimal) -> Decimal:
        """The points at one value, not rounded."""
        right = bisect_left(self._at, value)
        if right == 0:
            return self._anchors[0][1]
        if right == len(self._at):
            return self._anchors[-1][1]
        (left, low), (end, high) = self._anchors[right - 1], self._anchors[right]
        return low + (value - left) / (end - left) * (high - low)

    def over(self, low: Decimal, high: Decimal) -> Swing | None:
        """The rounded points between *low* and *high*."""
        inside = [points for at, points in self._anchors if low < at < high]
        seen = [self.points(low), self.points(high), *inside]
        return Swing(tenths(min(seen)), tenths(max(seen)))

    def swings(self, wobble: Wobble, within: tuple[Decimal, Decimal] | None) -> tuple[Swing, ...]:
        """Swings that together cover every centre."""
        if not wobble:
            return self._still()
        found: list[Swing] = []
        for left, right in pairwise(_cells(self.edges, wobble)):
            low, high = wobble.window(left)[0], wobble.window(right)[1]
            if within is not None:
                low, high = max(low, within[0]), min(high, within[1])
            if low <= high and (swing := self.over(low, high)) is not None:
                found.append(swing)
        return frontier(found)

    def _still(self) -> tuple[Swing, ...]:
        least, most = (tenths(pick(p for _, p in self._anchors)) for pick in (min, max))
        count = int((most - least) * 10)
        return tuple(Swing(p, p) for p in (least + Decimal(n) / 10 for n in range(count + 1)))


def curve_of(points: SinglePoints, maximum: Decimal) -> Steps | Slope | None:
    """The curve of one way to give points over a numeric operand; ``None`` when it is none."""
    if not all(of.type.numeric for of in points.operands):
        return None
    match points:
        case Scale(anchors=anchors):
            return Slope([(Decimal(str(at)), given) for at, given in anchors])
        case AsGiven():
            return Slope([(ZERO, ZERO), (maximum, maximum)])
        case PointsTable():
            return _steps(points)
        case PointsMatrix():
            return None  # several facts at once are no curve


def _steps(table: PointsTable) -> Steps | None:
    whole = table.of.type is FactType.INTEGER
    covered = nothing(whole=whole)
    pieces: list[tuple[Stretch, Decimal]] = []
    for line in table.lines:
        fits = everything(whole=whole)
        if line.when is not None:
            read = values_of(line.when, table.of, whole=whole)
            if not isinstance(read, Numbers):
                return None
            fits = read
        fresh = covered.join(fits.rest()).rest()
        pieces += [(stretch, line.points) for stretch in fresh.stretches]
        covered = covered.join(fits)
    pieces += [(stretch, ZERO) for stretch in covered.rest().stretches]
    return Steps(pieces, whole=whole)


def centres(edges: Sequence[Decimal], wobble: Wobble) -> list[Decimal]:
    """Centres that stand for all: where a window touches an edge, and one between any two such."""
    if not wobble:
        touching = sorted(set(edges))
    else:
        touching = sorted({*edges, *(v for edge in edges for v in wobble.centres(edge))})
    if not touching:
        return [ZERO]
    between = [(left + right) / 2 for left, right in pairwise(touching)]
    return sorted({touching[0] - 1, *touching, *between, touching[-1] + 1})


def _cells(edges: Sequence[Decimal], wobble: Wobble) -> list[Decimal]:
    touching = centres(edges, wobble)
    found = [-_FAR]
    for left, right in pairwise(touching):
        found += [left + (right - left) * n / CELLS for n in range(CELLS)]
    return [*found, touching[-1], _FAR]
