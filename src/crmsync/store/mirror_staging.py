"""The ``.next`` file of a pull: rows as they came, and the token that continues after them.

Rows and token are committed together, so an interrupted pull goes on exactly where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import duckdb

from crmsync.model.record import Record
from crmsync.model.schema import FieldSchema
from crmsync.store import mirror_columns as columns

FORMAT = "2"
"""The form of a ``.next`` file; one of another form is begun anew."""


class ReadKind(StrEnum):
    """FULL replaces the object; INCREMENTAL changes the records that came."""

    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class ReadState:
    """How far the read of one object has come.

    ``since`` is the moment asked for (``None``: everything); ``watermark`` the CRM's time when
    the read began; ``resume`` the token after the last stored page.
    """

    object: str
    fields: tuple[FieldSchema, ...]
    kind: ReadKind
    since: datetime | None
    watermark: datetime
    resume: str | None
    rows: int
    done: bool


class Staging:
    """The tables of a ``.next`` file, attached as ``next`` on a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def create(self, *, account: str, base: int, now: datetime) -> None:
        """Lay out an empty file for a pull that starts from generation *base*."""
        self._connection.execute("CREATE TABLE next.main._meta (key VARCHAR, value VARCHAR)")
        self._connection.execute(
            "CREATE TABLE next.main._reads (object VARCHAR, fields VARCHAR, kind VARCHAR, "
            "since TIMESTAMP, watermark TIMESTAMP, resume VARCHAR, row_count BIGINT, done BOOLEAN)"
        )
        values = {"format": FORMAT, "account": account, "base": str(base)}
        values["started_at"] = now.isoformat()
        self._connection.executemany(
            "INSERT INTO next.main._meta VALUES (?, ?)", list(values.items())
        )

    def fits(self, *, account: str, base: int, not_before: datetime) -> bool:
        """Whether the file continues this account from this generation and is young enough.

        Raises duckdb.Error, KeyError or ValueError when the file is broken.
        """
        rows = self._connection.execute("SELECT key, value FROM next.main._meta").fetchall()
        values = dict(rows)
        self.states()
        return (
            values["format"] == FORMAT
            and values["account"] == account
            and values["base"] == str(base)
            and datetime.fromisoformat(values["started_at"]) >= not_before
        )

    def states(self) -> dict[str, ReadState]:
        """Every read begun, by object."""
        rows = self._connection.execute(
            "SELECT object, fields, kind, since, watermark, resume, row_count, done "
            "FROM next.main._reads ORDER BY object"
        ).fetchall()
        return {
            name: ReadState(
                object=name,
                fields=columns.fields_from_json(fields),
                kind=ReadKind(kind),
                since=None if since is None else since.replace(tzinfo=UTC),
                watermark=watermark.replace(tzinfo=UTC),
                resume=resume,
                rows=count,
                done=done,
            )
            for name, fields, kind, since, watermark, resume, count, done in rows
        }

    def begin(self, state: ReadState) -> None:
        """Start the read of one object anew, forgetting what was staged of it."""
        with self.transaction():
            self._connection.execute(
                "DELETE FROM next.main._reads WHERE object = ?", [state.object]
            )
            self._connection.execute(
                f"CREATE OR REPLACE TABLE {staged(state.object)} "
                f"({columns.column_ddl(state.fields)}, _deleted BOOLEAN, _into VARCHAR, "
                "_seq BIGINT)"
            )
            self._connection.execute(
                "INSERT INTO next.main._reads VALUES (?, ?, ?, ?, ?, NULL, 0, FALSE)",
                [
                    state.object,
                    columns.fields_to_json(state.fields),
                    state.kind.value,
                    None if state.since is None else columns.moment(state.since),
                    columns.moment(state.watermark),
                ],
            )

    def reopen(self, object: str, since: datetime, watermark: datetime) -> None:
        """Keep what is staged and go on with what changed since *since*."""
        with self.transaction():
            self._connection.execute(
                "UPDATE next.main._reads SET since = ?, watermark = ?, resume = NULL, "
                "done = FALSE WHERE object = ?",
                [columns.moment(since), columns.moment(watermark), object],
            )

    def append(
        self, state: ReadState, records: Sequence[Record], *, resume: str | None, done: bool
    ) -> None:
        """Store one page and the token that continues after it, both or neither."""
        with self.transaction():
            if records:
                self._insert(state, records)
            self._connection.execute(
                "UPDATE next.main._reads SET resume = ?, done = ?, row_count = row_count + ? "
                "WHERE object = ?",
                [resume, done, len(records), state.object],
            )

    def _insert(self, state: ReadState, records: Sequence[Record]) -> None:
        lists: list[object] = list(columns.column_lists(records, state.fields))
        lists.append([record.deleted for record in records])
        lists.append([record.merged_into for record in records])
        lists.append(list(range(state.rows, state.rows + len(records))))
        self._connection.execute(
            f"INSERT INTO {staged(state.object)} SELECT "
            f"{columns.unnest_expressions(state.fields)}, "
            "unnest(?::BOOLEAN[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[])",
            lists,
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit on success, roll back on any exception."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def staged(object: str) -> str:
    """The qualified name of an object's incoming table."""
    return f"next.main.{columns.quoted(object)}"
