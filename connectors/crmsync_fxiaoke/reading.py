"""Reading records page by page: always by ``_id`` upwards, never by offset.

The vendor refuses offsets beyond 10,000; a keyset has no such end and does not shift while people
work. Totals are not asked for: an incomplete page is the last one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crmsync.connector.contract import Everything, FieldIn, ModifiedSince, Page, ReadQuery
from crmsync.connector.paging import SeenCursors, chunks, pack_resume, unpack_resume
from crmsync.errors import ConfigError, UnexpectedReply
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import FieldType
from crmsync.model.text import Text
from crmsync_fxiaoke.client import FxiaokeClient
from crmsync_fxiaoke.codec import EPOCH, FieldCodec, Unreadable, Unwritable
from crmsync_fxiaoke.codes import Envelope

_log = logging.getLogger("crmsync.fxiaoke")

PAGE = 100
VALUES_A_QUERY = 100
ALWAYS = ("_id", "last_modified_time", "life_status", "is_deleted")
CUSTOM = "__c"
Filter = dict[str, Any]


def data_path(object_name: str, action: str) -> str:
    """The interface for an object: presets and tenant objects (``…__c``) have separate ones."""
    middle = "custom/" if object_name.endswith(CUSTOM) else ""
    return f"/cgi/crm/{middle}v2/data/{action}"


@dataclass(frozen=True, slots=True)
class RecordReading:
    """Reads one query of one object whose fields are known."""

    client: FxiaokeClient
    fields: Mapping[str, FieldCodec]
    query: ReadQuery
    patient: bool = True
    """Wait out pauses and short outages, or ask once only."""

    def pages(self, resume: str | None) -> Iterator[Page]:
        """Pages from the start or after *resume*."""
        unknown = [name for name in self.query.fields if name not in self.fields]
        if unknown:
            raise _no_such_field(self.query.object, unknown[0])
        parts = list(self._parts())
        part, after = 0, None
        if resume is not None:
            place = unpack_resume(self.query, resume)
            part, after = int(place["part"] or 0), place["after"]
        seen = SeenCursors(self.query.object)
        while part < len(parts):
            envelope = self._ask(parts[part], None if after is None else str(after))
            rows = _rows(envelope)
            if len(rows) == PAGE:
                after = seen.next(_id(envelope, rows[-1]))
            else:
                part, after = part + 1, None
            token = (
                pack_resume(self.query, {"part": part, "after": after})
                if part < len(parts)
                else None
            )
            records = (self._record(envelope, row) for row in rows)
            kept = tuple(record for record in records if self._wanted(record))
            yield Page(kept, token, server_time=envelope.reply.server_time)

    def _parts(self) -> Iterator[list[Filter]]:
        match self.query.where:
            case Everything():
                yield []
            case ModifiedSince(moment=moment):
                since = (moment.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)
                yield [_filter("last_modified_time", "GTE", [str(since)])]
            case FieldIn(field=field, values=values):
                name = "_id" if field == "id" else field
                for piece in chunks(self._texts(name, values), VALUES_A_QUERY):
                    yield [_filter(name, "IN", list(piece))]

    def _texts(self, name: str, values: Sequence[Value]) -> list[str]:
        codec = self.fields.get(name)
        if codec is None:
            raise _no_such_field(self.query.object, name)
        if codec.schema.type is FieldType.MULTI_PICKLIST or None in values:
            raise ConfigError(
                Text(
                    zh=f"{self.query.object} 的字段 {name} 不能用来查找",
                    en=f"records of {self.query.object} cannot be looked up by {name}",
                )
            )
        try:
            return list(dict.fromkeys(codec.filter_text(value) for value in values))
        except Unwritable as problem:
            raise ConfigError(
                Text(
                    zh=f"{self.query.object}.{name}：{problem.why.zh}",
                    en=f"{self.query.object}.{name}: {problem.why.en}",
                )
            ) from problem

    def _ask(self, filters: list[Filter], after: str | None) -> Envelope:
        more = [] if after is None else [_filter("_id", "GT", [after])]
        names = dict.fromkeys((*ALWAYS, *self.query.fields))
        body = {
            "data": {
                "dataObjectApiName": self.query.object,
                "find_explicit_total_num": False,
                "search_query_info": {
                    "limit": PAGE,
                    "offset": 0,
                    "filters": [*filters, *more],
                    "orders": [{"fieldName": "_id", "isAsc": True}],
                    "fieldProjection": [name for name in names if name in self.fields],
                },
            }
        }
        path = data_path(self.query.object, "query")
        return self.client.read(path, body, patient=self.patient)

    def _record(self, envelope: Envelope, row: Mapping[str, Any]) -> Record:
        id_ = _id(envelope, row)
        modified = row.get("last_modified_time")
        if isinstance(modified, bool) or not isinstance(modified, int):
            raise envelope.unreadable("last_modified_time")
        try:
            moment: datetime = EPOCH + timedelta(milliseconds=modified)
        except OverflowError:
            raise envelope.unreadable("last_modified_time") from None
        ref = RecordRef(self.query.object, id_)
        if row.get("is_deleted") is True or row.get("life_status") == "invalid":
            return Record(ref, {}, moment, deleted=True)
        values = {name: self._value(ref, name, row.get(name)) for name in self.query.fields}
        return Record(ref, values, moment)

    def _value(self, ref: RecordRef, name: str, wire: Any) -> Value:  # noqa: ANN401 - wire JSON
        try:
            return self.fields[name].read(wire)
        except Unreadable:
            _log.warning("%s: field %s is not in its documented form, read as empty", ref, name)
            return None

    def _wanted(self, record: Record) -> bool:
        return not record.deleted or isinstance(self.query.where, ModifiedSince)


def _filter(name: str, operator: str, values: list[str]) -> Filter:
    return {"field_name": name, "operator": operator, "field_values": values}


def _rows(envelope: Envelope) -> Sequence[Mapping[str, Any]]:
    data = envelope.body.get("data")
    rows = data.get("dataList") if isinstance(data, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise envelope.unreadable("data.dataList")
    if len(rows) > PAGE:
        raise envelope.unreadable("data.dataList")
    return rows


def _id(envelope: Envelope, row: Mapping[str, Any]) -> str:
    found = row.get("_id")
    if not isinstance(found, str) or not found:
        raise envelope.unreadable("_id")
    return found


def _no_such_field(object_name: str, field: str) -> UnexpectedReply:
    return UnexpectedReply(
        Text(
            zh=f"对象 {object_name} 没有字段 {field}",
            en=f"object {object_name} has no field {field}",
        ),
        mend=Text(
            zh="字段可能已被删除或停用：请管理员核对，或修改映射文件。",
            en="It may have been deleted or switched off: ask an administrator, or mend the "
            "mapping.",
        ),
    )
