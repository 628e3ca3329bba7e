"""On whom nothing can change: the filter in front of the policy, as columns of one statement.

It is conservative. A row is *steady* only when the policy, asked, would leave its standing and
every clock but the day as they are, open and close no task, and hold nothing back. Whatever this
module does not know of (a key of the rules that came later, a clock, an event) makes rows not
steady.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal

from sqlglot import exp

from crmsync.condition.sql import day_literal
from crmsync.evaluate.compiled import CompiledRuleset, Test
from crmsync.evaluate.score_sql import Place, column
from crmsync.evaluate.tier import keep_line
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.period import Period
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import AsGiven, Criterion, PointsTable, Scale, Scorecard
from crmsync.model.task import (
    EntersStage,
    EveryPeriod,
    LeavesStage,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.model.tier import DownChange, Level, TierException, TierRules, UpChange

_KEYS: Mapping[type, str] = {
    Ruleset: "id version title record languages time_zone currency workdays facts scorecards tier "
    "lifecycle service tasks guards digest file task_capacity "
    "year_starts",
    Scorecard: "id criteria when span",
    Criterion: "id label maximum points missing missing_points bands note edges span",
    TierRules: "levels up down exceptions span",
    Level: "id label enter keep by_exception_only span",
    UpChange: "hold max_step span",
    DownChange: "demote_after hold grace max_step at_review notice span",
    TierException: "id reason when action level span",
    LifecycleRules: "start stages moves span",
    Move: "id sources to when lasting span",
    TaskRule: "id title event owner due when fallback_owner priority once_per close_when was span "
    "counts_as_done via result start capacity",
}
KNOWN: Mapping[type, frozenset[str]] = {
    kind: frozenset(keys.split()) for kind, keys in _KEYS.items()
}
"""The keys whose meaning the filter was written for. Any other key that is set switches it off."""

_PASSING = EntersStage | LeavesStage | TierRises | TierFalls
"""Events that need a move or a change of tier."""


def understood(ruleset: Ruleset) -> bool:
    """Whether the filter knows everything these rules use."""
    tier, lifecycle = ruleset.tier, ruleset.lifecycle
    if tier is not None and not ruleset.scorecards:
        return False
    parts: list[object] = [ruleset, *ruleset.scorecards, *ruleset.tasks]
    if tier is not None:
        parts += [tier, tier.up, tier.down, *tier.levels, *tier.exceptions]
    if lifecycle is not None:
        parts += [lifecycle, *lifecycle.moves]
    criteria = [criterion for card in ruleset.scorecards for criterion in card.criteria]
    ways = [way for criterion in criteria for way in criterion.ways]
    return (
        all(map(_plain, [*parts, *criteria]))
        and all(isinstance(way, PointsTable | Scale | AsGiven) for way in ways)
        and all(_known_event(task) for task in ruleset.tasks)
    )


def _plain(part: object) -> bool:
    """Whether every key beyond the known ones has its default."""
    known = KNOWN[type(part)]
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        if field.name in known:
            continue
        value = getattr(part, field.name)
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if value != default and value not in (None, (), {}):
            return False
    return True


def _known_event(task: TaskRule) -> bool:
    return isinstance(task.event, _PASSING | EveryPeriod | ScoreMissing)


class Steady:
    """The filter of one ruleset for one day, over the columns of the statement.

    *verdict* gives the nullable BOOLEAN of a condition, with the state names read as the day opens;
    `score_sql` has made the score columns, the opening table the ``o_`` columns.
    """

    def __init__(self, engine: CompiledRuleset, verdict: Place, as_of: date) -> None:
        self._engine = engine
        self._rules = engine.ruleset
        self._verdict = verdict
        self._as_of = as_of

    def conditions(self) -> dict[str, exp.Expr]:
        """What must hold, each part by name; a row is steady when all are TRUE."""
        parts = {
            "state": column("o_plain"),
            "values": _equal(_call("LEN", column("rejected")), exp.Literal.number(0)),
        }
        if self._rules.tier is not None:
            parts["tier"] = self._tier(self._rules.tier)
            parts["exceptions"] = self._exceptions(self._rules.tier)
        if self._rules.scorecards:
            parts["score"] = exp.Not(this=column("s_doubt"))
        if self._rules.lifecycle is not None:
            parts["lifecycle"] = self._stages(self._rules.lifecycle)
        for number, task in enumerate(self._rules.tasks):
            event = self._event(task)
            if event is not None:
                parts[f"task {number}"] = event
            if task.close_when is not None:
                parts[f"close {number}"] = self._open(task)
        return parts

    def incomplete(self) -> exp.Expr:
        """Whether a steady row lacks something: a criterion, or a condition left undecided."""
        lacking: list[exp.Expr] = [column("s_missing")] if self._rules.scorecards else []
        if self._rules.tier is not None:
            lacking += [self._unknown(item.when) for item in self._rules.tier.exceptions]
        if self._rules.lifecycle is not None:
            for stage, moves in _leaving(self._rules.lifecycle):
                undecided = [self._unknown(move.when) for move in moves]
                here = _equal(column("o_lifecycle"), exp.Literal.string(stage))
                if undecided:
                    lacking.append(exp.and_(here, exp.or_(*undecided)))
        return exp.paren(exp.or_(*lacking)) if lacking else exp.false()

    def _tier(self, rules: TierRules) -> exp.Expr:
        """Whether the whole range of the score stays on the level the customer has."""
        ways = []
        for rank, level in enumerate(rules.ranked):
            lines = [better.enter for better in rules.ranked[:rank]]
            if None in lines:
                continue
            here: list[exp.Expr] = [_equal(column("o_tier"), exp.Literal.string(level.id))]
            here += [
                exp.LT(this=column("s_high"), expression=_tenths(line))
                for line in lines
                if line is not None
            ]
            keep = keep_line(level)
            # the lowest level keeps whatever keeps nothing else
            if keep is not None and rank < len(rules.ranked) - 1:
                here.append(exp.GTE(this=column("s_low"), expression=_tenths(keep)))
            ways.append(exp.paren(exp.and_(*here)))
        return _either(ways)

    def _exceptions(self, rules: TierRules) -> exp.Expr:
        """No exception holds; one left unknown holds only where it did before."""
        return exp.Not(this=_either([self._true(item.when) for item in rules.exceptions]))

    def _stages(self, rules: LifecycleRules) -> exp.Expr:
        """No move out of the stage the customer is in holds."""
        ways = []
        for stage, moves in _leaving(rules):
            here = _equal(column("o_lifecycle"), exp.Literal.string(stage))
            going = _either([self._true(move.when) for move in moves])
            ways.append(exp.paren(exp.and_(here, exp.Not(this=going))))
        since = exp.Not(this=exp.Is(this=column("o_lifecycle_since"), expression=exp.null()))
        return exp.paren(exp.and_(since, _either(ways)))

    def _event(self, task: TaskRule) -> exp.Expr | None:
        """That the event cannot have happened to a steady row; ``None`` where that is plain."""
        if isinstance(task.event, ScoreMissing):
            return exp.Not(this=column("s_asked")) if self._rules.scorecards else None
        if isinstance(task.event, EveryPeriod):
            return self._no_period(task.event)
        return None

    def _no_period(self, event: EveryPeriod) -> exp.Expr:
        """That no due date lies after the last evaluated day and up to today."""
        base: exp.Expr = column("o_first_seen")
        if self._rules.tier is not None:
            base = exp.Coalesce(this=column("o_tier_since"), expressions=[base])
        if event.service_value is None:
            return self._not_due(event.period, base)
        quiet = exp.case()
        for level in sorted(self._rules.service.values(), key=lambda item: item.stage is None):
            value = level.value(event.service_value)
            period = value.period if value is not None else None
            here = _equal(column("o_tier"), exp.Literal.string(level.tier))
            if level.stage is not None:
                stage = _equal(column("o_lifecycle"), exp.Literal.string(level.stage))
                here = exp.paren(exp.and_(here, stage))
            quiet = quiet.when(here, self._not_due(period, base))
        return quiet.else_(exp.true()) if self._rules.service else exp.true()

    def _not_due(self, period: Period | None, base: exp.Expr) -> exp.Expr:
        if period is None or not (period.months or period.days):
            return exp.true()
        if period.months and period.days:
            return exp.false()
        if period.days:
            today, before = (
                _call("FLOOR", _ratio(_days(day, base), period.days))
                for day in (day_literal(self._as_of), column("o_evaluated"))
            )
            none_yet = exp.LT(this=today.copy(), expression=exp.Literal.number(1))
            return exp.paren(exp.or_(none_yet, exp.LTE(this=today, expression=before)))
        return self._no_month_due(period.months, base)

    def _no_month_due(self, months: int, base: exp.Expr) -> exp.Expr:
        """The last due date is the n-th or the one before, where n counts month borders."""
        borders = _call(
            "DATE_DIFF", exp.Literal.string("month"), base.copy(), day_literal(self._as_of)
        )
        whole = exp.cast(_call("FLOOR", _ratio(borders, months)), "INTEGER")
        due = []
        for back in (0, 1):
            count = exp.paren(exp.Sub(this=whole.copy(), expression=exp.Literal.number(back)))
            ahead = exp.paren(exp.Mul(this=count.copy(), expression=exp.Literal.number(months)))
            step = _call("TO_MONTHS", exp.cast(ahead, "INTEGER"))
            day = exp.cast(exp.paren(exp.Add(this=base.copy(), expression=step)), "DATE")
            due.append(
                exp.paren(
                    exp.and_(
                        exp.GTE(this=count, expression=exp.Literal.number(1)),
                        exp.LTE(this=day, expression=day_literal(self._as_of)),
                        exp.GT(this=day.copy(), expression=column("o_evaluated")),
                    )
                )
            )
        return exp.Not(this=_either(due))

    def _open(self, task: TaskRule) -> exp.Expr:
        """That no open episode of the task is to be closed."""
        assert task.close_when is not None
        ids = [exp.Literal.string(id) for id in dict.fromkeys((task.id, task.was)) if id]
        ours = _call("LIST_HAS_ANY", column("o_open"), exp.Array(expressions=ids))
        return exp.Not(this=exp.paren(exp.and_(ours, self._true(task.close_when))))

    def _true(self, condition: object) -> exp.Expr:
        return exp.Coalesce(this=self._of(condition), expressions=[exp.false()])

    def _unknown(self, condition: object) -> exp.Expr:
        return exp.paren(exp.Is(this=self._of(condition), expression=exp.null()))

    def _of(self, condition: object) -> exp.Expr:
        test: Test = self._engine.test(condition)  # type: ignore[arg-type]
        return self._verdict(test)


def _leaving(rules: LifecycleRules) -> Iterable[tuple[str, list[Move]]]:
    """Each stage with the moves that lead out of it."""
    for stage in rules.stages:
        yield (
            stage.id,
            [move for move in rules.moves if stage.id in move.sources and move.to != stage.id],
        )


def _tenths(line: Decimal) -> exp.Expr:
    """The least score in tenths that reaches *line*."""
    least = int((line * 10).to_integral_value(ROUND_CEILING))
    number = exp.Literal.number(abs(least))
    return exp.paren(exp.Neg(this=number)) if least < 0 else number


def _equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.EQ(this=left, expression=right)


def _either(ways: Sequence[exp.Expr]) -> exp.Expr:
    return exp.paren(exp.or_(*ways)) if ways else exp.false()


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _days(day: exp.Expr, base: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Sub(this=day, expression=exp.paren(base.copy())))


def _ratio(count: exp.Expr, by: int) -> exp.Expr:
    return exp.Div(
        this=exp.cast(count, "DOUBLE"), expression=exp.cast(exp.Literal.number(by), "DOUBLE")
    )
