"""The score range of a whole population in SQL, in whole tenths, the same as `scoring` gives.

A double that lies so near to a half tenth that its rounding could go either way is not guessed at:
the row is in *doubt*, and the policy scores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from sqlglot import exp

from crmsync.condition.sql import SqlWriter, double
from crmsync.condition.values import Kind, kind_of
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.verdict_sql import Layer, Place, column, named
from crmsync.model.condition import Expression
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

SNAP = 2e-9
"""Half tenths are recognised this near: `scoring` rounds points to nine places first."""
DOUBT = 1e-7
"""Farther off than this, rounding is certain."""


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """Layers of columns, each reading those below; the last names the outcome.

    ``s_low``, ``s_high``: the range in tenths; ``s_doubt``: not certain, or no card was decided;
    ``s_missing``: some criterion is missing; ``s_asked``: one that a person is asked for.
    """

    layers: tuple[Layer, ...]


def score_columns(engine: CompiledRuleset, writer: SqlWriter, verdict: Place) -> ScoreColumns:
    """The score of `ScoreSheet.score`, over prepared fact columns and verdict columns."""
    cards = [
        _CardSql(number, card, engine, writer, verdict)
        for number, card in enumerate(engine.ruleset.scorecards)
    ]
    depth = len(_CardSql.STEPS)
    layers: list[Layer] = [[] for _ in range(depth)]
    for card in cards:
        for layer, step in zip(layers, _CardSql.STEPS, strict=True):
            layer += step(card)
    return ScoreColumns((*layers, [*_chosen(cards, engine, verdict)]))


def _chosen(cards: Sequence[_CardSql], engine: CompiledRuleset, verdict: Place) -> Layer:
    """The columns of the first card that applies; doubt where none does or one is undecided."""
    outcome: Layer = []
    for name, nothing in (
        ("low", exp.null()),
        ("high", exp.null()),
        ("doubt", exp.true()),
        ("missing", exp.false()),
        ("asked", exp.false()),
    ):
        choice = exp.case()
        for card in cards:
            value = column(f"k{card.number}_{name}")
            if card.card.when is None:
                choice = choice.when(exp.true(), value, copy=False)
                continue
            holds = verdict(engine.test(card.card.when))
            choice = choice.when(holds.true, value, copy=False)
            choice = choice.when(holds.possible, nothing.copy(), copy=False)
        kind = "BIGINT" if name in {"low", "high"} else "BOOLEAN"
        whole = choice.else_(nothing.copy(), copy=False) if cards else nothing.copy()
        outcome.append(named(exp.cast(whole, kind), f"s_{name}"))
    return outcome


def lacking_columns(cards: Sequence[Scorecard]) -> list[str]:
    """The columns that tell, criterion by criterion, whether it is missing."""
    return [
        f"k{number}_{n}_lacks"
        for number, card in enumerate(cards)
        for n in range(len(card.criteria))
    ]


def tenths_of(line: Decimal) -> exp.Expr:
    """The least score in tenths that reaches *line*."""
    return _number(int((line * 10).to_integral_value(ROUND_CEILING)))


class _CardSql:
    """One scorecard, step by step."""

    def __init__(
        self,
        number: int,
        card: Scorecard,
        engine: CompiledRuleset,
        writer: SqlWriter,
        verdict: Place,
    ) -> None:
        self.number = number
        self.card = card
        self._engine = engine
        self._writer = writer
        self._verdict = verdict

    def operands(self) -> Layer:
        """The value each scale and each given score reads, as DOUBLE."""
        return [
            named(self._operand(of), f"{self._part(n, p)}_v")
            for n, criterion in enumerate(self.card.criteria)
            for p, part in enumerate(criterion.ways)
            if not isinstance(part, PointsTable | PointsMatrix)
            for of in part.operands
        ]

    def parts(self) -> Layer:
        """The points of each part; NULL when unknown."""
        return [
            named(self._points(part, self._part(n, p), _maximum(criterion, p)), self._part(n, p))
            for n, criterion in enumerate(self.card.criteria)
            for p, part in enumerate(criterion.ways)
        ]

    def ranges(self) -> Layer:
        """Lowest and highest points of each criterion, parts combined, not rounded yet."""
        made: Layer = []
        for n, criterion in enumerate(self.card.criteria):
            bounds = [
                _bounds(part, _maximum(criterion, p)) for p, part in enumerate(criterion.ways)
            ]
            for end, letter in enumerate("lh"):
                values = [
                    exp.Coalesce(this=column(self._part(n, p)), expressions=[double(pair[end])])
                    for p, pair in enumerate(bounds)
                ]
                made.append(named(_combined(criterion, values), f"{self._name(n)}_{letter}"))
        return made

    def tenths(self) -> Layer:
        """Both ends rounded to whole tenths, and whether that was certain."""
        made: Layer = []
        for n, criterion in enumerate(self.card.criteria):
            listed = PointsTable | PointsMatrix
            parts = sum(not isinstance(part, listed) for part in criterion.ways)
            exact = parts <= 1 and _how(criterion) is not Combining.AVERAGE
            doubts: list[exp.Expr] = [
                exp.Is(this=column(self._part(n, p)), expression=exp.null())
                for p, part in enumerate(criterion.ways)
                if isinstance(part, PointsMatrix)
            ]
            for letter in "lh":
                rounded, doubt = tenths(column(f"{self._name(n)}_{letter}"), snap=exact)
                made.append(named(rounded, f"{self._name(n)}_{letter}t"))
                doubts.append(doubt)
            made.append(named(_any(doubts), f"{self._name(n)}_doubt"))
        return made

    def lines(self) -> Layer:
        """What each criterion adds, by what it does when it is missing."""
        made: Layer = []
        for n, criterion in enumerate(self.card.criteria):
            name = self._name(n)
            lacking = _any(
                [
                    exp.Is(this=column(self._part(n, p)), expression=exp.null())
                    for p in range(len(criterion.ways))
                ]
            )
            if _how(criterion) is Combining.BEST:
                differ = exp.NEQ(this=column(f"{name}_lt"), expression=column(f"{name}_ht"))
                lacking = exp.paren(exp.and_(lacking, differ, copy=False))
            made.append(named(lacking, f"{name}_lacks"))
        return made

    def totals(self) -> Layer:
        """The sums, without re-weighting."""
        return [named(self._sum(letter), f"k{self.number}_{letter}sum") for letter in "lh"]

    def outcome(self) -> Layer:
        """The card's five columns."""
        k = f"k{self.number}"
        low, high, unsure = self._reweighted()
        doubts = [column(f"{self._name(n)}_doubt") for n in range(len(self.card.criteria))]
        lacking = [column(f"{self._name(n)}_lacks") for n in range(len(self.card.criteria))]
        asked = [
            flag
            for flag, criterion in zip(lacking, self.card.criteria, strict=True)
            if criterion.missing is MissingPoints.ASK
        ]
        return [
            named(low, f"{k}_low"),
            named(high, f"{k}_high"),
            named(_any([*doubts, *unsure]), f"{k}_doubt"),
            named(_any(lacking), f"{k}_missing"),
            named(_any([flag.copy() for flag in asked]), f"{k}_asked"),
        ]

    STEPS = (operands, parts, ranges, tenths, lines, totals, outcome)

    def _name(self, n: int) -> str:
        return f"k{self.number}_{n}"

    def _part(self, n: int, p: int) -> str:
        return f"{self._name(n)}_p{p}"

    def _operand(self, of: Expression) -> exp.Expr:
        if kind_of(of) is not Kind.NUMBER:
            return exp.cast(exp.null(), "DOUBLE")
        return self._writer.known(of)

    def _points(self, part: SinglePoints, name: str, maximum: Decimal) -> exp.Expr:
        match part:
            case PointsTable():
                return self._table(part.lines)
            case PointsMatrix():
                # where rows are gathered, or one is not decided, the policy scores the customer
                gathers = part.hit.gathers
                return exp.cast(exp.null(), "DOUBLE") if gathers else self._table(part.lines)
            case Scale(anchors=anchors):
                return _scale(column(f"{name}_v"), anchors)
            case AsGiven():
                least = exp.Least(this=column(f"{name}_v"), expressions=[double(float(maximum))])
                known = exp.Not(this=exp.Is(this=column(f"{name}_v"), expression=exp.null()))
                return exp.case().when(known, least)

    def _table(self, lines: Sequence[PointLine]) -> exp.Expr:
        choice = exp.case()
        for line in lines:
            points = double(float(line.points))
            if line.when is None:
                return choice.when(exp.true(), points, copy=False)
            holds = self._verdict(self._engine.test(line.when))
            choice = choice.when(holds.true, points, copy=False).when(
                holds.possible, exp.cast(exp.null(), "DOUBLE"), copy=False
            )
        return choice.else_(double(0.0), copy=False) if lines else double(0.0)

    def _sum(self, letter: str) -> exp.Expr:
        total: exp.Expr = exp.cast(exp.Literal.number(0), "BIGINT")
        for n, criterion in enumerate(self.card.criteria):
            name = self._name(n)
            value: exp.Expr = column(f"{name}_{letter}t")
            # a part that is unknown and does not matter leaves the lower end
            known: exp.Expr = column(f"{name}_lt")
            if criterion.missing is MissingPoints.SKIP:
                value = exp.Literal.number(0)
            elif criterion.missing is MissingPoints.GIVEN:
                value = _number(_exact_tenths(criterion.missing_points or Decimal(0)))
            line = exp.case().when(column(f"{name}_lacks"), value).else_(known)
            total = exp.Add(this=total, expression=exp.paren(line))
        return total

    def _reweighted(self) -> tuple[exp.Expr, exp.Expr, list[exp.Expr]]:
        """Both ends stretched to the full total where a criterion was left out, with their doubts.

        Nothing is stretched when every criterion with points was left out.
        """
        low, high = (column(f"k{self.number}_{letter}sum") for letter in "lh")
        skipping = [
            (self._name(n), criterion.maximum)
            for n, criterion in enumerate(self.card.criteria)
            if criterion.missing is MissingPoints.SKIP
        ]
        if not skipping:
            return low, high, []
        whole = float(sum((item.maximum for item in self.card.criteria), Decimal(0)))
        known: exp.Expr = double(whole)
        for name, maximum in skipping:
            part = exp.case().when(column(f"{name}_lacks"), double(float(maximum)))
            known = exp.Sub(this=known, expression=exp.paren(part.else_(double(0.0))))
        skipped = _any([column(f"{name}_lacks") for name, _ in skipping])
        stretching = exp.paren(
            exp.and_(skipped, exp.GT(this=exp.paren(known), expression=double(1e-6)), copy=False)
        )
        ends: list[exp.Expr] = []
        doubts: list[exp.Expr] = []
        for end in (low, high):
            exact = exp.Mul(this=exp.cast(end.copy(), "DOUBLE"), expression=double(whole / 10))
            stretched = exp.Div(this=exp.paren(exact), expression=exp.paren(known.copy()))
            rounded, doubt = tenths(exp.paren(stretched), snap=False)
            ends.append(exp.case().when(stretching.copy(), rounded).else_(end.copy()))
            doubts.append(exp.paren(exp.and_(stretching.copy(), doubt, copy=False)))
        return ends[0], ends[1], doubts


