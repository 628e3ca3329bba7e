"""Released reviews, kept ruleset texts and the last known quota."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa

from crmsync.model.schema import Quota
from crmsync.store.engine import Database
from crmsync.store.tables import quota, review, ruleset_text
from crmsync.store.upsert import insert_new, upsert


class Reviews:
    """Days on which a person let waiting demotions go (``when: at review``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def release(
        self, connection: str, ruleset: str, *, on: date, by: str, at: datetime, reason: str | None
    ) -> bool:
        """Release the review of a local day; false when it was released before."""
        row = {
            "connection": connection,
            "ruleset": ruleset,
            "released_on": on,
            "by": by,
            "at": at,
            "reason": reason,
        }
        with self._database.write() as db:
            return insert_new(db, review, row)

    def released(self, connection: str, ruleset: str, *, day: date) -> bool:
        """Whether the review of *day* is released."""
        query = sa.select(sa.func.count()).where(
            review.c.connection == connection,
            review.c.ruleset == ruleset,
            review.c.released_on == day,
        )
        with self._database.read() as db:
            return bool(db.execute(query).scalar_one())

    def last(self, connection: str, ruleset: str, *, day: date) -> date | None:
        """The last review released on or before *day*."""
        query = sa.select(sa.func.max(review.c.released_on)).where(
            review.c.connection == connection,
            review.c.ruleset == ruleset,
            review.c.released_on <= day,
        )
        with self._database.read() as db:
            found: date | None = db.execute(query).scalar_one()
        return found


class RulesetTexts:
    """The files of every ruleset that was ever planned with, by digest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, digest: str, *, ruleset: str, version: int, files: Mapping[str, str], at: datetime
    ) -> None:
        """Store the files once."""
        row = {
            "digest": digest,
            "ruleset": ruleset,
            "version": version,
            "kept_at": at,
            "files": zlib.compress(json.dumps(dict(files), ensure_ascii=False).encode()),
        }
        with self._database.write() as db:
            insert_new(db, ruleset_text, row)

    def files(self, digest: str) -> dict[str, str] | None:
        """File name → text of the ruleset with that digest."""
        query = sa.select(ruleset_text.c.files).where(ruleset_text.c.digest == digest)
        with self._database.read() as db:
            packed = db.execute(query).scalar_one_or_none()
        return None if packed is None else dict(json.loads(zlib.decompress(packed)))


class Quotas:
    """What each connection last said of its quota."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, connection: str, told: Quota, *, at: datetime) -> None:
        """Keep the latest figure."""
        row = {
            "connection": connection,
            "unit": told.unit,
            "used": told.used,
            "limit": told.limit,
            "remaining": told.remaining,
            "asked_at": at,
        }
        with self._database.write() as db:
            upsert(db, quota, [row])

    def last(self, connection: str) -> tuple[Quota, datetime] | None:
        """The latest figure and when it was asked for."""
        with self._database.read() as db:
            row = db.execute(sa.select(quota).where(quota.c.connection == connection)).first()
        if row is None:
            return None
        return Quota(row.unit, row.used, row.limit, row.remaining), row.asked_at
