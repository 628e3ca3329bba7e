"""Customer state: where each customer stands, its clocks, and how its last day opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import dumps, loads
from crmsync.model.plan import Observation
from crmsync.model.record import RecordRef, Value
from crmsync.model.state import CustomerState, Snapshot, StoredState
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.tables import state
from crmsync.store.upsert import upsert

_Written = Mapping[str, Value]


class States:
    """State by connection, ruleset and record; bulk reads and writes go in pieces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opening(
        self, connection: str, ruleset: str, refs: Iterable[RecordRef], *, day: date
    ) -> dict[RecordRef, CustomerState]:
        """The state of every known customer among *refs* as the local *day* opens."""
        found = self.stored(connection, ruleset, refs)
        return {ref: row.on(day) for ref, row in found.items()}

    def stored(
        self, connection: str, ruleset: str, refs: Iterable[RecordRef]
    ) -> dict[RecordRef, StoredState]:
        """The rows of those *refs* that have one."""
        found: dict[RecordRef, StoredState] = {}
        for piece in batched(refs):
            with self._database.read() as db:
                found.update(_rows(db, connection, ruleset, piece))
        return found

    def observe(
        self,
        connection: str,
        ruleset: str,
        observations: Iterable[Observation],
        *,
        ruleset_digest: str | None,
    ) -> int:
        """Commit clocks; says how many rows were written. ``ruleset_digest=None`` keeps the one
        remembered.

        The first observation of a local day keeps what stood before as that day's opening; later
        ones of the day replace the clocks alone, so a repeat changes nothing. An observation of an
        earlier day than the stored one is left out.
        """
        count = 0
        for piece in batched(observations):
            with self._database.write() as db:
                known = _rows(db, connection, ruleset, [item.ref for item in piece])
                rows = [
                    _row(connection, ruleset, observed)
                    for item in piece
                    if (observed := _observed(known.get(item.ref), item, ruleset_digest))
                ]
                upsert(db, state, rows)
                count += len(rows)
        return count

    def put(
        self, connection: str, ruleset: str, rows: Sequence[StoredState], *, run_id: int
    ) -> None:
        """Store whole rows: confirmed writes, `adopt`, undo."""
        with self._database.write() as db:
            upsert(
                db, state, [{**_row(connection, ruleset, row), "run_id": run_id} for row in rows]
            )

    def forget(self, connection: str, ruleset: str, refs: Iterable[RecordRef]) -> None:
        """Delete the rows of *refs*."""
        for piece in batched(refs):
            with self._database.write() as db:
                db.execute(sa.delete(state).where(*_of(connection, ruleset, piece)))

    def distribution(
        self, connection: str, ruleset: str
    ) -> dict[tuple[str | None, str | None], int]:
        """Customers per confirmed tier and lifecycle stage."""
        query = (
            sa.select(state.c.tier, state.c.lifecycle, sa.func.count())
            .where(state.c.connection == connection, state.c.ruleset == ruleset)
            .group_by(state.c.tier, state.c.lifecycle)
        )
        with self._database.read() as db:
            return {(tier, stage): count for tier, stage, count in db.execute(query)}

    def all(self, connection: str, ruleset: str) -> Iterator[StoredState]:
        """Every row, by object and id, streamed in pieces."""
        after = ("", "")
        while True:
            query = (
                sa.select(state)
                .where(
                    state.c.connection == connection,
                    state.c.ruleset == ruleset,
                    sa.tuple_(state.c.object, state.c.record_id) > sa.tuple_(*after),
                )
                .order_by(state.c.object, state.c.record_id)
                .limit(1000)
            )
            with self._database.read() as db:
                rows = [_stored(row) for row in db.execute(query)]
            if not rows:
                return
            yield from rows
            after = (rows[-1].ref.object, rows[-1].ref.id)


def _of(
    connection: str, ruleset: str, refs: Sequence[RecordRef]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        state.c.connection == connection,
        state.c.ruleset == ruleset,
        state.c.object.in_({ref.object for ref in refs}),
        state.c.record_id.in_([ref.id for ref in refs]),
    )


def _rows(
    db: Connection, connection: str, ruleset: str, refs: Sequence[RecordRef]
) -> dict[RecordRef, StoredState]:
    wanted = set(refs)
    rows = (
        _stored(row) for row in db.execute(sa.select(state).where(*_of(connection, ruleset, refs)))
    )
    return {row.ref: row for row in rows if row.ref in wanted}


def _stored(row: sa.Row[Any]) -> StoredState:
    return StoredState(
        ref=RecordRef(row.object, row.record_id),
        present=loads(row.present, Snapshot),
        opening=loads(row.opening, Snapshot),
        evaluated=row.evaluated,
        written=loads(row.written, _Written),  # type: ignore[type-abstract]
    )


def _row(connection: str, ruleset: str, stored: StoredState) -> dict[str, Any]:
    return {
        "connection": connection,
        "ruleset": ruleset,
        "object": stored.ref.object,
        "record_id": stored.ref.id,
        "tier": stored.present.standing.tier,
        "lifecycle": stored.present.standing.lifecycle,
        "evaluated": stored.evaluated,
        "present": dumps(stored.present, Snapshot),
        "opening": dumps(stored.opening, Snapshot),
        "written": dumps(stored.written, _Written),
    }


def _observed(
    row: StoredState | None, seen: Observation, ruleset_digest: str | None
) -> StoredState | None:
    day = seen.clocks.evaluated
    row = row or StoredState(seen.ref, present=Snapshot(standing=seen.opening))
    if row.evaluated is not None and day is not None and day < row.evaluated:
        return None
    opening = row.opening if row.evaluated == day else row.present
    present = replace(
        row.present,
        clocks=seen.clocks,
        known=seen.known_facts,
        ruleset_digest=ruleset_digest or row.present.ruleset_digest,
        facts_digest=seen.facts_digest or None,
    )
    return replace(row, present=present, opening=opening, evaluated=day)
