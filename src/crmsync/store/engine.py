"""Opens the state database safely: one writer at a time, durable commits, private files.

SQLAlchemy's default SQLite set-up loses updates silently (599 of 800 in a measured race), so
transactions are begun by hand: ``BEGIN IMMEDIATE`` for writing, ``BEGIN`` for reading.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from crmsync.errors import LockHeld, StoreError
from crmsync.model.text import Text
from crmsync.store import migrate
from crmsync.store.sealing import Sealer
from crmsync.store.turns import turn, wal_reset_mended

BUSY_SECONDS = 30
WRITER_LOCK = 0x63726D73
"""PostgreSQL's advisory lock that all writing transactions of one database take in turn."""


class Database:
    """Transactions on one state database, for any number of threads.

    `write` transactions exclude each other; inside one, `read` and `write` of the same thread join
    it. Every database error leaves as StoreError, so nothing is sent on the strength of a lost
    note.
    """

    def __init__(self, url: sa.URL, *, key: bytes | None = None) -> None:
        self.url = url
        self.sealer = Sealer(key)
        self.file = Path(url.database) if _sqlite(url) and url.database else None
        self._own = threading.local()
        self._pinned: Connection | None = None
        self._turn = threading.RLock()
        try:
            if self.file is not None:
                _private(self.file)
        except OSError as error:
            raise self._unusable(error) from error
        self._writer = _engine(url, writes=True)
        self._reader = _engine(url, writes=False)
        try:
            with self.write() as connection:
                migrate.upgrade(connection, self.file)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One durable transaction: committed at the end, rolled back by any exception."""
        joined: Connection | None = getattr(self._own, "connection", None)
        if joined is not None:
            yield joined
            return
        try:
            with self._writing() as connection:
                self._own.connection = connection
                try:
                    yield connection
                finally:
                    self._own.connection = None
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction on the connection that holds our locks, else on any."""
        if self._pinned is None:
            with self._in_turn(), self._writer.begin() as connection:
                yield connection
            return
        with self._turn:
            # SQLAlchemy would quietly connect anew, and the new connection holds no lock.
            if self._pinned.invalidated:
                raise _lock_lost()
            with self._pinned.begin():
                yield self._pinned

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """No other process writes or checkpoints the file meanwhile, where SQLite needs that."""
        if self.file is None or wal_reset_mended():
            yield
            return
        with turn(self.file, patience=BUSY_SECONDS) as ours:
            if not ours:
                raise self._unusable(TimeoutError("database is locked"))
            yield

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot."""
        joined: Connection | None = getattr(self._own, "connection", None)
        if joined is not None:
            yield joined
            return
        try:
            with self._reader.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    @contextmanager
    def exclusive(self, name: str) -> Iterator[bool]:
        """Hold *name* across every machine that shares a PostgreSQL database; true when held.

        The lock belongs to the connection that `write` uses until the end: when the server ends
        that connection, it frees the lock and every later `write` here raises LockHeld. SQLite is
        used from one machine, where a file lock does this: always true.
        """
        if not self.postgres:
            yield True
            return
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        with self._pin():
            with self.write() as connection:
                asked = sa.select(sa.func.pg_try_advisory_lock(key))
                held = bool(connection.execute(asked).scalar_one())
            try:
                yield held
            finally:
                self._give_back(key, held=held)

    @contextmanager
    def _pin(self) -> Iterator[None]:
        """Until the end every write goes over one connection: whoever loses it loses its locks
        and cannot write any more."""
        if self._pinned is not None:
            yield
            return
        with self._writer.connect() as connection:
            self._pinned = connection
            try:
                yield
            finally:
                self._pinned = None

    def _give_back(self, key: int, *, held: bool) -> None:
        assert self._pinned is not None
        if not held or self._pinned.invalidated:
            return
        try:
            with self._pinned.begin():
                self._pinned.execute(sa.select(sa.func.pg_advisory_unlock(key)))
        except SQLAlchemyError:
            # A dead connection holds no lock.
            self._pinned.invalidate()

    def rewrite(self) -> bool:
        """Leave no trace of deleted rows in our files: every table is written anew, and SQLite's
        write-ahead log is cut to nothing.

        SQLite overwrites what it deletes (``secure_delete``), yet moving rows between pages leaves
        copies behind that only writing anew removes. False when another process reads an older
        state meanwhile, so that old content had to stay.
        """
        if self.postgres:
            with self._writer.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in sa.inspect(alone).get_table_names():
                    alone.exec_driver_sql(f'VACUUM FULL "{table}"')
            return True
        self._reader.dispose()
        with self._in_turn():
            raw = self._writer.raw_connection()
            try:
                cursor = raw.cursor()
                cursor.execute("VACUUM")
                busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except SqliteError:
                return False
            finally:
                raw.close()
            return not busy

    def drop_copies(self) -> None:
        """Drop the copies PostgreSQL migrations left; a person who is purged stands in them too."""
        if not self.postgres:
            return
        with self.write() as connection:
            for schema in sa.inspect(connection).get_schema_names():
                if schema.startswith(migrate.SCHEMA_BEFORE):
                    connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')

    def close(self) -> None:
        """Give back every connection; twice is fine."""
        # the last connection's end is a checkpoint; whoever keeps the turn has one open as well
        with suppress(StoreError), self._in_turn():
            self._reader.dispose()
            self._writer.dispose()
        self._reader.dispose()
        self._writer.dispose()

    def _unusable(self, error: Exception) -> StoreError:
        """Names the file, or host and database; never user, password or a row's values."""
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        place = self.file or f"{self.url.host}/{self.url.database}"
        return StoreError(
            Text(
                zh=f"本地状态库 {place} 不可用：{cause}",
                en=f"the state database {place} cannot be used: {cause}",
            ),
            mend=Text(
                zh="未完成的写入没有发出。请检查磁盘空间、权限、文件是否完好、是否被其他程序占用，"
                "然后重试。",
                en="Nothing was sent without being noted first. Check disk space, permissions, the "
                "file's health and whether another program has it open, then try again.",
            ),
        )

    @property
    def postgres(self) -> bool:
        """Whether this is a shared PostgreSQL database."""
        return not _sqlite(self.url)


def _lock_lost() -> LockHeld:
    return LockHeld(
        Text(
            zh="与数据库的连接断了，这次运行的锁随之失去；没有再写入",
            en="the connection to the database broke and the lock of this run went with it;"
            " nothing was written after that",
        ),
        mend=Text(zh="用 crmsync apply --resume 续做。", en="Go on with crmsync apply --resume."),
    )


def _sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _engine(url: sa.URL, *, writes: bool) -> Engine:
    if not _sqlite(url):
        return _postgres(url, writes=writes)
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=1 if writes else 4,
        max_overflow=0 if writes else 4,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: SqliteConnection, entry: ConnectionPoolEntry) -> None:
        raw.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
            f"query_only={'OFF' if writes else 'ON'}",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: sa.URL, *, writes: bool) -> Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        pool_pre_ping=True,
    )
    if writes:
        # READ COMMITTED alone loses updates; the lock makes writers wait as on SQLite.
        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    return engine


def _private(file: Path) -> None:
    """The folder 0700 and the file 0600 before SQLite opens it, so its -wal and -shm are too."""
    if not file.parent.exists():
        file.parent.mkdir(parents=True, mode=0o700)
    if not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    elif file.stat().st_mode & 0o077:
        file.chmod(0o600)
