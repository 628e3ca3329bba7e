"""Scheduled slots: claimed by one scheduler each, kept alive by a heartbeat, never forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from crmsync.store.engine import Database
from crmsync.store.tables import slot
from crmsync.store.upsert import insert_new


class SlotState(StrEnum):
    """CLAIMED runs now; SKIPPED and MISSED never ran and say why in the note."""

    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled moment of one job."""

    job: str
    moment: datetime
    state: SlotState
    claimed_by: str
    claimed_at: datetime
    heartbeat: datetime
    run_id: int | None = None
    note: str | None = None


class Slots:
    """Claims on scheduled moments; the primary key decides a race."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, claimed: Slot) -> bool:
        """Take a slot, or record one as skipped or missed; false when another has it."""
        row = {
            "job": claimed.job,
            "slot": claimed.moment,
            "state": claimed.state.value,
            "claimed_by": claimed.claimed_by,
            "claimed_at": claimed.claimed_at,
            "heartbeat": claimed.heartbeat,
            "run_id": claimed.run_id,
            "note": claimed.note,
        }
        with self._database.write() as db:
            return insert_new(db, slot, row)

    def beat(self, job: str, moment: datetime, *, by: str, now: datetime) -> bool:
        """Show that *by* still works on the slot; false when another took it over."""
        with self._database.write() as db:
            return _update(db, job, moment, by, {"heartbeat": now})

    def finish(self, done: Slot, *, now: datetime) -> bool:
        """Store how the slot ended; false when another took it over."""
        values = {
            "state": done.state.value,
            "heartbeat": now,
            "run_id": done.run_id,
            "note": done.note,
        }
        with self._database.write() as db:
            return _update(db, done.job, done.moment, done.claimed_by, values)

    def stopped(self, *, before: datetime) -> tuple[Slot, ...]:
        """Claimed slots without a heartbeat since *before*: their scheduler died."""
        return self._select(slot.c.state == SlotState.CLAIMED.value, slot.c.heartbeat < before)

    def take_over(self, dead: Slot, *, by: str, now: datetime) -> bool:
        """Go on with a dead scheduler's slot; false when it beat again or another was quicker."""
        with self._database.write() as db:
            done = db.execute(
                sa.update(slot)
                .where(
                    slot.c.job == dead.job,
                    slot.c.slot == dead.moment,
                    slot.c.claimed_by == dead.claimed_by,
                    slot.c.heartbeat == dead.heartbeat,
                )
                .values(claimed_by=by, heartbeat=now)
            )
            return done.rowcount == 1

    def last(self, job: str, limit: int = 20) -> tuple[Slot, ...]:
        """The latest slots of a job, newest first."""
        return self._select(slot.c.job == job, limit=limit)

    def _select(self, *where: sa.ColumnElement[bool], limit: int | None = None) -> tuple[Slot, ...]:
        query = sa.select(slot).where(*where).order_by(slot.c.slot.desc()).limit(limit)
        with self._database.read() as db:
            return tuple(_slot(row) for row in db.execute(query))


def _update(db: sa.Connection, job: str, moment: datetime, by: str, values: dict[str, Any]) -> bool:
    done = db.execute(
        sa.update(slot)
        .where(slot.c.job == job, slot.c.slot == moment, slot.c.claimed_by == by)
        .values(**values)
    )
    return done.rowcount == 1


def _slot(row: sa.Row[Any]) -> Slot:
    return Slot(
        row.job,
        row.slot,
        SlotState(row.state),
        row.claimed_by,
        row.claimed_at,
        row.heartbeat,
        row.run_id,
        row.note,
    )
