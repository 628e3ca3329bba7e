"""The scorecard: points of one customer, criterion by criterion, in exact tenths.

Points of tables are the decimals of the file. Points between the anchors of a scale are computed on
doubles and taken to nine places before anything is rounded, so that a figure that is 12.35 on paper
is not 12.3 because of binary noise. Each criterion is rounded half up to 0.1; the total is their
sum, to the tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from crmsync.condition import names
from crmsync.condition.compiled import Formula
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test, scorecard_conditions
from crmsync.evaluate.wording import plain, shown
from crmsync.model.condition import Expression, Name
from crmsync.model.decision import CriterionResult, ScoreResult, UnknownCondition, Verdict
from crmsync.model.fact import FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Combining,
    Criterion,
    MissingPoints,
    PointLine,
    PointsMatrix,
    PointsTable,
    Scale,
    Scorecard,
    SinglePoints,
)
from crmsync.model.table import gather
from crmsync.model.text import Text

TENTH = Decimal("0.1")
ZERO = Decimal(0)
REWEIGHTING = "re-weighting"
"""The id of the line that re-weighting adds to the score sheet, so that the lines add up."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The score, and what the tier policy must know of it.

    ``reads``: the facts it hangs on. ``skipped``: a criterion was left out and the others
    re-weighted, so the score may lift but not demote.
    """

    result: ScoreResult | None
    reads: frozenset[str] = frozenset()
    skipped: bool = False
    asked: tuple[Criterion, ...] = ()
    """The criteria a person is asked to score."""
    unknown: tuple[UnknownCondition, ...] = ()
    lacking: frozenset[str] = frozenset()
    """Those of ``reads`` that are unknown today."""
    criteria: tuple[tuple[frozenset[str], Decimal, Decimal], ...] = ()
    """Per criterion: the facts it hangs on, its most points today and ever."""

    def at_best(self, lost: frozenset[str]) -> Decimal:
        """The score if every criterion that hangs on a *lost* fact had its most points."""
        points = (most if reads & lost else high for reads, high, most in self.criteria)
        return sum(points, ZERO)


class ScoreSheet:
    """Every scorecard of a ruleset, compiled."""

    def __init__(self, engine: CompiledRuleset) -> None:
        self._cards = [_Card(engine, card) for card in engine.ruleset.scorecards]

    def score(self, answers: Answers) -> Scored:
        """The score by the first scorecard that applies; none while an earlier one is undecided."""
        for card in self._cards:
            holds = Verdict.TRUE if card.when is None else answers.holds(card.when)
            if holds is Verdict.TRUE:
                return card.score(answers)
            if holds is Verdict.UNKNOWN and card.when is not None:
                place = f"scorecard {card.rule.id}"
                return Scored(None, unknown=(answers.unknown(place, card.when, card.rule.span),))
        return Scored(None)

    def by(self, card: str, answers: Answers) -> Scored:
        """The score by the scorecard of that id, whether or not it applies; KeyError if unknown."""
        for item in self._cards:
            if item.rule.id == card:
                return item.score(answers)
        raise KeyError(card)


class _Card:
    def __init__(self, engine: CompiledRuleset, card: Scorecard) -> None:
        self.rule = card
        self.when: Test | None = None if card.when is None else engine.test(card.when)
        self._criteria = [_Criterion(engine, criterion) for criterion in card.criteria]
        read = {name for item in scorecard_conditions(card) for name in names(item)}
        for criterion in card.criteria:
            read |= {name for item in _operands(criterion) for name in names(item)}
        self._reads = engine.inputs(read)

    def score(self, answers: Answers) -> Scored:
        facts = answers.matched.row.facts
        values = [facts.get(name) for name in answers.engine.facts]
        lines = tuple(criterion.score(answers, values) for criterion in self._criteria)
        rules = [criterion.rule for criterion in self._criteria]
        missing = [rule for rule, line in zip(rules, lines, strict=True) if line.missing]
        skipped = [rule for rule in missing if rule.missing is MissingPoints.SKIP]
        low, high = (
            sum((line.low for line in lines), ZERO),
            sum((line.high for line in lines), ZERO),
        )
        if skipped:
            lines, low, high = _reweighted(lines, rules, skipped)
        ids = tuple(rule.id for rule in missing)
        asked = tuple(rule for rule in missing if rule.missing is MissingPoints.ASK)
        result = ScoreResult(lines, low, high, ids)
        lacking = frozenset(name for name in self._reads if facts.get(name) is None)
        hanging = tuple(
            (criterion.reads, line.high, criterion.rule.maximum)
            for criterion, line in zip(self._criteria, lines[: len(rules)], strict=True)
        )
        return Scored(result, self._reads, bool(skipped), asked, (), lacking, hanging)


def _reweighted(
    lines: tuple[CriterionResult, ...], rules: Sequence[Criterion], skipped: Sequence[Criterion]
) -> tuple[tuple[CriterionResult, ...], Decimal, Decimal]:
    """The known criteria stretched to the full total; the difference is a line of its own."""
    whole = sum((rule.maximum for rule in rules), ZERO)
    known = whole - sum((rule.maximum for rule in skipped), ZERO)
    low, high = sum((line.low for line in lines), ZERO), sum((line.high for line in lines), ZERO)
    if not known:
        return lines, low, high
    factor = whole / known
    new_low, new_high = tenths(low * factor), tenths(high * factor)
    left_out = "、".join(rule.label.zh for rule in skipped)
    line = CriterionResult(
        id=REWEIGHTING,
        label=Text(
            zh=f"缺项折算（{left_out}）",
            en=f"Re-weighting ({', '.join(rule.label.en for rule in skipped)})",
        ),
        value=None,
        hit=f"× {plain(whole)}/{plain(known)}",
        low=new_low - low,
        high=new_high - high,
        maximum=ZERO,
        missing=False,
    )
    return (*lines, line), new_low, new_high


class _Criterion:
    def __init__(self, engine: CompiledRuleset, criterion: Criterion) -> None:
        self.rule = criterion
        points = criterion.points
        self._how = points.how if isinstance(points, Combined) else None
        self.reads = engine.inputs({n for of in _operands(criterion) for n in names(of)})
        if isinstance(points, Combined):
            self._parts = [_part(engine, part.points, part.maximum) for part in points.parts]
        else:
            self._parts = [_part(engine, points, criterion.maximum)]

    def score(self, answers: Answers, values: Sequence[FactValue]) -> CriterionResult:
        parts = [part.points(answers, values) for part in self._parts]
        low, high = self._combined([p.low for p in parts]), self._combined([p.high for p in parts])
        # one part that is unknown may not matter: of the best it need not be known
        if any(part.missing for part in parts) and (low != high or self._how is not Combining.BEST):
            return self._missing(low, high)
        if self._how is Combining.BEST:
            return self._line(max(parts, key=lambda part: (part.low, not part.missing)), low)
        result = self._line(parts[0], low)
        if self._how is None:
            return result
        hit = " + ".join(plain(round(part.low, 2)) for part in parts)
        if self._how is Combining.AVERAGE:
            hit = f"({hit}) / {len(parts)}"
        return replace(result, hit=hit, value=None)

    def _combined(self, points: Sequence[Decimal]) -> Decimal:
        if self._how is Combining.BEST:
            return tenths(max(points))
        total = sum(points, ZERO)
        return tenths(total / len(points) if self._how is Combining.AVERAGE else total)

    def _line(self, first: _Points, points: Decimal) -> CriterionResult:
        rule = self.rule
        return CriterionResult(
            id=rule.id,
            label=rule.label,
            value=first.value,
            hit=first.hit,
            low=points,
            high=points,
            maximum=rule.maximum,
            missing=False,
            span=first.line.span if first.line is not None else rule.span,
        )

    def _missing(self, low: Decimal, high: Decimal) -> CriterionResult:
        weight = Decimal(1)
        if self.rule.missing is MissingPoints.GIVEN:
            low = high = tenths(self.rule.missing_points or ZERO)
        elif self.rule.missing is MissingPoints.SKIP:
            low, high, weight = ZERO, ZERO, ZERO
        nothing = _Points(low, high, None)
        return replace(self._line(nothing, low), high=high, missing=True, weight=weight)


@dataclass(frozen=True, slots=True)
class _Points:
    low: Decimal
    high: Decimal
    value: FactValue
    hit: str = "?"
    line: PointLine | None = None
    missing: bool = False


class _Part:
    """One operand with its points, not rounded yet."""

    def __init__(self, engine: CompiledRuleset, of: Expression, maximum: Decimal) -> None:
        self._of: Formula = engine.formula(of)
        self._name = of.id if isinstance(of, Name) else None
        self._maximum = maximum
        self._type = of.type

    def points(self, answers: Answers, values: Sequence[FactValue]) -> _Points:
        raise NotImplementedError

    def _value(self, answers: Answers, values: Sequence[FactValue]) -> tuple[FactValue, FactValue]:
        """The value as conditions read it, and as the fact holds it."""
        value = self._of(values, answers.as_of)
        if value is None or self._name is None:
            return value, value
        return value, answers.matched.row.facts.get(self._name)


class _TablePart(_Part):
    def __init__(self, engine: CompiledRuleset, table: PointsTable, maximum: Decimal) -> None:
        super().__init__(engine, table.of, maximum)
        self._lines = [
            (None if line.when is None else engine.test(line.when), line) for line in table.lines
        ]
        possible = [line.points for line in table.lines]
        if all(line.when is not None for line in table.lines):
            possible.append(ZERO)
        self._least, self._most = min(possible), max(possible)

    def points(self, answers: Answers, values: Sequence[FactValue]) -> _Points:
        _, shown_value = self._value(answers, values)
        for test, line in self._lines:
            holds = Verdict.TRUE if test is None else answers.holds(test)
            if holds is Verdict.TRUE:
                return _Points(line.points, line.points, shown_value, line.text, line)
            if holds is Verdict.UNKNOWN:
                return _Points(self._least, self._most, shown_value, missing=True)
        return _Points(ZERO, ZERO, shown_value, "–")


class _MatrixPart(_Part):
    """The rows of a decision table; an unknown row makes a range of what may still come."""

    def __init__(self, engine: CompiledRuleset, matrix: PointsMatrix, maximum: Decimal) -> None:
        super().__init__(engine, matrix.inputs[0], maximum)
        self._hit = matrix.hit
        self._single = len(matrix.inputs) == 1
        self._lines = [
            (None if line.when is None else engine.test(line.when), line) for line in matrix.lines
        ]

    def points(self, answers: Answers, values: Sequence[FactValue]) -> _Points:
        sure: list[PointLine] = []
        maybe: list[PointLine] = []
        for test, line in self._lines:
            holds = Verdict.TRUE if test is None else answers.holds(test)
            if holds is not Verdict.FALSE:
                (sure if holds is Verdict.TRUE else maybe).append(line)
            if holds is Verdict.TRUE and self._hit.single:
                break
        low, high = self._range(sure, maybe)
        value = self._value(answers, values)[1] if self._single else None
        if maybe and low != high:
            return _Points(low, high, value, missing=True)
        hits = sure or maybe
        text = " + ".join(line.text for line in hits) or "–"
        return _Points(low, high, value, text, hits[0] if hits else None)

    def _range(
        self, sure: Sequence[PointLine], maybe: Sequence[PointLine]
    ) -> tuple[Decimal, Decimal]:
        if self._hit.single:
            possible = [line.points for line in (*maybe, *sure)]
            if not sure:
                possible.append(ZERO)
            low, high = min(possible), max(possible)
        else:
            low, high = gather(
                self._hit, [line.points for line in sure], [line.points for line in maybe]
            )
        return min(low, self._maximum), min(high, self._maximum)


class _ScalePart(_Part):
    def __init__(self, engine: CompiledRuleset, scale: Scale, maximum: Decimal) -> None:
        super().__init__(engine, scale.of, maximum)
        self._anchors = [(float(at), float(points)) for at, points in scale.anchors]
        self._texts = [shown(at, self._type).en for at, _ in scale.anchors]
        possible = [points for _, points in scale.anchors]
        self._least, self._most = min(possible), max(possible)

    def points(self, answers: Answers, values: Sequence[FactValue]) -> _Points:
        value, shown_value = self._value(answers, values)
        if not isinstance(value, float):
            return _Points(self._least, self._most, shown_value, missing=True)
        points, hit = self._on_the_line(value)
        exact = Decimal(repr(round(points, 9)))
        return _Points(exact, exact, shown_value, hit)

    def _on_the_line(self, value: float) -> tuple[float, str]:
        anchors, texts = self._anchors, self._texts
        if value <= anchors[0][0]:
            return anchors[0][1], f"≤ {texts[0]}"
        for number in range(1, len(anchors)):
            (left, low), (right, high) = anchors[number - 1], anchors[number]
            if value < right:
                share = (value - left) / (right - left)
                return low + share * (high - low), f"{texts[number - 1]} … {texts[number]}"
        return anchors[-1][1], f"≥ {texts[-1]}"


class _GivenPart(_Part):
    def points(self, answers: Answers, values: Sequence[FactValue]) -> _Points:
        value, shown_value = self._value(answers, values)
        if not isinstance(value, float):
            return _Points(ZERO, self._maximum, shown_value, missing=True)
        exact = min(Decimal(repr(round(value, 9))), self._maximum)
        return _Points(exact, exact, shown_value, "=")


def _part(engine: CompiledRuleset, points: SinglePoints, maximum: Decimal) -> _Part:
    match points:
        case PointsTable():
            return _TablePart(engine, points, maximum)
        case PointsMatrix():
            return _MatrixPart(engine, points, maximum)
        case Scale():
            return _ScalePart(engine, points, maximum)
        case AsGiven():
            return _GivenPart(engine, points.of, maximum)


def _operands(criterion: Criterion) -> list[Expression]:
    return [of for way in criterion.ways for of in way.operands]


def tenths(value: Decimal) -> Decimal:
    """*value* rounded half up to 0.1."""
    return value.quantize(TENTH, rounding=ROUND_HALF_UP)


def score_names(ruleset: Ruleset) -> frozenset[str]:
    """Every name the scorecards read, as written."""
    read: set[str] = set()
    for card in ruleset.scorecards:
        for condition in scorecard_conditions(card):
            read |= names(condition)
        for criterion in card.criteria:
            for of in _operands(criterion):
                read |= names(of)
    return frozenset(read)
