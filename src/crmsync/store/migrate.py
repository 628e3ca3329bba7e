"""Brings a state database to this program's schema: forward only, after a backup, or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep, StampStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from crmsync.errors import StoreError
from crmsync.model.text import Text

BEFORE = ".before-"
"""Between a state file's name and the schema it was copied before."""
SCHEMA_BEFORE = "crmsync_before_"
MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The schema this program works with, such as ``0001``."""
    found = _script().get_current_head()
    assert found is not None
    return found


def current(connection: Connection) -> str | None:
    """The schema of the database, or ``None`` for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, file: Path | None, *, to: str | None = None) -> None:
    """Bring the database up to `head` inside the caller's transaction, or to a schema before it.

    What was there is kept: a SQLite *file* is copied by the backup interface to
    ``<file>.before-<head>``, the tables of a PostgreSQL database into the schema
    ``crmsync_before_<head>``, in the same transaction. Raises StoreError when the database is newer
    than this program; nothing is changed then.
    """
    script, at, to = _script(), current(connection), to or head()
    if at == to:
        return
    if at is not None:
        refuse_newer(at)
        if file is not None:
            backup(file, file.with_name(f"{file.name}{BEFORE}{to}"))
        else:
            _copy_tables(connection, f"{SCHEMA_BEFORE}{to}")

    def steps(revision: object, context: object) -> list[StampStep | RevisionStep]:
        return script._upgrade_revs(to, at or ())  # type: ignore[arg-type,return-value]

    with EnvironmentContext(_config(), script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def refuse_newer(schema: str) -> None:
    """Raise StoreError for a schema this program does not know."""
    script = _script()
    if schema in {revision.revision for revision in script.walk_revisions()}:
        return
    raise StoreError(
        Text(
            zh=f"状态库的版本 {schema} 比本程序的 {head()} 新，拒绝打开",
            en=f"the state database has schema {schema}, newer than this program's {head()}:"
            " refused",
        ),
        mend=Text(zh="请升级 crmsync。", en="Upgrade crmsync."),
        code="STORE_NEWER",
    )


def _copy_tables(connection: Connection, schema: str) -> None:
    """Every table with its rows into *schema*, made anew."""
    connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    for table in sa.inspect(connection).get_table_names():
        connection.exec_driver_sql(f'CREATE TABLE "{schema}"."{table}" AS TABLE "{table}"')


def backup(source: Path, target: Path) -> None:
    """Copy a live SQLite file through the backup interface into a private file.

    A plain copy of the file would lose what still stands in its write-ahead log.
    """
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(partial)) as new:
        old.backup(new)
    make_single(partial)
    partial.replace(target)


def make_single(file: Path) -> None:
    """Leave a SQLite file complete by itself, with nothing beside it that could stay behind."""
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return _read(MIGRATIONS)


@cache
def _read(folder: Path) -> ScriptDirectory:
    """The migrations of a folder; read once, as every state opened later would read them again."""
    return ScriptDirectory(str(folder))
