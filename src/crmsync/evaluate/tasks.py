"""The agenda: which tasks the decision opens, and which open ones it closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crmsync.condition import names
from crmsync.evaluate.calendar import WorkCalendar
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.episodes import Moment, episode_key, occurrence_of, spell
from crmsync.evaluate.titles import title
from crmsync.model.decision import (
    StageResult,
    TaskClosing,
    TaskOpening,
    TierResult,
    UnknownCondition,
    Verdict,
)
from crmsync.model.period import Period
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, MissingPoints
from crmsync.model.state import CustomerState, Standing
from crmsync.model.task import (
    EntersStage,
    Event,
    EveryPeriod,
    LeavesStage,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.model.text import Text

JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """Tasks that should exist, tasks that are over, and ``when`` lines left undecided."""

    opens: tuple[TaskOpening, ...] = ()
    closes: tuple[TaskClosing, ...] = ()
    unknown: tuple[UnknownCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """What the decision did: the tier and stage before and after, and who is to be scored."""

    tier: TierResult | None
    stage: StageResult | None
    asked: tuple[Text, ...] = ()


class Agenda:
    """The tasks of a ruleset, with the place of each condition."""

    def __init__(self, engine: CompiledRuleset) -> None:
        self._engine = engine
        self._ruleset = engine.ruleset
        self._calendar: WorkCalendar | None = None
        self._tasks: list[tuple[TaskRule, Test | None, Test | None]] = [
            (
                task,
                None if task.when is None else engine.test(task.when),
                None if task.close_when is None else engine.test(task.close_when),
            )
            for task in engine.ruleset.tasks
        ]

    def tasks(
        self, answers: Answers, moved: Moved, state: CustomerState, context: EvaluationContext
    ) -> TaskOutcome:
        """The tasks of one customer today; an episode that is open already is not opened again."""
        if context.placing or not self._tasks:
            return TaskOutcome()
        open_now = context.open_episodes.get(state.ref, ())
        opens, unknown = [], []
        for task, when, _ in self._tasks:
            due = self._happened(task.event, moved, state, context.as_of)
            if due is None:
                continue
            verdict = Verdict.TRUE if when is None else answers.holds(when)
            if verdict is Verdict.UNKNOWN and when is not None:
                unknown.append(answers.unknown(f"task {task.id}", when, task.span))
            if verdict is not Verdict.TRUE:
                continue
            moment = _moment(moved, state, context.as_of, due)
            key = episode_key(self._ruleset.id, task, state.ref, occurrence_of(task, moment))
            if all(episode.key != key for episode in open_now):
                opens.append(self._opening(task, key, answers, moved))
        closes: dict[str, TaskClosing] = {}  # rows of one table share a task's id
        for task, _, close in self._tasks:
            for episode in open_now:
                ours = episode.task_id in {task.id, task.was} and episode.closed_on is None
                if close is not None and ours and answers.holds(close) is Verdict.TRUE:
                    closing = TaskClosing(episode.key, task.id, self._why(task, answers))
                    closes.setdefault(episode.key, closing)
        return TaskOutcome(tuple(opens), tuple(closes.values()), tuple(unknown))

    def past_key(self, task_id: str, state: CustomerState, opened_on: date) -> str:
        """The key of an episode opened on an earlier day, as far as the state tells it.

        What the state no longer knows (a spell or a tier before the present one) gives a key that
        no later occurrence has. Raises KeyError when the ruleset has no such task.
        """
        task = next((task for task, _, _ in self._tasks if task_id in {task.id, task.was}), None)
        if task is None:
            raise KeyError(task_id)
        standing, due = state.standing, opened_on
        if isinstance(task.event, EveryPeriod):
            period = self._period(task.event, standing.tier, standing.lifecycle)
            base = standing.tier_since or state.clocks.first_seen or opened_on
            due = (period and last_due(base, period, opened_on)) or opened_on
        moment = _past_moment(task.event, standing, opened_on, due)
        return episode_key(self._ruleset.id, task, state.ref, occurrence_of(task, moment))

    def _happened(
        self, event: Event, moved: Moved, state: CustomerState, today: date
    ) -> date | None:
        """The day the event belongs to, or ``None`` when it did not happen."""
        tier, stage = moved.tier, moved.stage
        match event:
            case EntersStage(stage=wanted):
                entered = stage is not None and bool(stage.moves) and stage.before != stage.after
                return today if stage is not None and entered and stage.after == wanted else None
            case LeavesStage(stage=wanted):
                left = stage is not None and stage.before == wanted and stage.after != wanted
                return today if left else None
            case TierRises(to=to) | TierFalls(to=to):
                step = self._step(tier)
                wanted_step = step < 0 if isinstance(event, TierRises) else step > 0
                fits = tier is not None and to in {None, tier.after}
                return today if wanted_step and fits else None
            case EveryPeriod():
                return self._period_due(event, moved, state, today)
            case ScoreMissing():
                return today if moved.asked else None

    def _step(self, tier: TierResult | None) -> int:
        """Ranks moved: negative up, positive down; a level without rank lies below all others."""
        if tier is None or tier.before is None or tier.after is None or self._ruleset.tier is None:
            return 0
        ranks = {level.id: rank for rank, level in enumerate(self._ruleset.tier.ranked)}
        lowest = len(ranks)
        return ranks.get(tier.after, lowest) - ranks.get(tier.before, lowest)

    def _period_due(
        self, event: EveryPeriod, moved: Moved, state: CustomerState, today: date
    ) -> date | None:
        """The last due date after the previous evaluation and up to today; of several missed ones
        only that one counts."""
        period = self._period(
            event,
            moved.tier.after if moved.tier else None,
            moved.stage.after if moved.stage else None,
        )
        if period is None:
            return None
        since = moved.tier.since if moved.tier is not None else None
        base = since or state.clocks.first_seen or today
        evaluated = state.clocks.evaluated or today - timedelta(days=1)
        due = last_due(base, period, today)
        return due if due is not None and due > evaluated else None

    def _period(self, event: EveryPeriod, tier: str | None, stage: str | None) -> Period | None:
        """The event's own period, or the one the service names; none where it is 0."""
        period = event.period
        if event.service_value is not None:
            level = self._ruleset.service_of(tier, stage)
            value = level.value(event.service_value) if level is not None else None
            period = value.period if value is not None else None
        return period if period is not None and (period.months or period.days) else None

    def _opening(self, task: TaskRule, key: str, answers: Answers, moved: Moved) -> TaskOpening:
        row = answers.matched.row
        asked = moved.asked
        words = {
            "name": Text.same(row.name),
            "stage": self._label(moved.stage.after if moved.stage else None),
            "missing_scores": Text(
                zh="、".join(item.zh for item in asked), en=", ".join(item.en for item in asked)
            ),
        }
        return TaskOpening(
            key=key,
            task_id=task.id,
            title=title(self._ruleset, task.title, answers.values(), words),
            owner=self._owners(task, answers),
            due=self._due(task, answers.as_of),
            priority=task.priority.value,
            span=task.span,
        )

    def _label(self, stage: str | None) -> Text:
        rules = self._ruleset.lifecycle
        return Text.same("") if stage is None or rules is None else rules.stage(stage).label

    def _due(self, task: TaskRule, today: date) -> date:
        if task.due.calendar_days:
            return today + timedelta(days=task.due.days)
        if self._calendar is None:
            self._calendar = WorkCalendar(self._ruleset.workdays)
        return self._calendar.after(today, task.due.days)

    def _owners(self, task: TaskRule, answers: Answers) -> tuple[str, ...]:
        """The owners in order of preference; ``judge`` becomes those who judge what is missing."""
        listed: list[str] = []
        for owner in task.owner:
            listed += self._judges(answers) if owner == JUDGE else [owner]
        if task.fallback_owner is not None:
            listed.append(task.fallback_owner)
        return tuple(dict.fromkeys(listed))

    def _judges(self, answers: Answers) -> list[str]:
        judged = {fact.id: fact.judged_by for fact in self._ruleset.facts if fact.judged_by}
        read = self._engine.inputs(judged_facts(self._ruleset))
        missing = [fact for fact in judged if fact in read and answers.value(fact) is None]
        return [judge for fact in missing if (judge := judged[fact]) is not None]

    def _why(self, task: TaskRule, answers: Answers) -> Text:
        assert task.close_when is not None
        values = {name: answers.value(name) for name in names(task.close_when)}
        return self._engine.wording.because_of(task.close_when, values, answers.as_of)


