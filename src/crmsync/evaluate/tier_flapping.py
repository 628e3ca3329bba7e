"""Whether tiers can flap while facts wobble: proved by bounds, or shown on the real policy.

A change can only be taken back at a level whose enter line is met at one end of a swing while the
other end lies below its keep line. So: no such swing, no flapping. Where there is one, a customer
is played through the policy between both ends; the two changes may still be far enough apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, pairwise

from crmsync.condition import negate
from crmsync.evaluate.engine import Engine
from crmsync.evaluate.replay import LONG, Player, Shown
from crmsync.evaluate.separation import apart
from crmsync.evaluate.swings import TEN, Wobbling, card_swings, lowest_with
from crmsync.evaluate.tier_words import keep_line
from crmsync.evaluate.witness import TRIED, Pair, Tries, Witnesses, facing
from crmsync.model.condition import All, AnyOf, Condition, Not
from crmsync.model.decision import Decision
from crmsync.model.flapping import Claim, FlapFinding, FlapStep, Proof, Settings
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Standing
from crmsync.model.tier import Level, Patience, TierRules, TierTable

HORIZON = 800
"""Days one change may take: longer than hold, patience and steps together usually are."""


def tiers_flap(engine: Engine, claim: Claim, as_of: date) -> Iterator[FlapFinding]:
    """One finding for every level with an enter line of points, or that a table gives, best first.

    Lines of one fact and lines across the population are not proved.
    """
    rules = engine.ruleset.tier
    if rules is not None and rules.table is not None:
        yield from _in_table(engine, claim, rules.table, as_of)
        return
    if rules is None or rules.of is not None or not engine.ruleset.scorecards:
        return
    wobbling = Wobbling(engine.ruleset, claim)
    bounds = [card_swings(card, wobbling) for card in engine.ruleset.scorecards]
    witnesses = Witnesses(engine, wobbling, as_of)
    pairs: list[Mapping[int, Pair]] = []
    for level in rules.ranked:
        if level.enter is None:
            continue
        keep = keep_line(level) or level.enter
        lows = [low for b in bounds if (low := lowest_with(b, level.enter)) is not None]
        if all(low >= keep for low in lows):
            yield FlapFinding(level.id, "tier", Proof.APART, level.span)
            continue
        if not pairs:
            pairs = [witnesses.pairs(card) for card in engine.ruleset.scorecards]
        yield _Level(engine, claim, level, as_of).finding(pairs)


@dataclass(frozen=True, slots=True)
class _Level:
    engine: Engine
    claim: Claim
    level: Level
    as_of: date

    def finding(self, pairs: list[Mapping[int, Pair]]) -> FlapFinding:
        """Play the widest swing of each scorecard; the first that flaps is shown."""
        outcome = FlapFinding(self.level.id, "tier", Proof.OPEN, self.level.span)
        for found in pairs:
            pair = self._widest(found)
            outcome = outcome if pair is None else self.played(pair, outcome)
            if pair is not None and outcome.proof is Proof.FLAPS:
                return replace(outcome, by_line=self._by_line(pair, found))
        return outcome

    def played(self, pair: Pair, outcome: FlapFinding) -> FlapFinding:
        """What one pair adds to the *outcome* so far."""
        shown = self._played(self.engine, pair)
        if shown is None:
            return outcome
        gap = _gap(shown)
        if gap >= self.claim.stay:
            return replace(outcome, proof=Proof.SLOW, gap=gap)
        return replace(
            outcome,
            proof=Proof.FLAPS,
            steps=tuple(self._step(item) for item in shown),
            facts=(pair.high_facts, pair.low_facts),
            gap=gap,
            by_clock=self._by_clock(pair),
        )

    def _widest(self, pairs: Mapping[int, Pair]) -> Pair | None:
        enter, keep = self.level.enter, keep_line(self.level)
        assert enter is not None
        assert keep is not None
        fitting = [pair for high, pair in pairs.items() if high >= enter * TEN]
        pair = min(fitting, key=lambda item: (item.low, item.high), default=None)
        return pair if pair is not None and pair.low < keep * TEN else None

    def _played(self, engine: Engine, pair: Pair) -> tuple[Shown, ...] | None:
        """Rise, fall and rise again; ``None`` when the customer does not do all three."""
        rules = engine.ruleset.tier
        assert rules is not None
        ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
        here, below = ranks[self.level.id], rules.ranked[ranks[self.level.id] + 1].id
        since = self.as_of - timedelta(days=LONG)
        lifecycle = engine.ruleset.lifecycle
        stage = None if lifecycle is None else lifecycle.start
        standing = Standing(below, since, since, stage, since if stage is not None else None)
        player = Player(engine, standing, self.as_of, daily=False)

        def above(decision: Decision) -> bool:
            return decision.tier is not None and ranks.get(decision.tier.after or "", 99) <= here

        def under(decision: Decision) -> bool:
            return decision.tier is not None and ranks.get(decision.tier.after or "", -1) > here

        shown = []
        for facts, wanted in (
            (pair.high_facts, above),
            (pair.low_facts, under),
            (pair.high_facts, above),
        ):
            step = player.until(facts, wanted, within=HORIZON)
            if step is None:
                return None
            shown.append(step)
        return tuple(shown)

    def _step(self, shown: Shown) -> FlapStep:
        decision = shown.decision
        place = "" if decision.tier is None else decision.tier.after or ""
        total = None if decision.score is None else decision.score.total
        return FlapStep(decision.as_of, shown.facts, total, place)

    # ── what stops it ──────────────────────────────────────────────────────────────────────────

    def _flaps(self, change: Callable[[TierRules], TierRules], pair: Pair) -> bool:
        shown = self._played(_with(self.engine, change), pair)
        return shown is not None and _gap(shown) < self.claim.stay

    def _by_line(self, pair: Pair, pairs: Mapping[int, Pair]) -> Settings | None:
        """The highest keep line no swing falls below."""
        assert self.level.enter is not None
        cards = self.engine.ruleset.scorecards
        wobbling = Wobbling(self.engine.ruleset, self.claim)
        lows = [
            low
            for card in cards
            if (low := lowest_with(card_swings(card, wobbling), self.level.enter)) is not None
        ]
        keep = min(lows, default=Decimal(0))
        if keep <= 0 or self._flaps(lambda rules: _kept(rules, self.level.id, keep), pair):
            return None
        return Settings(keep=keep)

    def _by_clock(self, pair: Pair) -> Settings | None:
        """The shortest waiting before a fall, and hold before a rise, that keep changes apart."""
        stay = self.claim.stay
        tier = self.engine.ruleset.tier
        assert tier is not None
        now = tier.down.demote_after.days
        if now is None:
            return None

        def flaps(after: int, hold: int) -> bool:
            return self._flaps(lambda rules: _slowed(rules, after, hold), pair)

        most = max(stay, now), max(stay, tier.up.hold)
        if flaps(*most):
            return None
        hold = _least(tier.up.hold, most[1], lambda days: flaps(most[0], days))
        after = _least(now, most[0], lambda days: flaps(days, hold))
        return Settings(
            demote_after=after if after != now else None,
            hold_up=hold if hold != tier.up.hold else None,
        )


# ── tables ─────────────────────────────────────────────────────────────────────────────────────


def _in_table(engine: Engine, claim: Claim, table: TierTable, as_of: date) -> Iterator[FlapFinding]:
    """A level is entered and lost by rows: proved where no wobble reaches from a row that gives it
    (or a better one) to a row that does not keep it. Of rows that read the score nothing is proved.
    """
    rules = engine.ruleset.tier
    assert rules is not None
    wobbling = Wobbling(engine.ruleset, claim)
    tries = Tries(engine, wobbling, as_of)
    ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
    for rank, level in enumerate(rules.ranked[:-1]):
        there = _deciding(table, {row.number for row in table.rows if ranks[row.level] <= rank})
        back = negate(
            _deciding(table, {row.number for row in table.rows if ranks[row.keep] <= rank})
        )
        outcome = FlapFinding(level.id, "tier", Proof.OPEN, level.span)
        if apart(there, back, wobbling):
            yield replace(outcome, proof=Proof.APART)
            continue
        player = _Level(engine, claim, level, as_of)
        for high, low in islice(facing(engine, tries, (there, back), as_of), TRIED):
            outcome = player.played(Pair(0, 0, low, high), outcome)
            if outcome.proof is Proof.FLAPS:
                break
        yield outcome


def _deciding(table: TierTable, rows: AbstractSet[int]) -> Condition:
    """That one of these *rows* is the first that fits."""
    ways: list[Condition] = []
    before: list[Condition] = []
    for row in table.rows:
        when = All((), row.span) if row.when is None else row.when
        if row.number not in rows:
            before.append(when)
        elif before:
            ways.append(All((when, Not(AnyOf(tuple(before), row.span), row.span)), row.span))
        else:
            ways.append(when)
        if row.when is None:
            break
    return AnyOf(tuple(ways), table.span)


def _gap(shown: tuple[Shown, ...]) -> int:
    """The fewest days between a change and the one that takes it back."""
    return min((after.began - before.decision.as_of).days for before, after in pairwise(shown))


def _least(low: int, high: int, bad: Callable[[int], bool]) -> int:
    """The least number from *low* to *high* that is not *bad*; *high* is not."""
    while low < high:
        middle = (low + high) // 2
        if bad(middle):
            low = middle + 1
        else:
            high = middle
    return high


def _with(engine: Engine, change: Callable[[TierRules], TierRules]) -> Engine:
    rules: Ruleset = engine.ruleset
    assert rules.tier is not None
    return Engine(replace(rules, tier=change(rules.tier)))


def _kept(rules: TierRules, level: str, keep: Decimal) -> TierRules:
    levels = tuple(replace(it, keep=keep) if it.id == level else it for it in rules.levels)
    return replace(rules, levels=levels)


def _slowed(rules: TierRules, after: int, hold: int) -> TierRules:
    return replace(
        rules,
        up=replace(rules.up, hold=hold),
        down=replace(rules.down, demote_after=Patience(days=after)),
    )
