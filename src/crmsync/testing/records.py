"""The records of a sandbox: typed tables in memory, soft deletes, a log of every field write."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema, ObjectSchema
from crmsync.testing.clock import SandboxClock
from crmsync.testing.rows import Actor, FieldWrite, Origin, Row, Save, differences

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_SCAN = 200


class NoSuchRecord(LookupError):
    """There is no such record, or it was deleted."""


@dataclass(slots=True)
class Table:
    """One object of the sandbox: its fields and its rows."""

    schema: ObjectSchema
    rows: dict[str, Row] = field(default_factory=dict)
    past: dict[str, list[Row]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    """All ids, sorted."""
    indexes: dict[str, dict[Value, dict[str, None]]] = field(default_factory=dict)
    """By field and value, the ids of live rows; a field is indexed when it is first asked for."""

    def field(self, name: str) -> FieldSchema | None:
        """The field of that API name, or ``None``."""
        return self.schema.field(name)

    def add_field(self, new: FieldSchema) -> None:
        """Add a field, or replace the one of that name."""
        others = tuple(item for item in self.schema.fields if item.name != new.name)
        self.schema = replace(self.schema, fields=(*others, new))

    def put(self, row: Row) -> None:
        """Set a row and keep the indexes."""
        before = self.rows.get(row.id)
        if before is None:
            insort(self.ids, row.id)
        self.rows[row.id] = row
        for name, index in self.indexes.items():
            if before is not None and not before.deleted:
                index.get(before.get(name), {}).pop(row.id, None)
            if not row.deleted:
                index.setdefault(row.get(name), {})[row.id] = None

    def copy(self) -> Table:
        """The same rows in a table of their own."""
        past = {id: list(rows) for id, rows in self.past.items()}
        return Table(self.schema, dict(self.rows), past, list(self.ids))

    def index(self, name: str) -> dict[Value, dict[str, None]]:
        """The index of a field."""
        if name not in self.indexes:
            index: dict[Value, dict[str, None]] = {}
            for row in self.rows.values():
                if not row.deleted:
                    index.setdefault(row.get(name), {})[row.id] = None
            self.indexes[name] = index
        return self.indexes[name]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A record store at one moment."""

    tables: Mapping[str, Table]
    serial: int
    writes: tuple[FieldWrite, ...]
    saves: Mapping[tuple[str, str], tuple[Save, ...]]


Watcher = Callable[[Row | None, Row, Actor], None]


