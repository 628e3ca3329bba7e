"""Whether the event of a task happened by this evaluation, and to which day it belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from crmsync.condition.festivals import day_in_year, festival_day
from crmsync.evaluate.compiled import Answers, CompiledRuleset
from crmsync.model.decision import StageResult, TierResult, Verdict
from crmsync.model.period import Period
from crmsync.model.scorecard import Criterion
from crmsync.model.service import ServiceLevel
from crmsync.model.state import CustomerState
from crmsync.model.task import (
    Anniversary,
    BecomesTrue,
    DayOf,
    DoneWithin,
    EntersStage,
    EveryPeriod,
    FactDay,
    Festival,
    LeavesStage,
    OnDay,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
    YearDay,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What the decision did: the tier and stage before and after, and who is to be scored."""

    tier: TierResult | None
    stage: StageResult | None
    asked: tuple[Criterion, ...] = ()


class Happening:
    """The events of one ruleset, asked of one customer at a time.

    A day counts when it lies in (last evaluation, today]: several missed ones are one, the last.
    """

    def __init__(self, engine: CompiledRuleset) -> None:
        self._engine = engine
        self._ruleset = engine.ruleset

    def day(
        self, task: TaskRule, answers: Answers, moved: Moved, state: CustomerState
    ) -> date | None:
        """The day the task's event belongs to, or ``None`` when it did not happen."""
        today, event = answers.as_of, task.event
        tier, stage = moved.tier, moved.stage
        match event:
            case EntersStage(stage=wanted):
                entered = stage is not None and bool(stage.moves) and stage.before != stage.after
                return today if stage is not None and entered and stage.after == wanted else None
            case LeavesStage(stage=wanted):
                left = stage is not None and stage.before == wanted and stage.after != wanted
                return today if left else None
            case TierRises(to=to) | TierFalls(to=to):
                step = self.step(tier)
                wanted_step = step < 0 if isinstance(event, TierRises) else step > 0
                fits = tier is not None and to in {None, tier.after}
                return today if wanted_step and fits else None
            case EveryPeriod():
                return self._period_due(event, moved, state, today)
            case OnDay():
                return last_day(event, answers, evaluated_before(state, today))
            case BecomesTrue(condition=condition):
                holds = answers.holds(self._engine.test(condition)) is Verdict.TRUE
                return today if holds and _held(task, state.clocks.held) is False else None
            case ScoreMissing():
                return today if moved.asked else None

    def held(self, answers: Answers, before: Mapping[str, bool]) -> dict[str, bool]:
        """Task id → whether the condition it watches holds now; unknown keeps what was known."""
        found: dict[str, bool] = {}
        for task in self._ruleset.tasks:
            if not isinstance(task.event, BecomesTrue):
                continue
            verdict = answers.holds(self._engine.test(task.event.condition))
            if verdict is not Verdict.UNKNOWN:
                found[task.id] = verdict is Verdict.TRUE
            elif (kept := _held(task, before)) is not None:
                found[task.id] = kept
        return found

    def done(self, task: TaskRule, answers: Answers, tier: str | None) -> bool:
        """Whether ``counts_as_done`` says that nothing is left to do; unknown is not done."""
        match task.counts_as_done:
            case None:
                return False
            case DoneWithin(fact=fact):
                stage = answers.value("lifecycle")
                period = (
                    self.period(task.event, tier, stage if isinstance(stage, str) else None)
                    if isinstance(task.event, EveryPeriod)
                    else None
                )
                day = answers.value(fact)
                if period is None or not isinstance(day, date):
                    return False
                return period.before(answers.as_of) < day <= answers.as_of
            case condition:
                return answers.holds(self._engine.test(condition)) is Verdict.TRUE

    def step(self, tier: TierResult | None) -> int:
        """Ranks moved: negative up, positive down; a level without rank lies below all others."""
        if tier is None or tier.before is None or tier.after is None or self._ruleset.tier is None:
            return 0
        ranks = {level.id: rank for rank, level in enumerate(self._ruleset.tier.ranked)}
        lowest = len(ranks)
        return ranks.get(tier.after, lowest) - ranks.get(tier.before, lowest)

    def _period_due(
        self, event: EveryPeriod, moved: Moved, state: CustomerState, today: date
    ) -> date | None:
        period = self.period(
            event,
            moved.tier.after if moved.tier else None,
            moved.stage.after if moved.stage else None,
        )
        return None if period is None else self.due(period, moved, state, today)

    def due(self, period: Period, moved: Moved, state: CustomerState, today: date) -> date | None:
        """The last due date after the previous evaluation and up to today; of several missed ones
        only that one counts."""
        since = moved.tier.since if moved.tier is not None else None
        base = since or state.clocks.first_seen or today
        due = last_due(base, period, today)
        return due if due is not None and due > evaluated_before(state, today) else None

    def period(self, event: EveryPeriod, tier: str | None, stage: str | None) -> Period | None:
        """The event's own period, or the one the service names; none where it is 0."""
        period = event.period
        if event.service_value is not None:
            level = self._ruleset.service_of(tier, stage)
            return None if level is None else served(level, event.service_value)
        return period if period is not None and (period.months or period.days) else None


def served(level: ServiceLevel, name: str) -> Period | None:
    """The period a service level gives under *name*; none where it is 0."""
    value = level.value(name)
    period = None if value is None else value.period
    return period if period is not None and (period.months or period.days) else None


def _held(task: TaskRule, held: Mapping[str, bool]) -> bool | None:
    """What was remembered of the watched condition, under the task's former id too."""
    return held.get(task.id, held.get(task.was or task.id))


def evaluated_before(state: CustomerState, today: date) -> date:
    """The day of the evaluation before this one; yesterday for a customer never seen."""
    return state.clocks.evaluated or today - timedelta(days=1)


def last_day(event: OnDay, answers: Answers, evaluated: date) -> date | None:
    """The last day of *event* in (*evaluated*, today]."""
    move = event.shift.before if event.before else event.shift.after
    today = answers.as_of
    # a shift moves a day by so many years at most: the days looked at lie that far around
    reach = event.shift.months // 12 + event.shift.days // 365 + 2
    years = range(min(evaluated.year, today.year) - reach, today.year + reach + 1)
    found = [
        day for base in _days(event.of, answers, years) if evaluated < (day := move(base)) <= today
    ]
    return max(found, default=None)


def _days(of: DayOf, answers: Answers, years: range) -> Iterator[date]:
    match of:
        case FactDay(fact=fact):
            if isinstance(day := answers.value(fact), date):
                yield day
        case Anniversary(fact=fact):
            if isinstance(day := answers.value(fact), date):
                yield from (day_in_year(y, day.month, day.day) for y in years if y > day.year)
        case YearDay(month=month, day=number):
            yield from (day_in_year(year, month, number) for year in years)
        case Festival(id=id):
            yield from (day for year in years if (day := festival_day(id, year)) is not None)


def last_due(base: date, period: Period, today: date) -> date | None:
    """The last of ``base + n × period`` (n from 1) that is not after *today*."""
    shortest = period.months * 28 + period.days
    latest = (today - base).days // shortest if today > base else 0
    for count in range(latest, 0, -1):
        due = Period(period.months * count, period.days * count).after(base)
        if due <= today:
            return due
    return None
