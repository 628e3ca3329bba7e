"""A project with customers, and a search through every byte of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tests.end_to_end.world import World, customers, orders, practice

from crmsync.project.opening import open_project
from crmsync.store.mirror import open_mirror

PEOPLE = 16


@contextmanager
def with_customers(name: str, folder: Path, *, store: str | None = None) -> Iterator[World]:
    """A practice CRM with customers and a project; *store* is a PostgreSQL address."""
    with practice(name, folder) as world:
        people = customers(PEOPLE)
        world.sandbox.load_over_http(people, orders(people, date.today()))
        world.init("retail-rfm")
        if store is not None:
            settings = folder / "crmsync.yaml"
            settings.write_text(settings.read_text() + f"\nstore: {store}\n")
        world.create_fields()
        yield world


def everything(world: World) -> Iterator[tuple[str, bytes]]:
    """Every file of the project, and what its databases hold behind compression and pages."""
    for path in sorted(world.folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    for mirror in (world.folder / "var" / "mirrors").glob("*.duckdb"):
        connection = open_mirror(mirror)
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            rows = connection.execute(f'SELECT * FROM mirror.main."{table}"').fetchall()
            yield f"{mirror.name}:{table}", repr(rows).encode()
        connection.close()
    project = open_project(world.folder, now=world.sandbox.clock.now)
    with project.store() as state:
        for run in state.runs.latest():
            for row in state.journal.each(run.id):
                yield f"journal {run.id}", repr(row).encode()
        with state.database.read() as db:
            for content in db.exec_driver_sql("SELECT content FROM decision").scalars():
                yield "decision", zlib.decompress(content)


def holders(world: World, words: list[str]) -> list[str]:
    return sorted(
        {name for name, content in everything(world) for word in words if word.encode() in content}
    )
