"""The search behind ``calibrate``: tier lines and criterion weights that agree with people.

Nothing here is random: the same labels give the same proposal. Lines are found exactly for given
weights, by dynamic programming over whole numbers; weights by moving points from one criterion to
another while that makes more customers agree. Among equals the smallest change wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import permutations

TENTH = Decimal("0.1")
_STEPS = (1, 2, 5)
_Key = tuple[int, Decimal]


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled customer: points by criterion as the rules give them now, the rank of its tier.

    Rank 0 is the best tier.
    """

    points: tuple[Decimal, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What may change: enter lines (best first) and the most points of each criterion."""

    lines: tuple[Decimal, ...]
    maxima: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far: ``lines`` points either way, ``weights`` as a share of each criterion's most.

    ``free`` says which criteria may be weighted anew at all.
    """

    lines: int
    weights: Decimal
    free: tuple[bool, ...]


def scaled(points: Decimal, old: Decimal, new: Decimal) -> Decimal:
    """Points of a criterion of at most *old* in one of at most *new*, to the tenth."""
    if old == new or not old:
        return points
    return (points * new / old).quantize(TENTH, ROUND_HALF_UP)


def best_setting(samples: Sequence[Sample], now: Setting, bounds: Bounds) -> Setting:
    """The setting within *bounds* that agrees with most samples, nearest to *now* among equals."""
    found, key = _lines(samples, now, now.maxima, bounds)
    while True:
        better = None
        for maxima in _neighbours(found.maxima, now, bounds):
            candidate, reached = _lines(samples, now, maxima, bounds)
            if reached[0] > key[0] and (better is None or reached > better[1]):
                better = candidate, reached
        if better is None:
            return found
        found, key = better


def agreement(samples: Sequence[Sample], setting: Setting, now: Setting) -> int:
    """How many samples get the tier people gave them."""
    totals = _totals(samples, now, setting.maxima)
    return sum(
        rank_of(total, setting.lines) == sample.rank
        for total, sample in zip(totals, samples, strict=True)
    )


def held_out(samples: Sequence[Sample], now: Setting, bounds: Bounds) -> tuple[int, int]:
    """How many samples agree with a setting found without them, and in how many parts.

    Each sample alone for up to 20 of them, else five parts.
    """
    folds = len(samples) if len(samples) <= 20 else 5
    agreed = 0
    for fold in range(folds):
        rest = [item for place, item in enumerate(samples) if place % folds != fold]
        apart = [item for place, item in enumerate(samples) if place % folds == fold]
        agreed += agreement(apart, best_setting(rest, now, bounds), now)
    return agreed, folds


def rank_of(total: Decimal, lines: Sequence[Decimal]) -> int:
    """The rank a score reaches: the first line it is not below, else the lowest."""
    return next((rank for rank, line in enumerate(lines) if total >= line), len(lines))


def _neighbours(
    maxima: tuple[Decimal, ...], now: Setting, bounds: Bounds
) -> Iterator[tuple[Decimal, ...]]:
    free = [place for place, may in enumerate(bounds.free) if may]
    for source, target in permutations(free, 2):
        for step in _STEPS:
            moved = list(maxima)
            moved[source] -= step
            moved[target] += step
            if all(
                moved[place] > 0
                and abs(moved[place] - now.maxima[place]) <= now.maxima[place] * bounds.weights
                for place in (source, target)
            ):
                yield tuple(moved)


def _totals(samples: Sequence[Sample], now: Setting, maxima: Sequence[Decimal]) -> list[Decimal]:
    return [
        sum(
            (
                scaled(points, old, new)
                for points, old, new in zip(sample.points, now.maxima, maxima, strict=True)
            ),
            Decimal(0),
        )
        for sample in samples
    ]


def _lines(
    samples: Sequence[Sample], now: Setting, maxima: tuple[Decimal, ...], bounds: Bounds
) -> tuple[Setting, _Key]:
    """The best lines for these weights, and how good they are: agreement, then nearness."""
    totals = _totals(samples, now, maxima)
    scores: list[list[Decimal]] = [[] for _ in range(len(now.lines) + 1)]
    for total, sample in zip(totals, samples, strict=True):
        scores[sample.rank].append(total)
    full = sum(maxima, Decimal(0))

    def inside(rank: int, low: Decimal, high: Decimal | None) -> int:
        return sum(low <= item and (high is None or item < high) for item in scores[rank])

    counted = cache(inside)

    @cache
    def below(rank: int, above: Decimal | None) -> tuple[_Key, tuple[Decimal, ...]]:
        """The best lines from *rank* down, the line above them given."""
        if rank == len(now.lines):
            assert above is not None
            return (sum(item < above for item in scores[rank]), Decimal(0)), ()
        best: tuple[_Key, tuple[Decimal, ...]] | None = None
        for shift in range(-bounds.lines, bounds.lines + 1):
            line = now.lines[rank] + shift
            if not 0 < line <= full or (above is not None and line >= above):
                continue
            (agreed, near), rest = below(rank + 1, line)
            key = agreed + counted(rank, line, above), near - abs(shift)
            if best is None or key > best[0]:
                best = key, (line, *rest)
        return best or ((-len(samples), Decimal(0)), now.lines[rank:])

    key, lines = below(0, None)
    moved = sum((abs(a - b) for a, b in zip(maxima, now.maxima, strict=True)), Decimal(0))
    return Setting(lines, maxima), (key[0], key[1] - moved)
