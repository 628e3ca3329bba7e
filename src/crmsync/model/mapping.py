"""Where facts come from in one CRM, and which of its fields crmsync writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.condition import Condition
from crmsync.model.period import CalendarUnit, Period, Window
from crmsync.model.position import NOWHERE, Span
from crmsync.model.source import SourceTerms


@dataclass(frozen=True, slots=True)
class FieldPick:
    """A CRM field, named by its API name or (where the API name cannot be known) by its label."""

    name: str | None = None
    label: str | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return self.name if self.name is not None else f"“{self.label}”"


@dataclass(frozen=True, slots=True)
class JudgedFields:
    """The fields beside a value that people type in: who, on which day, and why.

    ``valid_for`` stands above what the rules say of the fact, for this CRM alone.
    """

    author: FieldPick | None = None
    date: FieldPick | None = None
    remark: FieldPick | None = None
    valid_for: Period | None = None

    def picks(self) -> tuple[FieldPick, ...]:
        """Those that are mapped."""
        return tuple(pick for pick in (self.author, self.date, self.remark) if pick is not None)


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth in the rules' own, from a day on (``None``: always)."""

    since: date | None
    value: Decimal


@dataclass(frozen=True, slots=True)
class MoneyTerms:
    """How amounts of a CRM become amounts in the currency of the rules.

    ``home``: the currency of amounts beside which no field says one; ``None``: then it is unknown.
    ``words`` are the CRM's own words for currencies, with their codes; ``rates`` stand by code, the
    latest first. A code without a rate, or without one on that day yet, is never guessed at.
    """

    home: str | None = None
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rates: Mapping[str, tuple[Rate, ...]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldSource:
    """The fact is a field of the customer record; ``values`` translates stored values."""

    field: FieldPick
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    judged: JudgedFields | None = None
    currency: FieldPick | None = None
    """The field that tells the currency of an amount; it is converted by the rate of today."""
    places: Mapping[str, Span] = dataclasses.field(default_factory=dict, compare=False)
    """Where each stored value is written."""


class Aggregate(StrEnum):
    """How related records become one fact. FIRST and LAST are by the related date, among
    records that have the value; GAP (``gap: median``) and GAP_MEAN (``gap: mean``) are the days
    between consecutive different related dates."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    DISTINCT = "distinct"
    GAP = "gap"
    GAP_MEAN = "gap mean"


@dataclass(frozen=True, slots=True)
class AggregateSource:
    """The fact is computed from related records.

    ``of`` is ``None`` for a plain count and for GAP. ``where`` narrows below the relation's own;
    ``within`` keeps records whose related date lies in the window. ``per`` divides a count or sum
    by how many months, quarters or years the window is long.
    """

    related: str
    aggregate: Aggregate
    of: FieldPick | None = None
    where: Condition | None = None
    within: Window | None = None
    per: CalendarUnit | None = None
    currency: FieldPick | None = None
    """The related records' field that tells their currency; each is converted by the rate of its
    own date, before anything is added up."""
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


Source: TypeAlias = FieldSource | AggregateSource


@dataclass(frozen=True, slots=True)
class Related:
    """Records that point to the customer: ``via`` is their look-up field, ``date`` the business
    date (order, invoice or payment), ``where`` which of them count.

    Of people ``called`` is the field of the name, ``do_not_contact`` the tick of those to be left
    in peace, and ``fields`` what the rules call their other fields.
    """

    name: str
    object: str
    via: str
    date: str
    where: Condition | None = None
    called: FieldPick | None = None
    do_not_contact: FieldPick | None = None
    fields: Mapping[str, FieldPick] = dataclasses.field(default_factory=dict)
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """A field crmsync owns; ``values`` maps our id to the stored value (default: its label)."""

    role: str
    field: FieldPick
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    places: Mapping[str, Span] = dataclasses.field(default_factory=dict, compare=False)
    """Where each stored value is written."""


@dataclass(frozen=True, slots=True)
class TaskTarget:
    """How a task is written: its object, its fields, and the status values of open and closed."""

    object: str
    key: str
    subject: str
    due: str
    owner: str
    about: str
    status: str
    open: str
    closed: str
    priority: str | None = None
    priorities: Mapping[str, str] = dataclasses.field(default_factory=dict)
    via: str | None = None
    """The field of the channel; ``channels`` translates what rules call it."""
    channels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str | None = None
    """The field of the text below the subject: what the task is to find out."""
    person: str | None = None
    """The look-up field of the person a task is about, besides the customer."""
    places: Mapping[str, Span] = dataclasses.field(default_factory=dict, compare=False)
    """Where the value of each key is written, and each entry of its tables as ``table.entry``."""


WRITE_ROLES = (
    "tier",
    "tier_since",
    "score",
    "lifecycle",
    "lifecycle_since",
    "service",
    "segments",
    "reason",
    "rules_version",
    "run",
    "evaluated_on",
)
"""The roles a mapping's ``write`` block may name."""
OWNER = "owner"
"""The role of the record's owner: written only where a rule says ``may_reassign_owner``."""
OWNED_ROLES = (*WRITE_ROLES, OWNER)


@dataclass(frozen=True, slots=True)
class PeopleSource:
    """Which related records the people of one task rule are; ``where`` names CRM fields."""

    related: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class CrmMapping:
    """One ``mapping/<crm>.yaml``, read and checked. Conditions name CRM fields."""

    connector: str
    object: str
    applies_to: Condition | None
    identity_name: FieldPick
    identity_owner: FieldPick | None
    related: Mapping[str, Related]
    read: Mapping[str, Source]
    write: Mapping[str, WriteTarget]
    lock_field: FieldPick | None
    tasks: TaskTarget | None
    digest: str
    file: str = ""
    sources: Mapping[str, SourceTerms] = dataclasses.field(default_factory=dict)
    """Object → when its records are fresh and whole; an object without terms always is."""
    users: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Owners as tasks name them (``role:…``, ``queue:…``) → a user of this CRM, by id or name."""
    people: Mapping[str, PeopleSource] = dataclasses.field(default_factory=dict)
    """Task id → the people it is for, where it is for each of them."""
    money: MoneyTerms | None = None
    """``None``: every amount is in the rules' own currency."""

    def owning(self) -> CrmMapping:
        """The same mapping, with the record's owner among the fields crmsync writes."""
        if self.identity_owner is None:
            return self
        target = WriteTarget(OWNER, self.identity_owner)
        return dataclasses.replace(self, write={**self.write, OWNER: target})
