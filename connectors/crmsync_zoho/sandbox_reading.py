"""Record lists in the sandbox: pages, page tokens bound to parameters, deletions, children."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crmsync.testing import Row, SandboxClock
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_modules import RELATED_LISTS
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import Answer, Json, Refusal, invalid_module, missing_parameter
from crmsync_zoho.sandbox_values import read_stamp, stamp

BOUND = ("fields", "per_page", "sort_by", "sort_order", "ids", "cvid", "converted")
SORTS = ("id", "Created_Time", "Modified_Time")
CLOSED = "Completed"


@dataclass(frozen=True, slots=True)
class _Walk:
    """What a page token stands for: the list, its parameters, how far it got and how long it
    lives. ``after`` is the sort key of the last record shown."""

    place: tuple[str, ...]
    bound: tuple[tuple[str, str], ...]
    after: tuple[float, int]
    shown: int
    until: datetime


class Reading:
    """Carries out list reads on one organisation.

    A token continues behind the last record shown, by the sort order of its walk: records that
    change their place meanwhile may be shown twice or, sorted by time downwards, not at all.
    """

    def __init__(self, organisation: Organisation, limits: ZohoLimits, clock: SandboxClock) -> None:
        self._org = organisation
        self._limits = limits
        self._clock = clock
        self._walks: dict[str, _Walk] = {}

    def records(self, module: str, query: Mapping[str, str], since: str | None) -> Answer:
        """``GET /{module}``."""
        self._known(module)
        fields = self._fields(query)
        rows = self._org.rows(module)
        if "ids" in query:
            wanted = set(query["ids"].split(","))
            rows = [row for row in rows if row.id in wanted]
        changed = _changed_since(rows, since)
        if changed is not None and not changed:
            return Answer(304)
        return self._page((module,), rows if changed is None else changed, fields, query)

    def record(self, module: str, record: str, query: Mapping[str, str]) -> Answer:
        """``GET /{module}/{id}``; 204 when there is none."""
        self._known(module)
        row = self._org.find(module, record)
        if row is None:
            return Answer(204)
        fields = self._fields(query) if "fields" in query else None
        return Answer(200, {"data": [self._org.record(row, fields)]})

    def related(self, path: tuple[str, str, str], query: Mapping[str, str]) -> Answer:
        """``GET /{module}/{id}/{list}``. A task that was completed is no longer in ``Tasks``
        (Zoho's pages keep open and closed activities apart; assumed, not documented)."""
        module, record, name = path
        self._known(module)
        target = RELATED_LISTS.get((module, name))
        if target is None:
            raise Refusal(400, "INVALID_DATA", {"resource_path_index": 2}, "no such list")
        if self._org.find(module, record) is None:
            raise Refusal(404, "RECORD_NOT_FOUND", {"resource_path_index": 1})
        child, link = target
        fields = self._fields(query)
        rows = [
            row
            for row in self._org.rows(child)
            if row.get(link) == record and not (child == "Tasks" and row.get("Status") == CLOSED)
        ]
        return self._page(path, rows, fields, query)

    def deleted(self, module: str, query: Mapping[str, str], since: str | None) -> Answer:
        """``GET /{module}/deleted``."""
        self._known(module)
        kind = query.get("type", "all")
        if kind not in {"all", "recycle", "permanent"}:
            raise Refusal(400, "INVALID_DATA", {"param_name": "type"})
        rows = self._org.store.rows(module, deleted=True)
        moment = _moment(since)
        if moment is not None:
            rows = [row for row in rows if row.deleted_at and row.deleted_at > moment]
        items = [self._tombstone(row) for row in reversed(rows)]
        items = [item for item in items if kind == "all" or item["type"] == kind]
        page, size = self._number(query, "page", 1), self._size(query)
        part = items[(page - 1) * size : page * size]
        if not part:
            return Answer(304 if since else 204)
        info = {
            "per_page": size,
            "count": len(part),
            "page": page,
            "more_records": page * size < len(items),
        }
        return Answer(200, {"data": part, "info": info})

    def _tombstone(self, row: Row) -> dict[str, Json]:
        gone = (row.object, row.id) in self._org.purged
        assert row.deleted_at is not None
        return {
            "deleted_by": None if gone else self._org.people.who(row.deleted_by or ""),
            "id": row.id,
            "display_name": None if gone else row.get(self._org.modules[row.object].name_field),
            "type": "permanent" if gone else "recycle",
            "created_by": None if gone else self._org.people.who(row.created_by),
            "deleted_time": stamp(row.deleted_at, self._org.zone),
        }

    def _known(self, module: str) -> None:
        if module not in self._org.modules:
            raise invalid_module()

    def _fields(self, query: Mapping[str, str]) -> list[str]:
        text = query.get("fields", "")
        names = [name for name in text.split(",") if name]
        if not names:
            raise missing_parameter("fields")
        if len(names) > self._limits.fields:
            details = {"limit": self._limits.fields, "param_name": "fields"}
            raise Refusal(400, "LIMIT_EXCEEDED", details)
        return names

    def _number(self, query: Mapping[str, str], name: str, default: int) -> int:
        text = query.get(name, str(default))
        if not text.isdigit() or int(text) < 1:
            raise Refusal(400, "INVALID_DATA", {"param_name": name})
        return int(text)

    def _size(self, query: Mapping[str, str]) -> int:
        size = self._number(query, "per_page", self._limits.per_page)
        if size > self._limits.per_page:
            raise Refusal(400, "INVALID_DATA", {"param_name": "per_page"})
        return size

    def _page(
        self, place: tuple[str, ...], rows: list[Row], fields: list[str], query: Mapping[str, str]
    ) -> Answer:
        size = self._size(query)
        sort, down = _sorting(query)
        bound = tuple((name, query[name]) for name in BOUND if name in query)
        rows = _sorted(rows, sort, down=down)
        if "page_token" in query:
            if "page" in query:
                parts = [{"param_name": "page"}, {"param_name": "page_token"}]
                raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": parts})
            walk = self._resume(query["page_token"], place, bound)
            page = walk.shown // size + 1
            start, shown = _behind(rows, walk.after, sort, down=down), walk.shown
        else:
            page = self._number(query, "page", 1)
            if page > self._limits.pages or page * size > self._limits.pages * 200:
                details = {"limit": self._limits.pages * 200}
                raise Refusal(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", details)
            start = shown = (page - 1) * size
        part = rows[start : start + size]
        if not part:
            return Answer(204)
        more = start + size < len(rows)
        token = None
        if more:
            until = self._clock.now() + self._limits.token_life
            walk = _Walk(place, bound, _key(part[-1], sort), shown + len(part), until)
            token = self._keep(walk)
        info = {
            "call": False,
            "per_page": size,
            "next_page_token": token,
            "count": len(part),
            "sort_by": sort,
            "page": page,
            "previous_page_token": None,
            "page_token_expiry": stamp(self._clock.now() + self._limits.token_life, self._org.zone)
            if token
            else None,
            "sort_order": "desc" if down else "asc",
            "email": False,
            "more_records": more,
        }
        data = [self._org.record(row, fields) for row in part]
        return Answer(200, {"data": data, "info": info})

    def _keep(self, walk: _Walk) -> str:
        token = f"practice{len(self._walks) + 1:08d}"
        self._walks[token] = walk
        return token

    def _resume(
        self, token: str, place: tuple[str, ...], bound: tuple[tuple[str, str], ...]
    ) -> _Walk:
        walk = self._walks.get(token)
        details = {"api_name": "page_token", "json_path": "$.page_token"}
        if walk is None:
            raise Refusal(400, "INVALID_DATA", {"param_name": "page_token"})
        if walk.until < self._clock.now():
            raise Refusal(400, "EXPIRED_VALUE", details)
        if walk.place != place or walk.bound != bound:
            raise Refusal(400, "TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        if walk.shown >= self._limits.token_records:
            raise Refusal(400, "PAGINATION_LIMIT_EXCEEDED", {"param_name": "page_token"})
        return walk


def _sorting(query: Mapping[str, str]) -> tuple[str, bool]:
    sort, order = query.get("sort_by", "id"), query.get("sort_order", "desc")
    if sort not in SORTS:
        details: dict[str, Json] = {"param_name": "sort_by", "supported_values": list(SORTS)}
        raise Refusal(400, "INVALID_DATA", details)
    if order not in {"asc", "desc"}:
        raise Refusal(400, "INVALID_DATA", {"param_name": "sort_order"})
    if "cvid" in query and "sort_by" in query:
        parts = [{"param_name": "cvid"}, {"param_name": "sort_by"}]
        raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": parts})
    return sort, order == "desc"


def _key(row: Row, sort: str) -> tuple[float, int]:
    moment = {"Created_Time": row.created_at, "Modified_Time": row.modified_at}.get(sort)
    return (moment.timestamp() if moment else 0.0, int(row.id))


def _sorted(rows: list[Row], sort: str, *, down: bool) -> list[Row]:
    """Rows come oldest first, which is by id already."""
    if sort == "id":
        return rows[::-1] if down else rows
    return sorted(rows, key=lambda row: _key(row, sort), reverse=down)


def _behind(rows: list[Row], after: tuple[float, int], sort: str, *, down: bool) -> int:
    """How many sorted rows lie before the place *after* stands for."""
    if down:
        rising = rows[::-1]
        return len(rows) - bisect_left(rising, after, key=lambda row: _key(row, sort))
    return bisect_right(rows, after, key=lambda row: _key(row, sort))


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    moment = read_stamp(since)
    if moment is None:
        raise Refusal(400, "INVALID_DATA", {"param_name": "If-Modified-Since"})
    return moment


def _changed_since(rows: list[Row], since: str | None) -> list[Row] | None:
    moment = _moment(since)
    return None if moment is None else [row for row in rows if row.modified_at > moment]
