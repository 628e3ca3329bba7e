"""The tasks block, typed: events, due dates, owners and episodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.condition import Condition
from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class EntersStage:
    """The customer came into ``stage``."""

    stage: str


@dataclass(frozen=True, slots=True)
class LeavesStage:
    """The customer left ``stage``."""

    stage: str


@dataclass(frozen=True, slots=True)
class TierRises:
    """Promoted, to ``to`` or to any level. A first assignment is not a rise."""

    to: str | None = None


@dataclass(frozen=True, slots=True)
class TierFalls:
    """Demoted, to ``to`` or to any level."""

    to: str | None = None


@dataclass(frozen=True, slots=True)
class EveryPeriod:
    """Each ``period`` counted from tier_since; or as the tier's service value says."""

    period: Period | None = None
    service_value: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreMissing:
    """A criterion with ``missing: ask`` has no value."""


Event: TypeAlias = EntersStage | LeavesStage | TierRises | TierFalls | EveryPeriod | ScoreMissing


@dataclass(frozen=True, slots=True)
class Due:
    """Days until a task is due; work days of the ruleset's calendar unless ``calendar_days``."""

    days: int
    calendar_days: bool = False


class Priority(StrEnum):
    """How urgent a task is."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class TaskRule:
    """When to create a task, for whom, and what makes it one episode.

    ``owner`` entries: ``account owner``, ``judge``, ``role:NAME``, ``queue:NAME`` or a user id;
    the first that resolves to an active user wins, then ``fallback_owner``. ``once_per`` always
    holds ``customer`` plus at most one of ``lifecycle spell``, ``tier change``, ``period``,
    ``month``, ``quarter``, ``year``, ``ever``. Episode keys hash ``was`` where it is given, so a
    renamed task keeps its past.
    """

    id: str
    title: Text
    event: Event
    owner: tuple[str, ...]
    due: Due
    when: Condition | None = None
    fallback_owner: str | None = None
    priority: Priority = Priority.NORMAL
    once_per: tuple[str, ...] = ("customer",)
    close_when: Condition | None = None
    was: str | None = None
    span: Span = field(default=NOWHERE, compare=False)
