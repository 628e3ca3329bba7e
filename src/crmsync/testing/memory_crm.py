"""A CRM in memory: records, people, workflows, troubles to come, in any platform's shape."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from crmsync.connector.contract import Capabilities, CreateOnce
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.testing.clock import SandboxClock
from crmsync.testing.merging import merge_records
from crmsync.testing.records import RecordStore
from crmsync.testing.rows import Actor, Origin


class Trouble(StrEnum):
    """What can befall a write. The last four reach the CRM, and three of them are carried out."""

    THROTTLED = "throttled"
    QUOTA = "quota used up"
    SIGN_IN = "credentials refused"
    UNREACHABLE = "not reached"
    LOST_BEFORE_COMMIT = "connection lost, not carried out"
    LOST_AFTER_COMMIT = "connection lost, carried out"
    ERROR_AFTER_COMMIT = "answered with an error, yet carried out"
    COMMITTED_LATE = "connection lost, carried out later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """The shape of a platform. ``capabilities`` is what the connector then says of itself."""

    page: int = 3
    write_batch: int = 5
    uniform_batch: bool = False
    atomic_batch: bool = False
    conditional_write: bool = False
    can_silence_automation: bool = True
    sees_deletes: bool = False
    sees_merges: bool = False
    parallel_calls: int = 1
    index_lag: timedelta = timedelta()
    version_resolution: timedelta = timedelta()
    create_once: CreateOnce = CreateOnce.B
    late_commit: timedelta = timedelta(seconds=120)
    field_history: bool = True

    def capabilities(self) -> Capabilities:
        """The quirks in the contract's words."""
        return Capabilities(
            write_batch=self.write_batch,
            uniform_batch=self.uniform_batch,
            atomic_batch=self.atomic_batch,
            conditional_write=self.conditional_write,
            can_silence_automation=self.can_silence_automation,
            sees_deletes=self.sees_deletes,
            sees_merges=self.sees_merges,
            parallel_calls=self.parallel_calls,
            index_lag=self.index_lag,
            version_resolution=self.version_resolution,
            create_once=self.create_once,
            late_commit=self.late_commit,
            field_history=self.field_history,
        )


@dataclass(frozen=True, slots=True)
class MemoryCall:
    """One call the CRM received, ``read``, ``write`` or ``meta``."""

    kind: str
    object: str
    size: int
    at: datetime


@dataclass(slots=True)
class MemoryCrm:
    """The CRM's side: records, people, automation, a log of calls, and troubles to come.

    ``automation`` counts how often the CRM's own workflows ran (each leaves a mark in
    ``workflow_field`` where the object has that field). ``late`` is how long after the call a
    COMMITTED_LATE write is carried out, by the CRM's clock.
    """

    clock: SandboxClock = field(default_factory=SandboxClock)
    quirks: Quirks = Quirks()
    organization: Organization = field(
        default_factory=lambda: Organization("org-1", "Practice Ltd", "u-1", "Robot", "UTC", "CNY")
    )
    workflow_field: str | None = None
    late: timedelta = timedelta(seconds=60)
    store: RecordStore = field(init=False)
    calls: list[MemoryCall] = field(default_factory=list)
    automation: int = 0
    merged: dict[RecordRef, str] = field(default_factory=dict)
    """Record that was merged away → the id of the one it went into."""
    _troubles: deque[Trouble] = field(default_factory=deque)
    _later: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = RecordStore(
            self.clock, resolution=self.quirks.version_resolution, keep_past=True
        )
        self.clock.on_move(self.settle)

    def add_object(self, schema: ObjectSchema) -> None:
        """Make an object."""
        self.store.add_object(schema)

    def seed(self, object: str, records: Sequence[Mapping[str, Value]]) -> tuple[RecordRef, ...]:
        """Put records in."""
        by = Actor("seed", Origin.LOADED)
        return tuple(
            RecordRef(object, self.store.create(object, values, by).id) for values in records
        )

    def edit_as_person(self, ref: RecordRef, values: Mapping[str, Value]) -> None:
        """Somebody changes a record by hand."""
        self.store.update(ref.object, ref.id, values, Actor("colleague", Origin.PERSON))

    def delete_as_person(self, ref: RecordRef) -> None:
        """Somebody deletes a record by hand."""
        self.store.delete(ref.object, ref.id, Actor("colleague", Origin.PERSON))

    def merge_as_person(
        self, lost: RecordRef, survivor: RecordRef, *, values: Mapping[str, Value] | None = None
    ) -> None:
        """Somebody merges *lost* into *survivor*: what hangs on it moves over, it is deleted."""
        by = Actor("colleague", Origin.PERSON)
        merge_records(self.store, lost.object, lost.id, survivor.id, by, values=values)
        self.store.delete(lost.object, lost.id, by)
        self.merged[lost] = survivor.id

    def trouble(self, *kinds: Trouble) -> None:
        """Let these befall the next write calls, one each."""
        self._troubles.extend(kinds)

    def take_trouble(self) -> Trouble | None:
        """The trouble of the present call."""
        return self._troubles.popleft() if self._troubles else None

    def later(self, work: Callable[[], object]) -> None:
        """Do this when the clock has moved on by ``late``."""
        self._later.append((self.clock.now() + self.late, work))

    def settle(self) -> None:
        """Do what is due; happens by itself when the clock is moved."""
        now = self.clock.now()
        due = [work for moment, work in self._later if moment <= now]
        self._later = [(moment, work) for moment, work in self._later if moment > now]
        for work in due:
            work()

    def note(self, kind: str, object: str, size: int) -> None:
        """Log a call."""
        self.calls.append(MemoryCall(kind, object, size, self.clock.now()))

    def count(self, kind: str) -> int:
        """How many calls of a kind arrived."""
        return sum(call.kind == kind for call in self.calls)
