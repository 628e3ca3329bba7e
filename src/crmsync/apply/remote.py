"""Calls to the CRM with patience: waits as told, backs off, and stops when waiting is no use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from crmsync.apply.order import Surroundings
from crmsync.connector import Connector, FieldHistory, FieldIn, ReadQuery, WriteOptions
from crmsync.errors import (
    ConnectorError,
    CrmSyncError,
    OutcomeUnknown,
    PlanRefused,
    Throttled,
    Unavailable,
    UnexpectedReply,
)
from crmsync.model.change import Change, ChangeResult, SetFields
from crmsync.model.history import HistoryEntry
from crmsync.model.record import Record, RecordRef
from crmsync.model.text import Text
from crmsync.store.batching import batched

T = TypeVar("T")
READ_SIZE = 100
"""Ids asked for in one read."""
FIRST_PAUSE, LONGEST_PAUSE, LEAST_PAUSE = 1.0, 60.0, 0.1
WORTH_TELLING = 2.0


class Stopped(Exception):
    """The run ends here and can be resumed: an error that waiting does not mend, or a request."""

    def __init__(self, error: CrmSyncError | None = None) -> None:
        super().__init__(str(error) if error else "asked to stop")
        self.error = error


class Remote:
    """One connector, used by one thread; counts its calls."""

    def __init__(self, connector: Connector, world: Surroundings) -> None:
        self._connector = connector
        self._world = world
        self.capabilities = connector.capabilities
        self.calls = 0
        self.waits = 0
        self.asked_at = world.now()
        """No later than the CRM answered the last read, by its own clock where it tells."""
        self.standing = (0, 0)
        """How many rows are settled, of how many."""

    def by_id(self, object: str, ids: Iterable[str], fields: Sequence[str]) -> dict[str, Record]:
        """The records of those *ids* that exist, as they stand now."""
        found = self.told_of(object, ids, fields)
        return {id: record for id, record in found.items() if not record.deleted}

    def told_of(self, object: str, ids: Iterable[str], fields: Sequence[str]) -> dict[str, Record]:
        """As `by_id`, with those that were deleted and of which the CRM still tells something."""
        found: dict[str, Record] = {}
        for piece in batched(dict.fromkeys(ids), READ_SIZE):
            query = ReadQuery(object, tuple(fields), FieldIn("id", piece))
            for record in self._all(query):
                found[record.ref.id] = record
        return found

    def by_key(
        self, object: str, field: str, keys: Sequence[str], *, below: RecordRef | None
    ) -> dict[str, Record]:
        """Key → a record holding it in *field*; ``below`` asks the parent's own list."""
        found: dict[str, Record] = {}
        parent = None if below is None else below.id
        for piece in batched(keys, READ_SIZE):
            query = ReadQuery(object, (field,), FieldIn(field, piece, below=parent))
            for record in self._all(query):
                key = record.fields.get(field)
                if isinstance(key, str) and key in piece and not record.deleted:
                    found.setdefault(key, record)
        return found

    def holders(self, object: str, field: str, key: str, *, below: RecordRef) -> tuple[str, ...]:
        """The ids of every record below a parent that holds *key*."""
        query = ReadQuery(object, (field,), FieldIn(field, (key,), below=below.id))
        found = (r.ref.id for r in self._all(query) if not r.deleted)
        return tuple(sorted(found))

    @property
    def tells_history(self) -> bool:
        """Whether the CRM's own history of a record can be asked for."""
        return self.capabilities.field_history and isinstance(self._connector, FieldHistory)

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        """A record's saves, newest first; raises what the connector raises."""
        assert isinstance(self._connector, FieldHistory)
        return self._connector.history(ref, fields, since=since)

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        """One remote call; raises what the connector raises."""
        self.calls += 1
        return self._connector.write(changes, options)

    def gate(self, changes: Sequence[Change]) -> None:
        """The last door: raise PlanRefused if any change touches a field crmsync does not own."""
        for change in changes:
            if isinstance(change, SetFields):
                target, fields = change.ref.object, change.after.keys()
            else:
                target, fields = change.object, change.values.keys()
            foreign = fields - self._world.allowed.get(target, frozenset())
            if foreign:
                names = ", ".join(sorted(foreign))
                raise PlanRefused(
                    Text(
                        zh=f"{target} 的字段 {names} 不归 crmsync 写，已拒绝",
                        en=f"{names} of {target} is not crmsync's to write: refused",
                    ),
                    mend=Text("重新运行 crmsync plan。", "Run crmsync plan again."),
                )

    def put_off(self, error: ConnectorError, tries: int) -> None:
        """Wait after the *tries*-th call in a row that was put off, or raise Stopped."""
        limits = self._world.limits
        ceiling = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
        # full jitter, but never so little that a CRM in trouble is asked again at once
        wait = max(ceiling * self._world.chance(), LEAST_PAUSE)
        if isinstance(error, Throttled) and error.retry_after is not None:
            wait = error.retry_after
        if tries >= limits.tries or wait > limits.longest_wait.total_seconds():
            raise Stopped(error) from error
        self.waits += 1
        if wait >= WORTH_TELLING:
            self._world.notice(self._waiting(error, wait))
        self.pause(wait)

    def _waiting(self, error: ConnectorError, wait: float) -> Text:
        settled, total = self.standing
        asked = isinstance(error, Throttled) and error.retry_after is not None
        told = Text("", "") if asked else Text("（CRM 没有说多久）", " (the CRM named no time)")
        return Text(
            zh=f"{error.message.zh}。等待 {round(wait)} 秒{told.zh}；"
            f"{total} 行中已完成 {settled} 行",
            en=f"{error.message.en}. Waiting {round(wait)} s{told.en}; "
            f"{settled} of {total} rows done",
        )

    def pause(self, seconds: float) -> None:
        """Sleep in short steps, so that a request to stop is heard; raises Stopped then."""
        until = seconds
        while until > 0:
            self.check_stop()
            step = min(until, 1.0)
            self._world.sleep(step)
            until -= step
        self.check_stop()

    def check_stop(self) -> None:
        """Raise Stopped when the run was asked to end."""
        if self._world.stop():
            raise Stopped

    def _all(self, query: ReadQuery) -> list[Record]:
        def read() -> list[Record]:
            self.calls += 1
            began = self._world.now()
            pages = list(self._connector.read(query))
            told = [page.server_time for page in pages if page.server_time is not None]
            took = max(self._world.now() - began, timedelta())
            self.asked_at = min(told) - took if told else began
            return [record for page in pages for record in page.records]

        return self._patiently(read)

    def _patiently(self, read: Callable[[], T]) -> T:
        """A read may always be repeated."""
        tries = 0
        while True:
            try:
                return read()
            except (Throttled, Unavailable, OutcomeUnknown, UnexpectedReply) as error:
                tries += 1
                self.put_off(error, tries)
            except CrmSyncError as error:
                raise Stopped(error) from error
