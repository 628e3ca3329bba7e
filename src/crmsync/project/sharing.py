"""What several rulesets evaluated over one mirror read once: stored states, and facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import duckdb
from sqlglot import exp

from crmsync.model.relation import FactRelation
from crmsync.project.opening import Project
from crmsync.store import Store
from crmsync.store.mirror import MirrorSettings, open_mirror
from crmsync.store.opening_table import Openings


@contextmanager
def mirror_of(project: Project, connection: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published mirror of a connection, open for reading until the block ends."""
    path = project.config.state / "mirrors" / f"{connection}.duckdb"
    mirror = open_mirror(path, MirrorSettings(project.config.memory))
    try:
        yield mirror
    finally:
        mirror.close()


class Shared:
    """An open mirror with what has been read from it and the store already."""

    def __init__(self, store: Store, mirror: duckdb.DuckDBPyConnection) -> None:
        self.mirror = mirror
        self.openings = Openings(store.database, mirror)
        self._tables: dict[str, str] = {}

    def facts(self, relation: FactRelation) -> FactRelation:
        """*relation* out of a temporary table, made once for all relations that read the same."""
        text = relation.select.sql("duckdb")
        table = self._tables.get(text)
        if table is None:
            table = self._tables[text] = f"facts_{len(self._tables)}"
            self.mirror.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {text}")
        return replace(relation, select=exp.select("*").from_(table).order_by("id"))
