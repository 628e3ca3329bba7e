"""What makes one episode of a task, and the key under which it exists once."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.task import (
    BecomesTrue,
    EntersStage,
    Event,
    EveryPeriod,
    LeavesStage,
    OnDay,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)

KEY_PREFIX = "cs1-"
_CHARACTERS = 20


def episode_key(ruleset_id: str, task: TaskRule, ref: RecordRef, occurrence: str) -> str:
    """The key of one episode: the same on every connection, run and machine.

    It hashes the ruleset, the task (its former id, where ``was`` gives one), the record and the
    occurrence. 20 base-32 characters are 100 bits.
    """
    return _key(ruleset_id, task.was or task.id, ref, occurrence)


def _key(ruleset_id: str, task_id: str, ref: RecordRef, occurrence: str) -> str:
    parts = (ruleset_id, task_id, ref.object, ref.id, occurrence)
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=20).digest()
    return KEY_PREFIX + base64.b32encode(digest).decode("ascii")[:_CHARACTERS]


def scope_of(task: TaskRule) -> str:
    """What ``once_per`` counts beside the customer; where it says nothing, what fits the event."""
    written = next((item for item in task.once_per if item != "customer"), None)
    return written or _default(task.event)


def _default(event: Event) -> str:
    match event:
        case EntersStage() | LeavesStage():
            return "lifecycle spell"
        case TierRises() | TierFalls():
            return "tier change"
        case EveryPeriod() | OnDay() | BecomesTrue():
            return "period"
        case ScoreMissing():
            return "quarter"


class Moment(NamedTuple):
    """Where a customer stands as an episode begins: the day, the due date of the period it is for,
    and the spells it left and came into (``stage@since``)."""

    as_of: date
    due: date
    left: str
    entered: str
    tier_since: date | None


def occurrence_of(task: TaskRule, moment: Moment) -> str:
    """The value that tells this episode from the customer's others of the same task."""
    as_of = moment.as_of
    match scope_of(task):
        case "lifecycle spell":
            return moment.left if isinstance(task.event, LeavesStage) else moment.entered
        case "tier change":
            return "" if moment.tier_since is None else f"{moment.tier_since}"
        case "period":
            return moment.due.isoformat()
        case "month":
            return f"{as_of:%Y-%m}"
        case "quarter":
            return f"{as_of.year}Q{(as_of.month + 2) // 3}"
        case "year":
            return f"{as_of.year}"
        case _:
            return ""


def spell(stage: str | None, since: date | None) -> str:
    """A stay in a stage, by the stage and its first day."""
    return f"{stage}@{since}"


@dataclass(frozen=True)
class CurrentEpisode:
    """Tells whether an episode is the one today opens; made by `current_episode`.

    Two that tell the same of everybody are equal. ``made`` holds, for the id of each task, the id
    its keys are made with and today's occurrence.
    """

    ruleset: str
    object: str
    made: frozenset[tuple[str, str, str]]

    def __call__(self, id: str, task: str, key: str) -> bool:
        """By record id, task id and key."""
        return any(
            key == _key(self.ruleset, keyed, RecordRef(self.object, id), occurrence)
            for known, keyed, occurrence in self.made
            if known == task
        )


def current_episode(ruleset: Ruleset, object: str, as_of: date) -> CurrentEpisode:
    """Whether an episode is the one that *as_of* opens.

    Only of tasks that ask for a score, and only where the day alone makes the episode; of all
    others it says no.
    """
    made: dict[str, tuple[str, str, str]] = {}
    for task in ruleset.tasks:
        if isinstance(task.event, ScoreMissing) and scope_of(task) in _BY_DAY:
            occurrence = occurrence_of(task, Moment(as_of, as_of, "", "", None))
            keyed = task.was or task.id
            made |= {id: (id, keyed, occurrence) for id in (task.id, task.was) if id}
    return CurrentEpisode(ruleset.id, object, frozenset(made.values()))


_BY_DAY = {"month", "quarter", "year", "ever"}
