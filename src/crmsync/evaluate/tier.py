"""The tier policy: lines, hold, patience, grace, steps and review, on the computed tier.

The computed tier goes on by itself; `crmsync.evaluate.exceptions` puts exceptions and overrides on
top of it. Missing data never demotes, and unknown changes nothing: neither the tier nor a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.measure import Measure, Unmeasured
from crmsync.evaluate.tier_words import WAITS
from crmsync.model.decision import Because, UnknownCondition
from crmsync.model.position import NOWHERE, Span
from crmsync.model.season import ALL_YEAR, Season
from crmsync.model.state import CustomerState
from crmsync.model.text import Text
from crmsync.model.tier import TierRules


@dataclass(frozen=True, slots=True)
class Track:
    """The computed tier before this evaluation, and the day it began."""

    tier: str | None
    since: date | None
    first: date | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the day, the season and a new customer's protection say to the policy.

    ``protected_until`` is the first day a new customer may fall again.
    """

    context: EvaluationContext
    season: Season = ALL_YEAR
    protected_until: date | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A demotion still to come: where to, not before which day, and what would save the tier.

    ``review``: it also waits until a person releases the review of that day. ``missing``: the
    distance to the keep line, where there is one.
    """

    level: str
    due_on: date
    review: bool
    saving: Text
    missing: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """The computed tier after this evaluation, with its reason and its clock.

    ``row``: the row of a table that decided. ``unplaced``: why nothing is measured of the customer
    at all, where that is no matter of missing data. ``unknown``: what could not be decided.
    """

    tier: str | None
    because: str
    text: Text
    due_on: date | None = None
    span: Span = field(default=NOWHERE, compare=False)
    below_since: date | None = None
    below_evaluations: int = 0
    withheld: tuple[Text, ...] = ()
    waiting: Waiting | None = None
    row: int | None = None
    unplaced: Text | None = None
    unknown: tuple[UnknownCondition, ...] = ()


def track_of(rules: TierRules, state: CustomerState) -> Track:
    """Where the computed tier stands: beside an exception or override, else as confirmed."""
    ranked = {level.id for level in rules.ranked}
    standing, clocks = state.standing, state.clocks
    if clocks.beside in ranked:
        return Track(clocks.beside, clocks.beside_since, standing.tier_first)
    if standing.tier in ranked:
        return Track(standing.tier, standing.tier_since, standing.tier_first)
    return Track(None, None, standing.tier_first)


def compute(
    rules: TierRules, measure: Measure | Unmeasured, state: CustomerState, setting: Setting
) -> Computed:
    """What the measure alone makes of the tier today; *measure* may be why there is none."""
    if isinstance(measure, Unmeasured):
        if not measure.listed:
            return _standstill(rules, state, measure.text, Because.SCORE_RANGE)
        still = _standstill(rules, state, measure.text, Because.UNPLACED)
        return replace(still, unplaced=measure.text)
    if rules.undrawn:
        return _standstill(rules, state, _no_line(rules), Because.NO_LINE)
    policy = _Policy(rules, measure, state, setting)
    if policy.now is None or setting.context.placing:
        computed = policy.enter()
    else:
        computed = policy.move(policy.now)
    if rules.table is None:
        return computed
    unknown = () if measure.undecided is None else (measure.undecided,)
    return replace(computed, row=measure.row, unknown=unknown)


def _standstill(rules: TierRules, state: CustomerState, text: Text, because: str) -> Computed:
    """Nothing can be said of the tier: it stays, and so does every clock."""
    track = track_of(rules, state)
    since, count = _stretch(track, state)
    reason = Because.NO_TIER if track.tier is None else because
    return Computed(track.tier, reason, text, below_since=since, below_evaluations=count)


def _no_line(rules: TierRules) -> Text:
    names = "、".join(rules.undrawn.values())
    listed = ", ".join(rules.undrawn.values())
    return Text(
        zh=f"没有可以划线的客户（{names}），等级不变",
        en=f"nobody to draw the line across ({listed}), so the tier stays",
    )


def _stretch(track: Track, state: CustomerState) -> tuple[date | None, int]:
    """The stretch below the keep line so far; one begun under an earlier tier starts anew."""
    clocks, since = state.clocks, track.since
    start = clocks.below_keep_since
    if start is not None and since is not None and start < since:
        return since, 0
    return start, clocks.below_keep_evaluations


class _Policy:
    def __init__(
        self, rules: TierRules, measure: Measure, state: CustomerState, setting: Setting
    ) -> None:
        self.rules = rules
        self.levels = rules.ranked
        self.measure = measure
        self.low, self.high = measure.ends(rules.ranked)
        self.state = state
        self.setting, self.context = setting, setting.context
        self.after = setting.season.after
        self.track = track_of(rules, state)
        ids = [level.id for level in self.levels]
        self.lost = measure.lacking & state.known_facts
        self.now = None if self.track.tier is None else ids.index(self.track.tier)

    # ── outcomes ───────────────────────────────────────────────────────────────────────────────

    def enter(self) -> Computed:
        """A first assignment, or the return from a level without rank."""
        measure = self.measure
        if self.low.enters != self.high.enters:
            return self.stay(Because.NO_TIER, measure.apart, withheld=(measure.apart,))
        level = self.levels[self.low.enters]
        text = measure.entering(self.rules, level)
        return Computed(level.id, Because.ENTER_LINE, text, span=measure.span(level))

    def move(self, now: int) -> Computed:
        """The way from a level: up, down or staying."""
        measure = self.measure
        low, high = self.low.aim(now), self.high.aim(now)
        if low != high:
            return self.stay(measure.because, measure.apart, withheld=(measure.apart,))
        if low < now:
            return self._rise(now, low)
        if low > now:
            return self._fall(now, low)
        level = self.levels[now]
        if self.low.enters <= now:
            text, because = measure.entering(self.rules, level), Because.ENTER_LINE
        else:
            text, because = measure.keeping(self.rules, level), Because.KEEP_LINE
        return Computed(level.id, because, text, span=measure.span(level))

    def stay(
        self,
        because: str,
        text: Text,
        *,
        withheld: tuple[Text, ...] = (),
        due_on: date | None = None,
        span: Span = NOWHERE,
    ) -> Computed:
        """Nothing moves, and no clock starts, stops or counts."""
        since, count = _stretch(self.track, self.state)
        return Computed(self.track.tier, because, text, due_on, span, since, count, withheld)

    def _rise(self, now: int, target: int) -> Computed:
        up, (amount, verb) = self.rules.up, self.measure.lifting()
        if up.hold and self.track.since is not None:
            due = self.after(self.track.since, up.hold)
            if self.context.as_of < due:
                text = Text(
                    zh=f"{amount.zh}可升级，但等级保持期到 {due} 为止",
                    en=f"{amount.en} would lift it, but the tier is held until {due}",
                )
                return Computed(self.track.tier, Because.HOLD, text, due, up.span)
        reached = target if up.max_step is None else max(target, now - up.max_step)
        level = self.levels[reached]
        if reached != target:
            text = Text(
                zh=f"{amount.zh}可升到{self.levels[target].label.zh}，每天最多升 {up.max_step} 级",
                en=f"{amount.en} {verb} {self.levels[target].label.en}, "
                f"at most {up.max_step} up a day",
            )
            return Computed(level.id, Because.STEP, text, span=up.span)
        text, span = self.measure.entering(self.rules, level), self.measure.span(level)
        return Computed(level.id, Because.ENTER_LINE, text, span=span)

    def _fall(self, now: int, target: int) -> Computed:
        doubt = self._doubt(now)
        if doubt is not None:
            because, text = doubt
            return self.stay(because, text, withheld=(text,))
        if self.lost:
            target = min(target, self._at_best(now))
        since, count = self._counting()
        gate = self._gate(now, since, count)
        if gate is not None:
            because, text, due = gate
            return Computed(
                self.track.tier,
                because,
                text,
                due,
                self.rules.down.span,
                since,
                count,
                waiting=self._waiting(now, target, due or self.context.as_of),
            )
        down = self.rules.down
        reached = target if down.max_step is None else min(target, now + down.max_step)
        level = self.levels[reached]
        text = self.measure.falling(self.rules, self.levels[now])
        if reached == target:
            because, waiting = Because.KEEP_LINE, None
        else:
            because = Because.STEP
            waiting = self._waiting(reached, target, self._next_fall())
        span = self.measure.span(self.levels[now])
        return Computed(level.id, because, text, None, span, since, count, waiting=waiting)

    def _waiting(self, now: int, target: int, due: date) -> Waiting:
        """The fall from *now* that is still to come."""
        down, level = self.rules.down, self.levels[now]
        reached = target if down.max_step is None else min(target, now + down.max_step)
        saving, missing = self.measure.saving(level), self.measure.short(level)
        return Waiting(self.levels[reached].id, due, down.at_review, saving, missing)

    def _at_best(self, now: int) -> int:
        """The level it would point to if everything lost were as good as it can be."""
        return self.measure.at_best(self.levels, self.lost).aim(now)

    def _next_fall(self) -> date:
        """The first day of another fall after one of today: hold and patience begin anew."""
        down = self.rules.down
        patience = down.demote_after
        days = max(1, down.hold, patience.days or 0, patience.evaluations or 0)
        return self.after(self.context.as_of, days)

    def _doubt(self, now: int) -> tuple[str, Text] | None:
        """Why a fall cannot be trusted today. A lost fact is no reason when the tier would fall
        even if that fact were as good as it can be."""
        stale = sorted(self.measure.reads & self.context.stale)
        if stale:
            listed = "、".join(stale)
            return Because.STALE_SOURCE, Text(
                zh=f"数据源未更新（{listed}），暂不降级",
                en=f"not demoted while a source is stale ({', '.join(stale)})",
            )
        decisive = bool(self.lost) and self._at_best(now) <= now
        if decisive or self.measure.skipped:
            missing = sorted(self.lost) if decisive else list(self.measure.missing)
            listed = "、".join(missing)
            return Because.FACT_LOST, Text(
                zh=f"缺数据不降级：{listed}",
                en=f"missing data never demotes: {', '.join(missing)}",
            )
        return None

    # ── clocks and gates ───────────────────────────────────────────────────────────────────────

    def _counting(self) -> tuple[date, int]:
        """The stretch with today in it; a day counts once however often it is evaluated."""
        start, count = _stretch(self.track, self.state)
        today = self.context.as_of
        again = self.state.clocks.evaluated == today and count > 0
        counts = self.setting.season.active(today) and not again
        return start or today, count + counts

    def _gate(self, now: int, since: date, count: int) -> tuple[str, Text, date | None] | None:
        """What a demotion still waits for: the gate that opens last, then the review."""
        down, today = self.rules.down, self.context.as_of
        gates: list[tuple[date, str]] = []
        if down.grace and self.track.first is not None:
            gates.append((self.after(self.track.first, down.grace), Because.GRACE))
        if down.hold and self.track.since is not None:
            gates.append((self.after(self.track.since, down.hold), Because.HOLD))
        if self.setting.protected_until is not None:
            gates.append((self.setting.protected_until, Because.NEWCOMER))
        gates.append((self._patience(since, count), Because.PATIENCE))
        due, because = max(gates, key=lambda gate: gate[0])
        head = self.measure.below(self.levels[now], count)
        if due > today:
            zh, en = WAITS[because]
            text = Text(
                zh=f"{head.zh}；{zh}，最早 {due} 降级", en=f"{head.en}; {en}, not before {due}"
            )
            return because, text, due
        if down.at_review and not self.context.released:
            text = Text(zh=f"{head.zh}；等待复核放行", en=f"{head.en}; waits for the review")
            return Because.REVIEW, text, None
        return None

    def _patience(self, since: date, count: int) -> date:
        """The first day on which the score has been low for long enough, evaluated daily."""
        patience, today = self.rules.down.demote_after, self.context.as_of
        due = self.after(since, patience.days or 0)
        if patience.evaluations is not None:
            due = max(due, self.after(today, max(0, patience.evaluations - count)))
        return due
