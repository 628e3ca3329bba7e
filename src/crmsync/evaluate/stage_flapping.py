"""Whether stages and exceptions can flap while facts wobble.

A stage flaps when a move and the move straight back can both come true within one wobble, sooner
than the stay. An exception comes and goes without any clock, so it flaps as soon as its condition
and the opposite can. Longer circles of moves are `stage_circles`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice, permutations

from crmsync.condition import negate
from crmsync.evaluate.engine import Engine
from crmsync.evaluate.replay import LONG, Player, Shown
from crmsync.evaluate.separation import apart, still
from crmsync.evaluate.witness import TRIED, Facts, Search, facing
from crmsync.model.condition import Condition
from crmsync.model.decision import Decision
from crmsync.model.flapping import Claim, FlapFinding, FlapStep, Proof, Settings
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.state import Standing
from crmsync.model.tier import ExceptionAction, TierException


def stages_flap(engine: Engine, claim: Claim, as_of: date) -> Iterator[FlapFinding]:
    """One finding for every move that can be followed by the move straight back."""
    rules = engine.ruleset.lifecycle
    if rules is None:
        return
    look = _Look(engine, claim, as_of)
    for there, back in permutations(rules.moves, 2):
        if there.to in back.sources and back.to in there.sources and there.to != back.to:
            yield look.moves(there, back)


def exceptions_flap(engine: Engine, claim: Claim, as_of: date) -> Iterator[FlapFinding]:
    """One finding for every exception."""
    rules = engine.ruleset.tier
    look = _Look(engine, claim, as_of)
    for item in () if rules is None else rules.exceptions:
        yield look.exception(item)


@dataclass(frozen=True, slots=True)
class _Played:
    steps: tuple[Shown, ...]
    facts: tuple[Facts, Facts]

    @property
    def gap(self) -> int:
        first, second = (item.decision.as_of for item in self.steps[:2])
        return (second - first).days


class _Look(Search):
    def moves(self, there: Move, back: Move) -> FlapFinding:
        finding = FlapFinding(back.id, "stage", Proof.APART, back.span)
        if apart(there.when, back.when, self.wobbling):
            return finding
        if self.stay <= back.lasting:
            return replace(finding, proof=Proof.SLOW, gap=back.lasting)
        played = self._first(
            there.when, back.when, lambda facts: self._moved(self.engine, there, back, facts)
        )
        if played is None:
            return replace(finding, proof=Proof.OPEN)
        if played.gap >= self.stay:
            return replace(finding, proof=Proof.SLOW, gap=played.gap)
        return replace(
            finding,
            proof=Proof.FLAPS,
            steps=tuple(_step(item, "stage") for item in played.steps),
            facts=played.facts,
            gap=played.gap,
            by_clock=self._lasting(there, back, played),
        )

    def exception(self, item: TierException) -> FlapFinding:
        finding = FlapFinding(item.id, "exception", Proof.APART, item.span)
        off = negate(item.when)
        if still(item.when, self.wobbling) or apart(item.when, off, self.wobbling):
            return finding
        played = self._first(item.when, off, lambda facts: self._excepted(item, facts))
        if played is None:
            return replace(finding, proof=Proof.OPEN)
        return replace(
            finding,
            proof=Proof.FLAPS if played.gap < self.stay else Proof.SLOW,
            steps=tuple(_step(shown, "tier") for shown in played.steps),
            facts=played.facts,
            gap=played.gap,
        )

    # ── customers ──────────────────────────────────────────────────────────────────────────────

    def _first(
        self,
        one: Condition,
        other: Condition,
        play: Callable[[tuple[Facts, Facts]], _Played | None],
    ) -> _Played | None:
        """A pair of customers that does both because of the wobble, too soon if one is found.

        Where the same facts on both days do it as well, events or days do it, and no wobble.
        """
        slow: _Played | None = None
        pairs = facing(self.engine, self.tries, (one, other), self.as_of)
        for first, second in islice(pairs, TRIED):
            played = play((first, second))
            if played is None or play((first, first)) or play((second, second)):
                continue
            if played.gap < self.stay:
                return played
            slow = slow or played
        return slow

    # ── playing ────────────────────────────────────────────────────────────────────────────────

    def _moved(
        self, engine: Engine, there: Move, back: Move, facts: tuple[Facts, Facts]
    ) -> _Played | None:
        since = self.as_of - timedelta(days=LONG)
        standing = Standing(lifecycle=back.to, lifecycle_since=since)

        def took(move: Move) -> Callable[[Decision], bool]:
            return lambda decision: (
                decision.lifecycle is not None
                and any(item.id == move.id for item in decision.lifecycle.moves)
                and decision.lifecycle.after == move.to
            )

        player = Player(engine, standing, self.as_of, daily=True)
        within = max(there.lasting, back.lasting, self.stay) + 2
        return _both(player, (facts[0], took(there)), (facts[1], took(back)), within)

    def _excepted(self, item: TierException, facts: tuple[Facts, Facts]) -> _Played | None:
        rules = self.engine.ruleset.tier
        assert rules is not None
        ranked = [level.id for level in rules.ranked]
        away = ranked[-1] if item.action is ExceptionAction.AT_LEAST else ranked[0]
        if away == item.level:
            away = next((level for level in ranked if level != item.level), away)
        since = self.as_of - timedelta(days=LONG)
        player = Player(self.engine, Standing(away, since, since), self.as_of, daily=True)

        def at(tier: str) -> Callable[[Decision], bool]:
            return lambda decision: decision.tier is not None and decision.tier.after == tier

        return _both(player, (facts[0], at(item.level)), (facts[1], at(away)), self.stay + 2)

    def _lasting(self, there: Move, back: Move, played: _Played) -> Settings | None:
        """The shortest ``lasting`` of the way back that keeps both changes apart."""
        low, high = back.lasting + 1, self.stay
        if not self._apart(there, replace(back, lasting=high), back, played.facts):
            return None
        while low < high:
            middle = (low + high) // 2
            if self._apart(there, replace(back, lasting=middle), back, played.facts):
                high = middle
            else:
                low = middle + 1
        return Settings(lasting=high)

    def _apart(self, there: Move, slow: Move, back: Move, facts: tuple[Facts, Facts]) -> bool:
        rules = self.engine.ruleset
        assert rules.lifecycle is not None
        changed = replace(rules, lifecycle=_with(rules.lifecycle, back, slow))
        again = self._moved(Engine(changed), there, slow, facts)
        return again is None or again.gap >= self.stay


def _with(rules: LifecycleRules, old: Move, new: Move) -> LifecycleRules:
    return replace(rules, moves=tuple(new if move is old else move for move in rules.moves))


def _both(
    player: Player,
    first: tuple[Facts, Callable[[Decision], bool]],
    second: tuple[Facts, Callable[[Decision], bool]],
    within: int,
) -> _Played | None:
    one = player.until(first[0], first[1], within=within)
    if one is None:
        return None
    two = player.until(second[0], second[1], within=within)
    return None if two is None else _Played((one, two), (first[0], second[0]))


def _step(shown: Shown, kind: str) -> FlapStep:
    decision = shown.decision
    result = decision.tier if kind == "tier" else decision.lifecycle
    total = None if decision.score is None else decision.score.total
    place = "" if result is None else result.after or ""
    return FlapStep(decision.as_of, shown.facts, total, place)
