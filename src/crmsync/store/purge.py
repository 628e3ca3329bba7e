"""Removes a person from our books for good."""

from __future__ import annotations

import sqlalchemy as sa

from crmsync.model.record import RecordRef
from crmsync.store.engine import Database
from crmsync.store.tables import attempt, decision, episode, override_, run, state


def purge(database: Database, connection: str, ref: RecordRef) -> dict[str, int]:
    """Delete or blank everything kept of one record; says how much, by table.

    Journal rows stay, with outcome and time but without name and values, so a run still adds up; it
    cannot be undone for this record. On SQLite the freed pages are overwritten and the write-ahead
    log is emptied, so no copy stays in the files. Plan files and backups lie elsewhere.
    """
    removed: dict[str, int] = {}
    with database.write() as db:
        for table in (state, decision, episode, override_):
            where = [table.c.connection == connection, table.c.object == ref.object]
            done = db.execute(sa.delete(table).where(*where, table.c.record_id == ref.id))
            removed[table.name] = done.rowcount
        runs = sa.select(run.c.id).where(run.c.connection == connection)
        about = [attempt.c.about_object == ref.object, attempt.c.about_id == ref.id]
        blank = {"base": None, "want": None, "actual": None, "effect": None, "name": ""}
        done = db.execute(
            sa.update(attempt).where(attempt.c.run_id.in_(runs), *about).values(**blank)
        )
        removed["attempt"] = done.rowcount
    database.empty_log()
    return removed
