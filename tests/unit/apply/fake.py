"""A small CRM in memory with a clock, a script of faults, late commits and a lagging index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.unit.plan.builders import NOW

from crmsync.connector import (
    Capabilities,
    CreateOnce,
    FieldIn,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.errors import (
    AuthError,
    BatchRejected,
    ConnectorError,
    OutcomeUnknown,
    QuotaExhausted,
    Throttled,
    Unavailable,
)
from crmsync.model.change import (
    Change,
    ChangeResult,
    CreateRecord,
    Outcome,
    RemoteError,
    SetFields,
)
from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.model.text import Text


@dataclass
class Clock:
    """A clock that only sleeping moves; the CRM commits what falls due meanwhile."""

    moment: datetime = NOW
    slept: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Stored:
    fields: dict[str, Value]
    version: int
    created: datetime


ROBOT = "Robot"
Fault = Callable[["FakeCrm", Sequence[Change]], None]


@dataclass
class FakeCrm:
    """What the server holds, whatever becomes of the programs that talk to it."""

    clock: Clock
    capabilities: Capabilities
    objects: dict[str, dict[str, Stored]] = field(default_factory=dict)
    sets: Counter[tuple[str, str]] = field(default_factory=Counter)
    creations: Counter[str] = field(default_factory=Counter)
    committing: datetime | None = None
    pending: list[tuple[datetime, Sequence[Change]]] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    read_faults: list[ConnectorError | None] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    calls: list[Sequence[Change]] = field(default_factory=list)
    options: list[WriteOptions] = field(default_factory=list)
    reads: list[ReadQuery] = field(default_factory=list)
    history: dict[RecordRef, list[HistoryEntry]] = field(default_factory=dict)
    """By record, its saves in their order: the CRM's own history."""
    history_faults: list[ConnectorError | None] = field(default_factory=list)
    histories: int = 0
    """How often a record's history was asked for."""
    tells_ids: bool = True
    """False: creations are confirmed without the new id."""
    before_write: Callable[[FakeCrm], None] = lambda crm: None
    after_write: Callable[[FakeCrm], None] = lambda crm: None

    def put(self, ref: RecordRef, /, by: str = "colleague", **fields: Value) -> None:
        known = self.objects.setdefault(ref.object, {})
        old = known.get(ref.id)
        version = old.version + 1 if old else 1
        merged = {**(old.fields if old else {}), **fields}
        at = self.committing or self.clock.now()
        known[ref.id] = Stored(merged, version, at)
        self._remember(ref, old.fields if old else {}, merged, at, by)

    def _remember(
        self,
        ref: RecordRef,
        before: dict[str, Value],
        after: dict[str, Value],
        at: datetime,
        by: str | None,
    ) -> None:
        changes = {
            name: FieldChange(before.get(name), value)
            for name, value in after.items()
            if before.get(name) != value
        }
        if changes:
            saves = self.history.setdefault(ref, [])
            ours = by == ROBOT
            saves.append(HistoryEntry(id=str(len(saves)), at=at, by=by, ours=ours, changes=changes))

    def get(self, ref: RecordRef) -> dict[str, Value]:
        return self.objects[ref.object][ref.id].fields

    def delete(self, ref: RecordRef) -> None:
        del self.objects[ref.object][ref.id]

    def tasks(self) -> dict[str, dict[str, Value]]:
        return {key: stored.fields for key, stored in self.objects.get("Tasks", {}).items()}

    def version(self, stored: Stored) -> str:
        """A counter; where versions have a grain, the time of the last change as coarse as that."""
        grain = self.capabilities.version_resolution.total_seconds()
        return str(int(stored.created.timestamp() // grain) if grain else stored.version)

    def settle(self) -> None:
        """Carry out the commits that fell due."""
        due = [item for item in self.pending if item[0] <= self.clock.now()]
        self.pending = [item for item in self.pending if item[0] > self.clock.now()]
        for self.committing, changes in due:
            for change in changes:
                self.commit(change)
        self.committing = None

    def commit(self, change: Change) -> ChangeResult:
        if change.change_id in self.refused:
            error = RemoteError("INVALID_DATA", "not in the picklist", field="Tier")
            return ChangeResult(change.change_id, Outcome.REJECTED, error=error)
        if isinstance(change, CreateRecord):
            return self._create(change)
        stored = self.objects.get(change.ref.object, {}).get(change.ref.id)
        if stored is None:
            error = RemoteError("NOT_FOUND", "no such record")
            return ChangeResult(change.change_id, Outcome.REJECTED, error=error)
        if change.version is not None and change.version != self.version(stored):
            return ChangeResult(change.change_id, Outcome.CONFLICT)
        for name in change.after:
            self.sets[change.ref.id, name] += 1
        self.put(change.ref, by=ROBOT, **change.after)
        version = self.version(self.objects[change.ref.object][change.ref.id])
        return ChangeResult(change.change_id, Outcome.APPLIED, change.ref, version)

    def _create(self, change: CreateRecord) -> ChangeResult:
        key = str(change.values[change.key_field])
        if self.capabilities.create_once is CreateOnce.A:
            for known, stored in self.objects.get(change.object, {}).items():
                if stored.fields.get(change.key_field) == key:
                    ref = RecordRef(change.object, known)
                    return ChangeResult(change.change_id, Outcome.APPLIED, ref)
        self.creations[key] += 1
        ref = RecordRef(change.object, f"T{sum(self.creations.values())}")
        self.put(ref, by=ROBOT, **change.values)
        told = ref if self.tells_ids else None
        return ChangeResult(change.change_id, Outcome.APPLIED, told)


class FakeConnector:
    """One program's connection to the fake CRM."""

    def __init__(self, crm: FakeCrm) -> None:
        self.crm = crm
        self.capabilities = crm.capabilities

    def check(self) -> Organization:
        return Organization("org-1", "Example", "u1", "Robot")

    def describe(self, object: str) -> ObjectSchema:
        return ObjectSchema(object, object, ())

    def close(self) -> None:
        """Nothing to give back."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        crm = self.crm
        crm.settle()
        crm.reads.append(query)
        fault = crm.read_faults.pop(0) if crm.read_faults else None
        if fault is not None:
            raise fault
        assert isinstance(query.where, FieldIn)
        found = [
            Record(
                RecordRef(query.object, number),
                {name: stored.fields.get(name) for name in query.fields},
                stored.created,
                crm.version(stored),
            )
            for number, stored in self._asked(query.object, query.where)
            if self._fits(query.where, number, stored)
        ]
        middle = len(found) // 2
        yield Page(tuple(found[:middle]), "more")
        yield Page(tuple(found[middle:]), None)

    def _asked(self, object: str, where: FieldIn) -> list[tuple[str, Stored]]:
        held = self.crm.objects.get(object, {})
        if where.field != "id":
            return list(held.items())
        return [(id, held[id]) for id in map(str, where.values) if id in held]

    def _fits(self, where: FieldIn, id: str, stored: Stored) -> bool:
        crm = self.crm
        if where.field == "id":
            return id in where.values
        if where.below is not None and stored.fields.get("What") != where.below:
            return False
        lag = crm.capabilities.index_lag if where.below is None else timedelta()
        visible = stored.created + lag <= crm.clock.now()
        return visible and stored.fields.get(where.field) in where.values

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        crm = self.crm
        crm.settle()
        crm.histories += 1
        lag = crm.capabilities.history_lag
        fault = crm.history_faults.pop(0) if crm.history_faults else None
        if fault is not None:
            raise fault
        for entry in reversed(crm.history.get(ref, [])):
            kept = {name: change for name, change in entry.changes.items() if name in fields}
            shown = entry.at is not None and entry.at + lag <= crm.clock.now()
            if kept and shown and entry.at >= since:
                yield replace(entry, changes=kept)

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        crm = self.crm
        crm.settle()
        assert 0 < len(changes) <= crm.capabilities.write_batch
        assert len({(type(c), _object(c)) for c in changes}) == 1
        if crm.capabilities.uniform_batch:
            assert len({str(_values(c)) for c in changes}) == 1
        crm.before_write(crm)
        crm.calls.append(tuple(changes))
        crm.options.append(options)
        fault = crm.faults.pop(0) if crm.faults else None
        if fault is not None:
            fault(crm, changes)
        if crm.capabilities.atomic_batch and any(c.change_id in crm.refused for c in changes):
            raise BatchRejected(Text.same("rolled back"), remote_code="INVALID_DATA")
        results = [crm.commit(change) for change in changes]
        crm.after_write(crm)
        return results


def _object(change: Change) -> str:
    return change.ref.object if isinstance(change, SetFields) else change.object


def _values(change: Change) -> object:
    return change.after if isinstance(change, SetFields) else change.values


def lost_after_commit(crm: FakeCrm, changes: Sequence[Change]) -> None:
    for change in changes:
        crm.commit(change)
    raise OutcomeUnknown(Text.same("no reply"))


def lost_before_commit(crm: FakeCrm, changes: Sequence[Change]) -> None:
    raise OutcomeUnknown(Text.same("no reply"))


def commits_late(crm: FakeCrm, changes: Sequence[Change]) -> None:
    """The server carries it out long after we stopped listening."""
    crm.pending.append((crm.clock.now() + timedelta(seconds=100), tuple(changes)))
    raise OutcomeUnknown(Text.same("no reply"))


def half_committed(crm: FakeCrm, changes: Sequence[Change]) -> None:
    for change in changes[::2]:
        crm.commit(change)
    raise OutcomeUnknown(Text.same("reset"))


def throttled(after: float | None) -> Fault:
    def fault(crm: FakeCrm, changes: Sequence[Change]) -> None:
        raise Throttled(Text.same("slow down"), retry_after=after)

    return fault


def unavailable(crm: FakeCrm, changes: Sequence[Change]) -> None:
    raise Unavailable(Text.same("not reached"))


def signed_out(crm: FakeCrm, changes: Sequence[Change]) -> None:
    raise AuthError(Text.same("token refused"))


def quota_gone(crm: FakeCrm, changes: Sequence[Change]) -> None:
    raise QuotaExhausted(Text.same("used up"))
