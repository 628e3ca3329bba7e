"""Overrides and holds: what people decided over the rules' heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from crmsync.model.canonical import dumps, loads
from crmsync.model.override import Override
from crmsync.model.record import RecordRef
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.tables import hold, override_


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """An override with the number to lift it by."""

    id: int
    override: Override
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def holds(self, day: date) -> bool:
        """Whether the override is in force on *day* and nobody has lifted it."""
        return self.lifted_at is None and self.override.holds(day)


class Overrides:
    """Overrides by connection, ruleset and record; lifted and expired ones stay on record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active(
        self, connection: str, ruleset: str, refs: Iterable[RecordRef], *, day: date
    ) -> dict[RecordRef, tuple[Override, ...]]:
        """The overrides in force on *day* for each of *refs* that has any, oldest first."""
        found: dict[RecordRef, tuple[Override, ...]] = {}
        for piece in batched(refs):
            wanted = override_.c.record_id.in_([ref.id for ref in piece])
            for stored in self._select(connection, ruleset, wanted, _in_force(day)):
                ref = stored.override.ref
                if ref in piece:
                    found[ref] = (*found.get(ref, ()), stored.override)
        return found

    def everything(self, connection: str, ruleset: str) -> tuple[StoredOverride, ...]:
        """Every override ever given, oldest first."""
        return self._select(connection, ruleset)

    def holders(self, connection: str, ruleset: str, *, day: date) -> frozenset[RecordRef]:
        """The records with an override in force on *day*."""
        active = self._select(connection, ruleset, _in_force(day))
        return frozenset(stored.override.ref for stored in active)

    def add(self, connection: str, ruleset: str, override: Override) -> int:
        """Store one override and give its number; an equal one in force is kept as it is."""
        with self._database.write() as db:
            same = [
                stored.id
                for stored in self._select(
                    connection,
                    ruleset,
                    override_.c.record_id == override.ref.id,
                    _in_force(override.start),
                )
                if (stored.override.ref, stored.override.kind, stored.override.level)
                == (override.ref, override.kind, override.level)
            ]
            if same:
                return same[0]
            made = db.execute(
                sa.insert(override_)
                .values(
                    connection=connection,
                    ruleset=ruleset,
                    object=override.ref.object,
                    record_id=override.ref.id,
                    content=dumps(override, Override),
                    start=override.start,
                    until=override.until,
                )
                .returning(override_.c.id)
            )
            return int(made.scalar_one())

    def lift(self, id: int, *, by: str, at: datetime) -> bool:
        """End an override now; says whether it was still in force."""
        with self._database.write() as db:
            done = db.execute(
                sa.update(override_)
                .where(override_.c.id == id, override_.c.lifted_at.is_(None))
                .values(lifted_at=at, lifted_by=by)
            )
            return done.rowcount == 1

    def _select(
        self, connection: str, ruleset: str, *more: sa.ColumnElement[bool]
    ) -> tuple[StoredOverride, ...]:
        query = (
            sa.select(override_)
            .where(override_.c.connection == connection, override_.c.ruleset == ruleset, *more)
            .order_by(override_.c.id)
        )
        with self._database.read() as db:
            return tuple(
                StoredOverride(row.id, loads(row.content, Override), row.lifted_at, row.lifted_by)
                for row in db.execute(query)
            )


def _in_force(day: date) -> sa.ColumnElement[bool]:
    return sa.and_(
        override_.c.lifted_at.is_(None),
        override_.c.start <= day,
        sa.or_(override_.c.until.is_(None), override_.c.until >= day),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause: this ruleset writes nothing on this connection until a person resumes it."""

    id: int
    connection: str
    ruleset: str
    since: datetime
    by: str
    reason: str
    run_id: int | None


class Holds:
    """Pauses by connection and ruleset; at most one is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active(self, connection: str, ruleset: str) -> Hold | None:
        """The pause in force, if any."""
        query = sa.select(hold).where(*_open(connection, ruleset)).order_by(hold.c.id)
        with self._database.read() as db:
            row = db.execute(query).first()
        if row is None:
            return None
        return Hold(row.id, connection, ruleset, row.since, row.by, row.reason, row.run_id)

    def pause(self, hold_: Hold) -> None:
        """Put a pause in force; a pause that is in force already stays. ``id`` is ignored."""
        with self._database.write() as db:
            if self.active(hold_.connection, hold_.ruleset) is None:
                db.execute(
                    sa.insert(hold).values(
                        connection=hold_.connection,
                        ruleset=hold_.ruleset,
                        since=hold_.since,
                        by=hold_.by,
                        reason=hold_.reason,
                        run_id=hold_.run_id,
                    )
                )

    def resume(self, connection: str, ruleset: str, *, by: str, at: datetime) -> bool:
        """End the pause; says whether there was one."""
        with self._database.write() as db:
            done = db.execute(
                sa.update(hold).where(*_open(connection, ruleset)).values(ended_at=at, ended_by=by)
            )
            return done.rowcount > 0


def _open(connection: str, ruleset: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        hold.c.connection == connection,
        hold.c.ruleset == ruleset,
        hold.c.ended_at.is_(None),
    )