def tenths(points: exp.Expr, *, snap: bool) -> tuple[exp.Expr, exp.Expr]:
    """*points* (DOUBLE) rounded half up to whole tenths, and whether that is in doubt.

    With *snap*, a value within `SNAP` of a half is that half; negative points are always in doubt.
    """
    ten = exp.paren(exp.Mul(this=exp.paren(points), expression=double(10.0)))
    shifted = exp.paren(exp.Add(this=ten, expression=double(0.5 + SNAP)))
    rounded = exp.cast(exp.Floor(this=shifted), "BIGINT")
    past = exp.paren(exp.Sub(this=ten.copy(), expression=exp.Floor(this=ten.copy())))
    off = exp.Abs(this=exp.paren(exp.Sub(this=past, expression=double(0.5))))
    near: exp.Expr = exp.LT(this=off, expression=double(DOUBT))
    if snap:
        near = exp.and_(near, exp.GT(this=off.copy(), expression=double(SNAP)), copy=False)
    negative = exp.LT(this=points.copy(), expression=double(0.0))
    return rounded, exp.paren(exp.or_(near, negative, copy=False))


def _scale(value: exp.Expr, anchors: Sequence[tuple[Decimal, Decimal]]) -> exp.Expr:
    """Straight lines between the anchors, in the same order of operations as `scoring`."""
    steps = [(float(at), float(points)) for at, points in anchors]
    known = exp.Is(this=value.copy(), expression=exp.null())
    choice = exp.case().when(known, exp.cast(exp.null(), "DOUBLE"))
    first = exp.LTE(this=value.copy(), expression=double(steps[0][0]))
    choice = choice.when(first, double(steps[0][1]), copy=False)
    for (left, low), (right, high) in pairwise(steps):
        share = exp.Div(
            this=exp.paren(exp.Sub(this=value.copy(), expression=double(left))),
            expression=double(right - left),
        )
        way = exp.Mul(this=exp.paren(share), expression=double(high - low))
        points = exp.Add(this=double(low), expression=exp.paren(way))
        choice = choice.when(
            exp.LT(this=value.copy(), expression=double(right)), points, copy=False
        )
    return choice.else_(double(steps[-1][1]), copy=False)


