"""The database layer: lost updates, private files, migrations, refusals, locks and fences."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from crmsync.errors import LockHeld, StoreError
from crmsync.model.schema import Quota
from crmsync.store import Intent, Lock, Store, migrate, open_store
from crmsync.store.tables import metadata, quota

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def test_migrations_and_tables_agree(store: Store) -> None:
    with store.database.write() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)
    assert [item for item in differences if "alembic_version" not in str(item)] == []


def test_opening_again_changes_nothing(place: Path | str, store: Store) -> None:
    store.quotas.put("crm", Quota("calls", 1, 10, 9), at=NOW)
    again = open_store(place)
    assert again.quotas.last("crm") == (Quota("calls", 1, 10, 9), NOW)
    again.close()


def test_a_newer_database_is_refused_untouched(place: Path | str) -> None:
    store = open_store(place)
    with store.database.write() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match="newer") as caught:
        open_store(place)
    assert caught.value.exit == 11


def test_an_older_file_is_copied_before_it_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "crmsync.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        raw.execute("INSERT INTO alembic_version VALUES ('0001')")
        raw.execute("CREATE TABLE mine (x)")
        raw.commit()
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for number, before in (("0001", None), ("0002", "0001")):
        (folder / "versions" / f"v{number}.py").write_text(
            "from alembic import op\n"
            f"revision = {number!r}\ndown_revision = {before!r}\n"
            "def upgrade():\n    op.execute('CREATE TABLE added (y)')\n"
        )
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    open_store(file).close()
    copy = tmp_path / "crmsync.db.before-0002"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as raw, closing(sqlite3.connect(file)) as new:
        names = "SELECT name FROM sqlite_master"
        assert {row[0] for row in raw.execute(names)} == {"alembic_version", "mine"}
        assert {row[0] for row in new.execute(names)} == {"alembic_version", "mine", "added"}


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = open_store(tmp_path / "var" / "crmsync.db")
        store.quotas.put("crm", Quota("calls", 1, None, None), at=NOW)
    finally:
        os.umask(old)
    folder = tmp_path / "var"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert "crmsync.db-wal" in modes
    assert set(modes.values()) == {0o600}
    store.close()


def test_commits_are_durable_and_journal_is_wal(tmp_path: Path) -> None:
    store = open_store(tmp_path / "crmsync.db")
    with store.database.write() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert db.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    store.close()


def test_no_update_is_lost_between_threads(store: Store) -> None:
    store.quotas.put("crm", Quota("calls", 0, None, None), at=NOW)

    def count_up() -> None:
        for _ in range(25):
            with store.database.write() as db:
                used = db.execute(sa.select(quota.c.used)).scalar_one()
                db.execute(sa.update(quota).values(used=used + 1))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = store.quotas.last("crm")
    assert last is not None
    assert last[0].used == 100


def test_an_exception_rolls_everything_back(store: Store) -> None:
    def half_done() -> None:
        with store.database.write():
            store.quotas.put("crm", Quota("calls", 1, None, None), at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert store.quotas.last("crm") is None


def test_a_full_disk_is_a_store_error_without_values(tmp_path: Path) -> None:
    store = open_store(tmp_path / "crmsync.db")
    with store.database.write() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
    with store.database.write() as db:
        db.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError) as caught:
        store.audit.add(at=NOW, who="w", what="x", detail={"k": "secret-value" * 40000})
    assert "full" in caught.value.message.en
    assert "secret-value" not in f"{caught.value.message} {caught.value.mend}"
    store.close()


def test_a_second_holder_is_told_who_and_since_when(store: Store, tmp_path: Path) -> None:
    with (
        store.connection_lock(tmp_path, "crm", by="zhang.min", now=clock),
        pytest.raises(LockHeld) as caught,
        store.connection_lock(tmp_path, "crm", by="other", now=clock),
    ):
        raise AssertionError("the lock was given twice")
    for part in ("zhang.min", str(os.getpid()), "2026-11-22T02:00"):
        assert part in caught.value.message.en
        assert part in caught.value.message.zh
    with store.connection_lock(tmp_path, "crm", by="third", now=clock) as lock:
        assert lock.fence == 2


def test_connections_do_not_block_one_another(store: Store, tmp_path: Path) -> None:
    with (
        store.connection_lock(tmp_path, "a", by="x", now=clock),
        store.connection_lock(tmp_path, "b", by="x", now=clock) as lock,
    ):
        assert lock == Lock("b", 1)


def _hold(file: Path, folder: Path, ready: object) -> None:
    store = open_store(file)
    with store.connection_lock(folder, "crm", by="victim", now=clock):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(60)


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    victim = context.Process(target=_hold, args=(tmp_path / "s.db", tmp_path, ready))
    victim.start()
    assert ready.wait(30)
    store = open_store(tmp_path / "s.db")
    with pytest.raises(LockHeld), store.connection_lock(tmp_path, "crm", by="x", now=clock):
        pass
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    with store.connection_lock(tmp_path, "crm", by="x", now=clock) as lock:
        assert lock.fence == 2
    store.close()


def test_an_intent_with_an_old_fence_is_refused(store: Store, tmp_path: Path) -> None:
    with store.connection_lock(tmp_path / "a", "crm", by="old", now=clock) as old:
        # another folder stands for another machine that never saw the file lock
        with store.database.write() as db:
            db.execute(sa.text("UPDATE lease SET fence = fence + 1"))
        with pytest.raises(LockHeld):
            store.journal.intend([], Intent(NOW, NOW, old))


def test_two_machines_on_one_postgres_exclude_each_other(
    empty_postgres: str, tmp_path: Path
) -> None:
    one, two = open_store(empty_postgres), open_store(empty_postgres)
    try:
        with (
            one.connection_lock(tmp_path / "m1", "crm", by="m1", now=clock),
            pytest.raises(LockHeld, match="m1"),
            two.connection_lock(tmp_path / "m2", "crm", by="m2", now=clock),
        ):
            pass
        with two.connection_lock(tmp_path / "m2", "crm", by="m2", now=clock):
            pass
    finally:
        one.close()
        two.close()
