"""A record's modification records: who moved which field, from which value to which.

Facts (the vendor's page "Data Modification Record Query API", read 2026-11): a POST to `LOG` with
``apiName``, ``objectId``, ``pageNumber``, ``pageSize``, ``operationTimeFrom`` and
``operationTimeTo`` in milliseconds; entries hold ``logID``, ``owner`` (``employeeID``, ``name``),
``operationTime`` in milliseconds, ``operationType``, ``logMsg`` and ``objectInfo``. From one public
program: the list is ``data.modifyRecordList``, pages are counted in ``data.pageInfo.pageCount``.

Not known: how ``objectInfo`` words the old and the new value. So an entry is searched for parts
that name a field by its API name and give both values under one of the names in `OLD` and `NEW`.
An entry that speaks of a field in any other way leaves it unread, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from crmsync.connector.histories import looks_cut, newest_first
from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import FieldType
from crmsync_fxiaoke.client import FxiaokeClient
from crmsync_fxiaoke.codec import EPOCH, FieldCodec, Unreadable

LOG = "/cgi/crm/v2/object/getNewLogInfoListForWeb"
PAGE = 100
MOST_PAGES = 100
AHEAD = timedelta(days=1)
"""How far beyond our clock a history is asked for: the CRM's own clock may be ahead of it."""
NAMES = ("fieldApiName", "field_api_name", "fieldName", "field_name", "apiName", "api_name")
OLD = ("oldValue", "old_value", "beforeValue", "before")
NEW = ("newValue", "new_value", "afterValue", "after")
SAID = ("objectInfo", "logMsg", "logDataDetailInfo")
"""The parts of an entry that tell what was changed; the others say when and by whom."""
_ABSENT = object()
_OPTIONS = frozenset({FieldType.PICKLIST, FieldType.MULTI_PICKLIST})


@dataclass(frozen=True, slots=True)
class Asked:
    """One record's history: the fields wanted, from when on, and the employee who is us."""

    ref: RecordRef
    fields: Mapping[str, FieldCodec]
    since: datetime
    now: datetime
    user: str


def history(client: FxiaokeClient, asked: Asked) -> Iterator[HistoryEntry]:
    """The saves of one record, newest first."""
    for item in newest_first(_pages(client, asked), _moment, since=asked.since):
        entry = _entry(asked, item)
        if entry is not None:
            yield entry


def _pages(client: FxiaokeClient, asked: Asked) -> Iterator[list[Mapping[str, Any]]]:
    until = max(asked.now, asked.since) + AHEAD
    for number in range(1, MOST_PAGES + 1):
        body = {
            "data": {
                "apiName": asked.ref.object,
                "objectId": asked.ref.id,
                "pageNumber": number,
                "pageSize": PAGE,
                "operationTimeFrom": _milliseconds(asked.since),
                "operationTimeTo": _milliseconds(until),
            }
        }
        envelope = client.read(LOG, body)
        data = envelope.body.get("data")
        found = data.get("modifyRecordList") if isinstance(data, Mapping) else None
        info = data.get("pageInfo") if isinstance(data, Mapping) else None
        pages = info.get("pageCount") if isinstance(info, Mapping) else None
        if not isinstance(found, list) or not isinstance(pages, int):
            raise envelope.unreadable("data.modifyRecordList, data.pageInfo.pageCount")
        yield [item for item in found if isinstance(item, Mapping)]
        if number >= pages:
            return


def _entry(asked: Asked, item: Mapping[str, Any]) -> HistoryEntry | None:
    """One save, or ``None`` when it does not speak of a field that was asked for."""
    changes: dict[str, FieldChange] = {}
    unread: set[str] = set()
    said = [item[part] for part in SAID if part in item]
    for name, old, new in _parts(said):
        codec = asked.fields.get(name)
        if codec is None:
            continue
        try:
            changes[name] = FieldChange(told(codec, old), told(codec, new))
        except Unreadable:
            unread.add(name)
    rest = asked.fields.keys() - changes.keys() - unread
    unread |= {name for name in rest if _speaks_of(said, name, asked.fields[name].schema.label)}
    if not changes and not unread:
        return None
    owner = item.get("owner")
    who: Mapping[str, Any] = owner if isinstance(owner, Mapping) else {}
    id, called = who.get("employeeID"), who.get("name")
    by = called if isinstance(called, str) and called else id
    return HistoryEntry(
        id=str(item.get("logID") or ""),
        at=_moment(item),
        by=by if isinstance(by, str) else None,
        ours=_ours(id, asked.user),
        changes=changes,
        unread=frozenset(unread),
    )


