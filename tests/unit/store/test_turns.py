"""Processes take turns at writing where SQLite may lose a commit (the WAL-reset race)."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from crmsync.errors import StoreError
from crmsync.model.schema import Quota
from crmsync.store import engine, open_store
from crmsync.store.turns import turn, wal_reset_mended

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "mended"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 3), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_which_releases_are_free_of_the_race(version: tuple[int, int, int], mended: bool) -> None:
    assert wal_reset_mended(version) is mended


@pytest.fixture
def affected(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an affected SQLite, whichever is here; nobody waits long."""
    monkeypatch.setattr(engine, "wal_reset_mended", lambda: False)
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)


def keep_turn(file: Path, told: Connection) -> None:
    with turn(file, patience=0) as ours:
        told.send(ours)
        signal.pause()


@pytest.mark.usefixtures("affected")
def test_nothing_is_written_while_another_process_has_the_turn(tmp_path: Path) -> None:
    file = tmp_path / "crmsync.db"
    store = open_store(file)
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("fork").Process(target=keep_turn, args=(file, theirs))
    other.start()
    assert ours.recv() is True
    with pytest.raises(StoreError, match="locked"):
        store.quotas.put("crm", Quota("calls", 1, 10, 9), at=NOW)
    assert store.quotas.last("crm") is None
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    store.quotas.put("crm", Quota("calls", 1, 10, 9), at=NOW)
    store.close()


@pytest.mark.usefixtures("affected")
def test_a_writer_keeps_the_turn_until_its_commit_and_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "crmsync.db"
    store = open_store(file)
    with store.database.write(), turn(file, patience=0) as ours:
        assert not ours
    with turn(file, patience=0) as ours:
        assert ours
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["crmsync.db"]
