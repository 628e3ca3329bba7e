"""What several rulesets evaluated over one mirror read once: stored states, and facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import duckdb
from sqlglot import exp

from crmsync.facts import summaries
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

    def summed_up(self, relation: FactRelation) -> FactRelation:
        """*relation* with what is summed up from related records out of temporary tables.

        Every order of everybody is read once, however many relations sum up the same; what is made
        of the sums is cheap, and a table of all facts would only take memory.
        """
        built = replace(relation, select=relation.select.copy())
        for part in summaries(built):
            if part.find(exp.Group) is None:
                continue  # it reads one of these tables
            text = part.this.sql("duckdb")
            table = self._tables.get(text)
            if table is None:
                table = self._tables[text] = f"summed_{len(self._tables)}"
                self.mirror.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {text}")
            part.set("this", exp.select("*").from_(table))
        return built

    def known(self, relation: FactRelation) -> FactRelation:
        """*relation* out of the tables of `summed_up`, once there are any."""
        return self.summed_up(relation) if self._tables else relation
