"""Whether a customer can go round a circle of three or more stages while facts wobble.

A circle is a way of moves that leads back to where it began and passes no stage twice; the way
there and straight back is `stage_flapping`'s. It flaps when all its moves can come true within one
wobble and the customer is back in a stage sooner than the stay after leaving it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, islice, pairwise

from crmsync.evaluate.engine import Engine
from crmsync.evaluate.replay import LONG, Player, Shown
from crmsync.evaluate.separation import apart
from crmsync.evaluate.witness import TRIED, Facts, Search, together
from crmsync.model.decision import Decision
from crmsync.model.flapping import Claim, FlapFinding, FlapStep, Proof, Settings
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.state import Standing

MOST_CIRCLES = 100
_MOST_PLAYED = 20
"""Circles that customers are looked for on; the others stay undecided unless they are proved."""
_MOST_STEPS = 20_000
"""Ways that are begun in looking for circles; a graph with more is left undecided."""
REST = "…"
"""The place of the finding that stands for the circles nobody looked at."""

_Circle = tuple[Move, ...]


def circles_flap(engine: Engine, claim: Claim, as_of: date) -> Iterator[FlapFinding]:
    """One finding for every circle of three or more stages; of very many the first, and one more
    that leaves the rest undecided. ``place`` is the stages in their order, joined by ``>``."""
    rules = engine.ruleset.lifecycle
    if rules is None:
        return
    look = _Look(engine, claim, as_of)
    ways = _ways(rules)
    for circle in islice((found for found in ways if found is not None), MOST_CIRCLES):
        yield look.at(circle)
    if next(ways, ()) != ():
        yield FlapFinding(REST, "circle", Proof.OPEN)


def _ways(rules: LifecycleRules) -> Iterator[_Circle | None]:
    """Every circle once, begun at the stage that is declared first; ``None`` at last when there
    are more ways than anybody follows."""
    order = {stage.id: place for place, stage in enumerate(rules.stages)}
    leaving = {
        stage: [move for move in rules.moves if stage in move.sources and move.to != stage]
        for stage in order
    }
    left = _MOST_STEPS
    for start, first in order.items():
        begun: list[_Circle] = [
            (move,) for move in reversed(leaving[start]) if order[move.to] > first
        ]
        while begun:
            left -= 1
            if left < 0:
                yield None
                return
            way = begun.pop()
            passed = {move.to for move in way}
            for move in reversed(leaving[way[-1].to]):
                if move.to == start and len(way) > 1:
                    yield (*way, move)
                elif order[move.to] > first and move.to not in passed:
                    begun.append((*way, move))


class _Look(Search):
    def __init__(self, engine: Engine, claim: Claim, as_of: date) -> None:
        super().__init__(engine, claim, as_of)
        self._left = _MOST_PLAYED

    def at(self, circle: _Circle) -> FlapFinding:
        circle = _slowest_first(circle)
        finding = FlapFinding(_named(circle), "circle", Proof.APART, circle[-1].span)
        pairs = combinations([move.when for move in circle], 2)
        if any(apart(one, other, self.wobbling) for one, other in pairs):
            return finding
        waited = _waited(circle)
        if waited >= self.stay:
            return replace(finding, proof=Proof.SLOW, gap=waited)
        self._left -= 1
        found = self._first(circle) if self._left >= 0 else None
        if found is None or _gap(found[0]) >= self.stay:
            return replace(finding, proof=Proof.OPEN)
        steps, facts = found
        return replace(
            finding,
            proof=Proof.FLAPS,
            steps=tuple(map(_step, steps)),
            facts=facts,
            gap=_gap(steps),
            by_clock=_lasting(circle, self.stay),
        )

    def _first(self, circle: _Circle) -> tuple[list[Shown], tuple[Facts, ...]] | None:
        """Days on which somebody goes round because of the wobble: the same facts on all of them
        do not do it."""
        conditions = [move.when for move in circle]
        for facts in islice(together(self.engine, self.tries, conditions, self.as_of), TRIED):
            steps = self._played(circle, facts)
            if steps is None:
                continue
            still = ((one,) * len(circle) for one in facts)
            if not any(self._played(circle, same) for same in still):
                return steps, facts
        return None

    def _played(self, circle: _Circle, facts: Sequence[Facts]) -> list[Shown] | None:
        """The days with moves, from leaving the first stage to being back in it."""
        since = self.as_of - timedelta(days=LONG)
        standing = Standing(lifecycle=circle[-1].to, lifecycle_since=since)
        player = Player(self.engine, standing, self.as_of, daily=True)
        within = max(self.stay, *(move.lasting for move in circle)) + 2
        steps: list[Shown] = []
        place = 0
        while place < len(circle):
            shown = player.until(facts[place], _moves, within=within)
            if shown is None or shown.decision.lifecycle is None:
                return None
            taken = [move.id for move in shown.decision.lifecycle.moves]
            if taken != [move.id for move in circle[place : place + len(taken)]]:
                return None
            steps.append(shown)
            place += len(taken)
        return steps if len(steps) > 1 else None


def _slowest_first(circle: _Circle) -> _Circle:
    """The same circle begun with the move that waits longest: so it is gone round soonest."""
    place = max(range(len(circle)), key=lambda n: circle[n].lasting)
    return circle[place:] + circle[:place]


def _waited(circle: _Circle) -> int:
    """Days it takes at least to come round after leaving any one stage. What a move waits counts
    only where it leaves one stage of the circle: else its clock may have run since an earlier."""
    stages = {move.to for move in circle}
    days = [move.lasting for move in circle if len(stages.intersection(move.sources)) == 1]
    return sum(days) - max(days, default=0)


def _lasting(circle: _Circle, stay: int) -> Settings | None:
    """The fewest days that, asked of every move of the circle, keep anybody away for the stay."""
    for days in range(1, stay + 1):
        slow = tuple(replace(move, lasting=max(days, move.lasting)) for move in circle)
        if _waited(slow) >= stay:
            return Settings(lasting=days)
    return None


def _named(circle: _Circle) -> str:
    return ">".join([circle[-1].to, *(move.to for move in circle)])


def _moves(decision: Decision) -> bool:
    return decision.lifecycle is not None and bool(decision.lifecycle.moves)


def _gap(steps: Sequence[Shown]) -> int:
    days = [item.decision.as_of for item in steps]
    return sum((later - earlier).days for earlier, later in pairwise(days))


def _step(shown: Shown) -> FlapStep:
    result = shown.decision.lifecycle
    assert result is not None
    return FlapStep(shown.decision.as_of, shown.facts, None, result.after or "")