def _bounds(part: SinglePoints, maximum: Decimal) -> tuple[float, float]:
    """The least and the most points an unknown part may turn out to be worth."""
    match part:
        case PointsTable(lines=lines) | PointsMatrix(lines=lines):
            possible = [line.points for line in lines]
            if all(line.when is not None for line in lines):
                possible.append(Decimal(0))
        case Scale(anchors=anchors):
            possible = [points for _, points in anchors]
        case AsGiven():
            possible = [Decimal(0), maximum]
    return float(min(possible)), float(max(possible))


def _combined(criterion: Criterion, values: Sequence[exp.Expr]) -> exp.Expr:
    if _how(criterion) is Combining.BEST:
        return exp.Greatest(this=values[0], expressions=list(values[1:]))
    total = values[0]
    for value in values[1:]:
        total = exp.Add(this=total, expression=value)
    if _how(criterion) is Combining.AVERAGE:
        return exp.Div(this=exp.paren(total), expression=double(float(len(values))))
    return total


def _how(criterion: Criterion) -> Combining | None:
    return criterion.points.how if isinstance(criterion.points, Combined) else None


def _maximum(criterion: Criterion, part: int) -> Decimal:
    if isinstance(criterion.points, Combined):
        return criterion.points.parts[part].maximum
    return criterion.maximum


def _exact_tenths(points: Decimal) -> int:
    return int((points * 10 + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))


def _number(value: int) -> exp.Expr:
    number = exp.Literal.number(abs(value))
    return exp.paren(exp.Neg(this=number)) if value < 0 else number


def _any(parts: Sequence[exp.Expr]) -> exp.Expr:
    return exp.paren(exp.or_(*parts, copy=False)) if parts else exp.false()
