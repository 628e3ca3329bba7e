"""The audit log: append-only, and each entry's digest covers the entry before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crmsync.model.canonical import dumps, loads
from crmsync.store.engine import Database
from crmsync.store.tables import audit

_Detail = Mapping[str, str]
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when; ``detail`` holds names and figures, never customer values."""

    seq: int
    at: datetime
    who: str
    what: str
    detail: Mapping[str, str]


class Audit:
    """Entries in the order they were made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, at: datetime, who: str, what: str, detail: Mapping[str, str]) -> None:
        """Append one entry; joins the caller's transaction."""
        with self._database.write() as db:
            last = db.execute(sa.select(audit).order_by(audit.c.seq.desc()).limit(1)).first()
            seq, previous = (last.seq + 1, last.digest) if last else (1, _START)
            entry = AuditEntry(seq, at, who, what, detail)
            row = {
                "seq": seq,
                "at": at,
                "who": who,
                "what": what,
                "detail": dumps(detail, _Detail),
                "previous": previous,
                "digest": _digest(entry, previous),
            }
            db.execute(sa.insert(audit).values(row))

    def entries(self, *, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """The latest entries, newest first."""
        query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
        with self._database.read() as db:
            return tuple(_entry(row) for row in db.execute(query))

    def broken_at(self) -> int | None:
        """The first entry that was changed, or that stands where one was taken out."""
        previous, expected = _START, 1
        with self._database.read() as db:
            for row in db.execute(sa.select(audit).order_by(audit.c.seq)):
                entry = _entry(row)
                whole = row.seq == expected and row.previous == previous
                if not whole or row.digest != _digest(entry, previous):
                    return int(row.seq)
                previous, expected = row.digest, expected + 1
        return None


def _entry(row: sa.Row[Any]) -> AuditEntry:
    detail = loads(row.detail, _Detail)  # type: ignore[type-abstract]
    return AuditEntry(row.seq, row.at, row.who, row.what, detail)


def _digest(entry: AuditEntry, previous: str) -> str:
    content = f"{previous}\n{dumps(entry, AuditEntry)}"
    return hashlib.sha256(content.encode()).hexdigest()
