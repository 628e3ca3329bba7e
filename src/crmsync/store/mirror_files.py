"""The mirror's files: their names, their permissions, the lock, and the DuckDB settings."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crmsync.errors import LockHeld, StoreError
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """What a DuckDB connection may use; beyond ``memory_limit`` it spills to disk.

    ``threads=0`` leaves the number to DuckDB (one per core).
    """

    memory_limit: str = "1GB"
    threads: int = 0


DEFAULTS = MirrorSettings()


@dataclass(frozen=True, slots=True)
class MirrorFiles:
    """Where one connection's mirror lives: ``NAME.duckdb`` and what stands beside it."""

    published: Path

    @property
    def next(self) -> Path:
        """What a running or interrupted pull has read so far."""
        return self.published.with_suffix(".next.duckdb")

    @property
    def fresh(self) -> Path:
        """The mirror being put together; it replaces the published file by rename."""
        return self.published.with_suffix(".fresh.duckdb")

    @property
    def lock_file(self) -> Path:
        """Held while a pull writes; not the lock of a whole run."""
        return self.published.with_suffix(".pull.lock")

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what memory cannot hold."""
        return self.published.with_suffix(".spill")

    def make_folder(self) -> None:
        """Create the mirror's folder, readable by the owner alone."""
        if not self.published.parent.exists():
            self.published.parent.mkdir(mode=0o700, parents=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the connection's mirror; raises LockHeld naming the file while another pull runs.

        The operating system frees the lock when its holder ends, however it ends.
        """
        self.make_folder()
        handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _held(self.lock_file) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)


def connect(
    settings: MirrorSettings, files: MirrorFiles, attached: Sequence[tuple[str, Path, bool]]
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with database files attached as ``(alias, path, read_only)``.

    Attaching (instead of opening) gives every connection an instance of its own, so a reader that
    opens after a publication never shares the file that was replaced. After this the connection
    reaches no other file, no network and no extension, and its settings are locked.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
        },
    )
    try:
        for alias, path, read_only in attached:
            mode = " (READ_ONLY)" if read_only else ""
            connection.execute(f"ATTACH {_literal(str(path))} AS {alias}{mode}")
            if not read_only:
                make_private(path)
        _lock_down(connection, settings, files)
    except BaseException:
        connection.close()
        raise
    return connection


def _lock_down(
    connection: duckdb.DuckDBPyConnection, settings: MirrorSettings, files: MirrorFiles
) -> None:
    connection.execute(f"SET temp_directory={_literal(str(files.spill))}")
    connection.execute(f"SET memory_limit={_literal(settings.memory_limit)}")
    if settings.threads:
        connection.execute(f"SET threads={int(settings.threads)}")
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET preserve_insertion_order=false")
    # DuckDB draws its bar on stdout once a query takes two seconds: into the middle of our JSON.
    connection.execute("SET enable_progress_bar=false")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")


def make_private(path: Path) -> None:
    """Mode 0600 for a database file and its write-ahead log: DuckDB creates both 0644."""
    for file in (path, wal_of(path)):
        with suppress(FileNotFoundError):
            file.chmod(0o600)


def wal_of(path: Path) -> Path:
    """The write-ahead log DuckDB keeps beside *path*."""
    return path.with_name(path.name + ".wal")


def discard(path: Path) -> None:
    """Remove a database file and its log."""
    for file in (path, wal_of(path)):
        file.unlink(missing_ok=True)


def replace_durably(source: Path, target: Path) -> None:
    """Put *source* in *target*'s place so that a power cut leaves one or the other, whole."""
    make_private(source)
    _sync(source)
    source.replace(target)
    _sync(target.parent)


def unusable(path: Path, error: Exception) -> StoreError:
    """The published mirror cannot be read; nothing is lost that the CRM does not hold."""
    return StoreError(
        Text(
            zh=f"本地镜像 {path.name} 无法读取（{type(error).__name__}）",
            en=f"the local mirror {path.name} cannot be read ({type(error).__name__})",
        ),
        mend=Text(
            zh="运行 crmsync pull --full 重新读取；CRM 中的数据不受影响",
            en="Run crmsync pull --full to read it anew; the CRM's data are untouched.",
        ),
        code="MIRROR_UNREADABLE",
    )


def _held(path: Path) -> LockHeld:
    holder = path.read_text(encoding="utf-8").strip() or "?"
    return LockHeld(
        Text(
            zh=f"另一个读取正在进行（进程 {holder}，锁文件 {path.name}）",
            en=f"another pull is running (process {holder}, lock file {path.name})",
        ),
        mend=Text(
            zh="等它结束后再运行；进程结束后锁会自动释放",
            en="Wait for it to end; the lock goes away with that process.",
        ),
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
