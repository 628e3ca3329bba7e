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
from crmsync.evaluate.evidence import evidence_of
from crmsync.evaluate.happening import Happening, Moved, last_due
from crmsync.evaluate.titles import title
from crmsync.model.decision import TaskClosing, TaskOpening, UnknownCondition, Verdict
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
)
from crmsync.model.text import Text

JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """Tasks that should exist, tasks that are over, and ``when`` lines left undecided."""

    opens: tuple[TaskOpening, ...] = ()
    closes: tuple[TaskClosing, ...] = ()
    unknown: tuple[UnknownCondition, ...] = ()


class Agenda:
    """The tasks of a ruleset, with the place of each condition."""

    def __init__(self, engine: CompiledRuleset) -> None:
        self._engine = engine
        self._ruleset = engine.ruleset
        self.happening = Happening(engine)
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
            if task.start is not None and context.as_of < task.start:
                continue
            due = self.happening.day(task, answers, moved, state)
            if due is None or self.happening.done(task, answers, _tier_after(moved)):
                continue
            verdict = Verdict.TRUE if when is None else answers.holds(when)
            if verdict is Verdict.UNKNOWN and when is not None:
                unknown.append(answers.unknown(f"task {task.id}", when, task.span))
            if verdict is not Verdict.TRUE:
                continue
            moment = _moment(moved, state, context.as_of, due)
            whose = (state.ref, *context.former.get(state.ref, ()))
            occurrence = occurrence_of(task, moment)
            keys = [episode_key(self._ruleset.id, task, ref, occurrence) for ref in whose]
            if all(episode.key not in keys for episode in open_now):
                opens.append(self._opening(task, keys, answers, moved))
        closes: dict[str, TaskClosing] = {}  # rows of one table share a task's id
        for task, _, close in self._tasks:
            for episode in open_now:
                ours = episode.task_id in {task.id, task.was} and episode.closed_on is None
                if close is not None and ours and self._over(task, close, answers):
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
            period = self.happening.period(task.event, standing.tier, standing.lifecycle)
            base = standing.tier_since or state.clocks.first_seen or opened_on
            due = (period and last_due(base, period, opened_on)) or opened_on
        moment = _past_moment(task.event, standing, opened_on, due)
        return episode_key(self._ruleset.id, task, state.ref, occurrence_of(task, moment))

    def _over(self, task: TaskRule, close: Test, answers: Answers) -> bool:
        """Whether the task is over; one that must find something out waits for it."""
        result = task.result
        if result is not None and result.required and answers.value(result.fact) is None:
            return False
        return answers.holds(close) is Verdict.TRUE

    def _opening(
        self, task: TaskRule, keys: Sequence[str], answers: Answers, moved: Moved
    ) -> TaskOpening:
        row = answers.matched.row
        asked = moved.asked
        words = {
            "name": Text.same(row.name),
            "stage": self._label(moved.stage.after if moved.stage else None),
            "missing_scores": Text(
                zh="、".join(item.label.zh for item in asked),
                en=", ".join(item.label.en for item in asked),
            ),
        }
        return TaskOpening(
            key=keys[0],
            also=tuple(keys[1:]),
            task_id=task.id,
            title=title(self._ruleset, task.title, answers.values(), words),
            owner=self._owners(task, answers),
            due=self._due(task, answers.as_of),
            priority=task.priority.value,
            span=task.span,
            via=task.via,
            note=self._note(task, answers, asked),
            hands_over=task.may_reassign_owner,
            for_each=task.for_each is not None,
        )

    def _note(self, task: TaskRule, answers: Answers, asked: Sequence[Criterion]) -> Text | None:
        """What the task is to find out; of missing scores, what the judge should look at."""
        if task.result is None:
            return self._evidence(answers, asked) if isinstance(task.event, ScoreMissing) else None
        label, choices = self._ruleset.fact(task.result.fact).label, task.result.choices
        zh, en = (
            (f"（{' / '.join(choices)}）", f" ({' / '.join(choices)})") if choices else ("", "")
        )
        return Text(zh=f"请填写“{label.zh}”{zh}", en=f"Please fill in “{label.en}”{en}")

    def _evidence(self, answers: Answers, asked: Sequence[Criterion]) -> Text | None:
        row = answers.matched.row
        seen = [
            (item.label, found)
            for item in asked
            if (found := evidence_of(self._ruleset, item, row.facts, answers.as_of, name=row.name))
            is not None
        ]
        if not seen:
            return None
        return Text(
            zh="；".join(f"{label.zh}：{found.zh}" for label, found in seen),
            en="; ".join(f"{label.en}: {found.en}" for label, found in seen),
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


def _tier_after(moved: Moved) -> str | None:
    return None if moved.tier is None else moved.tier.after


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
