"""What the tier's lines are held against: the score, or one fact."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from crmsync.evaluate.compiled import Answers
from crmsync.evaluate.scoring import Scored
from crmsync.evaluate.wording import points, shown
from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.model.tier import TierRules

_NO_SCORE = Text(zh="没有适用的评分卡，等级不变", en="no scorecard applies, so the tier stays")
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Words:
    """How amounts of the measure are told: points, or the fact with its label."""

    label: Text | None = None
    type: FactType | None = None

    def amount(self, value: Decimal) -> Text:
        """``82 points``, ``Revenue 120,000``."""
        if self.label is None:
            return Text(zh=f"{points(value)} 分", en=f"{points(value)} points")
        said = shown(value, self.type)
        return Text(zh=f"{self.label.zh} {said.zh}", en=f"{self.label.en} {said.en}")

    def line(self, value: Decimal) -> Text:
        """The bare number."""
        if self.label is None:
            return Text.same(points(value))
        return shown(value, self.type)

    def more(self, value: Decimal) -> Text:
        """What is still lacking: ``7 more points``, ``Revenue 7,000 more``."""
        if self.label is None:
            return Text(zh=f"再得 {points(value)} 分", en=f"{points(value)} more points")
        said = shown(value, self.type)
        return Text(zh=f"{self.label.zh}再增加 {said.zh}", en=f"{said.en} more of {self.label.en}")


POINTS = Words()


@dataclass(frozen=True, slots=True)
class Measure:
    """One customer's measure; ``low`` and ``high`` differ while something of it is unknown.

    ``reads`` are the facts it hangs on, ``lacking`` those unknown today, ``skipped`` says that a
    score left criteria out, ``missing`` names what lacks and ``apart`` tells of a range that spans
    levels.
    """

    low: Decimal
    high: Decimal
    apart: Text
    words: Words = POINTS
    reads: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    skipped: bool = False
    missing: tuple[str, ...] = ()
    scored: Scored | None = None

    def at_best(self, lost: frozenset[str]) -> Decimal:
        """The measure if everything that hangs on a *lost* fact were as good as it can be."""
        return _MOST if self.scored is None else self.scored.at_best(lost)


def measure_of(rules: TierRules, scored: Scored, answers: Answers) -> Measure | Text:
    """The measure of one customer, or why there is none."""
    if rules.of is not None:
        return _of_fact(rules.of, answers)
    if scored.result is None:
        return _NO_SCORE
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
    return Measure(
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
    return Measure(
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
