"""Removes records from a mirror so that nothing of them stays in any of its files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from crmsync.store import mirror_columns as columns
from crmsync.store.mirror_files import (
    DEFAULTS,
    MirrorFiles,
    MirrorSettings,
    connect,
    discard,
    replace_durably,
    unusable,
)
from crmsync.store.mirror_meta import create_published_tables, read_meta


def purge_mirror(
    path: Path,
    doomed: Collection[tuple[str, str]],
    *,
    settings: MirrorSettings = DEFAULTS,
) -> int:
    """Rewrite the mirror without the ``(object, id)`` records of *doomed*; returns how many went.

    Records that point to a doomed one stay unless they are named too. An interrupted pull is
    forgotten, for it may hold the same records. The CRM still holds them: unless it is told too,
    the next pull brings them back. Raises LockHeld, or StoreError when the mirror cannot be read.
    """
    files = MirrorFiles(path)
    with files.lock():
        discard(files.next)
        discard(files.fresh)
        if not path.exists():
            return 0
        try:
            removed = _rewrite(files, doomed, settings)
        except (duckdb.Error, ValueError, KeyError) as error:
            discard(files.fresh)
            raise unusable(path, error) from error
        replace_durably(files.fresh, path)
        return removed


def _rewrite(
    files: MirrorFiles, doomed: Collection[tuple[str, str]], settings: MirrorSettings
) -> int:
    attached = [("was", files.published, True), ("fresh", files.fresh, False)]
    connection = connect(settings, files, attached)
    try:
        meta = read_meta(connection, "was")
        create_published_tables(connection, "fresh")
        connection.execute("INSERT INTO fresh.main._meta SELECT * FROM was.main._meta")
        removed = 0
        for item in meta.objects.values():
            ids = sorted({key for owner, key in doomed if owner == item.object})
            table = columns.quoted(item.object)
            names = ", ".join(columns.column_names(item.fields))
            connection.execute(
                f"CREATE TABLE fresh.main.{table} ({columns.column_ddl(item.fields)})"
            )
            connection.execute(
                f"INSERT INTO fresh.main.{table} SELECT {names} FROM was.main.{table} "
                "WHERE NOT list_contains(?::VARCHAR[], id)",
                [ids],
            )
            rows = connection.execute(f"SELECT count(*) FROM fresh.main.{table}").fetchall()[0][0]
            connection.execute(
                "INSERT INTO fresh.main._objects SELECT object, fields, watermark, full_at, ? "
                "FROM was.main._objects WHERE object = ?",
                [rows, item.object],
            )
            removed += item.rows - rows
        connection.execute("CHECKPOINT fresh")
        return removed
    finally:
        connection.close()