class RecordStore:
    """Everything one sandbox holds. Thread-safe; ``resolution`` is the grain of modified times.

    ``watch`` adds a hook called after every write with the row before, the row after and the actor:
    the place for a workflow simulator, which may write again (as AUTOMATION).
    """

    def __init__(
        self,
        clock: SandboxClock,
        *,
        resolution: timedelta = timedelta(seconds=1),
        new_id: Callable[[str, int], str] | None = None,
        keep_past: bool = False,
    ) -> None:
        self.clock = clock
        self.resolution = resolution
        self.keep_past = keep_past
        self.guard = threading.RLock()
        self._new_id = new_id or (lambda _, number: f"{number:018d}")
        self._tables: dict[str, Table] = {}
        self._serial = 0
        self._writes: list[FieldWrite] = []
        self._saves: dict[tuple[str, str], list[Save]] = {}
        self._watchers: list[Watcher] = []
        self.is_read_only: Callable[[], bool] = lambda: False

    def add_object(self, schema: ObjectSchema) -> Table:
        """Make room for an object; one that exists keeps its rows and gets the new fields."""
        with self.guard:
            table = self._tables.get(schema.object)
            if table is None:
                table = self._tables[schema.object] = Table(schema)
            else:
                for item in schema.fields:
                    table.add_field(item)
            return table

    def table(self, object: str) -> Table:
        """The table of that object; raises KeyError when there is none."""
        return self._tables[object]

    def objects(self) -> tuple[str, ...]:
        """The API names of all objects."""
        return tuple(self._tables)

    def watch(self, watcher: Watcher) -> None:
        """Call *watcher* after every write."""
        self._watchers.append(watcher)

    def create(
        self,
        object: str,
        values: Mapping[str, Value],
        by: Actor,
        *,
        defaults: Mapping[str, Value] | None = None,
    ) -> Row:
        """Add a record. Values are stored as given: checking them is the vendor's business.

        *defaults* are what the CRM fills in by itself where *values* say nothing.
        """
        with self.guard:
            self._serial += 1
            row_id = self._new_id(object, self._serial)
            now, coarse = self._times()
            own = {name: item for name, item in (defaults or {}).items() if name not in values}
            both = _frozen({**own, **values})
            row = Row(object, row_id, both, coarse, by.user, coarse, by.user, written_at=now)
            self._put(None, row, by, own=frozenset(own))
            return row

    def update(self, object: str, id: str, values: Mapping[str, Value], by: Actor) -> Row:
        """Set fields of a record; raises NoSuchRecord. The modified time moves even if no value
        does, as CRMs do."""
        with self.guard:
            before = self.get(object, id)
            now, coarse = self._times()
            row = replace(
                before,
                values=_frozen({**before.values, **values}),
                modified_at=coarse,
                modified_by=by.user,
                written_at=now,
                revision=before.revision + 1,
            )
            self._put(before, row, by)
            return row

    def delete(self, object: str, id: str, by: Actor) -> Row:
        """Move a record to the recycle bin; raises NoSuchRecord."""
        with self.guard:
            return self._moved(self.get(object, id), by, deleted=True)

    def bring_back(self, object: str, id: str, by: Actor) -> Row:
        """Take a deleted record out of the recycle bin; raises NoSuchRecord if none lies there."""
        with self.guard:
            before = self.find(object, id)
            if before is None or not before.deleted:
                raise NoSuchRecord(f"{object}/{id}")
            return self._moved(before, by, deleted=False)

    def _moved(self, before: Row, by: Actor, *, deleted: bool) -> Row:
        now, coarse = self._times()
        row = replace(
            before,
            deleted_at=coarse if deleted else None,
            deleted_by=by.user if deleted else None,
            modified_at=coarse,
            modified_by=by.user,
            written_at=now,
            revision=before.revision + 1,
        )
        self._put(before, row, by)
        return row

    def get(self, object: str, id: str) -> Row:
        """The record as it stands now; raises NoSuchRecord for unknown and deleted ones."""
        with self.guard:
            row = self._tables[object].rows.get(id) if object in self._tables else None
            if row is None or row.deleted:
                raise NoSuchRecord(f"{object}/{id}")
            return row

    def find(self, object: str, id: str) -> Row | None:
        """The record, deleted or not; ``None`` when it never existed."""
        with self.guard:
            return self._tables[object].rows.get(id)

    def rows(
        self, object: str, *, deleted: bool = False, lag: timedelta = timedelta()
    ) -> list[Row]:
        """Live rows (or the deleted ones), in the order they were created.

        ``lag`` looks at them as a search index does that is so much late (needs ``keep_past``).
        """
        with self.guard:
            table = self._tables[object]
            if not lag:
                return [row for row in table.rows.values() if row.deleted is deleted]
            until = self.clock.now() - lag
            seen = (_as_of(table.past.get(row.id, [row]), until) for row in table.rows.values())
            return [row for row in seen if row is not None and row.deleted is deleted]

    def find_by(self, object: str, field: str, value: Value) -> list[Row]:
        """Live rows whose field has that value, without looking at all the others."""
        with self.guard:
            table = self._tables[object]
            return [table.rows[key] for key in table.index(field).get(value, {})]

    def scan(self, object: str, *, after: str = "", lag: timedelta = timedelta()) -> Iterator[Row]:
        """Live rows in the order of their ids, beginning behind *after*; ``lag`` as in ``rows``.

        What changes while the scan goes on may or may not be seen.
        """
        until = self.clock.now() - lag
        while True:
            with self.guard:
                table = self._tables[object]
                start = bisect_right(table.ids, after)
                part = [table.rows[key] for key in table.ids[start : start + _SCAN]]
            if not part:
                return
            seen = (_as_of(table.past.get(row.id, [row]), until) if lag else row for row in part)
            yield from (row for row in seen if row is not None and not row.deleted)
            after = part[-1].id

    def writes(self, *, origin: Origin | None = None) -> tuple[FieldWrite, ...]:
        """The log of field writes, in order; loading practice data is left out unless asked for."""
        with self.guard:
            wanted = {origin} if origin else set(Origin) - {Origin.LOADED}
            return tuple(write for write in self._writes if write.origin in wanted)

    def snapshot(self) -> Snapshot:
        """Everything as it stands now, to come back to by `restore` as often as wanted."""
        with self.guard:
            tables = {name: table.copy() for name, table in self._tables.items()}
            saves = {place: tuple(made) for place, made in self._saves.items()}
            return Snapshot(tables, self._serial, tuple(self._writes), saves)

    def restore(self, earlier: Snapshot) -> None:
        """Make everything what it was; ids given out since are given out again."""
        with self.guard:
            for name, table in earlier.tables.items():
                self._tables[name] = table.copy()
            self._serial = earlier.serial
            self._writes[:] = earlier.writes
            self._saves = {place: list(made) for place, made in earlier.saves.items()}

    def saves(self, object: str, id: str) -> tuple[Save, ...]:
        """The record's own history: every save that moved a field, in order, practice data left
        out. Clearing the log of writes does not touch it."""
        with self.guard:
            return tuple(self._saves.get((object, id), ()))

    def forget_writes(self) -> None:
        """Start the log anew."""
        with self.guard:
            self._writes.clear()

    def _times(self) -> tuple[datetime, datetime]:
        now = self.clock.now()
        if self.resolution <= timedelta():
            return now, now
        return now, now - (now - _EPOCH) % self.resolution

    def _put(
        self, before: Row | None, row: Row, by: Actor, *, own: frozenset[str] = frozenset()
    ) -> None:
        table = self._tables[row.object]
        table.put(row)
        if self.keep_past:
            table.past.setdefault(row.id, []).append(row)
        if by.origin is not Origin.LOADED:
            made = list(differences(before, row, by, self.is_read_only()))
            for write in made:
                if write.field in own:
                    write = replace(write, by="system", origin=Origin.DEFAULT)
                self._writes.append(write)
            self._remember(before, row, by, made)
        for watcher in tuple(self._watchers):
            watcher(before, row, by)

    def _remember(
        self, before: Row | None, row: Row, by: Actor, made: Iterable[FieldWrite]
    ) -> None:
        changes = {write.field: (write.old, write.new) for write in made}
        if changes or before is None:
            past = self._saves.setdefault((row.object, row.id), [])
            past.append(Save(len(past) + 1, by, row.modified_at, before is None, changes))


def _frozen(values: Mapping[str, Value]) -> Mapping[str, Value]:
    return MappingProxyType({name: value for name, value in values.items() if value is not None})


def _as_of(past: Iterable[Row], until: datetime) -> Row | None:
    seen = None
    for row in past:
        if row.written_at <= until:
            seen = row
    return seen
