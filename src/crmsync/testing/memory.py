"""The connector of the CRM in memory: it keeps every promise, whatever the platform's shape."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from crmsync.connector.contract import (
    Capabilities,
    CreateOnce,
    Everything,
    FieldIn,
    ModifiedSince,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.connector.paging import pack_resume, unpack_resume
from crmsync.errors import (
    AuthError,
    BatchRejected,
    ConnectorError,
    OutcomeUnknown,
    QuotaExhausted,
    Throttled,
    Unavailable,
    UnexpectedReply,
)
from crmsync.model.change import Change, ChangeResult, CreateRecord, Outcome, RemoteError, SetFields
from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.model.text import Text
from crmsync.testing.memory_crm import MemoryCrm, Quirks, Trouble
from crmsync.testing.records import NoSuchRecord
from crmsync.testing.rows import Actor, Origin, Row
from crmsync.testing.values import ValueProblem, problems


class MemoryConnector:
    """Keeps every promise of the contract, whatever the quirks."""

    def __init__(self, crm: MemoryCrm) -> None:
        self._crm = crm
        self._guard = threading.Lock()
        self._closed = False

    def __repr__(self) -> str:
        return "MemoryConnector()"

    @property
    def capabilities(self) -> Capabilities:
        """The CRM's quirks."""
        return self._crm.quirks.capabilities()

    def check(self) -> Organization:
        """Who and where we are."""
        self._crm.note("meta", "", 0)
        return self._crm.organization

    def describe(self, object: str) -> ObjectSchema:
        """The object's fields."""
        self._crm.note("meta", object, 0)
        if object not in self._crm.store.objects():
            raise UnexpectedReply(Text(zh=f"没有对象 {object}", en=f"there is no object {object}"))
        return self._crm.store.table(object).schema

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        """Keyset pages in the order of ids."""
        after = "" if resume is None else str(unpack_resume(query, resume)["after"])
        while True:
            self._crm.note("read", query.object, self._crm.quirks.page)
            page = self._page(query, after)
            yield page
            if page.resume is None:
                return
            after = page.records[-1].ref.id

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        """One call, one result per change."""
        if not changes:
            return ()
        with self._guard:
            return self._write(changes, options)

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        """The record's saves, newest first."""
        self._crm.note("read", ref.object, 1)
        row = self._crm.store.find(ref.object, ref.id)
        if row is None or row.deleted:
            return
        for save in reversed(self._crm.store.saves(ref.object, ref.id)):
            changes = {
                name: FieldChange(*values)
                for name, values in save.changes.items()
                if name in fields
            }
            if changes and save.at >= since:
                yield HistoryEntry(
                    id=str(save.number),
                    at=save.at,
                    by=save.by.user,
                    ours=save.by.user == self._crm.organization.user_id,
                    changes=changes,
                )

    def close(self) -> None:
        """Nothing to give back."""
        self._closed = True

    def _page(self, query: ReadQuery, after: str) -> Page:
        quirks, store = self._crm.quirks, self._crm.store
        with store.guard:
            rows = [row for row in self._matching(query) if row.id > after]
        rows.sort(key=lambda row: row.id)
        kept = rows[: quirks.page]
        records = tuple(self._record(row, query.fields) for row in kept)
        more = len(rows) > len(kept)
        resume = pack_resume(query, {"after": kept[-1].id}) if more else None
        return Page(records, resume, self._crm.clock.now())

    def _matching(self, query: ReadQuery) -> Iterator[Row]:
        store, lag = self._crm.store, self._crm.quirks.index_lag
        match query.where:
            case Everything():
                yield from store.rows(query.object)
            case ModifiedSince(moment=moment):
                rows = store.rows(query.object, lag=lag)
                rows += self._deleted(query.object, lag)
                yield from (row for row in rows if row.modified_at >= moment)
            case FieldIn(field="id", values=values):
                rows = [*store.rows(query.object), *self._merged(query.object)]
                yield from (row for row in rows if row.id in values)
            case FieldIn(field=name, values=values, below=below):
                lists = self._crm.quirks.create_once is CreateOnce.B and below is not None
                seen = store.rows(query.object, lag=timedelta() if lists else lag)
                for row in seen:
                    hangs_below = below is None or below in row.values.values()
                    if hangs_below and row.get(name) in values:
                        yield row

    def _deleted(self, object: str, lag: timedelta) -> Sequence[Row]:
        if self._crm.quirks.sees_deletes:
            return self._crm.store.rows(object, deleted=True, lag=lag)
        return self._merged(object)

    def _merged(self, object: str) -> Sequence[Row]:
        """Deleted records of which the CRM tells what they were merged into."""
        if not self._crm.quirks.sees_merges:
            return ()
        rows = self._crm.store.rows(object, deleted=True)
        return [row for row in rows if RecordRef(object, row.id) in self._crm.merged]

    def _record(self, row: Row, fields: Sequence[str]) -> Record:
        ref, version = RecordRef(row.object, row.id), self._version(row)
        if row.deleted:
            into = self._crm.merged.get(ref) if self._crm.quirks.sees_merges else None
            return Record(ref, {}, row.modified_at, version, deleted=True, merged_into=into)
        return Record(ref, {name: row.get(name) for name in fields}, row.modified_at, version)

    def _write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        crm = self._crm
        _check_shape(changes, crm.quirks)
        trouble = crm.take_trouble()
        if trouble is not None and trouble in _BEFORE:
            if trouble is not Trouble.UNREACHABLE:
                crm.note("write", _object(changes[0]), len(changes))
            raise _BEFORE[trouble]()
        crm.note("write", _object(changes[0]), len(changes))
        if trouble is Trouble.COMMITTED_LATE:
            crm.later(lambda: self._carry_out(changes, options))
        if trouble in {Trouble.LOST_BEFORE_COMMIT, Trouble.COMMITTED_LATE}:
            raise OutcomeUnknown(Text(zh="没有收到答复", en="no answer came"))
        results = self._carry_out(changes, options)
        if trouble in {Trouble.LOST_AFTER_COMMIT, Trouble.ERROR_AFTER_COMMIT}:
            raise OutcomeUnknown(Text(zh="没有收到答复", en="no answer came"))
        return results

    def _carry_out(
        self, changes: Sequence[Change], options: WriteOptions
    ) -> Sequence[ChangeResult]:
        crm = self._crm
        with crm.store.guard:
            refusals = {change.change_id: self._refusal(change) for change in changes}
            if crm.quirks.atomic_batch and any(refusals.values()):
                raise BatchRejected(
                    Text(
                        zh="批次里有一条被拒绝，整批已撤回",
                        en="one record was refused: all rolled back",
                    )
                )
            results = [refusals[change.change_id] or self._apply(change) for change in changes]
        done = sum(result.outcome is Outcome.APPLIED for result in results)
        if options.run_automation or not crm.quirks.can_silence_automation:
            self._run_automation(results, done)
        return tuple(results)

    def _refusal(self, change: Change) -> ChangeResult | None:
        store = self._crm.store
        if isinstance(change, CreateRecord):
            found = next(problems(store, change.object, change.values), None)
            if found and self._crm.quirks.create_once is CreateOnce.A and found.other:
                return None
            return _rejected(change, found)
        try:
            row = store.get(change.ref.object, change.ref.id)
        except NoSuchRecord:
            error = RemoteError("NOT_FOUND", "the record does not exist")
            return ChangeResult(change.change_id, Outcome.REJECTED, change.ref, error=error)
        if self._crm.quirks.conditional_write and change.version not in {None, self._version(row)}:
            return ChangeResult(change.change_id, Outcome.CONFLICT, change.ref, self._version(row))
        found = next(problems(store, change.ref.object, change.after, id=row.id), None)
        return _rejected(change, found)

    def _apply(self, change: Change) -> ChangeResult:
        store, by = self._crm.store, Actor(self._crm.organization.user_id, Origin.API)
        if isinstance(change, SetFields):
            row = store.update(change.ref.object, change.ref.id, _stored(change.after), by)
        else:
            row = self._create(change, by)
        ref = RecordRef(row.object, row.id)
        return ChangeResult(change.change_id, Outcome.APPLIED, ref, self._version(row))

    def _version(self, row: Row) -> str:
        if self._crm.quirks.version_resolution:
            return row.modified_at.isoformat()
        return f"{row.revision}"

    def _create(self, change: CreateRecord, by: Actor) -> Row:
        store = self._crm.store
        values = _stored(change.values)
        if self._crm.quirks.create_once is CreateOnce.A:
            for row in store.rows(change.object):
                if row.get(change.key_field) == change.values[change.key_field]:
                    return store.update(change.object, row.id, values, by)
        return store.create(change.object, values, by)

    def _run_automation(self, results: Sequence[ChangeResult], done: int) -> None:
        crm = self._crm
        crm.automation += done
        for result in results:
            ref = result.ref
            if ref is None or result.outcome is not Outcome.APPLIED or not crm.workflow_field:
                continue
            if crm.store.table(ref.object).field(crm.workflow_field):
                mark = {crm.workflow_field: "touched by a workflow"}
                crm.store.update(ref.object, ref.id, mark, Actor("workflow", Origin.AUTOMATION))


