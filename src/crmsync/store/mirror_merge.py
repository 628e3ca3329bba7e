"""Puts the published rows and the incoming ones together into a fresh mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from crmsync.model.schema import FieldSchema
from crmsync.store import mirror_columns as columns
from crmsync.store.mirror_meta import MERGES
from crmsync.store.mirror_staging import ReadKind, ReadState, staged


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What one object's pull came to: records that are new or differ, and records gone."""

    object: str
    changed: int
    deleted: int
    rows: int


def merge_object(connection: duckdb.DuckDBPyConnection, state: ReadState) -> None:
    """Write the object's table of the fresh mirror.

    Of several incoming versions of a record the newest counts (the later one among equals); a
    published version that is newer than every incoming one stays.
    """
    table = f"fresh.main.{columns.quoted(state.object)}"
    names = ", ".join(columns.column_names(state.fields))
    connection.execute(f"CREATE TABLE {table} ({columns.column_ddl(state.fields)})")
    incoming = staged(state.object)
    latest = (
        f"latest AS (SELECT {names}, _deleted FROM {incoming} WHERE _seq IN "
        f"(SELECT arg_max(_seq, (_modified, _seq)) FROM {incoming} GROUP BY id))"
    )
    if state.kind is ReadKind.FULL:
        connection.execute(
            f"INSERT INTO {table} WITH {latest} SELECT {names} FROM latest WHERE NOT _deleted"
        )
    else:
        was = f"was.main.{columns.quoted(state.object)}"
        connection.execute(
            f"INSERT INTO {table} WITH {latest} SELECT {names} FROM {was} AS old WHERE NOT EXISTS "
            "(SELECT 1 FROM latest WHERE latest.id = old.id AND latest._modified >= old._modified)"
            f" UNION ALL SELECT {names} FROM latest WHERE NOT _deleted AND NOT EXISTS (SELECT 1 "
            f"FROM {was} AS old WHERE old.id = latest.id AND old._modified > latest._modified)"
        )


def merge_merges(
    connection: duckdb.DuckDBPyConnection, objects: Sequence[str], *, before: bool
) -> None:
    """Write the fresh mirror's merges: those told now, then those told *before* of the same
    objects. Where a record came back and was merged again, the later merge counts."""
    table = f"fresh.main.{MERGES}"
    for object in objects:
        was = ""
        if before:
            was = f" UNION ALL SELECT id, survivor, told FROM was.main.{MERGES} WHERE object = $o"
        connection.execute(
            f"INSERT INTO {table} WITH told AS (SELECT id, _into AS survivor, "
            f"_modified AS told FROM {staged(object)} WHERE _deleted AND _into IS NOT NULL{was}) "
            "SELECT $o, id, arg_max(survivor, (told, survivor)), max(told) FROM told GROUP BY id",
            {"o": object},
        )


def count_object(
    connection: duckdb.DuckDBPyConnection, state: ReadState, published: Sequence[FieldSchema] | None
) -> MergeCounts:
    """Compare the merged table with the published one (``None``: there is nothing to compare)."""
    table = f"fresh.main.{columns.quoted(state.object)}"
    rows = _one(connection, f"SELECT count(*) FROM {table}")
    if published is None:
        return MergeCounts(object=state.object, changed=rows, deleted=0, rows=rows)
    was = f"was.main.{columns.quoted(state.object)}"
    touched = ""
    if state.kind is ReadKind.INCREMENTAL:
        touched = f"WHERE id IN (SELECT id FROM {staged(state.object)})"
    deleted = _one(
        connection,
        f"SELECT count(*) FROM (SELECT id FROM {was} {touched}) AS old "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} AS new WHERE new.id = old.id)",
    )
    same = "FALSE"
    if columns.same_columns(published, state.fields):
        names = [columns.quoted(field.name) for field in published]
        pairs = [f"new.{name} IS NOT DISTINCT FROM old.{name}" for name in names]
        same = " AND ".join(pairs) or "TRUE"
    unchanged = _one(
        connection,
        f"SELECT count(*) FROM (SELECT * FROM {table} {touched}) AS new JOIN {was} AS old "
        f"ON new.id = old.id WHERE {same}",
    )
    seen = _one(connection, f"SELECT count(*) FROM {table} {touched}")
    return MergeCounts(object=state.object, changed=seen - unchanged, deleted=deleted, rows=rows)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
