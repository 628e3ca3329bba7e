"""That the day of a task's event has not come for a steady row, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlglot import exp

from crmsync.condition.sql import day_literal, double
from crmsync.evaluate.compiled import Answers, CompiledRuleset
from crmsync.evaluate.happening import last_day
from crmsync.evaluate.verdict_sql import column
from crmsync.model.fact import FactRow, FactType, MatchedRow
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.task import Anniversary, EveryPeriod, FactDay, Festival, OnDay, YearDay

LOOKED_BACK = 35
"""Days since the last evaluation beyond which a row is not called steady where days count."""


class NotDue:
    """The days of one ruleset, for the evaluation of one day; *evaluated* is the one before."""

    def __init__(
        self, engine: CompiledRuleset, as_of: date, *, evaluated: exp.Expr | None = None
    ) -> None:
        self._evaluated = column("o_evaluated") if evaluated is None else evaluated
        self._engine = engine
        self._rules = engine.ruleset
        self._as_of = as_of

    def on_day(self, event: OnDay) -> exp.Expr:
        """That no day of *event* lies after the last evaluated day and up to today."""
        match event.of:
            case YearDay() | Festival():
                return self._same_for_all(event)
            case FactDay(fact=fact):
                return self._of_fact(event, fact, [self._fact(fact)])
            case Anniversary(fact=fact):
                return self._of_fact(event, fact, list(self._anniversaries(event, fact)))

    def _same_for_all(self, event: OnDay) -> exp.Expr:
        """A day of the calendar: everybody evaluated since it came is past it."""
        since = self._as_of - timedelta(days=LOOKED_BACK)
        nobody = MatchedRow(FactRow(RecordRef("", ""), "", None, {}), 0, 0)
        last = last_day(event, Answers(self._engine, nobody, self._as_of), since)
        latest = since if last is None else last
        return exp.GTE(this=self._evaluated.copy(), expression=day_literal(latest))

    def _of_fact(self, event: OnDay, fact: str, days: list[exp.Expr]) -> exp.Expr:
        if self._rules.fact(fact).type is not FactType.DATE:
            return exp.Is(this=self._fact(fact), expression=exp.null())
        recent = day_literal(self._as_of - timedelta(days=LOOKED_BACK))
        due = [
            exp.paren(
                exp.and_(
                    exp.LTE(this=day, expression=day_literal(self._as_of)),
                    exp.GT(this=day.copy(), expression=self._evaluated.copy()),
                    copy=False,
                )
            )
            for day in (_moved(base, event) for base in days)
        ]
        quiet = exp.Not(this=exp.Coalesce(this=either(due), expressions=[exp.false()]))
        return exp.paren(
            exp.and_(quiet, exp.GTE(this=self._evaluated.copy(), expression=recent), copy=False)
        )

    def _anniversaries(self, event: OnDay, fact: str) -> Iterator[exp.Expr]:
        """The day in every year near enough, NULL up to the year of the day itself."""
        reach = event.shift.months // 12 + event.shift.days // 365 + 2
        for year in range(self._as_of.year - reach, self._as_of.year + reach + 1):
            number = exp.Literal.number(year)
            later = exp.Sub(this=number, expression=exp.Year(this=self._fact(fact)))
            months = exp.paren(exp.Mul(this=exp.paren(later), expression=exp.Literal.number(12)))
            day = _ahead(self._fact(fact), months)
            after = exp.LT(this=exp.Year(this=self._fact(fact)), expression=number.copy())
            yield exp.case().when(after, day)

    def _fact(self, fact: str) -> exp.Expr:
        return column(f"f{self._engine.facts.index(fact)}")

    def every(self, event: EveryPeriod) -> exp.Expr:
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
            here: exp.Expr = exp.EQ(
                this=column("o_tier"), expression=exp.Literal.string(level.tier)
            )
            if level.stage is not None:
                stage = exp.Literal.string(level.stage)
                here = exp.paren(
                    exp.and_(here, exp.EQ(this=column("o_lifecycle"), expression=stage), copy=False)
                )
            quiet = quiet.when(here, self._not_due(period, base))
        return quiet.else_(exp.true()) if self._rules.service else exp.true()

    def _not_due(self, period: Period | None, base: exp.Expr) -> exp.Expr:
        if period is None or not (period.months or period.days):
            return exp.true()
        if period.months and period.days:
            return exp.false()
        if period.days:
            today, before = (
                call("FLOOR", _ratio(_days(day, base), period.days))
                for day in (day_literal(self._as_of), self._evaluated.copy())
            )
            none_yet = exp.LT(this=today.copy(), expression=exp.Literal.number(1))
            return exp.paren(exp.or_(none_yet, exp.LTE(this=today, expression=before), copy=False))
        return self._no_month_due(period.months, base)

    def _no_month_due(self, months: int, base: exp.Expr) -> exp.Expr:
        """The last due date is the n-th or the one before, where n counts month borders."""
        borders = call(
            "DATE_DIFF", exp.Literal.string("month"), base.copy(), day_literal(self._as_of)
        )
        whole = exp.cast(call("FLOOR", _ratio(borders, months)), "INTEGER")
        due = []
        for back in (0, 1):
            count = exp.paren(exp.Sub(this=whole.copy(), expression=exp.Literal.number(back)))
            ahead = exp.paren(exp.Mul(this=count.copy(), expression=exp.Literal.number(months)))
            day = _ahead(base, ahead)
            due.append(
                exp.paren(
                    exp.and_(
                        exp.GTE(this=count, expression=exp.Literal.number(1)),
                        exp.LTE(this=day, expression=day_literal(self._as_of)),
                        exp.GT(this=day.copy(), expression=self._evaluated.copy()),
                        copy=False,
                    )
                )
            )
        return exp.Not(this=either(due))


def _moved(base: exp.Expr, event: OnDay) -> exp.Expr:
    """The day of the event for a base day; months clamp to the end of the month, then days."""
    sign = -1 if event.before else 1
    day = _ahead(base, _whole(sign * event.shift.months)) if event.shift.months else base
    if not event.shift.days:
        return day
    days = exp.Add(this=exp.paren(day), expression=_whole(sign * event.shift.days))
    return exp.cast(exp.paren(days), "DATE")


def _ahead(base: exp.Expr, months: exp.Expr) -> exp.Expr:
    step = call("TO_MONTHS", exp.cast(months, "INTEGER"))
    return exp.cast(exp.paren(exp.Add(this=base.copy(), expression=step)), "DATE")


def _whole(number: int) -> exp.Expr:
    literal = exp.Literal.number(abs(number))
    return exp.paren(exp.Neg(this=literal)) if number < 0 else literal


def either(ways: Sequence[exp.Expr]) -> exp.Expr:
    """Any of *ways*; FALSE when there is none."""
    return exp.paren(exp.or_(*ways, copy=False)) if ways else exp.false()


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A function of DuckDB."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def texts(items: Sequence[str]) -> exp.Expr:
    """A list of texts."""
    return exp.cast(
        exp.Array(expressions=[exp.Literal.string(item) for item in items]), "VARCHAR[]"
    )


def _days(day: exp.Expr, base: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Sub(this=day, expression=exp.paren(base.copy())))


def _ratio(count: exp.Expr, by: int) -> exp.Expr:
    return exp.Div(this=exp.cast(count, "DOUBLE"), expression=double(float(by)))
