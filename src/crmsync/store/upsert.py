"""``INSERT … ON CONFLICT`` in the dialect of the database at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]
"""One table row on its way into SQLAlchemy, which takes any bound type."""


def upsert(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert *rows* or replace every other column of those whose primary key exists."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def insert_new(connection: Connection, table: sa.Table, row: Row) -> bool:
    """Insert *row* unless its primary key exists; says whether it was inserted."""
    statement = _insert(connection, table).values(dict(row)).on_conflict_do_nothing()
    key = next(iter(table.primary_key))
    return connection.execute(statement.returning(key)).first() is not None


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
