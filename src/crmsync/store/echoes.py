"""The ledger of our own writes, per field: what comes back is an echo, not somebody's change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import decode_value, encode_value
from crmsync.model.equality import same_value
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import OpState
from crmsync.store.batching import batched
from crmsync.store.effects import Ground
from crmsync.store.engine import Database
from crmsync.store.journal_rows import OpKind, Settled
from crmsync.store.tables import echo
from crmsync.store.upsert import upsert


class EchoState(StrEnum):
    """How a write of ours stands."""

    SENT = "sent"
    ECHO = "echo"
    """It was read back as it was written."""
    NEAR_MISS = "near_miss"
    """Another value came back: the CRM altered it in storing, or somebody wrote right after us."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One field we wrote and have not read back yet."""

    ref: RecordRef
    field: str
    value: Value
    written_at: datetime


ReadBack = Callable[[str, Sequence[Sent]], Mapping[tuple[str, str], Value]]
"""Object and writes → (record id, field) → the value that was read since, where there is one."""


def note(db: Connection, where: Ground, settled: Sequence[Settled], at: datetime) -> None:
    """Enter confirmed field writes, in the transaction that confirms them."""
    rows = [
        {
            "connection": where.connection,
            "object": item.op.record.ref.object,
            "record_id": item.op.record.ref.id,
            "field": name,
            "run_id": where.run_id,
            "value": json.dumps(encode_value(value), ensure_ascii=False),
            "written_at": at,
            "state": EchoState.SENT.value,
            "seen_at": None,
        }
        for item in settled
        if item.state is OpState.DONE and item.op.kind is OpKind.FIELDS
        for name, value in item.op.record.want.items()
    ]
    upsert(db, echo, rows)


class Echoes:
    """The ledger of one state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, connection: str, object: str) -> list[Sent]:
        """Writes of one object that were not read back yet."""
        query = sa.select(echo).where(
            echo.c.connection == connection,
            echo.c.object == object,
            echo.c.state == EchoState.SENT.value,
        )
        with self._database.read() as db:
            return [
                Sent(
                    RecordRef(row.object, row.record_id),
                    row.field,
                    decode_value(json.loads(row.value)),
                    row.written_at,
                )
                for row in db.execute(query)
            ]

    def objects(self, connection: str) -> list[str]:
        """The objects with writes that were not read back yet."""
        query = (
            sa.select(echo.c.object)
            .where(echo.c.connection == connection, echo.c.state == EchoState.SENT.value)
            .distinct()
        )
        with self._database.read() as db:
            return list(db.execute(query).scalars())

    def settle(self, connection: str, read_back: ReadBack, *, at: datetime) -> Counter[EchoState]:
        """Compare what was read since with what we wrote; gives how many were which."""
        found: Counter[EchoState] = Counter()
        for object in self.objects(connection):
            for sent in batched(self.waiting(connection, object)):
                values = read_back(object, sent)
                judged = [
                    (item, _judge(item, values[item.ref.id, item.field]))
                    for item in sent
                    if (item.ref.id, item.field) in values
                ]
                found.update(state for _, state in judged)
                self._put(connection, judged, at)
        return found

    def counts(self, run_id: int) -> dict[EchoState, int]:
        """How the writes of a run stand; those a later run wrote over are counted there."""
        query = (
            sa.select(echo.c.state, sa.func.count())
            .where(echo.c.run_id == run_id)
            .group_by(echo.c.state)
        )
        with self._database.read() as db:
            return {EchoState(state): count for state, count in db.execute(query)}

    def _put(self, connection: str, judged: Sequence[tuple[Sent, EchoState]], at: datetime) -> None:
        with self._database.write() as db:
            for item, state in judged:
                db.execute(
                    sa.update(echo)
                    .where(
                        echo.c.connection == connection,
                        echo.c.object == item.ref.object,
                        echo.c.record_id == item.ref.id,
                        echo.c.field == item.field,
                        echo.c.written_at == item.written_at,
                    )
                    .values(state=state.value, seen_at=at)
                )


def _judge(sent: Sent, value: Value) -> EchoState:
    return EchoState.ECHO if same_value(sent.value, value) else EchoState.NEAR_MISS
