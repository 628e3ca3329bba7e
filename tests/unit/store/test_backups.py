"""Backups: verified when made and when put back, on either database; old numbers stay given."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from crmsync.errors import StoreError
from crmsync.model.schema import Quota
from crmsync.store import Store, backups, migrate, open_store
from crmsync.store.engine import Database
from crmsync.store.locks import fences
from crmsync.store.tables import metadata, run

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def fill(store: Store, used: int = 7) -> None:
    store.quotas.put("crm", Quota("calls", used, None, None), at=NOW)
    store.audit.add(at=NOW, who="zhang.min", what="told", detail={"n": str(used)})


def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as db:
        return {
            table.name: sorted((tuple(row) for row in db.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def test_a_backup_holds_every_row_and_nobody_else_can_read_it(store: Store, tmp_path: Path) -> None:
    fill(store)
    made = store.backup(tmp_path / "kept" / "copy.db", now=NOW)
    copy = tmp_path / "kept" / "copy.db"
    assert backups.verify(copy) == made
    assert (made.rows["quota"], made.rows["audit"]) == (1, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in copy.parent.iterdir()}
    assert modes == {"copy.db": 0o600, "copy.db.json": 0o600}
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    with backups.current_copy(copy, tmp_path) as opened:
        assert content(opened) == content(store.database)
    assert not list(tmp_path.glob("*restoring*"))


def test_a_backup_taken_amid_writes_is_one_moment(store: Store, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.database.write():
                fill(store, number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            file = tmp_path / f"{n}.db"
            store.backup(file, now=NOW)
            with backups.current_copy(file, tmp_path) as opened:
                rows = content(opened)
            assert len(rows["audit"]) == sum(row[2] for row in rows["quota"])
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("damage", ["flip", "cut", "manifest", "no manifest", "rows", "other file"])
def test_a_backup_that_is_not_what_it_was_is_refused(tmp_path: Path, damage: str) -> None:
    with open_store(tmp_path / "crmsync.db") as store:
        fill(store)
        file = tmp_path / "copy.db"
        made = store.backup(file, now=NOW)
    raw = file.read_bytes()
    match damage:
        case "flip":
            file.write_bytes(raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:])
        case "cut":
            file.write_bytes(raw[:-4096])
        case "manifest":
            backups.manifest_of(file).write_text("{}")
        case "no manifest":
            backups.manifest_of(file).unlink()
        case "rows":
            backups.write_manifest(file, replace(made, rows={**made.rows, "audit": 9}))
        case _:
            file.write_text("no database at all")
            backups.write_manifest(file, replace(made, sha256=backups._sha256(file)))
    with pytest.raises(StoreError) as caught:
        backups.verify(file)
    assert caught.value.exit == 11
    assert "copy.db" in caught.value.message.zh


def test_a_backup_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with open_store(tmp_path / "crmsync.db") as store:
        file = tmp_path / "copy.db"
        store.backup(file, now=NOW)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    backups.write_manifest(file, backups.seal_file(file, source="sqlite", now=NOW))
    with pytest.raises(StoreError, match="newer") as caught:
        backups.verify(file)
    assert (caught.value.exit, caught.value.code) == (11, "STORE_NEWER")


def test_a_copied_file_alone_would_lose_what_the_backup_holds(tmp_path: Path) -> None:
    with open_store(tmp_path / "crmsync.db") as store:
        fill(store)
        shutil.copy(tmp_path / "crmsync.db", tmp_path / "plain.db")
        made = store.backup(tmp_path / "copy.db", now=NOW)
    with closing(sqlite3.connect(tmp_path / "plain.db")) as raw:
        names = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
    assert "audit" not in names  # it all still stood in the write-ahead log
    assert made.rows["audit"] == 1


def test_a_backup_moves_between_the_databases(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.backup(tmp_path / "copy.db", now=NOW)
    before = content(store.database)
    fill(store, 9)
    with backups.current_copy(tmp_path / "copy.db", tmp_path) as copy:
        backups.copy_rows(copy, store.database)
    assert content(store.database) == before
    assert store.audit.broken_at() is None
    fill(store, 10)
    assert store.audit.broken_at() is None


def test_numbers_given_before_a_restore_are_not_given_again(store: Store, tmp_path: Path) -> None:
    def started() -> int:
        with store.database.write() as db:
            row = {column.name: 0 for column in run.c if not column.nullable}
            row |= {"started_at": NOW, "as_of": NOW.date(), "counts": "{}", "header": "{}"}
            row = {name: value for name, value in row.items() if name != "id"}
            return int(db.execute(sa.insert(run).values(row).returning(run.c.id)).scalar_one())

    assert started() == 1
    made = store.backup(tmp_path / "copy.db", now=NOW)
    assert [started(), started()] == [2, 3]
    with store.connection_lock(tmp_path, "crm", by="x", now=lambda: NOW) as lock:
        assert lock.fence == 1
    marks = store.marks()
    with backups.current_copy(tmp_path / "copy.db", tmp_path) as copy:
        backups.copy_rows(copy, store.database)
    store.restored(made, marks, at=NOW, by="zhang.min")
    assert started() == 4
    assert fences(store.database) == {"crm": 2}
    assert [entry.what for entry in store.audit.entries()] == ["restore"]
    (scope,) = store.runs.scopes()
    assert store.holds.active(*scope) is not None


def test_what_was_there_before_a_migration_is_kept_on_postgres(empty_postgres: str) -> None:
    with open_store(empty_postgres) as store:
        fill(store)
        with store.database.write() as db:
            db.execute(sa.text("DROP TABLE restored, spending, lane, echo, merge_"))
            db.execute(sa.text("ALTER TABLE episode DROP COLUMN owner, DROP COLUMN due"))
            db.execute(sa.text("ALTER TABLE audit DROP COLUMN key_id"))
            gone = ("values_code", "seen", "look_back", "overwritten")
            dropped = ", ".join(f"DROP COLUMN {name}" for name in gone)
            db.execute(sa.text(f"ALTER TABLE attempt {dropped}"))
            db.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    with open_store(empty_postgres) as store, store.database.write() as db:
        kept = f"{migrate.SCHEMA_BEFORE}{migrate.head()}"
        assert db.exec_driver_sql(f"SELECT count(*) FROM {kept}.audit").scalar() == 1
        assert db.exec_driver_sql("SELECT count(*) FROM audit").scalar() == 1
        store.database.drop_copies()
        assert kept not in sa.inspect(db).get_schema_names()
