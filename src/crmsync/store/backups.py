"""Backups of the state: one SQLite file, whichever database is in use, with a manifest beside it.

SQLite is copied through its backup interface (copying the file would lose what stands in the
write-ahead log); PostgreSQL is read in one snapshot, table by table. A backup is verified when it
is made and again before it is put back. The mirror is not part of it: it can be pulled again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from crmsync.errors import StoreError
from crmsync.model.text import Text
from crmsync.store import migrate
from crmsync.store.engine import BUSY_SECONDS, Database
from crmsync.store.tables import metadata
from crmsync.store.turns import turn

FORMAT = "crmsync.backup/1"
PIECE = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; ``rows`` counts by table, ``sha256`` covers the whole file."""

    format: str
    made_at: str
    schema: str
    source: str
    sha256: str
    rows: Mapping[str, int]

    @property
    def moment(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def manifest_of(file: Path) -> Path:
    """The manifest's file."""
    return file.with_name(f"{file.name}.json")


def take(database: Database, target: Path, *, now: datetime) -> Manifest:
    """Write a verified backup to *target* and its manifest beside it, both readable by their owner
    alone, whole or not at all. Raises StoreError when the copy does not prove good."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    if database.file is not None:
        migrate.backup(database.file, partial)
    else:
        partial.unlink(missing_ok=True)
        copy = Database(sa.URL.create("sqlite", database=str(partial)))
        try:
            copy_rows(database, copy)
        finally:
            copy.close()
        migrate.make_single(partial)
    made = seal_file(partial, source="postgresql" if database.postgres else "sqlite", now=now)
    _sync(partial)
    partial.replace(target)
    return write_manifest(target, made)


def write_manifest(file: Path, made: Manifest) -> Manifest:
    """Put the manifest beside its backup, whole or not at all."""
    beside = manifest_of(file)
    draft = beside.with_name(f"{beside.name}.part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
        json.dump(asdict(made), out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(beside)
    _sync(file.parent)
    return made


def seal_file(file: Path, *, source: str, now: datetime) -> Manifest:
    """Examine a finished copy and say what it holds."""
    schema, rows = _examined(file)
    return Manifest(
        format=FORMAT,
        made_at=now.isoformat(timespec="seconds"),
        schema=schema,
        source=source,
        sha256=_sha256(file),
        rows=rows,
    )


def verify(file: Path) -> Manifest:
    """Check a backup against its manifest: hash, SQLite's own check, rows of every table.

    Raises StoreError when anything differs, or when the backup is newer than this program.
    """
    try:
        told = Manifest(**json.loads(manifest_of(file).read_text(encoding="utf-8")))
        genuine = told.format == FORMAT and told.sha256 == _sha256(file)
    except (OSError, ValueError, TypeError) as error:
        raise _unfit(
            file, Text("读不到备份或它的清单", "the backup or its manifest cannot be read")
        ) from error
    if not genuine:
        raise _unfit(file, Text("内容与清单不符", "its content is not what its manifest says"))
    schema, rows = _examined(file)
    if schema != told.schema or rows != dict(told.rows):
        raise _unfit(file, Text("行数与清单不符", "its rows are not those its manifest counts"))
    migrate.refuse_newer(schema)
    return told


@contextmanager
def current_copy(file: Path, folder: Path) -> Iterator[Database]:
    """A private copy of a verified backup, brought to this program's schema; gone at the end."""
    copy = folder / f"{file.name}.restoring"
    _discard(copy)
    migrate.backup(file, copy)
    try:
        database = Database(sa.URL.create("sqlite", database=str(copy)))
        try:
            yield database
        finally:
            database.close()
    finally:
        for left in folder.glob(f"{copy.name}*"):
            left.unlink()


def put_back(source: Path, live: Path) -> None:
    """Replace the content of a SQLite state file, in one transaction that other connections see.

    A file that is damaged or missing must have been moved away before.
    """
    if not live.exists():
        os.close(os.open(live, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        with (
            turn(live, patience=BUSY_SECONDS),
            closing(sqlite3.connect(source)) as old,
            closing(sqlite3.connect(live)) as new,
        ):
            new.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            old.backup(new)
    except sqlite3.Error as error:
        raise _unfit(live, Text("无法写入", f"it cannot be written: {error}")) from error
    _sync(live)


def set_aside(live: Path, aside: Path) -> None:
    """Move a state file that cannot be opened out of the way, with its log."""
    for ending in ("", "-wal", "-shm"):
        part = live.with_name(live.name + ending)
        if part.exists():
            part.replace(aside.with_name(aside.name + ending))


def copy_rows(source: Database, target: Database) -> None:
    """Make *target* hold exactly the rows of *source*, from one snapshot, in one transaction."""
    with source.read() as old, target.write() as new:
        for table in metadata.sorted_tables:
            new.execute(sa.delete(table))
            for piece in old.execute(sa.select(table)).mappings().partitions(PIECE):
                new.execute(sa.insert(table), [dict(row) for row in piece])
        if target.postgres:
            _set_sequences(new)


def _set_sequences(db: sa.Connection) -> None:
    """The next run number follows the highest one there is."""
    for table in metadata.sorted_tables:
        for column in table.primary_key:
            if column.autoincrement is True:
                db.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"
                    f" (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
                )


def _examined(file: Path) -> tuple[str, dict[str, int]]:
    """Schema and rows by table; raises StoreError when SQLite finds damage."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as raw:
            (verdict,) = raw.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise _unfit(file, Text("SQLite 检查未通过", "SQLite finds damage in it"))
            (schema,) = raw.execute("SELECT version_num FROM alembic_version").fetchone()
            names = [
                name
                for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if not name.startswith("sqlite_")
            ]
            rows = {
                name: raw.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in sorted(names)
            }
    except (sqlite3.Error, TypeError) as error:
        raise _unfit(file, Text("不是完好的状态库", "it is no sound state database")) from error
    return schema, rows


def _unfit(file: Path, why: Text) -> StoreError:
    return StoreError(
        Text(zh=f"备份 {file.name} 不可用：{why.zh}", en=f"{file.name} cannot be used: {why.en}"),
        mend=Text(
            zh="换一份备份；当前的状态库没有改动。",
            en="Take another backup; the present state was not touched.",
        ),
        code="BACKUP_UNFIT",
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _discard(copy: Path) -> None:
    for left in copy.parent.glob(f"{copy.name}*"):
        left.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
