"""Forward chaining over small facts: what a decision leaves behind, and what follows from it.

Only presence counts. That something is absent (no such episode is open, no stage of the rules) is a
small fact of its own, so nothing hangs on the order in which facts become known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from crmsync.model.ruleset import Ruleset
from crmsync.model.task import (
    EntersStage,
    EveryPeriod,
    LeavesStage,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)


class What(StrEnum):
    """The kinds of small facts: first those a decision leaves, then those that follow."""

    TIER = "tier"
    STAGE = "stage"
    NO_STAGE = "no stage"
    ROSE = "rose"
    FELL = "fell"
    ENTERED = "entered"
    LEFT = "left"
    SCORE_MISSING = "score missing"
    DUE = "due"
    HOLDS = "holds"
    UNSURE = "unsure"
    STARTED = "started"
    UNDONE = "undone"
    NEW = "new"
    OPEN = "open"
    OVER = "over"
    SERVES = "serves"
    HAPPENED = "happened"
    OPENS = "opens"
    WAITS = "waits"
    CLOSES = "closes"


class Small(NamedTuple):
    """One small fact; ``of`` is a tier, a stage, a task's place in the rules or an `occasion`."""

    what: What
    of: str = ""


class Step(NamedTuple):
    """Where all that it needs is there, ``gives`` follows."""

    needs: tuple[Small, ...]
    gives: Small


class Chain(Protocol):
    """Draws what follows from small facts, by the steps of one ruleset."""

    def follow(self, facts: Iterable[Small]) -> frozenset[Small]:
        """*facts* and all that follows from them."""
        ...


class Chained:
    """The steps gone through in plain Python until nothing new follows."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    def follow(self, facts: Iterable[Small]) -> frozenset[Small]:
        """*facts* and all that follows from them."""
        known, before = set(facts), -1
        while len(known) != before:
            before = len(known)
            known.update(step.gives for step in self._steps if known.issuperset(step.needs))
        return frozenset(known)


def occasion(task: int, level: str | None = None) -> str:
    """The happening of the task at that place in the rules; under a service *level*, where its
    period is the level's."""
    return str(task) if level is None else f"{task}/{level}"


def occasions(number: int, task: TaskRule, ruleset: Ruleset) -> tuple[tuple[str, str | None], ...]:
    """Every `occasion` of a task, with its service level."""
    event = task.event
    if isinstance(event, EveryPeriod) and event.service_value is not None:
        return tuple((occasion(number, level), level) for level in ruleset.service)
    return ((occasion(number), None),)


def steps_of(ruleset: Ruleset) -> tuple[Step, ...]:
    """From what a decision leaves behind to entitlements, tasks opened and tasks closed."""
    return (*_entitlements(ruleset), *_tasks(ruleset))


def _entitlements(ruleset: Ruleset) -> Iterator[Step]:
    stages = () if ruleset.lifecycle is None else tuple(s.id for s in ruleset.lifecycle.stages)
    for level in ruleset.service.values():
        tier, serves = Small(What.TIER, level.tier), Small(What.SERVES, level.id)
        if level.stage is not None:
            yield Step((tier, Small(What.STAGE, level.stage)), serves)
            continue
        own = {it.stage for it in ruleset.service.values() if it.tier == level.tier and it.stage}
        if not own:
            yield Step((tier,), serves)
            continue
        yield Step((tier, Small(What.NO_STAGE)), serves)
        for stage in stages:
            if stage not in own:
                yield Step((tier, Small(What.STAGE, stage)), serves)


def _tasks(ruleset: Ruleset) -> Iterator[Step]:
    for number, task in enumerate(ruleset.tasks):
        of = str(number)
        asked = (Small(What.STARTED, of), Small(What.UNDONE, of))
        for name, level in occasions(number, task, ruleset):
            happened = Small(What.HAPPENED, name)
            yield Step(_trigger(task, name, level), happened)
            sure = (happened, *asked, Small(What.HOLDS, of), Small(What.NEW, name))
            yield Step(sure, Small(What.OPENS, name))
            yield Step((happened, *asked, Small(What.UNSURE, of)), Small(What.WAITS, of))
        if task.close_when is not None:
            yield Step((Small(What.OPEN, of), Small(What.OVER, of)), Small(What.CLOSES, of))


def _trigger(task: TaskRule, name: str, level: str | None) -> tuple[Small, ...]:
    match task.event:
        case EntersStage(stage=stage):
            return (Small(What.ENTERED, stage),)
        case LeavesStage(stage=stage):
            return (Small(What.LEFT, stage),)
        case TierRises(to=to):
            return (Small(What.ROSE, to or ""),)
        case TierFalls(to=to):
            return (Small(What.FELL, to or ""),)
        case ScoreMissing():
            return (Small(What.SCORE_MISSING),)
    due = Small(What.DUE, name)
    return (due,) if level is None else (Small(What.SERVES, level), due)
