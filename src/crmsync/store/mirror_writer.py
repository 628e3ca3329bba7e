"""Writes a mirror: stages what a pull reads, merges it, publishes it by rename."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import duckdb

from crmsync.errors import StoreError
from crmsync.model.record import Record
from crmsync.model.text import Text
from crmsync.store import mirror_columns as columns
from crmsync.store.mirror_files import (
    DEFAULTS,
    MirrorFiles,
    MirrorSettings,
    connect,
    discard,
    make_private,
    replace_durably,
    unusable,
)
from crmsync.store.mirror_merge import MergeCounts, count_object, merge_merges, merge_object
from crmsync.store.mirror_meta import (
    FORMAT,
    MirroredObject,
    MirrorMeta,
    create_published_tables,
    has_merges,
    read_meta,
)
from crmsync.store.mirror_staging import ReadKind, ReadState, Staging

_BROKEN = (duckdb.Error, ValueError, KeyError)


class MirrorWriter:
    """One pull's hold on a mirror, as a context manager.

    Entering takes the connection's lock (LockHeld), and continues a fitting ``.next`` file or
    starts a new one; a broken one is discarded and said so in ``warnings``. Leaving without
    `publish` keeps what was staged for the next pull. With ``rebuild`` a broken
    published file does no harm; without it it raises StoreError.
    """

    def __init__(
        self,
        path: Path,
        *,
        account: str,
        now: datetime,
        resume_within: timedelta = timedelta(days=1),
        rebuild: bool = False,
        settings: MirrorSettings = DEFAULTS,
    ) -> None:
        self._files = MirrorFiles(path)
        self._account = account
        self._now = now
        self._not_before = now - resume_within
        self._rebuild = rebuild
        self._settings = settings
        self._stack = ExitStack()
        self.published: MirrorMeta | None = None
        self.warnings: list[Text] = []

    def __enter__(self) -> MirrorWriter:
        with ExitStack() as stack:
            stack.enter_context(self._files.lock())
            discard(self._files.fresh)
            self.published = self._read_published()
            self._connection = self._open_staging()
            stack.callback(self._close)
            self._staging = Staging(self._connection)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def states(self) -> dict[str, ReadState]:
        """The reads this pull has begun or finished, by object."""
        with self._reporting():
            return self._staging.states()

    def published_ids(self, object: str, ids: Collection[str]) -> tuple[str, ...]:
        """Those of *ids* that the published mirror holds; none where it does not hold *object*."""
        if not ids or self.published is None or object not in self.published.objects:
            return ()
        with self._reporting():
            was = connect(self._settings, self._files, [("was", self._files.published, True)])
            try:
                query = (
                    f"SELECT id FROM was.main.{columns.quoted(object)} "
                    "WHERE list_contains(?::VARCHAR[], id) ORDER BY id"
                )
                return tuple(id for (id,) in was.execute(query, [sorted(ids)]).fetchall())
            finally:
                was.close()

    def begin(self, state: ReadState) -> ReadState:
        """Start an object's read anew; returns the state as stored."""
        with self._reporting():
            self._staging.begin(state)
            return self._staging.states()[state.object]

    def reopen(self, object: str, since: datetime, watermark: datetime) -> ReadState:
        """Go on with a finished read: what changed since *since* comes on top."""
        with self._reporting():
            self._staging.reopen(object, since, watermark)
            return self._staging.states()[object]

    def append(
        self, state: ReadState, records: Sequence[Record], *, resume: str | None, done: bool
    ) -> ReadState:
        """Store one page with its resume token in one transaction; returns the new state."""
        with self._reporting():
            self._staging.append(state, records, resume=resume, done=done)
            make_private(self._files.next)
            return self._staging.states()[state.object]

    def publish(self, pulled_at: datetime) -> tuple[MergeCounts, ...]:
        """Merge every finished read into a fresh mirror and put it in the published one's place.

        Objects nobody read this time are not carried over: only what is mapped is stored. Raises
        StoreError when the files cannot be written or the published rows cannot be read.
        """
        with self._reporting():
            counts = self._merge(pulled_at)
        self._close()
        replace_durably(self._files.fresh, self._files.published)
        discard(self._files.next)
        return counts

    def _merge(self, pulled_at: datetime) -> tuple[MergeCounts, ...]:
        states = self._staging.states()
        unfinished = [name for name, state in states.items() if not state.done]
        assert not unfinished, f"not read to the end: {unfinished}"
        self._close()
        attached = [("next", self._files.next, False), ("fresh", self._files.fresh, False)]
        before = self.published
        if before is not None:
            attached.append(("was", self._files.published, True))
        self._connection = connect(self._settings, self._files, attached)
        create_published_tables(self._connection, "fresh")
        counts = []
        for state in states.values():
            was = before.objects.get(state.object) if before is not None else None
            merge_object(self._connection, state)
            counts.append(self._count(state, was))
            full_at = state.watermark
            if state.kind is ReadKind.INCREMENTAL and was is not None:
                full_at = was.full_at
            self._describe(state, full_at, counts[-1].rows)
        known = before is not None and has_merges(self._connection, "was")
        merge_merges(self._connection, tuple(states), before=known)
        self._stamp(pulled_at, 1 if before is None else before.generation + 1)
        self._connection.execute("CHECKPOINT fresh")
        return tuple(counts)

    def _count(self, state: ReadState, known: MirroredObject | None) -> MergeCounts:
        try:
            fields = None if known is None else known.fields
            return count_object(self._connection, state, fields)
        except duckdb.Error:
            if not self._rebuild:
                raise
            return count_object(self._connection, state, None)

    def _describe(self, state: ReadState, full_at: datetime, rows: int) -> None:
        self._connection.execute(
            "INSERT INTO fresh.main._objects VALUES (?, ?, ?, ?, ?)",
            [
                state.object,
                columns.fields_to_json(state.fields),
                columns.moment(state.watermark),
                columns.moment(full_at),
                rows,
            ],
        )

    def _stamp(self, pulled_at: datetime, generation: int) -> None:
        values = {
            "format": FORMAT,
            "account": self._account,
            "generation": str(generation),
            "pulled_at": pulled_at.astimezone(UTC).isoformat(),
        }
        self._connection.executemany(
            "INSERT INTO fresh.main._meta VALUES (?, ?)", list(values.items())
        )

    def _read_published(self) -> MirrorMeta | None:
        path = self._files.published
        if not path.exists():
            return None
        try:
            meta = self._meta_of(path)
        except _BROKEN as error:
            if self._rebuild:
                return None
            raise unusable(path, error) from error
        if meta.account == self._account:
            return meta
        self.warnings.append(
            Text(
                zh="这个连接现在指向另一个账号：本地镜像从头读取",
                en="this connection now leads to another account: the mirror is read anew",
            )
        )
        return None

    def _meta_of(self, path: Path) -> MirrorMeta:
        connection = connect(self._settings, self._files, [("mirror", path, True)])
        try:
            return read_meta(connection)
        finally:
            connection.close()

    def _open_staging(self) -> duckdb.DuckDBPyConnection:
        if self._files.next.exists():
            kept = self._continue_staging()
            if kept is not None:
                return kept
            discard(self._files.next)
        with self._reporting():
            connection = connect(self._settings, self._files, [("next", self._files.next, False)])
            Staging(connection).create(account=self._account, base=self._base, now=self._now)
            make_private(self._files.next)
            return connection

    def _continue_staging(self) -> duckdb.DuckDBPyConnection | None:
        connection = None
        try:
            connection = connect(self._settings, self._files, [("next", self._files.next, False)])
            staging = Staging(connection)
            if staging.fits(account=self._account, base=self._base, not_before=self._not_before):
                return connection
        except _BROKEN:
            self.warnings.append(
                Text(
                    zh=f"上次中断的读取无法继续（{self._files.next.name} 已损坏），重新完整读取",
                    en=f"the interrupted pull cannot go on ({self._files.next.name} is damaged): "
                    "reading everything anew",
                )
            )
        if connection is not None:
            connection.close()
        return None

    @property
    def _base(self) -> int:
        return 0 if self.published is None else self.published.generation

    def _close(self) -> None:
        self._connection.close()

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError) as error:
            name = type(error).__name__
            raise StoreError(
                Text(
                    zh=f"本地镜像 {self._files.published.name} 无法写入（{name}）",
                    en=f"the local mirror {self._files.published.name} cannot be written ({name})",
                ),
                mend=Text(
                    zh="检查磁盘空间与权限后再运行；若仍失败，运行 crmsync pull --full",
                    en="Check disk space and permissions and run again; if it still fails, "
                    "run crmsync pull --full.",
                ),
                code="MIRROR_UNWRITABLE",
            ) from error
