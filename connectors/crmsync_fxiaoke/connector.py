"""The 纷享销客 connector: the contract's promises on the vendor's open API.

Written from the vendor's published documentation and never run against a live tenant; GUIDE.md
lists what that leaves open. One record per write call is the API's law, there is no conditional
write (the engine reads again just before), and deletions cannot be relied on to show: whether lists
return records that were made invalid is not documented, so ``sees_deletes`` is not claimed, though
such a record counts as deleted when it does show. Creating is rung C: a look-up by the key field of
an object the company made for us, whose freshness is not documented either, so `index_lag` is a
setting with room to spare.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from crmsync.connector.context import ConnectionContext
from crmsync.connector.contract import (
    Capabilities,
    CreateOnce,
    FieldIn,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.connector.http import Purpose
from crmsync.errors import (
    AccessDenied,
    ConfigError,
    ConnectorError,
    OutcomeUnknown,
    UnexpectedReply,
    UsageError,
)
from crmsync.model.change import Change, ChangeResult, CreateRecord, Outcome, RemoteError, SetFields
from crmsync.model.history import HistoryEntry
from crmsync.model.metering import Workload
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import FieldSchema, ObjectSchema, Organization, Quota
from crmsync.model.text import Text
from crmsync.model.user import User
from crmsync_fxiaoke.client import FxiaokeClient
from crmsync_fxiaoke.codec import FieldCodec, Unwritable, codecs
from crmsync_fxiaoke.codes import BUSY, REFUSED, Envelope
from crmsync_fxiaoke.history import Asked, history
from crmsync_fxiaoke.reading import RecordReading, data_path
from crmsync_fxiaoke.settings import FxiaokeSettings
from crmsync_fxiaoke.worksheet import worksheet_text

DESCRIBE = "/cgi/crm/v2/object/describe"
OBJECTS = "/cgi/crm/v2/object/list"
PEOPLE = "/cgi/user/simpleList"
STAFF = "/cgi/user/list"
META = Purpose.META
EVERYBODY = 999999
HISTORY_LAG = timedelta(seconds=5)
"""How late a modification record may show; not documented."""
LOOKS = (0, 1, 3)
"""Seconds before each look for a record whose creation was confirmed without its id."""


def open_connector(settings: FxiaokeSettings, context: ConnectionContext) -> FxiaokeConnector:
    """Open a connection; makes no call yet."""
    return FxiaokeConnector(settings, context)


class FxiaokeConnector:
    """One tenant. Thread-safe up to ``capabilities.parallel_calls``."""

    def __init__(self, settings: FxiaokeSettings, context: ConnectionContext) -> None:
        self._settings = settings
        self._client = FxiaokeClient(settings, context)
        self._context = context
        self._described: dict[str, tuple[ObjectSchema, Mapping[str, FieldCodec]]] = {}
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"FxiaokeConnector({self._client!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What this connector can do."""
        return Capabilities(
            write_batch=1,
            can_silence_automation=True,
            parallel_calls=self._settings.parallel_calls,
            index_lag=timedelta(seconds=self._settings.index_lag_seconds),
            late_commit=timedelta(seconds=self._settings.late_commit_seconds),
            create_once=CreateOnce.C,
            reassigns=False,
            field_history=True,
            history_lag=HISTORY_LAG,
        )

    def check(self) -> Organization:
        """Sign in and find the acting employee; the vendor tells no company name."""
        company = self._client.company()
        self._client.read(OBJECTS, {"includeNull": False}, Purpose.META)
        return Organization(
            id=company,
            name=company,
            user_id=self._settings.user_id,
            user_name=self._user_name(),
            time_zone=self._settings.time_zone,
            environment="practice" if self._context.allow_private else "production",
        )

    def users(self) -> Sequence[User]:
        """Everybody in the tenant; who was stopped is no longer active."""
        envelope = self._client.read(STAFF, {"departmentId": EVERYBODY, "fetchChild": True}, META)
        people = envelope.body.get("userList")
        if not isinstance(people, list):
            raise envelope.unreadable("userList")
        return tuple(
            User(
                str(person["openUserId"]),
                str(person.get("name") or ""),
                active=person.get("isStop") is not True,
            )
            for person in people
            if isinstance(person, Mapping) and person.get("openUserId")
        )

    def describe(self, object: str) -> ObjectSchema:
        """The object's fields as the tenant describes them now."""
        body = {"data": {"apiName": object, "includeDetail": False}}
        envelope = self._client.read(DESCRIBE, body, Purpose.META)
        data = envelope.body.get("data")
        described = data.get("describe") if isinstance(data, Mapping) else None
        fields = described.get("fields") if isinstance(described, Mapping) else None
        if not isinstance(described, Mapping) or not isinstance(fields, Mapping):
            raise envelope.unreadable("data.describe.fields")
        found = codecs(fields, self._settings.time_zone)
        schema = ObjectSchema(
            object=object,
            label=str(described.get("display_name") or object),
            fields=tuple(codec.schema for codec in found.values()),
        )
        with self._guard:
            self._described[object] = (schema, found)
        return schema

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        """Pages of up to 100 records, ordered by id."""
        if isinstance(query.where, FieldIn) and not query.where.values:
            return
        reading = RecordReading(self._client, self._fields(query.object), query)
        yield from reading.pages(resume)

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        """Carry out one change with one call (``write_batch`` is 1)."""
        if not changes:
            return ()
        if len(changes) > 1:
            raise UsageError(
                Text(zh="纷享销客每次只写一条记录", en="Fxiaoke takes one record per call")
            )
        return (self._write(changes[0], options),)

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        """The record's modification records, one call a page of 100."""
        known = self._fields(ref.object)
        wanted = {name: known[name] for name in fields if name in known}
        now, me = self._context.now(), self._settings.user_id
        return history(self._client, Asked(ref, wanted, since, now, me))

    def close(self) -> None:
        """Give back connections; twice is fine."""
        self._client.close()

    def quota(self) -> Quota:
        """The calls this connection made today; the vendor does not tell its own count."""
        return self._client.quota()

    def price_of(self, work: Workload) -> int:
        """Calls a plan will take: each change is looked at and written by itself, each new task is
        written and then looked up, for the answer holds no id; a record looked back at takes one
        more."""
        return 2 * (work.updates + work.closings + work.creations) + work.look_backs

    def worksheet(self, object: str, fields: Sequence[FieldSchema]) -> Text:
        """What an administrator has to create by hand: the API cannot."""
        return worksheet_text(self.describe(object), fields)

    def _write(self, change: Change, options: WriteOptions) -> ChangeResult:
        match change:
            case SetFields():
                object_name, values = change.ref.object, dict(change.after)
                action, start = "update", {"_id": change.ref.id}
            case CreateRecord():
                object_name, values = change.object, dict(change.values)
                action, start = "create", {}
            case _:
                assert_never(change)
        if action == "update" and not values:
            return ChangeResult(change.change_id, Outcome.APPLIED, change.ref)  # type: ignore[union-attr]
        wire = self._encode(object_name, values, owner_fixed=action == "update")
        if isinstance(wire, RemoteError):
            return ChangeResult(change.change_id, Outcome.REJECTED, error=wire)
        body = {
            "triggerWorkFlow": options.run_automation,
            "triggerApprovalFlow": options.run_automation,
            "data": {"object_data": {"dataObjectApiName": object_name, **start, **wire}},
        }
        return self._judge(change, self._client.write(data_path(object_name, action), body))

    def _judge(self, change: Change, envelope: Envelope) -> ChangeResult:
        if envelope.code == 0:
            if isinstance(change, SetFields):
                return ChangeResult(change.change_id, Outcome.APPLIED, change.ref)
            return ChangeResult(change.change_id, Outcome.APPLIED, self._made(change, envelope))
        if envelope.code in BUSY:
            raise OutcomeUnknown(
                Text(
                    zh=f"写入后 CRM 返回 {envelope.code}（{envelope.meaning.zh}），不知是否已写入",
                    en=f"the CRM answered the write with {envelope.code} "
                    f"({envelope.meaning.en}); it may have been carried out",
                ),
                remote_code=str(envelope.code),
                request_id=envelope.trace,
            )
        object_name = change.ref.object if isinstance(change, SetFields) else change.object
        error = RemoteError(
            code=str(envelope.code),
            message=f"{envelope.meaning.zh} · {envelope.meaning.en} (traceId {envelope.trace})",
            field=self._field_named(object_name, envelope),
        )
        refused = envelope.code in REFUSED
        outcome = Outcome.REJECTED if refused else Outcome.UNKNOWN
        ref = change.ref if isinstance(change, SetFields) else None
        return ChangeResult(change.change_id, outcome, ref, error=error)

    def _made(self, change: CreateRecord, envelope: Envelope) -> RecordRef | None:
        """The new record. The published reply for tenant objects holds no id, so it is looked up by
        its key, more than once as a search may lag; ``None`` where it still does not show."""
        told = envelope.body.get("dataId")
        if isinstance(told, str) and told:
            return RecordRef(change.object, told)
        for pause in LOOKS:
            self._context.sleep(pause)
            found = self._keyed(change)
            if found is not None:
                return found
        return None

    def _keyed(self, change: CreateRecord) -> RecordRef | None:
        key = change.key_field
        query = ReadQuery(change.object, (key,), FieldIn(key, (change.values.get(key),)))
        reading = RecordReading(self._client, self._fields(change.object), query, patient=False)
        try:
            refs = [record.ref for page in reading.pages(None) for record in page.records]
        except (ConnectorError, ConfigError):
            return None  # it was created all the same
        return refs[0] if refs else None

    def _encode(
        self, object_name: str, values: Mapping[str, Value], *, owner_fixed: bool
    ) -> dict[str, Any] | RemoteError:
        fields = self._fields(object_name)
        wire: dict[str, Any] = {}
        for name, value in values.items():
            codec = fields.get(name)
            if codec is None:
                return RemoteError("NO_SUCH_FIELD", f"{object_name} has no field {name}", name)
            if codec.schema.read_only:
                return RemoteError("READ_ONLY", f"{name} cannot be written", name)
            if owner_fixed and name == "owner":
                return RemoteError("OWNER", "owners change only through changeOwner", name)
            try:
                wire[name] = codec.write(value)
            except Unwritable as problem:
                return RemoteError(problem.code, f"{problem.why.zh} · {problem.why.en}", name)
        return wire

    def _field_named(self, object_name: str, envelope: Envelope) -> str | None:
        """The field whose label the CRM's message names: a hint for people, nothing more."""
        message = str(envelope.body.get("errorMessage") or "")
        labels = {c.schema.label: name for name, c in self._fields(object_name).items()}
        named = [label for label in labels if len(label) > 1 and label in message]
        return labels[max(named, key=len)] if named else None

    def _fields(self, object_name: str) -> Mapping[str, FieldCodec]:
        with self._guard:
            known = self._described.get(object_name)
        if known is None:
            self.describe(object_name)
            with self._guard:
                known = self._described[object_name]
        return known[1]

    def _user_name(self) -> str:
        me = self._settings.user_id
        body = {"departmentId": EVERYBODY, "fetchChild": True}
        try:
            people = self._client.read(PEOPLE, body, Purpose.META).body.get("userList")
        except (AccessDenied, UnexpectedReply):
            return me  # the directory may be closed to the app; the id says enough
        for person in people if isinstance(people, list) else ():
            if isinstance(person, Mapping) and person.get("openUserId") == me:
                return str(person.get("name") or me)
        return me
