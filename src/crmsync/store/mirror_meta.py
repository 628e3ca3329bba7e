"""What a published mirror says about itself: account, age, objects and their bookmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from crmsync.model.merge import Merge
from crmsync.model.record import RecordRef
from crmsync.model.schema import FieldSchema, ObjectSchema
from crmsync.store.mirror_columns import fields_from_json

FORMAT = "1"
MERGES = "_merges"
"""The table of merges the CRM has told of."""


@dataclass(frozen=True, slots=True)
class MirroredObject:
    """One object of the mirror.

    ``watermark`` is the CRM's time when its last read began: everything changed before it is
    here. ``full_at`` is the same moment of the last whole read.
    """

    object: str
    fields: tuple[FieldSchema, ...]
    watermark: datetime
    full_at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class MirrorMeta:
    """A mirror's own description. ``generation`` counts publications."""

    account: str
    generation: int
    pulled_at: datetime
    objects: Mapping[str, MirroredObject]

    def schemas(self) -> dict[str, ObjectSchema]:
        """The mirrored fields by object, for work that must not ask the CRM again."""
        return {
            name: ObjectSchema(object=name, label=name, fields=found.fields)
            for name, found in self.objects.items()
        }


def create_published_tables(connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """The tables every published mirror holds beside its objects."""
    connection.execute(f"CREATE TABLE {catalog}.main._meta (key VARCHAR, value VARCHAR)")
    connection.execute(
        f"CREATE TABLE {catalog}.main._objects (object VARCHAR, fields VARCHAR, "
        "watermark TIMESTAMP, full_at TIMESTAMP, row_count BIGINT)"
    )
    connection.execute(
        f"CREATE TABLE {catalog}.main.{MERGES} (object VARCHAR, id VARCHAR, survivor VARCHAR, "
        "told TIMESTAMP)"
    )


def merges_in(connection: duckdb.DuckDBPyConnection, catalog: str = "mirror") -> tuple[Merge, ...]:
    """The merges the CRM has told of, by the record that vanished; a mirror published before there
    were any holds none."""
    if not has_merges(connection, catalog):
        return ()
    rows = connection.execute(
        f"SELECT object, id, survivor, told FROM {catalog}.main.{MERGES} ORDER BY object, id"
    ).fetchall()
    return tuple(
        Merge(RecordRef(object, id), RecordRef(object, survivor), "crm", told.replace(tzinfo=UTC))
        for object, id, survivor, told in rows
    )


def has_merges(connection: duckdb.DuckDBPyConnection, catalog: str) -> bool:
    """Whether an attached mirror has room for merges."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND table_name = ?",
        [catalog, MERGES],
    ).fetchall()
    return bool(found[0][0])


def read_meta(connection: duckdb.DuckDBPyConnection, catalog: str = "mirror") -> MirrorMeta:
    """The description of an attached mirror; raises duckdb.Error or ValueError when broken."""
    values = dict(connection.execute(f"SELECT key, value FROM {catalog}.main._meta").fetchall())
    if values.get("format") != FORMAT:
        raise ValueError("a mirror of another format")
    rows = connection.execute(
        "SELECT object, fields, watermark, full_at, row_count "
        f"FROM {catalog}.main._objects ORDER BY object"
    ).fetchall()
    objects = {
        name: MirroredObject(
            object=name,
            fields=fields_from_json(fields),
            watermark=watermark.replace(tzinfo=UTC),
            full_at=full_at.replace(tzinfo=UTC),
            rows=count,
        )
        for name, fields, watermark, full_at, count in rows
    }
    return MirrorMeta(
        account=values["account"],
        generation=int(values["generation"]),
        pulled_at=datetime.fromisoformat(values["pulled_at"]),
        objects=objects,
    )
