"""A CRM in memory that pages by id, keeps a clock, and can be told to misbehave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from crmsync.connector import (
    Capabilities,
    Everything,
    FieldIn,
    ModifiedSince,
    Page,
    ReadQuery,
)
from crmsync.errors import Throttled
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.model.text import Text


class PagedCrm:
    """A `Reader` over dictionaries; ``sees_deletes`` decides whether it tells of deletions."""

    def __init__(
        self,
        start: datetime,
        *,
        page_size: int = 10,
        sees_deletes: bool = True,
        account: str = "org-1",
    ) -> None:
        self.now = start
        self.page_size = page_size
        self.account = account
        self.tells_time = True
        self.records: dict[str, dict[str, Record]] = {}
        self.queries: list[tuple[ReadQuery, str | None]] = []
        self.fail_after: int | None = None
        self.repeat_cursor = False
        self.repeat_page = False
        self.on_page = lambda number: None
        self._capabilities = Capabilities(write_batch=100, sees_deletes=sees_deletes)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def put(self, object: str, id: str, fields: Mapping[str, Value]) -> None:
        ref = RecordRef(object, id)
        self.records.setdefault(object, {})[id] = Record(ref, dict(fields), self.now, "v")

    def delete(self, object: str, id: str) -> None:
        if self._capabilities.sees_deletes:
            ref = RecordRef(object, id)
            self.records[object][id] = Record(ref, {}, self.now, deleted=True)
        else:
            del self.records[object][id]

    def check(self) -> Organization:
        return Organization(self.account, "Invented Ltd", "u1", "Uma Invented")

    def describe(self, object: str) -> ObjectSchema:
        return ObjectSchema(object, object, ())

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        self.queries.append((query, resume))
        upper = self.now
        after = resume or ""
        number = 0
        while True:
            if self.fail_after is not None and number >= self.fail_after:
                raise Throttled(Text.same("slow down"), retry_after=1)
            found = self._matching(query, after, upper)
            page, rest = found[: self.page_size], found[self.page_size :]
            token = page[-1].ref.id if rest else None
            if self.repeat_cursor and token is not None:
                token = "0"
            number += 1
            yield Page(tuple(page), token, self.now if self.tells_time else None)
            if self.repeat_page and token is not None:
                yield Page(tuple(page), token + "x", None)
            self.on_page(number)
            self.now += timedelta(seconds=1)
            if token is None:
                return
            after = token

    def _matching(self, query: ReadQuery, after: str, upper: datetime) -> list[Record]:
        rows = sorted(self.records.get(query.object, {}).items())
        found = []
        for _, record in rows:
            if record.ref.id <= after:
                continue
            if isinstance(query.where, Everything) and record.deleted:
                continue
            if isinstance(query.where, ModifiedSince) and record.modified_at < query.where.moment:
                continue
            if isinstance(query.where, FieldIn) and record.ref.id not in query.where.values:
                continue
            fields = {name: record.fields.get(name) for name in query.fields}
            found.append(
                Record(record.ref, fields, record.modified_at, record.version, record.deleted)
            )
        return found

    def close(self) -> None:
        return None
