"""Everything a plan is made from, and one evaluated customer as it comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from crmsync.model.decision import Decision, TaskOpening
from crmsync.model.fact import FactRow
from crmsync.model.frozen import FrozenLines
from crmsync.model.mapping import CrmMapping
from crmsync.model.merge import Keeping, Merge
from crmsync.model.person import Person
from crmsync.model.plan import PlanCounts
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.source import Unfresh
from crmsync.model.state import CustomerState, Episode, StoredState
from crmsync.model.text import Text
from crmsync.plan.capacity import next_calendar_day
from crmsync.store import Refusal


class HumanEdits(StrEnum):
    """What becomes of a person's value in a field we wrote: left alone, or made an override."""

    CONFLICT = "conflict"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the records came from; a plan is pinned to it."""

    connection: str
    account_id: str
    environment: str
    pulled_at: datetime
    schema: ObjectSchema
    task_schema: ObjectSchema | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStamp:
    """What differs between two plans of the same content: it stands in the header alone."""

    plan_id: str
    created_at: datetime
    expires_at: datetime
    tool_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePolicy:
    """How far writing goes. ``in_scope`` narrows it to a group (pilot, ``--only``)."""

    human_edits: HumanEdits = HumanEdits.CONFLICT
    adopt_days: int = 90
    write_score_from: Decimal = Decimal(1)
    in_scope: Callable[[FactRow], bool] | None = None
    run_automation: bool = False
    create_tasks: bool = True
    """``False`` where the CRM cannot create a task only once and nobody accepts duplicates."""


def _nobody(opening: TaskOpening, owner: str | None) -> str | None:
    return owner


def _no_people(task: str, customers: Sequence[str]) -> Mapping[str, Sequence[Person]]:
    return {}


def _none_known(keys: Sequence[str]) -> Mapping[str, Episode]:
    return {}


def _ignore(decision: Decision) -> None:
    """Decisions are kept nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """The provenance and the surroundings of one plan.

    ``mapping`` is resolved: every field has its API name. ``owner`` turns a task's owner words and
    the customer's owner into a user id, or ``None``. ``people`` are those below customers a task is
    for, by task and customer ids. ``episodes`` tells which task keys are known.
    ``booked`` are the open tasks by rule, owner and day.
    ``overridden`` are customers with an override in force. ``previous`` are the figures of the
    last applied plan; ``source_ages`` the age of each source in days, ``source_rows`` its records
    to be compared with next time, ``unfresh`` the sources whose falls and moves are withheld.
    ``refused`` are customers the CRM refused too often: the same change is not sent again.
    ``keep`` receives every decision that changes more than facts. ``frozen`` are the lines it
    decides by, ``notes`` what to say of those that could not be drawn.
    """

    ruleset: Ruleset
    mapping: CrmMapping
    origin: Origin
    stamp: PlanStamp
    as_of: date
    policy: WritePolicy = field(default_factory=WritePolicy)
    excluded: int = 0
    owner: Callable[[TaskOpening, str | None], str | None] = _nobody
    people: Callable[[str, Sequence[str]], Mapping[str, Sequence[Person]]] = _no_people
    episodes: Callable[[Sequence[str]], Mapping[str, Episode]] = _none_known
    booked: Mapping[tuple[str, str, date], int] = field(default_factory=dict)
    next_workday: Callable[[date], date] = next_calendar_day
    overridden: frozenset[RecordRef] = frozenset()
    previous: PlanCounts | None = None
    source_ages: Mapping[str, int] = field(default_factory=dict)
    source_rows: Mapping[str, int] = field(default_factory=dict)
    unfresh: tuple[Unfresh, ...] = ()
    refused: Mapping[RecordRef, Refusal] = field(default_factory=dict)
    keep: Callable[[Decision], None] = _ignore
    frozen: tuple[FrozenLines, ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a customer takes over from the records that were merged into it (``lost``).

    ``row`` is its own state with theirs in it, as the day opens; ``kept`` what we keep of those
    records by themselves. ``own_tasks`` and ``their_tasks`` are open. ``told`` are the merges that
    only the CRM has told of.
    """

    lost: tuple[RecordRef, ...]
    row: StoredState
    kept: Keeping
    own_tasks: tuple[Episode, ...] = ()
    their_tasks: tuple[Episode, ...] = ()
    told: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One customer: what the rules decided, what the CRM holds, what we remember."""

    decision: Decision
    row: FactRow
    state: CustomerState
    inherits: Inheritance | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Customers on whom nothing can change; the policy was not asked.

    ``lines`` are their encoded observations, in the plan's place; the figures come once, with the
    last of them: how many, how many lack something, by tier, and by unknown fact.
    """

    lines: tuple[str, ...] = ()
    rows: int = 0
    incomplete: int = 0
    tiers: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
