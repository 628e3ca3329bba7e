"""A record's timeline: who moved which field, from which value to which.

Facts (Zoho's OpenAPI file ``timelines`` v8.0 and its Python SDK zohocrmsdk8_0 7.0.0, read 2026-11):
``GET /{module}/{id}/__timeline`` gives ``__timeline``, a list of entries with ``audited_time``,
``done_by`` (name and id), ``record`` and ``field_history``, whose items hold ``api_name`` and
``_value`` with ``old`` and ``new`` as **text**; ``info`` holds ``more_records`` and
``next_page_token``; a page holds up to 200, and ``per_page`` is not given with ``page_token``. An
unknown record is refused with INVALID_DATA.

Not documented: in which order entries come (newest first is expected; the other way round is seen
and turned), how amounts, days and look-ups are put into text, and how late an entry may show. What
has one reading only is read; anything else is left unread and said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crmsync.connector.histories import looks_cut, newest_first
from crmsync.connector.paging import SeenCursors
from crmsync.errors import UnexpectedReply
from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import FieldSchema, FieldType
from crmsync.model.text import Text
from crmsync_zoho.client import ListRefused, ZohoClient
from crmsync_zoho.codec import IDS, NUMBERS, TEXTS, Json, ZohoFieldInfo, moment

PAGE = 200
GONE = frozenset({"INVALID_DATA", "RECORD_NOT_FOUND"})
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)
_ID = re.compile(r"\d{15,20}", re.ASCII)


class Unclear(ValueError):
    """A value of a timeline that has more than one reading, or none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One record's history as it was asked for."""

    ref: RecordRef
    fields: Mapping[str, ZohoFieldInfo]
    user: str


def history(
    client: ZohoClient,
    ref: RecordRef,
    fields: Mapping[str, ZohoFieldInfo],
    *,
    since: datetime,
    user: str,
) -> Iterator[HistoryEntry]:
    """The saves of one record, newest first; *user* is the id of the user we sign in as."""
    asked = _Asked(ref, fields, user)
    for item in newest_first(_pages(client, ref), _moment, since=since):
        entry = _entry(asked, item)
        if entry is not None:
            yield entry


def told(field: FieldSchema, given: Json) -> Value:
    """The canonical value of one side of ``_value``; raises Unclear where it is not certain."""
    if given is None or given in ("", []):
        return None
    kind = field.type
    if kind is FieldType.PICKLIST and isinstance(given, str):
        return _option(field, given)
    if kind in TEXTS and isinstance(given, str):
        if looks_cut(given):
            raise Unclear
        return given
    if kind in NUMBERS:
        return _number(given)
    if kind is FieldType.INTEGER:
        number = _number(given)
        if number != number.to_integral_value():
            raise Unclear
        return int(number)
    if kind in IDS:
        return _id(given)
    match kind:
        case FieldType.BOOLEAN if given in {"true", "false"} or isinstance(given, bool):
            return given in {"true", True}
        case FieldType.MULTI_PICKLIST:
            return _options(field, given)
    if not isinstance(given, str):
        raise Unclear
    try:
        if kind is FieldType.DATE:
            return date.fromisoformat(given)
        if kind is FieldType.DATETIME:
            return moment(given)
    except ValueError as problem:
        raise Unclear from problem
    raise Unclear


def _option(field: FieldSchema, given: str) -> str:
    """What is stored for an option, by its stored or its shown name; one that is gone stays."""
    if any(choice.value == given for choice in field.choices):
        return given
    stored = [choice.value for choice in field.choices if choice.label == given]
    if len(stored) > 1:
        raise Unclear
    return stored[0] if stored else given


def _options(field: FieldSchema, given: Json) -> Value:
    if isinstance(given, str) and any(given in {c.value, c.label} for c in field.choices):
        return (_option(field, given),)
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        return tuple(sorted({_option(field, item) for item in given}))
    raise Unclear


def _number(given: Json) -> Decimal:
    """A plain figure; one with separators or a currency has several readings."""
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return Decimal(given)
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        return Decimal(given)
    raise Unclear


def _id(given: Json) -> str:
    id = given.get("id") if isinstance(given, dict) else given
    if isinstance(id, str) and _ID.fullmatch(id):
        return id
    raise Unclear


def _pages(client: ZohoClient, ref: RecordRef) -> Iterator[list[dict[str, Json]]]:
    query: dict[str, str | int] = {"per_page": PAGE}
    seen = SeenCursors(f"{ref.object} timeline page_token")
    while True:
        try:
            page = client.timeline(ref.object, ref.id, query)
        except ListRefused as refused:
            if refused.remote_code in GONE:
                return
            raise
        yield page.data
        if not page.more:
            return
        if page.next_token is None:
            raise UnexpectedReply(
                Text(
                    zh="Zoho 说历史还有下一页，却没有给出续读标记",
                    en="Zoho says the timeline goes on and gives no token to go on with",
                )
            )
        query = {"page_token": seen.next(page.next_token)}


def _entry(asked: _Asked, item: Mapping[str, Json]) -> HistoryEntry | None:
    """One save, or ``None`` when it is of another record or moved nothing that was asked for."""
    record, moved = item.get("record"), item.get("field_history")
    elsewhere = isinstance(record, dict) and record.get("id") not in {None, asked.ref.id}
    if elsewhere or not isinstance(moved, list):
        return None
    changes: dict[str, FieldChange] = {}
    unread: set[str] = set()
    for part in moved:
        name = part.get("api_name") if isinstance(part, dict) else None
        info = asked.fields.get(name) if isinstance(name, str) else None
        if info is None:
            continue
        value = part.get("_value")
        try:
            if not isinstance(value, dict):
                raise Unclear
            before, after = (told(info.schema, value.get(side)) for side in ("old", "new"))
        except Unclear:
            unread.add(info.schema.name)
        else:
            changes[info.schema.name] = FieldChange(before, after)
    if not changes and not unread:
        return None
    by = item.get("done_by")
    who = by if isinstance(by, dict) else {}
    id, name = who.get("id"), who.get("name")
    return HistoryEntry(
        id=str(item.get("id") or ""),
        at=_moment(item),
        by=name if isinstance(name, str) and name else id if isinstance(id, str) else None,
        ours=str(id) == asked.user if isinstance(id, str | int) else None,
        changes=changes,
        unread=frozenset(unread),
    )


def _moment(item: Mapping[str, Json]) -> datetime | None:
    text = item.get("audited_time")
    try:
        return moment(text) if isinstance(text, str) else None
    except ValueError:
        return None
