"""The tasks block, typed: events, due dates, owners and episodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
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


@dataclass(frozen=True, slots=True)
class FactDay:
    """The day a date fact holds."""

    fact: str


@dataclass(frozen=True, slots=True)
class Anniversary:
    """The day of a date fact in every later year; 29 February is 28 February in common years."""

    fact: str


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of every year; 29 February is 28 February in common years."""

    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Festival:
    """A festival by its id: of the lunar calendar, of the solar one, or a moving Sunday."""

    id: str


DayOf: TypeAlias = FactDay | Anniversary | YearDay | Festival


_NO_SHIFT = Period()


@dataclass(frozen=True, slots=True)
class OnDay:
    """A day, or ``shift`` before or after it; once for each such day."""

    of: DayOf
    shift: Period = _NO_SHIFT
    before: bool = False


@dataclass(frozen=True, slots=True)
class BecomesTrue:
    """``condition`` holds and did not hold at the evaluation before.

    A customer evaluated with this rule for the first time is only remembered: rules that begin to
    watch make no storm of tasks. An unknown condition keeps what was remembered.
    """

    condition: Condition


Event: TypeAlias = (
    EntersStage
    | LeavesStage
    | TierRises
    | TierFalls
    | EveryPeriod
    | OnDay
    | BecomesTrue
    | ScoreMissing
)


ACCOUNT_OWNER = "account owner"
"""The owner word that stands for whoever owns the customer."""


@dataclass(frozen=True, slots=True)
class DoneWithin:
    """``FACT within period``: the date fact lies within the event's own period, ending today."""

    fact: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What the task is to find out: a fact that somebody fills in, and what may be answered.

    While ``required``, the task is not closed before the fact is known.
    """

    fact: str
    choices: tuple[str, ...] = ()
    required: bool = False


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
class ForEach:
    """One task for every person below the customer: ``related`` is a relation of the mapping,
    ``where`` says which of its records, in the mapping's names for their fields."""

    related: str
    where: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TaskRule:
    """When to create a task, for whom, and what makes it one episode.

    ``owner`` entries: ``account owner``, ``judge``, ``role:NAME``, ``queue:NAME`` or a user id;
    the first that resolves to an active user wins, then ``fallback_owner``. ``once_per`` always
    holds ``customer`` plus at most one of ``lifecycle spell``, ``tier change``, ``period``,
    ``month``, ``quarter``, ``year``, ``ever``. Episode keys hash ``was`` where it is given, so a
    renamed task keeps its past.

    ``counts_as_done`` keeps the task away when it was done already. ``via`` is the channel.
    Before the day ``start`` nothing is created. ``capacity`` is how many tasks of this rule one
    owner gets for one day. ``may_reassign_owner``: with the task the customer itself goes to the
    task's owner; without it nobody's record owner is ever changed. ``for_each``: a task for every
    person below the customer, each an episode of its own.
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
    counts_as_done: Condition | DoneWithin | None = None
    via: str | None = None
    result: TaskResult | None = None
    start: date | None = None
    capacity: int | None = None
    may_reassign_owner: bool = False
    for_each: ForEach | None = None
    span: Span = field(default=NOWHERE, compare=False)

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the rule, the event's own included."""
        if isinstance(self.event, BecomesTrue):
            yield self.event.condition
        done = None if isinstance(self.counts_as_done, DoneWithin) else self.counts_as_done
        yield from (item for item in (self.when, done, self.close_when) if item is not None)

    def reads(self) -> Iterator[str]:
        """The facts the rule reads outside its conditions and its title."""
        if isinstance(self.event, OnDay) and isinstance(self.event.of, FactDay | Anniversary):
            yield self.event.of.fact
        if isinstance(self.counts_as_done, DoneWithin):
            yield self.counts_as_done.fact
        if self.result is not None:
            yield self.result.fact
