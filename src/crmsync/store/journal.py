"""The journal: one row per planned change, moved from planned through intent to one outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import dumps, loads
from crmsync.model.change import RemoteError
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import OpRecord, OpState
from crmsync.store.batching import batched
from crmsync.store.effects import Confirmed, Effect, Ground, confirm
from crmsync.store.engine import Database
from crmsync.store.episodes import Episodes
from crmsync.store.locks import Lock, check_fence
from crmsync.store.states import States
from crmsync.store.tables import attempt, op

_Values = Mapping[str, Value]
OPEN = (OpState.PLANNED, OpState.INTENT, OpState.IN_DOUBT)
"""States a run still has work with."""


class OpKind(StrEnum):
    """What a journal row does."""

    FIELDS = "field_update"
    TASK = "task_create"
    CLOSE = "task_close"


@dataclass(frozen=True, slots=True)
class NewOp:
    """A change about to be planned. ``needs`` is the seq of the change that must be done first."""

    op_key: str
    kind: OpKind
    ref: RecordRef
    name: str
    base: Mapping[str, Value]
    want: Mapping[str, Value]
    effect: Effect
    version: str | None = None
    needs: int | None = None


@dataclass(frozen=True, slots=True)
class Op:
    """One journal row with all that sending it takes."""

    record: OpRecord
    kind: OpKind
    effect: Effect
    version: str | None
    needs: int | None

    @property
    def seq(self) -> int:
        """The row's place in its run."""
        return self.record.seq

    @property
    def state(self) -> OpState:
        """Where the row stands."""
        return self.record.state


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one row."""

    op: Op
    state: OpState
    crm_id: str | None = None
    version: str | None = None
    error: RemoteError | None = None
    actual: Mapping[str, Value] = field(default_factory=dict)
    moot: bool = False
    """The effect holds although the row is not done: a person took care of the task."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The note made before a call: when it leaves, and until when its absence proves nothing."""

    sent_at: datetime
    trust_after: datetime
    lock: Lock


