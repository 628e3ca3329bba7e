"""The tier policy: lines, hold, patience, grace, steps and review, on the computed tier.

The computed tier goes on by itself; `crmsync.evaluate.exceptions` puts exceptions and overrides on
top of it. Missing data never demotes, and unknown changes nothing: neither the tier nor a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.scoring import Scored
from crmsync.evaluate.wording import points
from crmsync.model.decision import Because, ScoreResult
from crmsync.model.position import NOWHERE, Span
from crmsync.model.state import CustomerState
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules


@dataclass(frozen=True, slots=True)
class Track:
    """The computed tier before this evaluation, and the day it began."""

    tier: str | None
    since: date | None
    first: date | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A demotion still to come: where to, not before which day, and the line it stays below.

    ``review``: it also waits until a person releases the review of that day.
    """

    level: str
    due_on: date
    score: Decimal
    line: Decimal
    review: bool


@dataclass(frozen=True, slots=True)
class Computed:
    """The computed tier after this evaluation, with its reason and its clock."""

    tier: str | None
    because: str
    text: Text
    due_on: date | None = None
    span: Span = field(default=NOWHERE, compare=False)
    below_since: date | None = None
    below_evaluations: int = 0
    withheld: tuple[Text, ...] = ()
    waiting: Waiting | None = None


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
    rules: TierRules, scored: Scored, state: CustomerState, context: EvaluationContext
) -> Computed:
    """What the score alone makes of the tier today."""
    policy = _Policy(rules, scored, state, context)
    score = scored.result
    if score is None:
        return policy.stay(
            Because.NO_TIER if policy.now is None else Because.SCORE_RANGE, _NO_SCORE
        )
    if policy.now is None or context.placing:
        return policy.enter(score)
    return policy.move(policy.now, score)


_NO_SCORE = Text(zh="没有适用的评分卡，等级不变", en="no scorecard applies, so the tier stays")


