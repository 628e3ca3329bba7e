"""One run at a time on a connection: a file lock that a dead process cannot leave behind.

The lock alone does not stop a process that slept through losing it (a paused machine), so every
lock carries a fencing number that each intent checks inside its own transaction.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.errors import LockHeld
from crmsync.model.text import Text
from crmsync.store.engine import Database
from crmsync.store.tables import lease
from crmsync.store.upsert import upsert
from crmsync.store.uptime import Tick

SENT = "sent"


@dataclass(frozen=True, slots=True)
class Lock:
    """A held lock and its fencing number; ``sent_before`` is when a holder before it sent last,
    where that is known."""

    connection: str
    fence: int
    sent_before: Tick | None = None


@contextmanager
def hold_connection(
    database: Database, folder: Path, connection: str, *, by: str, now: Callable[[], datetime]
) -> Iterator[Lock]:
    """Hold the lock of *connection* in *folder*.

    Raises LockHeld at once, naming who holds it and since when, if another process does. A killed
    process leaves no lock behind.
    """
    with (
        hold_file(folder, connection) as descriptor,
        database.exclusive(f"lock:{connection}") as alone,
    ):
        if not alone:
            raise _held(connection, _last(database, connection))
        owner = {"pid": os.getpid(), "by": by, "since": now().isoformat()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        yield _next_lock(database, connection, owner, now())


@contextmanager
def hold_file(folder: Path, connection: str) -> Iterator[int]:
    """Hold the lock file of *connection* alone, for work on a state that cannot be opened.

    Gives the file's descriptor. Raises LockHeld at once, naming who holds it and since when.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{re.sub(r'[^0-9A-Za-z._-]', '_', connection)}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _held(connection, _owner(os.pread(descriptor, 4096, 0))) from error
        yield descriptor
    finally:
        os.close(descriptor)


def fences(database: Database) -> dict[str, int]:
    """The fencing number each connection's lock was given last."""
    with database.read() as db:
        return {row.connection: row.fence for row in db.execute(sa.select(lease))}


def raise_fences(db: Connection, known: Mapping[str, int], *, since: datetime) -> None:
    """Never give a number again that was given before an older state was put back."""
    here = {row.connection: row.fence for row in db.execute(sa.select(lease))}
    for connection in sorted({*here, *known}):
        fence = max(here.get(connection, 0), known.get(connection, 0)) + 1
        row = {"connection": connection, "fence": fence, "owner": "{}", "since": since}
        upsert(db, lease, [row])


def check_fence(db: Connection, lock: Lock) -> None:
    """Raise LockHeld when a newer lock was given out; called inside the intent's transaction."""
    row = db.execute(sa.select(lease).where(lease.c.connection == lock.connection)).first()
    if row is None or row.fence != lock.fence:
        raise _held(lock.connection, _owner(row.owner.encode() if row else b""))


def note_sent(db: Connection, lock: Lock, sent: Tick | None) -> None:
    """Keep when the lock's holder sent last, inside the intent's transaction."""
    here = lease.c.connection == lock.connection
    owner = db.execute(sa.select(lease.c.owner).where(here)).scalar_one()
    known = {**json.loads(owner), SENT: None if sent is None else asdict(sent)}
    db.execute(sa.update(lease).where(here).values(owner=json.dumps(known)))


def _next_lock(
    database: Database, connection: str, owner: Mapping[str, object], now: datetime
) -> Lock:
    with database.write() as db:
        last = db.execute(sa.select(lease).where(lease.c.connection == connection)).first()
        fence, sent = (1, None) if last is None else (last.fence + 1, _sent(last.owner))
        told = json.dumps({**owner, SENT: None if sent is None else asdict(sent)})
        row = {"connection": connection, "fence": fence, "owner": told, "since": now}
        upsert(db, lease, [row])
    return Lock(connection, fence, sent)


def _sent(owner: str) -> Tick | None:
    known = json.loads(owner).get(SENT)
    return None if known is None else Tick(str(known["boot"]), float(known["seconds"]))


def _last(database: Database, connection: str) -> tuple[str, str, str]:
    with database.read() as db:
        owner = db.execute(
            sa.select(lease.c.owner).where(lease.c.connection == connection)
        ).scalar_one_or_none()
    return _owner((owner or "").encode())


def _owner(text: bytes) -> tuple[str, str, str]:
    try:
        known = json.loads(text)
        return str(known["by"]), str(known["pid"]), str(known["since"])
    except (ValueError, KeyError, TypeError):
        return "?", "?", "?"


def _held(connection: str, owner: tuple[str, str, str]) -> LockHeld:
    by, pid, since = owner
    return LockHeld(
        Text(
            zh=f"{connection} 正被另一次运行占用：{by}（进程 {pid}），始于 {since}",
            en=f"another run holds {connection}: {by} (process {pid}), since {since}",
        ),
        mend=Text(
            zh="等它结束后再试；进程若已终止，锁会自行释放。",
            en="Try again when it has ended; a process that died leaves no lock behind.",
        ),
    )
