"""What the tier is held against: the score or one fact with the levels' lines, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from crmsync.evaluate.compiled import Answers
from crmsync.evaluate.scoring import Scored
from crmsync.evaluate.tier_words import (
    POINTS,
    Words,
    below,
    entering,
    falling,
    keep_line,
    keeping,
    saving,
)
from crmsync.evaluate.wording import points
from crmsync.model.decision import Because, UnknownCondition
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules

_NO_SCORE = Text(zh="没有适用的评分卡，等级不变", en="no scorecard applies, so the tier stays")
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """That nothing can be measured of a customer, and why. ``listed``: it is no matter of missing
    data, so people are told of the customer."""

    text: Text
    listed: bool = False


class Place(Protocol):
    """Where one end of a measure stands on the ladder; levels are numbers, the best one 0."""

    @property
    def enters(self) -> int:
        """The best level it enters."""

    def aim(self, now: int) -> int:
        """The level it points to from *now*: up by what it enters, down to the first it keeps."""


class Measure(Protocol):
    """What the policy asks of one customer's measure. Both ends differ while it is unknown.

    ``reads`` are the facts it hangs on, ``lacking`` those unknown today, ``skipped`` says that a
    score left criteria out, ``missing`` names what lacks and ``apart`` tells of ends that point to
    different levels, ``because`` why nothing moves then. ``row``: the row of a table that decides;
    ``undecided``: the rows that might, when that matters.
    """

    @property
    def reads(self) -> frozenset[str]: ...

    @property
    def lacking(self) -> frozenset[str]: ...

    @property
    def skipped(self) -> bool: ...

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def apart(self) -> Text: ...

    @property
    def because(self) -> Because: ...

    @property
    def row(self) -> int | None: ...

    @property
    def undecided(self) -> UnknownCondition | None: ...

    def ends(self, levels: Sequence[Level]) -> tuple[Place, Place]:
        """The low end and the high end."""

    def at_best(self, levels: Sequence[Level], lost: frozenset[str]) -> Place:
        """The place if everything that hangs on a *lost* fact were as good as it can be."""

    def span(self, level: Level) -> Span:
        """Where that is written which puts the customer at *level*."""

    def lifting(self) -> tuple[Text, str]:
        """What would lift the customer, and its verb in English: ``82 points``, ``reach``."""

    def entering(self, rules: TierRules, level: Level) -> Text:
        """Why it stands at *level*."""

    def keeping(self, rules: TierRules, level: Level) -> Text:
        """Why it keeps *level* without entering it."""

    def falling(self, rules: TierRules, level: Level) -> Text:
        """Why it no longer keeps *level*."""

    def below(self, level: Level, count: int) -> Text:
        """That it does not keep *level*, for the *count*th time."""

    def saving(self, level: Level) -> Text:
        """What would keep *level*."""

    def short(self, level: Level) -> Decimal | None:
        """What is lacking to keep *level*, where that is an amount."""


@dataclass(frozen=True, slots=True)
class _OnLines:
    levels: Sequence[Level]
    value: Decimal

    @property
    def enters(self) -> int:
        for number, level in enumerate(self.levels):
            if level.enter is None or self.value >= level.enter:
                return number
        return len(self.levels) - 1

    def aim(self, now: int) -> int:
        entered = self.enters
        if entered < now:
            return entered
        return next(
            (n for n in range(now, len(self.levels)) if self._kept(n)), len(self.levels) - 1
        )

    def _kept(self, number: int) -> bool:
        line = keep_line(self.levels[number])
        return line is None or self.value >= line


@dataclass(frozen=True, slots=True)
class LineMeasure:
    """An amount held against the levels' lines; see `Measure`."""

    low: Decimal
    high: Decimal
    apart: Text
    words: Words = POINTS
    reads: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    skipped: bool = False
    missing: tuple[str, ...] = ()
    scored: Scored | None = None
    row: int | None = None
    undecided: UnknownCondition | None = None

    @property
    def because(self) -> Because:
        """Why nothing moves while the ends point apart."""
        return Because.FACT_LOST if self.scored is None else Because.SCORE_RANGE

    def ends(self, levels: Sequence[Level]) -> tuple[Place, Place]:
        """The low end and the high end."""
        return _OnLines(levels, self.low), _OnLines(levels, self.high)

    def at_best(self, levels: Sequence[Level], lost: frozenset[str]) -> Place:
        """See `Measure`."""
        return _OnLines(levels, _MOST if self.scored is None else self.scored.at_best(lost))

    def span(self, level: Level) -> Span:
        """The level's own place."""
        return level.span

    def lifting(self) -> tuple[Text, str]:
        """The amount."""
        verb = "reach" if self.words.label is None else "reaches"
        return self.words.amount(self.low), verb

    def entering(self, rules: TierRules, level: Level) -> Text:
        """The amount beside the enter line."""
        return entering(rules, self.words, self.low, level)

    def keeping(self, rules: TierRules, level: Level) -> Text:
        """The amount beside the keep line."""
        return keeping(rules, self.words, self.low, level)

    def falling(self, rules: TierRules, level: Level) -> Text:
        """The amount below the keep line."""
        return falling(rules, self.words, self.low, level)

    def below(self, level: Level, count: int) -> Text:
        """The amount below the keep line, counted."""
        return below(self.words, self.low, level, count)

    def saving(self, level: Level) -> Text:
        """The amount still missing."""
        return saving(self.words, self.low, level)

    def short(self, level: Level) -> Decimal | None:
        """The distance to the keep line."""
        return (keep_line(level) or Decimal(0)) - self.low


def measure_of(rules: TierRules, scored: Scored, answers: Answers) -> Measure | Unmeasured:
    """The measure of one customer by the levels' lines, or why there is none."""
    if rules.of is not None:
        return _of_fact(rules.of, answers)
    if scored.result is None:
        return Unmeasured(_NO_SCORE, listed=not scored.unknown)
    return _of_score(scored)


def _of_score(scored: Scored) -> Measure:
    score = scored.result
    assert score is not None
    labels = {
        line.id: line.label
        for line in score.criteria
        if line.id in score.missing and line.low != line.high
    }
    zh = "、".join(label.zh for label in labels.values())
    en = ", ".join(label.en for label in labels.values())
    low, high = points(score.low), points(score.high)
    return LineMeasure(
        score.low,
        score.high,
        Text(
            zh=f"得分在 {low}–{high} 之间（缺 {zh}），跨等级，不变",
            en=f"the score lies between {low} and {high} ({en} missing) across tiers: no change",
        ),
        reads=scored.reads,
        lacking=scored.lacking,
        skipped=scored.skipped,
        missing=score.missing,
        scored=scored,
    )


def _of_fact(id: str, answers: Answers) -> Measure:
    fact = answers.engine.ruleset.fact(id)
    value = answers.value(id)
    number = _number(value)
    reads = answers.engine.inputs({id})
    apart = Text(
        zh=f"{fact.label.zh}未知，等级不变", en=f"{fact.label.en} is unknown, so the tier stays"
    )
    return LineMeasure(
        _LEAST if number is None else number,
        _MOST if number is None else number,
        apart,
        Words(fact.label, fact.type),
        reads,
        frozenset(name for name in reads if answers.value(name) is None),
        missing=() if number is not None else (id,),
    )


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None