class _Policy:
    def __init__(
        self, rules: TierRules, scored: Scored, state: CustomerState, context: EvaluationContext
    ) -> None:
        self.rules = rules
        self.levels = rules.ranked
        self.scored = scored
        self.state = state
        self.context = context
        self.track = track_of(rules, state)
        ids = [level.id for level in self.levels]
        self.lost = scored.lacking & state.known_facts
        self.now = None if self.track.tier is None else ids.index(self.track.tier)

    # ── lines ──────────────────────────────────────────────────────────────────────────────────

    def entered(self, score: Decimal) -> int:
        """The best level whose enter line is met."""
        for number, level in enumerate(self.levels):
            if level.enter is None or score >= level.enter:
                return number
        return len(self.levels) - 1

    def kept(self, number: int, score: Decimal) -> bool:
        """Whether *score* is enough to keep a level."""
        line = keep_line(self.levels[number])
        return line is None or score >= line

    def aim(self, now: int, score: Decimal) -> int:
        """The level *score* points to: up by enter lines, down to the first level it keeps."""
        entered = self.entered(score)
        if entered < now:
            return entered
        return next(
            (n for n in range(now, len(self.levels)) if self.kept(n, score)), len(self.levels) - 1
        )

    # ── outcomes ───────────────────────────────────────────────────────────────────────────────

    def enter(self, score: ScoreResult) -> Computed:
        """A first assignment, or the return from a level without rank."""
        low, high = self.entered(score.low), self.entered(score.high)
        if low != high:
            text = self._range(score)
            return self.stay(Because.NO_TIER, text, withheld=(text,))
        level = self.levels[low]
        return Computed(
            level.id, Because.ENTER_LINE, self._entering(score.low, level), span=level.span
        )

    def move(self, now: int, score: ScoreResult) -> Computed:
        """The way from a level: up, down or staying."""
        low, high = self.aim(now, score.low), self.aim(now, score.high)
        if low != high:
            text = self._range(score)
            return self.stay(Because.SCORE_RANGE, text, withheld=(text,))
        if low < now:
            return self._rise(now, low, score.low)
        if low > now:
            return self._fall(now, low, score)
        level = self.levels[now]
        if level.enter is None or score.low >= level.enter:
            text, because = self._entering(score.low, level), Because.ENTER_LINE
        else:
            text, because = self._keeping(score.low, level), Because.KEEP_LINE
        return Computed(level.id, because, text, span=level.span)

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
        since, count = self._clock()
        return Computed(self.track.tier, because, text, due_on, span, since, count, withheld)

    def _rise(self, now: int, target: int, score: Decimal) -> Computed:
        up = self.rules.up
        if up.hold and self.track.since is not None:
            due = self.track.since + timedelta(days=up.hold)
            if self.context.as_of < due:
                text = Text(
                    zh=f"{points(score)} 分可升级，但等级保持期到 {due} 为止",
                    en=f"{points(score)} points would lift it, but the tier is held until {due}",
                )
                return Computed(self.track.tier, Because.HOLD, text, due, up.span)
        reached = target if up.max_step is None else max(target, now - up.max_step)
        level = self.levels[reached]
        if reached != target:
            text = Text(
                zh=f"{points(score)} 分可升到{self.levels[target].label.zh}，"
                f"每天最多升 {up.max_step} 级",
                en=f"{points(score)} points reach {self.levels[target].label.en}, "
                f"at most {up.max_step} up a day",
            )
            return Computed(level.id, Because.STEP, text, span=up.span)
        return Computed(level.id, Because.ENTER_LINE, self._entering(score, level), span=level.span)

    def _fall(self, now: int, target: int, score: ScoreResult) -> Computed:
        doubt = self._doubt(now)
        if doubt is not None:
            because, text = doubt
            return self.stay(because, text, withheld=(text,))
        if self.lost:
            target = min(target, self.aim(now, self.scored.at_best(self.lost)))
        since, count = self._counting()
        gate = self._gate(now, score.low, since, count)
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
                waiting=self._waiting(now, target, score.low, due or self.context.as_of),
            )
        down = self.rules.down
        reached = target if down.max_step is None else min(target, now + down.max_step)
        level, line = self.levels[reached], keep_line(self.levels[now])
        text = Text(
            zh=f"{points(score.low)} 分低于保级线 {points(line or Decimal(0))}",
            en=f"{points(score.low)} points are below the keep line {points(line or Decimal(0))}",
        )
        if reached == target:
            because, waiting = Because.KEEP_LINE, None
        else:
            because = Because.STEP
            waiting = self._waiting(reached, target, score.low, self._next_fall())
        span = self.levels[now].span
        return Computed(level.id, because, text, None, span, since, count, waiting=waiting)

    def _waiting(self, now: int, target: int, score: Decimal, due: date) -> Waiting:
        """The fall from *now* that is still to come."""
        down = self.rules.down
        reached = target if down.max_step is None else min(target, now + down.max_step)
        line = keep_line(self.levels[now]) or Decimal(0)
        return Waiting(self.levels[reached].id, due, score, line, down.at_review)

    def _next_fall(self) -> date:
        """The first day of another fall after one of today: hold and patience begin anew."""
        down = self.rules.down
        patience = down.demote_after
        days = max(1, down.hold, patience.days or 0, patience.evaluations or 0)
        return self.context.as_of + timedelta(days=days)

    def _doubt(self, now: int) -> tuple[str, Text] | None:
        """Why a fall cannot be trusted today. A lost fact is no reason when the tier would fall
        even if that fact were as good as it can be."""
        stale = sorted(self.scored.reads & self.context.stale)
        if stale:
            listed = "、".join(stale)
            return Because.STALE_SOURCE, Text(
                zh=f"数据源未更新（{listed}），暂不降级",
                en=f"not demoted while a source is stale ({', '.join(stale)})",
            )
        decisive = bool(self.lost) and self.aim(now, self.scored.at_best(self.lost)) <= now
        if decisive or self.scored.skipped:
            skipped = self.scored.result.missing if self.scored.result else ()
            missing = sorted(self.lost) if decisive else list(skipped)
            listed = "、".join(missing)
            return Because.FACT_LOST, Text(
                zh=f"缺数据不降级：{listed}",
                en=f"missing data never demotes: {', '.join(missing)}",
            )
        return None

    # ── clocks and gates ───────────────────────────────────────────────────────────────────────

    def _clock(self) -> tuple[date | None, int]:
        """The stretch below the keep line so far; one begun under an earlier tier starts anew."""
        clocks, since = self.state.clocks, self.track.since
        start = clocks.below_keep_since
        if start is not None and since is not None and start < since:
            return since, 0
        return start, clocks.below_keep_evaluations

    def _counting(self) -> tuple[date, int]:
        """The stretch with today in it; a day counts once however often it is evaluated."""
        start, count = self._clock()
        again = self.state.clocks.evaluated == self.context.as_of and count > 0
        return start or self.context.as_of, count if again else count + 1

    def _gate(
        self, now: int, score: Decimal, since: date, count: int
    ) -> tuple[str, Text, date | None] | None:
        """What a demotion still waits for: the gate that opens last, then the review."""
        down, today = self.rules.down, self.context.as_of
        gates: list[tuple[date, str]] = []
        if down.grace and self.track.first is not None:
            gates.append((self.track.first + timedelta(days=down.grace), Because.GRACE))
        if down.hold and self.track.since is not None:
            gates.append((self.track.since + timedelta(days=down.hold), Because.HOLD))
        gates.append((self._patience(since, count), Because.PATIENCE))
        due, because = max(gates, key=lambda gate: gate[0])
        line = points(keep_line(self.levels[now]) or Decimal(0))
        head = Text(
            zh=f"{points(score)} 分低于保级线 {line}（第 {count} 次）",
            en=f"{points(score)} points, below the keep line {line} (evaluation {count})",
        )
        if due > today:
            zh, en = _WAITS[because]
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
        due = since + timedelta(days=patience.days or 0)
        if patience.evaluations is not None:
            due = max(due, today + timedelta(days=max(0, patience.evaluations - count)))
        return due

    # ── words ──────────────────────────────────────────────────────────────────────────────────

    def _entering(self, score: Decimal, level: Level) -> Text:
        if level.enter is None:
            above = self.levels[self.levels.index(level) - 1].enter
            if above is None:
                return Text(zh=f"{points(score)} 分", en=f"{points(score)} points")
            return Text(
                zh=f"{points(score)} 分 < 升级线 {points(above)}",
                en=f"{points(score)} points < enter line {points(above)}",
            )
        return Text(
            zh=f"{points(score)} 分 ≥ 升级线 {points(level.enter)}",
            en=f"{points(score)} points ≥ enter line {points(level.enter)}",
        )

    def _keeping(self, score: Decimal, level: Level) -> Text:
        keep, enter = keep_line(level) or Decimal(0), level.enter or Decimal(0)
        return Text(
            zh=f"{points(score)} 分 ≥ 保级线 {points(keep)}（升级线 {points(enter)}）",
            en=f"{points(score)} points ≥ keep line {points(keep)} (enter line {points(enter)})",
        )

    def _range(self, score: ScoreResult) -> Text:
        labels = {
            line.id: line.label
            for line in score.criteria
            if line.id in score.missing and line.low != line.high
        }
        zh = "、".join(label.zh for label in labels.values())
        en = ", ".join(label.en for label in labels.values())
        low, high = points(score.low), points(score.high)
        return Text(
            zh=f"得分在 {low}–{high} 之间（缺 {zh}），跨等级，不变",
            en=f"the score lies between {low} and {high} ({en} missing) across tiers: no change",
        )


_WAITS: dict[str, tuple[str, str]] = {
    Because.GRACE: ("处于首次定级宽限期", "within the grace after the first assignment"),
    Because.HOLD: ("处于等级保持期", "the tier is held"),
    Because.PATIENCE: ("需持续低于保级线才降级", "it must stay below for longer"),
}


def keep_line(level: Level) -> Decimal | None:
    """The line that keeps a level: its own ``keep``, else its ``enter``."""
    return level.enter if level.keep is None else level.keep
