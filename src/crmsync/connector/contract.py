"""The connector contract: twelve promises, one Protocol, three predicates.

1. ``read`` yields each matching record once, whatever the platform's caps.
2. A ``resume`` token from any page continues without loss.
3. Values are canonical: what was written reads back equal, per field type.
4. ``write`` returns exactly one result per change; a bad record never raises.
5. A raise speaks for the whole call: Throttled, QuotaExhausted, Unavailable, AuthError and
   AccessDenied mean nothing was written; BatchRejected was rolled back; OutcomeUnknown may have
   been written.
6. No silent repeat of a write whose reply was lost: the engine reconciles by reading.
7. The CRM's own automation stays quiet unless asked, or the capability says it cannot.
8. Where ``conditional_write`` is claimed, a moved record gives CONFLICT and stays untouched.
9. Empty input makes no call, ``close`` twice is fine, ``check`` never writes.
10. No credential or personal value appears in any error, repr or log.
11. Where ``sees_merges`` is claimed, a record merged into another is read as deleted and names it,
    by time and by id.
12. Where ``field_history`` is claimed, a record's history tells every save since the moment asked
    for, newest first, with canonical values, and guesses none.

Each is a check in `crmsync.testing`, and each check has a mutant that must fail it. A connector
makes one remote call at a time; the engine batches, halves, reconciles and journals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from crmsync.model.change import Change, ChangeResult
from crmsync.model.history import HistoryEntry
from crmsync.model.metering import Workload
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import FieldSchema, ObjectSchema, Organization, Quota
from crmsync.model.text import Text
from crmsync.model.user import User


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record of the object."""


@dataclass(frozen=True, slots=True)
class ModifiedSince:
    """Records modified at or after ``moment`` (aware); deleted ones too where they are shown."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class FieldIn:
    """Records whose ``field`` is one of ``values``; ``field="id"`` reads by id.

    ``below`` narrows to the children of one parent record (a task's customer), for look-ups that
    must be strongly consistent.
    """

    field: str
    values: tuple[Value, ...]
    below: str | None = None


Where: TypeAlias = Everything | ModifiedSince | FieldIn


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """What to read: an object, the fields wanted (by API name), and which records."""

    object: str
    fields: tuple[str, ...]
    where: Where = Everything()


@dataclass(frozen=True, slots=True)
class Page:
    """Some records and an opaque token that continues after them; ``None`` ends the read.

    ``server_time`` is the CRM's own clock when the page was made, where it tells.
    """

    records: tuple[Record, ...]
    resume: str | None
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """``run_automation``: let the CRM's workflows, approvals and assignment run (default: quiet).

    ``strict``: one record a call with compare-and-set, where the CRM can.
    """

    run_automation: bool = False
    strict: bool = False


class CreateOnce(StrEnum):
    """How surely a record can be created once.

    A upsert by a unique key; B a marker field and a strongly consistent list; C a marker field and
    a search that lags; D none of these.
    """

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector can do, as data; the engine asks nothing else about a vendor."""

    write_batch: int
    """Records per ``write`` call."""
    uniform_batch: bool = False
    """One set of values for all records of a call."""
    atomic_batch: bool = False
    """One bad record fails the call (BatchRejected)."""
    conditional_write: bool = False
    """The server honours ``SetFields.version``."""
    can_silence_automation: bool = False
    sees_deletes: bool = False
    sees_merges: bool = False
    """A deleted record names the one it was merged into (``merged_into``), in ModifiedSince reads
    and asked for by id. Where a CRM does not tell an API, the connector says no and people do."""
    parallel_calls: int = 1
    index_lag: timedelta = timedelta()
    """How late a ModifiedSince or FieldIn read may see a change."""
    late_commit: timedelta = timedelta(seconds=120)
    """How long after sending the server may still commit a write (S_max)."""
    version_resolution: timedelta = timedelta()
    """The grain of ``version``: edits inside it cannot be told apart."""
    create_once: CreateOnce = CreateOnce.D
    reassigns: bool = True
    """SetFields may change who owns a record, like any other field."""
    field_history: bool = False
    """A record's own history can be asked for: `FieldHistory`."""
    history_lag: timedelta = timedelta()
    """How late a record's history may show a save."""
    lookback: timedelta = timedelta(minutes=5)
    """How far an incremental read overlaps the last one."""


@runtime_checkable
class Reader(Protocol):
    """The half of a connector that planning receives: it cannot write."""

    @property
    def capabilities(self) -> Capabilities: ...

    def check(self) -> Organization:
        """Sign in and tell who and where we are; writes nothing."""
        ...

    def describe(self, object: str) -> ObjectSchema:
        """The object's fields. Raises UnexpectedReply when there is no such object."""
        ...

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        """Pages of matching records, each once, from the start or after ``resume``."""
        ...

    def close(self) -> None:
        """Give back connections; twice is fine."""
        ...


@runtime_checkable
class Connector(Reader, Protocol):
    """Everything a CRM connection offers. ``write`` is called by apply and by nothing else."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        """One remote call for at most ``write_batch`` changes of one kind and one object.

        Thread-safe up to ``parallel_calls``. The call has a total deadline of 15 s.
        """
        ...


@runtime_checkable
class FieldProvisioner(Protocol):
    """A connector that can create custom fields."""

    def create_field(self, object: str, field: FieldSchema) -> FieldSchema:
        """Create the field and return it as the CRM now describes it (its API name may differ)."""
        ...

    def add_choices(self, object: str, field: str, choices: Sequence[str]) -> None:
        """Add missing values to a picklist field."""
        ...


@runtime_checkable
class FieldWorksheet(Protocol):
    """A connector whose CRM lets only a person create fields: it says what to create."""

    def worksheet(self, object: str, fields: Sequence[FieldSchema]) -> Text:
        """What an administrator still has to do by hand so that *fields* are there.

        Fields are matched by label: *fields* carry labels, types and choices' labels; their names
        mean nothing. Reads the object anew; writes nothing.
        """
        ...


@runtime_checkable
class FieldHistory(Protocol):
    """A connector whose CRM keeps a history of what was changed in each record."""

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        """The saves of one record that moved one of *fields*, newest first, each once.

        At least those at or after *since*, by the CRM's own clock; older ones MAY follow. A value
        that cannot be read for certain MUST NOT be guessed: the field is named in ``unread``
        then. Read lazily: whoever has seen enough stops. Nothing is told of a record that is not
        there. Raises UnexpectedReply when the history cannot be read at all (also where the CRM
        refuses to speak of a deleted record), and AccessDenied where it is closed to us.
        """
        ...


@runtime_checkable
class UserDirectory(Protocol):
    """A connector that can tell who the CRM's users are."""

    def users(self) -> Sequence[User]:
        """Every user, those who left among them. Raises AccessDenied where the list is closed."""
        ...


@runtime_checkable
class QuotaReporter(Protocol):
    """A connector that knows what it used and what a plan will take."""

    def quota(self) -> Quota:
        """Calls used and left, in the vendor's unit; makes no call."""
        ...

    def price_of(self, work: Workload) -> int:
        """What writing so much will take, in the same unit; makes no call."""
        ...