def _moment(moved: Moved, state: CustomerState, today: date, due: date) -> Moment:
    standing, tier, stage = state.standing, moved.tier, moved.stage
    return Moment(
        as_of=today,
        due=due,
        left=spell(standing.lifecycle, standing.lifecycle_since),
        entered="" if stage is None else spell(stage.after, stage.since),
        tier_since=None if tier is None else tier.since,
    )


def _past_moment(event: Event, standing: Standing, opened_on: date, due: date) -> Moment:
    stage, since = standing.lifecycle, standing.lifecycle_since
    if isinstance(event, EntersStage) and stage != event.stage:
        stage, since = event.stage, None
    if since is None or since > opened_on:
        since = opened_on
    left = event.stage if isinstance(event, LeavesStage) else standing.lifecycle
    tier_since = standing.tier_since and min(standing.tier_since, opened_on)
    entered = "" if stage is None else spell(stage, since)
    return Moment(opened_on, due, spell(left, opened_on), entered, tier_since)


def judged_facts(ruleset: Ruleset) -> set[str]:
    """The names that criteria with ``missing: ask`` read."""
    criteria: Sequence[Criterion] = [
        criterion
        for card in ruleset.scorecards
        for criterion in card.criteria
        if criterion.missing is MissingPoints.ASK
    ]
    read: set[str] = set()
    for criterion in criteria:
        for part in criterion.ways:
            read |= {name for of in part.operands for name in names(of)}
    return read


def last_due(base: date, period: Period, today: date) -> date | None:
    """The last of ``base + n × period`` (n from 1) that is not after *today*."""
    shortest = period.months * 28 + period.days
    latest = (today - base).days // shortest if today > base else 0
    for count in range(latest, 0, -1):
        due = Period(period.months * count, period.days * count).after(base)
        if due <= today:
            return due
    return None
