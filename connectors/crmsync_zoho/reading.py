"""Reads records from Zoho: whole modules, what changed, single ones; each once, resumable anywhere.

A whole module is listed in the order of ids by page token, up to the 100,000 records a token walk
may show; from there, and when a token has died, COQL goes on behind the last id. What changed is
asked for by COQL in the order of ids, so a record that changes meanwhile cannot slip past or come
twice within the walk: it changed after the walk began and belongs to the next one. Then come the
deletions, from the list Zoho keeps of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from crmsync.connector import Everything, FieldIn, ModifiedSince, Page, ReadQuery
from crmsync.connector.paging import SeenCursors, chunks, pack_resume, unpack_resume
from crmsync.errors import UnexpectedReply, UsageError
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import FieldType
from crmsync.model.text import Text
from crmsync_zoho import coql
from crmsync_zoho.client import Listing, ListRefused, ZohoClient
from crmsync_zoho.codec import Json, ZohoFieldInfo, decode, moment, stamp
from crmsync_zoho.describing import Descriptions

Place: TypeAlias = Mapping[str, str | int | bool | None]

PAGE = 200
MAX_FIELDS = 50
IDS_A_CALL = 100
FIRST_ROWS = 200
ALWAYS = ("Modified_Time",)
TOKEN_ENDED = frozenset(
    {"PAGINATION_LIMIT_EXCEEDED", "EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH", "INVALID_DATA"}
)
GONE = frozenset({"RECORD_NOT_FOUND", "INVALID_DATA", "INVALID_MODULE"})
PARENTS = ("Accounts", "Contacts", "Deals", "Leads")
BEFORE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One query with its fields looked up: ``first`` and ``rest`` are the lists of at most fifty
    that a listing may ask for at a time."""

    query: ReadQuery
    fields: Mapping[str, ZohoFieldInfo]
    names: tuple[str, ...]

    @property
    def module(self) -> str:
        return self.query.object

    @property
    def first(self) -> tuple[str, ...]:
        return self.names[:MAX_FIELDS]

    @property
    def rest(self) -> tuple[Sequence[str], ...]:
        return tuple(chunks(self.names[MAX_FIELDS:], MAX_FIELDS))