_BEFORE: Mapping[Trouble, Callable[[], ConnectorError]] = MappingProxyType(
    {
        Trouble.THROTTLED: lambda: Throttled(
            Text(zh="请求过多", en="too many calls"), retry_after=1.0
        ),
        Trouble.QUOTA: lambda: QuotaExhausted(
            Text(zh="今日额度已用完", en="today's calls are used up")
        ),
        Trouble.SIGN_IN: lambda: AuthError(Text(zh="凭据无效", en="the credentials were refused")),
        Trouble.UNREACHABLE: lambda: Unavailable(Text(zh="连不上", en="not reached")),
    }
)


def _check_shape(changes: Sequence[Change], quirks: Quirks) -> None:
    if len(changes) > quirks.write_batch:
        raise ValueError(f"more than {quirks.write_batch} changes in one call")
    if len({(type(change), _object(change)) for change in changes}) > 1:
        raise ValueError("changes of several kinds or objects in one call")
    if quirks.uniform_batch:
        values = [
            change.after if isinstance(change, SetFields) else change.values for change in changes
        ]
        if any(dict(item) != dict(values[0]) for item in values) or (
            isinstance(changes[0], CreateRecord) and len(changes) > 1
        ):
            raise ValueError("different values in one uniform call")


def _object(change: Change) -> str:
    return change.ref.object if isinstance(change, SetFields) else change.object


def _stored(values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: None if value == "" else tuple(sorted(value)) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _version(row: Row) -> str:
    return row.modified_at.isoformat()


def _rejected(change: Change, found: ValueProblem | None) -> ChangeResult | None:
    if found is None:
        return None
    ref = change.ref if isinstance(change, SetFields) else None
    error = RemoteError(found.complaint.name, found.complaint.value, found.field)
    return ChangeResult(change.change_id, Outcome.REJECTED, ref, error=error)
