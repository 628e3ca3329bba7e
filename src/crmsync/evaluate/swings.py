"""How far the score of a card can swing while facts wobble: a bound that is never too narrow.

Each criterion gives its frontier of swings; criteria are taken as independent, so facts that
several criteria share can only make the bound wider than the truth. Sums are in tenths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product

from crmsync.evaluate.curves import Swing, curve_of, frontier
from crmsync.evaluate.scoring import ZERO, tenths
from crmsync.evaluate.spread import STILL, spread_of
from crmsync.model.condition import Expression, Name
from crmsync.model.flapping import Claim
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.scorecard import (
    Combined,
    Combining,
    Criterion,
    PointsMatrix,
    PointsTable,
    Scorecard,
    SinglePoints,
)
from crmsync.model.wobble import Wobble

TEN = Decimal(10)
_MANY = 4000


class Wobbling:
    """What each name of a ruleset does under a claim."""

    def __init__(self, ruleset: Ruleset, claim: Claim) -> None:
        self._facts = {fact.id: fact for fact in ruleset.facts}
        self._claim = claim

    def of_fact(self, fact: FactDefinition) -> Wobble:
        """A fact's own wobble; formulas have none of their own."""
        if fact.formula is not None or not fact.type.numeric:
            return STILL
        if fact.id in self._claim.wobble:
            return self._claim.wobble[fact.id]
        return STILL if fact.judged_by is not None else self._claim.everywhere

    def of_name(self, name: str) -> Wobble | None:
        """What is known of a name: ``None`` for what the decision itself moves, like the score."""
        fact = self._facts.get(name)
        if fact is None:
            return None
        if fact.formula is not None:
            return spread_of(fact.formula, self.of_name)
        return self.of_fact(fact)

    def of(self, expression: Expression) -> Wobble | None:
        """A wobble that covers what *expression* does."""
        return spread_of(expression, self.of_name)

    def within(self, expression: Expression) -> tuple[Decimal, Decimal] | None:
        """The range an expression's values are confined to, as declared."""
        fact = self._facts.get(expression.id) if isinstance(expression, Name) else None
        return None if fact is None else fact.between


def card_swings(card: Scorecard, wobbling: Wobbling) -> dict[int, int]:
    """For every high end of the total, in tenths: the least low end it can come with."""
    return summed([_of_criterion(item, wobbling) for item in card.criteria])


def summed(frontiers: Iterable[Sequence[Swing]]) -> dict[int, int]:
    """The frontiers added up: high end → least low end, in tenths."""
    total = {0: 0}
    for swings in frontiers:
        pairs = [(int(swing.high * TEN), int(swing.low * TEN)) for swing in swings]
        fresh: dict[int, int] = {}
        for high, low in total.items():
            for more, least in pairs:
                at, value = high + more, low + least
                if fresh.get(at, value + 1) > value:
                    fresh[at] = value
        total = fresh
    return total


def lowest_with(swings: Mapping[int, int], line: Decimal) -> Decimal | None:
    """The lowest score that can come with one of at least *line*; ``None`` when none reaches it."""
    wanted = int((line * TEN).to_integral_value(rounding="ROUND_CEILING"))
    lows = [low for high, low in swings.items() if high >= wanted]
    return Decimal(min(lows)) / TEN if lows else None


def _of_criterion(criterion: Criterion, wobbling: Wobbling) -> tuple[Swing, ...]:
    points = criterion.points
    if not isinstance(points, Combined):
        return _rounded(_of_part(points, criterion.maximum, wobbling))
    parts = [_of_part(part.points, part.maximum, wobbling) for part in points.parts]
    found = list(parts[0])
    for part in parts[1:]:
        joined = [_two(points.how, one, other) for one, other in product(found, part)]
        found = list(frontier(joined))
        if len(found) > _MANY:
            return (Swing(ZERO, criterion.maximum),)
    if points.how is Combining.AVERAGE:
        found = [Swing(low / len(parts), high / len(parts)) for low, high in found]
    return _rounded(found)


def _two(how: Combining, one: Swing, other: Swing) -> Swing:
    if how is Combining.BEST:
        return Swing(max(one.low, other.low), max(one.high, other.high))
    return Swing(one.low + other.low, one.high + other.high)


def _rounded(swings: Iterable[Swing]) -> tuple[Swing, ...]:
    return frontier(Swing(tenths(low), tenths(high)) for low, high in swings)


def _of_part(points: SinglePoints, maximum: Decimal, wobbling: Wobbling) -> Sequence[Swing]:
    curve = curve_of(points, maximum)
    wobbles = [wobbling.of(of) for of in points.operands]
    first = wobbles[0]
    if curve is not None and first is not None and first.share < 1:
        return curve.swings(first, wobbling.within(points.operands[0]))
    possible = _possible(points, maximum)
    if all(wobble == STILL for wobble in wobbles):
        return frontier(Swing(p, p) for p in possible)
    return (Swing(min(possible), max(possible)),)


def _possible(points: SinglePoints, maximum: Decimal) -> list[Decimal]:
    if isinstance(points, PointsTable) or (isinstance(points, PointsMatrix) and points.hit.single):
        return [ZERO, *(line.points for line in points.lines)]
    return [ZERO, maximum]
