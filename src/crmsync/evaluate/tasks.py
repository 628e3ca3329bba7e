"""The agenda: which tasks the decision opens, and which open ones it closes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from crmsync.condition import names
from crmsync.evaluate.calendar import WorkCalendar
from crmsync.evaluate.chaining import Chain, Small, What, occasions
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.episodes import Moment, episode_key, occurrence_of, spell
from crmsync.evaluate.evidence import evidence_of
from crmsync.evaluate.happening import Happening, Moved, last_due, served
from crmsync.evaluate.titles import title
from crmsync.model.decision import TaskClosing, TaskOpening, UnknownCondition, Verdict
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, MissingPoints
from crmsync.model.state import CustomerState, Episode, Standing
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
_TOLD = EntersStage | LeavesStage | TierRises | TierFalls | ScoreMissing


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """Tasks that should exist, tasks that are over, and ``when`` lines left undecided.

    ``service`` is the id of the service level that holds.
    """

    opens: tuple[TaskOpening, ...] = ()
    closes: tuple[TaskClosing, ...] = ()
    unknown: tuple[UnknownCondition, ...] = ()
    service: str | None = None


class _Left(NamedTuple):
    """What a decision leaves behind: small facts, and for each occasion the keys of its episode."""

    facts: list[Small]
    keys: dict[str, list[str]]


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
        level = self._ruleset.service_of(*_places(moved))
        service = None if level is None else level.id
        if context.placing or not self._tasks:
            return TaskOutcome(service=service)
        open_now = context.open_episodes.get(state.ref, ())
        opens, unknown = [], []
        for task, when, _ in self._tasks:
            if task.start is not None and context.as_of < task.start:
                continue
            due = self.happening.day(task, answers, moved, state)
            if due is None or self.happening.done(task, answers, _places(moved)[0]):
                continue
            verdict = Verdict.TRUE if when is None else answers.holds(when)
            if verdict is Verdict.UNKNOWN and when is not None:
                unknown.append(answers.unknown(f"task {task.id}", when, task.span))
            if verdict is not Verdict.TRUE:
                continue
            keys = self._keys(task, _moment(moved, state, context.as_of, due), state, context)
            if all(episode.key not in keys for episode in open_now):
                opens.append(self._opening(task, keys, answers, moved))
        over = [
            (task, ours)
            for task, _, close in (self._tasks if open_now else ())
            if close is not None
            and (ours := _ours(task, open_now))
            and self._over(task, close, answers)
        ]
        closes = self._closings(over, answers)
        return TaskOutcome(tuple(opens), closes, tuple(unknown), service)

    def followed(
        self,
        answers: Answers,
        moved: Moved,
        state: CustomerState,
        context: EvaluationContext,
        chain: Chain,
    ) -> TaskOutcome:
        """What `tasks` says, drawn by *chain* from the small facts the decision leaves."""
        left = self._left(answers, moved, state, context)
        found = chain.follow(left.facts)
        open_now = context.open_episodes.get(state.ref, ())
        opens, unknown, over = [], [], []
        for number, (task, when, _) in enumerate(self._tasks):
            opens += [
                self._opening(task, left.keys[name], answers, moved)
                for name, _ in occasions(number, task, self._ruleset)
                if Small(What.OPENS, name) in found
            ]
            if when is not None and Small(What.WAITS, str(number)) in found:
                unknown.append(answers.unknown(f"task {task.id}", when, task.span))
            if Small(What.CLOSES, str(number)) in found:
                over.append((task, _ours(task, open_now)))
        service = next((fact.of for fact in found if fact.what is What.SERVES), None)
        closes = self._closings(over, answers)
        return TaskOutcome(tuple(opens), closes, tuple(unknown), service)

    def _left(
        self, answers: Answers, moved: Moved, state: CustomerState, context: EvaluationContext
    ) -> _Left:
        """The small facts of one decision; of a customer who is only placed, tier and stage."""
        left = _Left([*self._moved(moved)], {})
        open_now = {episode.key for episode in context.open_episodes.get(state.ref, ())}
        for number, (task, when, close) in enumerate(() if context.placing else self._tasks):
            of = str(number)
            told = left.facts
            if task.start is None or context.as_of >= task.start:
                told.append(Small(What.STARTED, of))
            if not self.happening.done(task, answers, _places(moved)[0]):
                told.append(Small(What.UNDONE, of))
            verdict = Verdict.TRUE if when is None else answers.holds(when)
            if verdict is not Verdict.FALSE:
                told.append(Small(What.HOLDS if verdict is Verdict.TRUE else What.UNSURE, of))
            for name, level in occasions(number, task, self._ruleset):
                day = self._day(task, level, answers, moved, state)
                if day is None:
                    continue
                moment = _moment(moved, state, context.as_of, day)
                left.keys[name] = keys = self._keys(task, moment, state, context)
                told.append(Small(What.DUE, name))
                if open_now.isdisjoint(keys):
                    told.append(Small(What.NEW, name))
            if close is not None and _ours(task, context.open_episodes.get(state.ref, ())):
                told.append(Small(What.OPEN, of))
                if self._over(task, close, answers):
                    told.append(Small(What.OVER, of))
        return left

    def _moved(self, moved: Moved) -> Iterator[Small]:
        step = self.happening.step(moved.tier)
        tier, stage = _places(moved)
        if step and tier is not None:
            what = What.ROSE if step < 0 else What.FELL
            yield from (Small(what), Small(what, tier))
        if tier is not None:
            yield Small(What.TIER, tier)
        rules, result = self._ruleset.lifecycle, moved.stage
        known = rules is not None and any(item.id == stage for item in rules.stages)
        yield Small(What.STAGE, stage or "") if known else Small(What.NO_STAGE)
        if result is not None and result.before != result.after:
            if result.moves and result.after is not None:
                yield Small(What.ENTERED, result.after)
            if result.before is not None:
                yield Small(What.LEFT, result.before)
        if moved.asked:
            yield Small(What.SCORE_MISSING)

    def _day(
        self,
        task: TaskRule,
        level: str | None,
        answers: Answers,
        moved: Moved,
        state: CustomerState,
    ) -> date | None:
        """The day an occasion would belong to: of what moves and scores tell, today."""
        if isinstance(task.event, _TOLD):
            return answers.as_of
        if level is None:
            return self.happening.day(task, answers, moved, state)
        assert isinstance(task.event, EveryPeriod)
        period = served(self._ruleset.service[level], task.event.service_value or "")
        return None if period is None else self.happening.due(period, moved, state, answers.as_of)

    def _keys(
        self, task: TaskRule, moment: Moment, state: CustomerState, context: EvaluationContext
    ) -> list[str]:
        """The episode's key, and those it would have for the records merged into the customer."""
        whose = (state.ref, *context.former.get(state.ref, ()))
        occurrence = occurrence_of(task, moment)
        return [episode_key(self._ruleset.id, task, ref, occurrence) for ref in whose]

    def _closings(
        self, over: Iterable[tuple[TaskRule, Sequence[Episode]]], answers: Answers
    ) -> tuple[TaskClosing, ...]:
        closes: dict[str, TaskClosing] = {}  # rows of one table share a task's id
        for task, episodes in over:
            for episode in episodes:
                closing = TaskClosing(episode.key, task.id, self._why(task, answers))
                closes.setdefault(episode.key, closing)
        return tuple(closes.values())

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


def _places(moved: Moved) -> tuple[str | None, str | None]:
    """The tier and the stage the decision leads to."""
    tier, stage = moved.tier, moved.stage
    return None if tier is None else tier.after, None if stage is None else stage.after


def _ours(task: TaskRule, episodes: Sequence[Episode]) -> tuple[Episode, ...]:
    names = {task.id, task.was}
    return tuple(item for item in episodes if item.task_id in names and item.closed_on is None)


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
