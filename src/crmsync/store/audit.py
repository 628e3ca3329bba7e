"""The audit log: append-only, and each entry's seal covers the entry before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class AuditChain:
    """What following the chain showed.

    ``broken_at`` is the first entry that was changed or stands where one was taken out; ``foreign``
    counts entries sealed with another machine's key, ``open`` those made without any key. Their
    places in the chain are verified, their content cannot be.
    """

    entries: int = 0
    broken_at: int | None = None
    foreign: int = 0
    open: int = 0


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
                "digest": self._seal(entry, previous),
                "key_id": self._database.sealer.id,
            }
            db.execute(sa.insert(audit).values(row))

    def entries(self, *, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """The latest entries, newest first."""
        query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
        with self._database.read() as db:
            return tuple(_entry(row) for row in db.execute(query))

    def broken_at(self) -> int | None:
        """The first entry that was changed, or that stands where one was taken out."""
        return self.chain().broken_at

    def chain(self) -> AuditChain:
        """Follow the chain from its first entry.

        An entry without a key after one with a key counts as changed: whoever has no key cannot
        pass their entry off as an old one.
        """
        previous, found, keyed = _START, AuditChain(), False
        with self._database.read() as db:
            for row in db.execute(sa.select(audit).order_by(audit.c.seq)):
                place, linked = found.entries + 1, row.previous == previous
                ours = row.key_id == self._database.sealer.id
                genuine = not ours or row.digest == self._seal(_entry(row), previous)
                if row.seq != place or not linked or not genuine or (keyed and not row.key_id):
                    return replace(found, broken_at=int(row.seq))
                keyed = keyed or row.key_id is not None
                found = replace(
                    found,
                    entries=place,
                    foreign=found.foreign + (not ours and row.key_id is not None),
                    open=found.open + (row.key_id is None),
                )
                previous = row.digest
        return found

    def redact(self, word: str, stand_in: str) -> int:
        """Put *stand_in* in the place of a person's id and seal the chain anew from there.

        Only whoever has the key can do this. Nothing is changed, and 0 given, when a later entry
        was sealed with another key.
        """
        alone, count = standing_alone(word), 0
        with self._database.write() as db:
            rows = db.execute(sa.select(audit).order_by(audit.c.seq)).all()
            first = next((row.seq for row in rows if alone.search(row.detail)), None)
            tail = [row for row in rows if first is not None and row.seq >= first]
            if any(row.key_id != self._database.sealer.id for row in tail):
                return 0
            previous = tail[0].previous if tail else _START
            for row in tail:
                entry = _entry(row)
                detail = {key: alone.sub(stand_in, text) for key, text in entry.detail.items()}
                count += detail != entry.detail
                digest = self._seal(replace(entry, detail=detail), previous)
                values = {"detail": dumps(detail, _Detail), "previous": previous, "digest": digest}
                db.execute(sa.update(audit).where(audit.c.seq == row.seq).values(**values))
                previous = digest
        return count

    def _seal(self, entry: AuditEntry, previous: str) -> str:
        return self._database.sealer.seal(previous, dumps(entry, AuditEntry))


def standing_alone(word: str) -> re.Pattern[str]:
    """Finds an id where it is not part of a longer one."""
    return re.compile(rf"(?<![0-9A-Za-z_-]){re.escape(word)}(?![0-9A-Za-z_-])")


def _entry(row: sa.Row[Any]) -> AuditEntry:
    detail = loads(row.detail, _Detail)  # type: ignore[type-abstract]
    return AuditEntry(row.seq, row.at, row.who, row.what, detail)
