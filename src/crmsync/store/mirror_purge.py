"""Removes records from a mirror so that nothing of them stays in any of its files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from crmsync.model.record import RecordRef
from crmsync.model.schema import FieldType
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
from crmsync.store.mirror_meta import MERGES, create_published_tables, has_merges, read_meta


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


def pointing_to(path: Path, ref: RecordRef) -> tuple[tuple[str, str], ...]:
    """The ``(object, id)`` of mirrored records with a look-up field that names *ref*: its orders,
    its contacts. Nothing where there is no mirror."""
    if not path.exists():
        return ()
    found: list[tuple[str, str]] = []
    files = MirrorFiles(path)
    try:
        connection = connect(DEFAULTS, files, [("was", path, True)])
        try:
            for item in read_meta(connection, "was").objects.values():
                pointers = [
                    field.name
                    for field in item.fields
                    if field.type is FieldType.LOOKUP and field.target in {None, ref.object}
                ]
                where = " OR ".join(f"{columns.quoted(name)} = ?" for name in pointers)
                if where:
                    table = columns.quoted(item.object)
                    query = f"SELECT id FROM was.main.{table} WHERE {where} ORDER BY id"
                    rows = connection.execute(query, [ref.id] * len(pointers)).fetchall()
                    found += [(item.object, row[0]) for row in rows]
        finally:
            connection.close()
    except (duckdb.Error, ValueError, KeyError) as error:
        raise unusable(path, error) from error
    return tuple(found)


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
        if has_merges(connection, "was"):
            named = [f"{owner}\x1f{key}" for owner, key in sorted(doomed)]
            connection.execute(
                f"INSERT INTO fresh.main.{MERGES} SELECT * FROM was.main.{MERGES} WHERE NOT "
                "list_contains($1::VARCHAR[], object || chr(31) || id) AND NOT "
                "list_contains($1::VARCHAR[], object || chr(31) || survivor)",
                [named],
            )
        connection.execute("CHECKPOINT fresh")
        return removed
    finally:
        connection.close()