def told(codec: FieldCodec, given: Any) -> Value:  # noqa: ANN401 - wire JSON
    """The canonical value of one side; raises Unreadable where it is not certain."""
    kind = codec.schema.type
    if isinstance(given, str) and looks_cut(given):
        raise Unreadable
    if kind is FieldType.DATE and isinstance(given, str) and "-" in given.lstrip("-"):
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise Unreadable from None
    if kind is FieldType.BOOLEAN and given in {"true", "false"}:
        return bool(given == "true")
    if codec.wire_type == "employee" and not _is_id(given):
        raise Unreadable
    if kind in _OPTIONS and given not in (None, "", []):
        many = given if isinstance(given, list) else [given]
        stored = [_option(codec, item) for item in many]
        return codec.read(stored if kind is FieldType.MULTI_PICKLIST else stored[0])
    return codec.read(given)


def _option(codec: FieldCodec, given: Any) -> str:  # noqa: ANN401 - wire JSON
    """What is stored for an option, by its stored or its shown name."""
    if not isinstance(given, str):
        raise Unreadable
    choices = codec.schema.choices
    if any(choice.value == given for choice in choices):
        return given
    stored = [choice.value for choice in choices if choice.label == given]
    if len(stored) != 1:
        raise Unreadable
    return stored[0]


def _is_id(given: Any) -> bool:  # noqa: ANN401 - wire JSON
    many = given if isinstance(given, list) else [given]
    return all(item in (None, "") or (isinstance(item, str) and item.isdigit()) for item in many)


def _parts(node: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - wire JSON
    """Every part of an entry that names a field and gives both its values."""
    if isinstance(node, list):
        for item in node:
            yield from _parts(item)
    elif isinstance(node, Mapping):
        name = _first(node, NAMES)
        old, new = _first(node, OLD), _first(node, NEW)
        if isinstance(name, str) and old is not _ABSENT and new is not _ABSENT:
            yield name, old, new
            return
        for key, item in node.items():
            inner = item if isinstance(item, Mapping) else {}
            sides = _first(inner, OLD), _first(inner, NEW)
            if _ABSENT not in sides and _first(inner, NAMES) is _ABSENT:
                yield str(key), *sides
            else:
                yield from _parts(item)


def _first(node: Mapping[str, Any], names: tuple[str, ...]) -> Any:  # noqa: ANN401 - wire JSON
    return next((node[name] for name in names if name in node), _ABSENT)


def _speaks_of(node: Any, name: str, label: str) -> bool:  # noqa: ANN401 - wire JSON
    """Whether an entry mentions a field anywhere, by its API name or by its label in a text."""
    if isinstance(node, str):
        return name == node or (len(label) > 1 and label in node)
    if isinstance(node, Mapping):
        return any(key == name or _speaks_of(item, name, label) for key, item in node.items())
    return isinstance(node, list) and any(_speaks_of(item, name, label) for item in node)


def _ours(id: Any, user: str) -> bool | None:  # noqa: ANN401 - wire JSON
    """Whether an employee is the one we act as; ``None`` where ids are of different kinds (an
    employee's number, an openUserId), which nothing here can compare."""
    if not isinstance(id, str | int) or isinstance(id, bool):
        return None
    if str(id) == user:
        return True
    return False if str(id).isdigit() and user.isdigit() else None


def _moment(item: Mapping[str, Any]) -> datetime | None:
    given = item.get("operationTime")
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    try:
        return EPOCH + timedelta(milliseconds=given)
    except OverflowError:
        return None


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