class Reading:
    """Answers ``read`` for one connection."""

    def __init__(self, client: ZohoClient, descriptions: Descriptions) -> None:
        self._client = client
        self._descriptions = descriptions

    def read(self, query: ReadQuery, resume: str | None) -> Iterator[Page]:
        """Pages of matching records, from the start or behind *resume*."""
        fields = self._descriptions.wanted(query.object, query.fields)
        names = (*ALWAYS, *(name for name in fields if name not in ALWAYS))
        if len(names) >= coql.MAX_COLUMNS:
            raise UsageError(
                Text(
                    zh=f"一次最多读取 {coql.MAX_COLUMNS - 2} 个字段",
                    en=f"at most {coql.MAX_COLUMNS - 2} fields can be read at a time",
                )
            )
        plan = _Plan(query, fields, names)
        place = {} if resume is None else unpack_resume(query, resume)
        match query.where:
            case Everything():
                return self._everything(plan, place)
            case ModifiedSince(moment=at):
                return self._changed(plan, at, place)
            case FieldIn(field="id", values=values):
                return self._by_id(plan, values, place)
            case FieldIn(below=str(parent)):
                return self._below(plan, query.where, parent)
            case FieldIn(field=name, values=values):
                return self._by_field(plan, name, values, place)

    # a whole module

    def _everything(self, plan: _Plan, place: Place) -> Iterator[Page]:
        token, last = place.get("token"), str(place.get("last") or "0")
        if place and token is None:
            yield from self._rows(plan, (), last)
            return
        seen = SeenCursors(f"{plan.module} page_token")
        while True:
            try:
                page = self._list(plan, None if token is None else str(token))
            except ListRefused as refused:
                if token is None or refused.remote_code not in TOKEN_ENDED:
                    raise
                yield from self._rows(plan, (), last)
                return
            records = self._records(plan, page.data)
            if page.data:
                last = str(page.data[-1]["id"])
            if not page.more:
                yield Page(records, None, page.server_time)
                return
            token = None if page.next_token is None else seen.next(page.next_token)
            resume = pack_resume(plan.query, {"token": token, "last": last})
            yield Page(records, resume, page.server_time)
            if token is None:
                yield from self._rows(plan, (), last)
                return

    def _list(self, plan: _Plan, token: str | None) -> Listing:
        parameters: dict[str, str | int] = {
            "fields": ",".join(plan.first),
            "per_page": PAGE,
            "sort_by": "id",
            "sort_order": "asc",
        }
        if token is not None:
            parameters["page_token"] = token
        return self._client.records(plan.module, parameters)

    # by COQL, behind an id

    def _rows(self, plan: _Plan, where: Sequence[str], last: str) -> Iterator[Page]:
        """Records behind *last* that meet the conditions."""
        for page in self._listings(plan.module, plan.names, where, last):
            resume = None
            if page.more:
                resume = pack_resume(plan.query, {"last": str(page.data[-1]["id"])})
            yield Page(self._records(plan, page.data, complete=True), resume, page.server_time)

    def _listings(
        self, module: str, names: Sequence[str], where: Sequence[str], last: str
    ) -> Iterator[Listing]:
        """Replies to one query after another, each behind the last id of the one before; small
        first, for a small answer costs less."""
        limit = FIRST_ROWS
        columns = ["id", *names]
        while True:
            text = coql.select(columns, module, [*where, coql.behind(last)], limit)
            page = self._client.query(text, limit)
            if not page.data or not page.more:
                yield replace(page, more=False)
                return
            newest = str(page.data[-1]["id"])
            if int(newest) <= int(last):
                raise UnexpectedReply(
                    Text(
                        zh=f"Zoho 两次给出同一页（{module}），已停止",
                        en=f"Zoho gave the same page twice ({module}): stopped",
                    )
                )
            yield page
            last, limit = newest, coql.MAX_ROWS

    # what changed

    def _changed(self, plan: _Plan, at: datetime, place: Place) -> Iterator[Page]:
        number = place.get("deleted")
        if not isinstance(number, int):
            last = str(place.get("last") or "0")
            for page in self._rows(plan, [coql.since(at)], last):
                resume = page.resume or pack_resume(plan.query, {"deleted": 1})
                yield Page(page.records, resume, page.server_time)
            number = 1
        yield from self._deleted(plan, at, number)

    def _deleted(self, plan: _Plan, at: datetime, number: int) -> Iterator[Page]:
        """Deletions since *at*. New ones push the list down, so some may come twice, none be
        lost; those that came already are left out."""
        seen: set[str] = set()
        while True:
            parameters: dict[str, str | int] = {"type": "all", "page": number, "per_page": PAGE}
            page = self._client.records(f"{plan.module}/deleted", parameters, stamp(at - BEFORE))
            records = []
            for item in page.data:
                record = str(item["id"])
                if record not in seen:
                    seen.add(record)
                    records.append(_tombstone(plan.module, item, at))
            number += 1
            resume = pack_resume(plan.query, {"deleted": number}) if page.more else None
            yield Page(tuple(records), resume, page.server_time)
            if resume is None:
                return

    # single ones

    def _by_id(self, plan: _Plan, values: Sequence[Value], place: Place) -> Iterator[Page]:
        ids = list(dict.fromkeys(str(value) for value in values if value is not None))
        start = int(place.get("from") or 0)
        if start >= len(ids):
            yield Page((), None)
            return
        for begin in range(start, len(ids), IDS_A_CALL):
            part = ids[begin : begin + IDS_A_CALL]
            page = self._with_ids(plan.module, plan.first, part)
            end = begin + IDS_A_CALL
            resume = pack_resume(plan.query, {"from": end}) if end < len(ids) else None
            yield Page(self._records(plan, page.data), resume, page.server_time)

    def _with_ids(self, module: str, names: Sequence[str], ids: Sequence[str]) -> Listing:
        """Records by id from the list itself: it knows a change the moment it is made."""
        parameters: dict[str, str | int] = {
            "fields": ",".join(names),
            "ids": ",".join(ids),
            "per_page": PAGE,
        }
        return self._client.records(module, parameters)

    def _by_field(
        self, plan: _Plan, name: str, values: Sequence[Value], place: Place
    ) -> Iterator[Page]:
        wanted = list(dict.fromkeys(values))
        part, last = int(place.get("part") or 0), str(place.get("last") or "0")
        parts = list(chunks(wanted, coql.MAX_VALUES))
        if part >= len(parts):
            yield Page((), None)
            return
        field = self._descriptions.wanted(plan.module, [name]).get(name)
        schema = field.schema if field is not None else None
        for number in range(part, len(parts)):
            condition = coql.one_of(schema, name, parts[number])
            for page in self._rows(plan, [condition], last):
                at: Place | None = {"part": number + 1}
                if page.resume is not None:
                    at = {"part": number, **unpack_resume(plan.query, page.resume)}
                elif number + 1 >= len(parts):
                    at = None
                resume = None if at is None else pack_resume(plan.query, at)
                yield Page(page.records, resume, page.server_time)
            last = "0"

    def _below(self, plan: _Plan, where: FieldIn, parent: str) -> Iterator[Page]:
        """Children of one record, by a field: first from the parent's own list, which knows every
        change at once, then by COQL, for the list may leave out closed activities."""
        self._descriptions.wanted(plan.module, [where.field])
        known = self._descriptions.fields(plan.module)
        info = known[where.field]
        links = [name for name, field in known.items() if field.schema.type is FieldType.LOOKUP]
        names = tuple(dict.fromkeys((*plan.names, where.field, *links)))
        wanted = set(where.values)
        found: dict[str, dict[str, Json]] = {}
        time: datetime | None = None
        for page in self._children(plan.module, parent, names):
            time = time or page.server_time
            for item in page.data:
                if decode(info.schema, item.get(where.field)) in wanted:
                    found[str(item["id"])] = item
        for part in chunks(list(dict.fromkeys(where.values)), coql.MAX_VALUES):
            condition = coql.one_of(info.schema, where.field, part)
            for page in self._listings(plan.module, names, [condition], "0"):
                time = time or page.server_time
                for item in page.data:
                    if _hangs_below(item, parent):
                        found.setdefault(str(item["id"]), item)
        yield Page(self._records(plan, list(found.values()), complete=True), None, time)

    def _children(self, module: str, parent: str, names: Sequence[str]) -> Iterator[Listing]:
        holder, _, record = parent.rpartition("/")
        for place in (holder,) if holder else PARENTS:
            parameters: dict[str, str | int] = {
                "fields": ",".join(names[:MAX_FIELDS]),
                "per_page": PAGE,
            }
            try:
                while True:
                    page = self._client.records(f"{place}/{record}/{module}", parameters)
                    yield page
                    if not page.more or page.next_token is None:
                        return
                    parameters["page_token"] = page.next_token
            except ListRefused as refused:
                if refused.remote_code not in GONE:
                    raise

    # records

    def _records(
        self, plan: _Plan, data: Sequence[dict[str, Json]], *, complete: bool = False
    ) -> tuple[Record, ...]:
        """Canonical records; what did not fit into the first fifty fields is fetched by id."""
        if data and plan.rest and not complete:
            data = self._completed(plan, data)
        return tuple(self._record(plan, item) for item in data)

    def _completed(self, plan: _Plan, data: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
        """Records with all their fields. One that vanished between two calls is left out; the
        older modified time stands, so that a conditional write errs on the safe side."""
        kept = {str(item["id"]): item for item in data}
        for names in plan.rest:
            more: dict[str, dict[str, Json]] = {}
            for ids in chunks(list(kept), IDS_A_CALL):
                page = self._with_ids(plan.module, names, ids)
                more.update({str(item["id"]): item for item in page.data})
            kept = {key: {**more[key], **item} for key, item in kept.items() if key in more}
        return list(kept.values())

    def _record(self, plan: _Plan, item: Mapping[str, Json]) -> Record:
        record = str(item["id"])
        values: dict[str, Value] = {}
        for name in plan.query.fields:
            if name == "id":
                values[name] = record
            else:
                values[name] = decode(plan.fields[name].schema, item.get(name), record)
        modified = _modified(plan.module, item, record)
        return Record(RecordRef(plan.module, record), values, modified, stamp(modified))


def _modified(module: str, item: Mapping[str, Json], record: str) -> datetime:
    try:
        return moment(item["Modified_Time"])
    except (KeyError, TypeError, ValueError):
        raise UnexpectedReply(
            Text(
                zh=f"{module}/{record} 没有修改时间",
                en=f"{module}/{record} has no modified time",
            )
        ) from None


def _tombstone(module: str, item: Mapping[str, Json], at: datetime) -> Record:
    try:
        deleted = moment(item["deleted_time"])
    except (KeyError, TypeError, ValueError):
        deleted = at
    return Record(RecordRef(module, str(item["id"])), {}, deleted, deleted=True)


def _hangs_below(item: Mapping[str, Json], parent: str) -> bool:
    record = parent.rpartition("/")[2]
    return any(isinstance(value, dict) and value.get("id") == record for value in item.values())
