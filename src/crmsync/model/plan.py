"""A plan: every field and task that will change, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from crmsync.model.decision import Cause
from crmsync.model.frozen import FrozenLines
from crmsync.model.merge import Keeping, Merge
from crmsync.model.metering import PlanCost
from crmsync.model.override import Override
from crmsync.model.record import RecordRef, Value
from crmsync.model.source import Unfresh
from crmsync.model.state import Clocks, Standing
from crmsync.model.text import Text


class PlanKind(StrEnum):
    """What made the plan."""

    RULES = "rules"
    UNDO = "undo"
    ADOPT = "adopt"


class Direction(StrEnum):
    """How the customer moves, for the legend: ▲ ▼ • and * for a first assignment."""

    FIRST = "first"
    RISE = "rise"
    FALL = "fall"
    STAGE = "stage"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldDelta:
    """One field: its role (``tier``, ``score`` …), the values, and why in a sentence.

    The labels are what people see where the CRM stores a picklist's option under a code.
    """

    field: str
    role: str
    label: Text
    before: Value
    after: Value
    why: Text
    before_label: str | None = None
    after_label: str | None = None
    theirs: bool = False
    """The new value is a person's that we had overwritten: it counts as theirs again."""


@dataclass(frozen=True, slots=True)
class RecordChange:
    """The fields of one customer that will be set.

    ``fields`` may be empty: then only ``standing`` is confirmed (the CRM already says so).
    ``version`` is for compare-and-set.
    """

    change_id: str
    ref: RecordRef
    name: str
    owner: str | None
    direction: Direction
    cause: Cause
    fields: tuple[FieldDelta, ...]
    version: str | None
    standing: Standing | None
    tier_before: str | None = None
    tier_after: str | None = None
    notes: tuple[Text, ...] = ()
    """What stays and why ("first day below the keep line, not demoted yet")."""


