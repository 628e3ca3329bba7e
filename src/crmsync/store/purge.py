"""Removes a person from our books for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import loads
from crmsync.model.plan import PlanHeader
from crmsync.model.record import RecordRef
from crmsync.model.run import MERGED_INTO
from crmsync.store.audit import Audit, standing_alone
from crmsync.store.engine import Database
from crmsync.store.journal_rows import OpKind
from crmsync.store.plans import pack_header
from crmsync.store.tables import (
    attempt,
    decision,
    echo,
    episode,
    merge_,
    metadata,
    op,
    override_,
    plan,
    run,
)
from crmsync.store.tables import state as state_table

_TABLES = (state_table, decision, echo, episode, override_, merge_)


@dataclass(frozen=True, slots=True)
class Purged:
    """What went, by table; the runs whose rows were blanked and need a new seal; and whether every
    file of the database is free of it (false while another process reads an older state)."""

    removed: dict[str, int]
    runs: tuple[int, ...]
    clean: bool = True


def purge(
    database: Database,
    connection: str,
    ref: RecordRef,
    *,
    then: Callable[[Sequence[int]], object] = lambda runs: None,
) -> Purged:
    """Delete or blank everything kept of one record; *then* seals the touched runs, in the same
    transaction.

    Journal rows stay, with outcome and time but without name, values, the CRM's words and the
    record's id, so a run still adds up; it cannot be undone for this record. The database is
    written anew and its write-ahead log emptied. Plan files, mirror and backups lie elsewhere.
    """
    with database.write() as db:
        removed = {table.name: _delete(db, table, connection, ref) for table in _TABLES}
        removed[merge_.name] += _delete(db, merge_, connection, ref, by="survivor")
        stand_in = "purged-" + database.sealer.seal("record", connection, str(ref))[:16]
        runs, removed["attempt"] = _blank_attempts(db, connection, ref, stand_in)
        removed["op"] = _blank_effects(db, connection, ref, stand_in)
        removed["header"] = _clear_headers(db, plan, connection, ref)
        removed["header"] += _clear_headers(db, run, connection, ref)
        removed["audit"] = Audit(database).redact(ref.id, stand_in)
        then(runs)
    return Purged(removed, runs, database.rewrite())


def mentions(database: Database, word: str) -> dict[str, int]:
    """Where *word* still stands by itself in text columns: ``table.column`` → rows."""
    found: dict[str, int] = {}
    alone = standing_alone(word)
    with database.read() as db:
        for table in metadata.sorted_tables:
            for column in table.c:
                if isinstance(column.type, sa.LargeBinary):
                    continue
                text = sa.cast(column, sa.Text)
                near = sa.select(text).where(text.contains(word, autoescape=True))
                count = sum(bool(alone.search(value)) for value in db.execute(near).scalars())
                if count:
                    found[f"{table.name}.{column.name}"] = count
    return found


def _delete(
    db: Connection, table: sa.Table, connection: str, ref: RecordRef, *, by: str = "record_id"
) -> int:
    """Delete the rows whose column *by* names the record; says how many."""
    return db.execute(
        sa.delete(table).where(
            table.c.connection == connection,
            table.c.object == ref.object,
            table.c[by] == ref.id,
        )
    ).rowcount


def _blank_attempts(
    db: Connection, connection: str, ref: RecordRef, stand_in: str
) -> tuple[tuple[int, ...], int]:
    here = sa.select(run.c.id).where(run.c.connection == connection)
    about = [
        attempt.c.run_id.in_(here),
        attempt.c.about_object == ref.object,
        attempt.c.about_id == ref.id,
    ]
    touched = tuple(
        db.execute(sa.select(attempt.c.run_id).where(*about).distinct().order_by(attempt.c.run_id))
        .scalars()
        .all()
    )
    runs, count = _blank_handovers(db, here, ref)
    creates = attempt.c.kind == OpKind.TASK.value
    done = db.execute(
        sa.update(attempt)
        .where(*about)
        .values(
            base=None,
            want=None,
            actual=None,
            effect=None,
            name="",
            overwritten=None,
            values_code=None,
            error=None,
            crm_id=None,
            about_id=stand_in,
            # the key of a created task is no name: it keeps the task from being made again
            record_id=sa.case((creates, attempt.c.record_id), else_=stand_in),
        )
    )
    return tuple(sorted({*touched, *runs})), done.rowcount + count


def _blank_handovers(
    db: Connection, here: sa.Select[tuple[int]], ref: RecordRef
) -> tuple[tuple[int, ...], int]:
    """What went over from the record, or with it, to another in a merge; and where it is named as
    the one that another went into."""
    handed = sa.and_(
        attempt.c.kind == OpKind.HANDOVER.value,
        attempt.c.effect.contains(ref.id, autoescape=True),
    )
    named = sa.and_(
        attempt.c.actual.contains(MERGED_INTO), attempt.c.actual.contains(ref.id, autoescape=True)
    )
    found = db.execute(
        sa.select(attempt.c.run_id, attempt.c.seq, handed.label("handed")).where(
            attempt.c.run_id.in_(here), attempt.c.object == ref.object, sa.or_(handed, named)
        )
    ).all()
    for run_id, seq, over in found:
        where = attempt.c.run_id == run_id, attempt.c.seq == seq
        blank = {"effect": None, "want": None} if over else {"actual": None}
        db.execute(sa.update(attempt).where(*where).values(blank))
    return tuple({row.run_id for row in found}), len(found)


def _blank_effects(db: Connection, connection: str, ref: RecordRef, stand_in: str) -> int:
    return db.execute(
        sa.update(op)
        .where(op.c.connection == connection, op.c.object == ref.object, op.c.record_id == ref.id)
        .values(record_id=stand_in, crm_id=None)
    ).rowcount


def _clear_headers(db: Connection, table: sa.Table, connection: str, ref: RecordRef) -> int:
    """Headers list customers in notices and adopted edits."""
    count = 0
    found = db.execute(
        sa.select(table.c.id, table.c.header).where(
            table.c.connection == connection, table.c.header.contains(ref.id, autoescape=True)
        )
    ).all()
    for id, text in found:
        header = loads(text, PlanHeader)
        cleared = replace(
            header,
            notices=tuple(item for item in header.notices if item.ref != ref),
            adoptions=tuple(item for item in header.adoptions if item.ref != ref),
        )
        db.execute(sa.update(table).where(table.c.id == id).values(header=pack_header(cleared)))
        count += cleared != header
    return count
