"""A whole ruleset, read and typed: what the engine runs, with the line each part came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.condition import Condition, Expression
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span
from crmsync.model.scorecard import Scorecard
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One declared fact. ``missing`` is the value used when nothing is known (None: unknown)."""

    id: str
    label: Text
    type: FactType
    choices: tuple[str, ...] = ()
    between: tuple[Decimal, Decimal] | None = None
    missing: FactValue = None
    judged_by: str | None = None
    formula: Expression | None = None
    span: Span = field(default=NOWHERE, compare=False)


# ── tier ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Level:
    """One tier; ``enter`` and ``keep`` are score lines. The lowest ranked level has neither."""

    id: str
    label: Text
    enter: Decimal | None = None
    keep: Decimal | None = None
    by_exception_only: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a score must stay below the keep line: days, or a number of evaluations."""

    days: int | None = None
    evaluations: int | None = None


@dataclass(frozen=True, slots=True)
class UpChange:
    """Promotion: ``hold`` days since the last change, at most ``max_step`` levels a day."""

    hold: int = 0
    max_step: int | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class DownChange:
    """Demotion; days throughout. ``at_review`` waits for a released review; a waiting demotion is
    announced ``notice`` days before it is due (0: never)."""

    demote_after: Patience = Patience(days=30)
    hold: int = 0
    grace: int = 0
    max_step: int | None = None
    at_review: bool = False
    notice: int = 0
    span: Span = field(default=NOWHERE, compare=False)


class ExceptionAction(StrEnum):
    """SET wins; then the strictest AT_MOST caps; then AT_LEAST lifts inside that cap."""

    SET = "set"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class TierException:
    """A named departure from the score; ignores hold, demote_after, max_step and review."""

    id: str
    reason: Text
    when: Condition
    action: ExceptionAction
    level: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TierRules:
    """Levels best first (levels ``by_exception_only`` have no rank), changes and exceptions."""

    levels: tuple[Level, ...]
    up: UpChange
    down: DownChange
    exceptions: tuple[TierException, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def ranked(self) -> tuple[Level, ...]:
        """The levels a score can reach, best first."""
        return tuple(level for level in self.levels if not level.by_exception_only)

    def level(self, id: str) -> Level:
        """The level of that id; raises KeyError when there is none."""
        for level in self.levels:
            if level.id == id:
                return level
        raise KeyError(id)


# ── lifecycle ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the lifecycle."""

    id: str
    label: Text
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """A legal edge. ``lasting``: days its condition must have held (0: at once)."""

    id: str
    sources: tuple[str, ...]
    to: str
    when: Condition
    lasting: int = 0
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """The graph; for every customer the first move that fits is made."""

    start: str
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...]
    span: Span = field(default=NOWHERE, compare=False)

    def stage(self, id: str) -> Stage:
        """The stage of that id; raises KeyError when there is none."""
        for stage in self.stages:
            if stage.id == id:
                return stage
        raise KeyError(id)


# ── service, tasks, guards ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ServiceValue:
    """One entitlement of a tier: ``text`` for people; ``period`` when it is a span of days up."""

    name: str
    text: Text
    period: Period | None = None
    label: Text | None = None
    """What people call this entitlement, where it differs from its name."""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a tier is entitled to."""

    tier: str
    values: tuple[ServiceValue, ...]
    span: Span = field(default=NOWHERE, compare=False)

    def value(self, name: str) -> ServiceValue | None:
        """The entitlement of that name, if the tier has it."""
        return next((value for value in self.values if value.name == name), None)


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


@dataclass(frozen=True, slots=True)
class GuardLimit:
    """A limit of a guard: a share (``0.1`` for 10 %) of the records evaluated, or a count."""

    name: str
    limit: Decimal
    share: bool
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Everything ``rules.yaml`` says, typed.

    ``digest`` is over the canonical typed content with its tables; comments, labels of nothing but
    people and layout do not change it. ``time_zone`` is an IANA name, ``workdays`` a country code.
    """

    id: str
    version: int
    title: Text
    record: str
    languages: tuple[str, ...]
    time_zone: str
    currency: str | None
    workdays: str
    facts: tuple[FactDefinition, ...]
    scorecards: tuple[Scorecard, ...]
    tier: TierRules | None
    lifecycle: LifecycleRules | None
    service: Mapping[str, ServiceLevel]
    tasks: tuple[TaskRule, ...]
    guards: tuple[GuardLimit, ...]
    digest: str
    file: str = ""

    def fact(self, id: str) -> FactDefinition:
        """The fact of that id; raises KeyError when there is none."""
        for fact in self.facts:
            if fact.id == id:
                return fact
        raise KeyError(id)


STATE_NAMES: Mapping[str, FactType] = {
    "tier": FactType.CHOICE,
    "tier_before": FactType.CHOICE,
    "tier_since": FactType.DATE,
    "lifecycle": FactType.CHOICE,
    "lifecycle_before": FactType.CHOICE,
    "lifecycle_since": FactType.DATE,
    "score": FactType.NUMBER,
}
"""Names every condition may use besides facts. They come from the decision and its state, so a
condition that reads one is evaluated per record after the match, not in the columnar pass."""