@dataclass(frozen=True, slots=True)
class TaskCreate:
    """A task that will be created once; ``key`` is written to the task's key field."""

    change_id: str
    key: str
    task_id: str
    about: RecordRef
    name: str
    title: Text
    due: date
    owner: str | None
    priority: str
    object: str
    key_field: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class TaskClose:
    """A task of ours that will be closed: ``values`` are the fields set on the task itself.

    ``ref`` has an empty id where the CRM never told one: apply finds the task by ``key``, which
    stands in its ``key_field``.
    """

    change_id: str
    key: str
    task_id: str
    about: RecordRef
    name: str
    ref: RecordRef
    before: Mapping[str, Value]
    values: Mapping[str, Value]
    text: Text
    reopen: bool = False
    """Undo of a closing: the same line with the values the other way round."""
    key_field: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Clocks of one customer, committed before the first write even of an empty plan."""

    ref: RecordRef
    clocks: Clocks
    opening: Standing
    """The standing the day opened with."""
    known_facts: frozenset[str] = frozenset()
    drop_state: bool = False
    """Undo of a first assignment: forget the standing."""
    facts_digest: str = ""
    """The facts of this evaluation, without those that time alone moves."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """What we keep of the records that were merged into ``ref`` goes to it, in our own books.

    ``lost`` are those records, ``after`` what is kept of all of them then; ``told`` the merges that
    only the CRM has told of. ``text`` says what goes over. ``back``: undo of a takeover.
    """

    change_id: str
    ref: RecordRef
    name: str
    lost: tuple[RecordRef, ...]
    after: Keeping
    text: Text
    told: tuple[Merge, ...] = ()
    back: bool = False


PlanLine: TypeAlias = RecordChange | TaskCreate | TaskClose | Observation | Takeover


@dataclass(frozen=True, slots=True)
class Withheld:
    """A row that would change but must not: what, and why."""

    ref: RecordRef
    name: str
    kind: str
    """``fact_lost``, ``stale_source``, ``dead_letter``, ``human_edit``, ``locked``,
    ``outside_pilot``, ``no_owner``, ``tasks_off``, ``bad_value``, ``unplaced``; ``over_capacity``
    for a task dated later."""
    text: Text
    field: str | None = None


@dataclass(frozen=True, slots=True)
class PlanNotice:
    """Notice of a demotion to come, for a customer the plan does not otherwise change."""

    ref: RecordRef
    name: str
    tier: str
    due_on: date
    text: Text


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One guard's figure against its limit, by name; ``allow`` is the consent that lets it pass."""

    name: str
    count: int
    of: int
    limit: Decimal
    share: bool
    tripped: bool
    allow: str
    place: str = ""

    @property
    def figure(self) -> Decimal:
        """The share when the limit is a share, else the count."""
        if not self.share:
            return Decimal(self.count)
        return Decimal(self.count) / Decimal(self.of) if self.of else Decimal(0)


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """The figures of the summary line."""

    evaluated: int = 0
    excluded: int = 0
    rises: int = 0
    falls: int = 0
    firsts: int = 0
    stage_only: int = 0
    other: int = 0
    unchanged: int = 0
    new_tasks: int = 0
    closed_tasks: int = 0
    withheld: int = 0
    missing: int = 0
    """Customers with at least one unknown fact that a rule reads."""
    by_cause: Mapping[str, int] = field(default_factory=dict)
    tiers_before: Mapping[str, int] = field(default_factory=dict)
    tiers_after: Mapping[str, int] = field(default_factory=dict)
    fields: int = 0
    withheld_by_kind: Mapping[str, int] = field(default_factory=dict)
    missing_facts: Mapping[str, int] = field(default_factory=dict)
    """Fact id → customers whose value is unknown: the next plan's ``missing_rise`` looks here."""
    notices: int = 0
    """Customers told of a demotion to come, and not otherwise changed."""
    merged: int = 0
    """Customers that take over what is kept of others, which were merged into them."""
    sources: Mapping[str, int] = field(default_factory=dict)
    """Object → records, as the next plan compares with them."""

    @property
    def anything(self) -> bool:
        """Whether applying the plan does more than note clocks."""
        return bool(self.fields or self.new_tasks or self.closed_tasks or self.merged)


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """Provenance: a plan is refused when any of this no longer holds."""

    plan_id: str
    kind: PlanKind
    created_at: datetime
    expires_at: datetime
    as_of: date
    ruleset: str
    ruleset_version: int
    ruleset_digest: str
    mapping_digest: str
    connection: str
    connector: str
    account_id: str
    environment: str
    object: str
    owned_fields: tuple[str, ...]
    task_object: str | None
    task_fields: tuple[str, ...]
    schema_fingerprint: str
    pulled_at: datetime
    tool_version: str
    counts: PlanCounts
    guards: tuple[GuardResult, ...]
    withheld: tuple[Withheld, ...] = ()
    undoes: int | None = None
    run_automation: bool = False
    owned: Mapping[str, str] = field(default_factory=dict)
    """role → field of the owned fields."""
    adoptions: tuple[Override, ...] = ()
    """A person's edits of the tier that become overrides (``human_edits: adopt``)."""
    notices: tuple[PlanNotice, ...] = ()
    """Listed up to a limit; ``counts.notices`` is whole."""
    cost: PlanCost | None = None
    """What applying it takes of the vendor's API quota, where the vendor counts."""
    unfresh: tuple[Unfresh, ...] = ()
    """Sources that do not meet their terms; ``counts.withheld_by_kind`` has the rows held."""
    frozen: tuple[FrozenLines, ...] = ()
    """The lines this plan decided by; ``apply`` keeps those that are not kept yet."""
    notes: tuple[Text, ...] = ()
    """What the whole plan goes without, and why: a fit that was refused, say."""


class PlanSource(Protocol):
    """A verified plan: its header in memory, its lines streamed as often as asked."""

    @property
    def header(self) -> PlanHeader: ...

    @property
    def digest(self) -> str:
        """SHA-256 of the file's content, as approvals name it."""
        ...

    def lines(self) -> Iterator[PlanLine]:
        """Every line in the plan's order."""
        ...


def short_digest(digest: str) -> str:
    """``7f3a…c91e``: how people read a digest."""
    return f"{digest[:4]}…{digest[-4:]}"
