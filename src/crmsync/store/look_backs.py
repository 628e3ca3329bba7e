"""What the CRM's history showed of rows that were sent: noted in the journal, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from crmsync.model.canonical import dumps
from crmsync.model.history import LookedBack, Overwritten
from crmsync.model.record import RecordRef
from crmsync.model.run import OpRecord, OpState
from crmsync.store.engine import Database
from crmsync.store.journal_rows import Op, OpKind, op_of
from crmsync.store.tables import attempt, run

_SENT = (
    attempt.c.kind.in_((OpKind.FIELDS.value, OpKind.CLOSE.value)),
    sa.or_(
        sa.and_(
            attempt.c.attempts > 0,
            attempt.c.state.in_((OpState.DONE.value, OpState.CONFLICT.value)),
        ),
        # refused at the first sending: surely nothing was written
        sa.and_(attempt.c.attempts > 1, attempt.c.state == OpState.REJECTED.value),
    ),
)
"""Rows that were sent and are settled: what they wrote may have replaced somebody's edit."""
_NOTE = (
    sa.update(attempt)
    .where(attempt.c.run_id == sa.bindparam("in_run"), attempt.c.seq == sa.bindparam("at_seq"))
    .values(
        look_back=sa.bindparam("to_look_back"),
        overwritten=sa.bindparam("to_overwritten", type_=sa.Text),
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look showed of one row."""

    op: Op
    found: LookedBack
    overwritten: tuple[Overwritten, ...] = ()


class LookBacks:
    """Every method is one transaction, or joins the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, run_id: int, *, limit: int) -> tuple[Op, ...]:
        """Rows nobody has looked at; those sent more than once come first, for an edit had most
        time to slip in between."""
        query = (
            sa.select(attempt)
            .where(attempt.c.run_id == run_id, *_SENT, attempt.c.look_back.is_(None))
            .order_by(attempt.c.attempts.desc(), attempt.c.seq)
            .limit(limit)
        )
        with self._database.read() as db:
            return tuple(op_of(row) for row in db.execute(query))

    def doubtful_until(self, run_id: int) -> datetime | None:
        """Until when a write of rows that were given up as conflicts may still arrive."""
        query = sa.select(sa.func.max(attempt.c.trust_after)).where(
            attempt.c.run_id == run_id,
            *_SENT,
            attempt.c.look_back.is_(None),
            attempt.c.state == OpState.CONFLICT.value,
        )
        with self._database.read() as db:
            found: datetime | None = db.execute(query).scalar_one_or_none()
        return found

    def note(self, findings: Sequence[Finding]) -> None:
        """Keep what was found."""
        if not findings:
            return
        rows = [
            {
                "in_run": item.op.record.run_id,
                "at_seq": item.op.seq,
                "to_look_back": item.found.value,
                "to_overwritten": dumps(item.overwritten, tuple[Overwritten, ...])
                if item.overwritten
                else None,
            }
            for item in findings
        ]
        with self._database.write() as db:
            db.execute(_NOTE, rows)

    def counts(self, run_id: int) -> dict[LookedBack | None, int]:
        """How many sent rows were found how; ``None`` counts those nobody has looked at."""
        query = (
            sa.select(attempt.c.look_back, sa.func.count())
            .where(attempt.c.run_id == run_id, *_SENT)
            .group_by(attempt.c.look_back)
        )
        with self._database.read() as db:
            return {
                None if name is None else LookedBack(name): count
                for name, count in db.execute(query)
            }

    def of_record(self, connection: str, ref: RecordRef) -> tuple[OpRecord, ...]:
        """Every write to one record that replaced an edit, newest first."""
        query = (
            sa.select(attempt)
            .join(run, run.c.id == attempt.c.run_id)
            .where(
                run.c.connection == connection,
                attempt.c.object == ref.object,
                attempt.c.record_id == ref.id,
                attempt.c.look_back == LookedBack.OVERWRITTEN.value,
                attempt.c.overwritten.is_not(None),
            )
            .order_by(attempt.c.run_id.desc(), attempt.c.seq)
        )
        with self._database.read() as db:
            return tuple(op_of(row).record for row in db.execute(query))

    def overwritten(self, run_id: int, *, limit: int = 1000) -> tuple[OpRecord, ...]:
        """Rows that replaced an edit, in their order."""
        query = (
            sa.select(attempt)
            .where(
                attempt.c.run_id == run_id,
                attempt.c.look_back == LookedBack.OVERWRITTEN.value,
            )
            .order_by(attempt.c.seq)
            .limit(limit)
        )
        with self._database.read() as db:
            return tuple(op_of(row).record for row in db.execute(query))