class Journal:
    """Rows by run and seq; every method is one transaction, or joins the caller's."""

    def __init__(self, database: Database, states: States, episodes: Episodes) -> None:
        self._database = database
        self._states = states
        self._episodes = episodes

    def plan(self, run_id: int, where: Ground, ops: Iterable[NewOp]) -> int:
        """Register the rows of a run in order, seq from 1; says how many.

        A task that an earlier run created is done already; one that an earlier run left in doubt
        starts in doubt, so it is looked up before anything is sent.
        """
        seq = 0
        with self._database.write() as db:
            for piece in batched(ops):
                earlier = _effects(db, [item.op_key for item in piece])
                rows = [
                    _new(run_id, seq + n, item, earlier.get(item.op_key))
                    for n, item in enumerate(piece, start=1)
                ]
                db.execute(sa.insert(attempt), rows)
                fresh = [_effect_row(item, where) for item in piece if item.op_key not in earlier]
                if fresh:
                    db.execute(sa.insert(op), fresh)
                seq += len(piece)
        return seq

    def rows(
        self,
        run_id: int,
        *,
        states: Sequence[OpState] | None = None,
        kinds: Sequence[OpKind] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[Op, ...]:
        """Rows in their order, after a seq."""
        query = sa.select(attempt).where(attempt.c.run_id == run_id, attempt.c.seq > after)
        if states is not None:
            query = query.where(attempt.c.state.in_([state.value for state in states]))
        if kinds is not None:
            query = query.where(attempt.c.kind.in_([kind.value for kind in kinds]))
        with self._database.read() as db:
            return tuple(_op(row) for row in db.execute(query.order_by(attempt.c.seq).limit(limit)))

    def each(self, run_id: int, *, states: Sequence[OpState] | None = None) -> Iterator[Op]:
        """Every row in its order, streamed in pieces."""
        after = 0
        while piece := self.rows(run_id, states=states, after=after):
            yield from piece
            after = piece[-1].seq

    def states_of(self, run_id: int, seqs: Iterable[int]) -> dict[int, OpState]:
        """Where each of *seqs* stands."""
        found: dict[int, OpState] = {}
        for piece in batched(seqs):
            query = sa.select(attempt.c.seq, attempt.c.state).where(
                attempt.c.run_id == run_id, attempt.c.seq.in_(piece)
            )
            with self._database.read() as db:
                found.update((seq, OpState(state)) for seq, state in db.execute(query))
        return found

    def done_elsewhere(self, ops: Sequence[Op]) -> dict[int, str | None]:
        """Seq → CRM id of those of *ops* whose effect another run has brought about since."""
        with self._database.read() as db:
            known = _effects(db, [item.record.op_key for item in ops])
        return {
            item.seq: known[item.record.op_key].crm_id
            for item in ops
            if item.record.op_key in known and known[item.record.op_key].state == OpState.DONE.value
        }

    def intend(self, ops: Sequence[Op], intent: Intent) -> None:
        """Note that *ops* are about to be sent; raises LockHeld when the lock was lost."""
        with self._database.write() as db:
            check_fence(db, intent.lock)
            for piece in batched(ops):
                db.execute(
                    sa.update(attempt)
                    .where(*_these(piece))
                    .values(
                        state=OpState.INTENT.value,
                        attempts=attempt.c.attempts + 1,
                        sent_at=intent.sent_at,
                        trust_after=intent.trust_after,
                        fence=intent.lock.fence,
                    )
                )
                keys = [item.record.op_key for item in piece]
                values = {"state": OpState.INTENT.value, "trust_after": intent.trust_after}
                db.execute(sa.update(op).where(op.c.op_key.in_(keys)).values(**values))

    def settle(self, where: Ground, settled: Sequence[Settled]) -> None:
        """Note outcomes; for DONE rows our own state changes in the same transaction."""
        if not settled:
            return
        with self._database.write() as db:
            db.execute(_OUTCOME, [_outcome(item) for item in settled])
            db.execute(_EFFECT_OUTCOME, [_effect_outcome(where.run_id, item) for item in settled])
            done = [item for item in settled if item.state is OpState.DONE or item.moot]
            confirm(
                self._states,
                self._episodes,
                where,
                [Confirmed(item.op.effect, item.crm_id) for item in done],
            )

    def outcomes(self, run_id: int) -> dict[OpState, int]:
        """Rows per state: their sum is the size of the plan."""
        query = (
            sa.select(attempt.c.state, sa.func.count())
            .where(attempt.c.run_id == run_id)
            .group_by(attempt.c.state)
        )
        with self._database.read() as db:
            return {OpState(state): count for state, count in db.execute(query)}

    def done_by_kind(self, run_id: int) -> dict[OpKind, int]:
        """Rows that are done, per kind; reopened tasks count as closings."""
        query = (
            sa.select(attempt.c.kind, sa.func.count())
            .where(attempt.c.run_id == run_id, attempt.c.state == OpState.DONE.value)
            .group_by(attempt.c.kind)
        )
        with self._database.read() as db:
            return {OpKind(kind): count for kind, count in db.execute(query)}

    def digest(self, run_id: int) -> str:
        """SHA-256 over a run's rows: the audit log keeps it, so a later edit shows."""
        total = hashlib.sha256()
        columns = [column for column in attempt.c if column.name not in {"base", "want", "actual"}]
        query = sa.select(*columns).where(attempt.c.run_id == run_id).order_by(attempt.c.seq)
        with self._database.read() as db:
            for row in db.execute(query):
                total.update(repr(tuple(row)).encode())
        return total.hexdigest()


def _effects(db: Connection, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
    found = {}
    for piece in batched(keys):
        for row in db.execute(sa.select(op).where(op.c.op_key.in_(piece))):
            found[row.op_key] = row
    return found


def _new(run_id: int, seq: int, item: NewOp, earlier: sa.Row[Any] | None) -> dict[str, Any]:
    state = OpState.PLANNED
    if earlier is not None and earlier.state == OpState.DONE.value:
        state = OpState.DONE
    elif earlier is not None and earlier.state in {OpState.INTENT.value, OpState.IN_DOUBT.value}:
        state = OpState.IN_DOUBT
    return {
        "run_id": run_id,
        "seq": seq,
        "op_key": item.op_key,
        "kind": item.kind.value,
        "object": item.ref.object,
        "record_id": item.ref.id,
        "about_object": item.effect.about.object,
        "about_id": item.effect.about.id,
        "name": item.name,
        "state": state.value,
        "needs": item.needs,
        "base": dumps(item.base, _Values),
        "want": dumps(item.want, _Values),
        "effect": dumps(item.effect, Effect),
        "version": item.version,
        "trust_after": earlier.trust_after if earlier is not None else None,
        "crm_id": earlier.crm_id if earlier is not None else None,
    }


def _effect_row(item: NewOp, where: Ground) -> dict[str, Any]:
    return {
        "op_key": item.op_key,
        "kind": item.kind.value,
        "connection": where.connection,
        "ruleset": where.ruleset,
        "object": item.ref.object,
        "record_id": item.ref.id,
        "state": OpState.PLANNED.value,
    }


def _these(ops: Sequence[Op]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        attempt.c.run_id == ops[0].record.run_id,
        attempt.c.seq.in_([item.seq for item in ops]),
    )


_OUTCOME = (
    sa.update(attempt)
    .where(attempt.c.run_id == sa.bindparam("in_run"), attempt.c.seq == sa.bindparam("at_seq"))
    .values(
        state=sa.bindparam("to_state"),
        crm_id=sa.func.coalesce(sa.bindparam("to_id", type_=sa.String), attempt.c.crm_id),
        sent_version=sa.bindparam("to_version", type_=sa.String),
        error=sa.bindparam("to_error", type_=sa.Text),
        actual=sa.bindparam("to_actual", type_=sa.Text),
    )
)
_EFFECT_OUTCOME = (
    sa.update(op)
    .where(op.c.op_key == sa.bindparam("key"))
    .values(
        state=sa.bindparam("to_state"),
        crm_id=sa.func.coalesce(sa.bindparam("to_id", type_=sa.String), op.c.crm_id),
        done_run=sa.func.coalesce(sa.bindparam("to_run", type_=sa.Integer), op.c.done_run),
    )
)


def _outcome(item: Settled) -> dict[str, Any]:
    return {
        "in_run": item.op.record.run_id,
        "at_seq": item.op.seq,
        "to_state": item.state.value,
        "to_id": item.crm_id,
        "to_version": item.version,
        "to_error": dumps(item.error, RemoteError) if item.error else None,
        "to_actual": dumps(item.actual, _Values) if item.actual else None,
    }


def _effect_outcome(run_id: int, item: Settled) -> dict[str, Any]:
    return {
        "key": item.op.record.op_key,
        "to_state": item.state.value,
        "to_id": item.crm_id,
        "to_run": run_id if item.state is OpState.DONE else None,
    }


def _values(text: str | None) -> Mapping[str, Value]:
    return {} if text is None else loads(text, _Values)  # type: ignore[type-abstract]


def _op(row: sa.Row[Any]) -> Op:
    about = RecordRef(row.about_object, row.about_id)
    record = OpRecord(
        op_key=row.op_key,
        run_id=row.run_id,
        seq=row.seq,
        kind=row.kind,
        ref=RecordRef(row.object, row.record_id),
        state=OpState(row.state),
        base=_values(row.base),
        want=_values(row.want),
        actual=_values(row.actual),
        attempt=row.attempts,
        crm_id=row.crm_id,
        crm_version=row.sent_version,
        error=None if row.error is None else loads(row.error, RemoteError),
        name=row.name,
        sent_at=row.sent_at,
        trust_after=row.trust_after,
    )
    effect = Effect(about) if row.effect is None else loads(row.effect, Effect)
    return Op(record, OpKind(row.kind), effect, row.version, row.needs)
