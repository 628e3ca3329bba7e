"""Rows of the journal: what goes in, what comes out, and how both are packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import dumps, loads
from crmsync.model.change import RemoteError
from crmsync.model.history import LookedBack, Overwritten, Seen
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import OpRecord, OpState
from crmsync.store.batching import batched
from crmsync.store.effects import Effect, Ground
from crmsync.store.locks import Lock
from crmsync.store.merges import HANDOVER
from crmsync.store.tables import attempt, op, restored

_Values = Mapping[str, Value]
OPEN = (OpState.PLANNED, OpState.INTENT, OpState.IN_DOUBT)
"""States a run still has work with."""


class OpKind(StrEnum):
    """What a journal row does."""

    HANDOVER = HANDOVER
    """In our own books alone, after a merge; the CRM is not called."""
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
    key_field: str | None = None
    """For a creation: the field that holds the key."""
    withheld: RemoteError | None = None
    """Why the row must not be sent: beyond what was approved."""


@dataclass(frozen=True, slots=True)
class Op:
    """One journal row with all that sending it takes."""

    record: OpRecord
    kind: OpKind
    effect: Effect
    version: str | None
    needs: int | None
    key_field: str | None

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
    """The note made before a call: when it leaves, and until when its absence proves nothing.

    ``ticks`` is when it leaves by a count that setting the clock does not move.
    """

    sent_at: datetime
    trust_after: datetime
    lock: Lock
    seen: Mapping[int, Seen] = field(default_factory=dict)
    """By seq: what the look before the call showed."""
    ticks: float | None = None


def effects_of(db: Connection, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
    """The effects among *keys* that some run planned before, by key."""
    found = {}
    for piece in batched(keys):
        for row in db.execute(sa.select(op).where(op.c.op_key.in_(piece))):
            found[row.op_key] = row
    return found


def was_restored(db: Connection) -> bool:
    """Whether a backup was put back, so that our books may lack something that was done."""
    return db.execute(sa.select(restored.c.at).limit(1)).first() is not None


def new_row(
    run_id: int, seq: int, item: NewOp, earlier: sa.Row[Any] | None, *, unsure: bool = False
) -> dict[str, Any]:
    """An attempt as planned; what an earlier run did or left in doubt is taken over.

    *unsure*: tasks are looked up first, whatever the books say.
    """
    state = OpState.PLANNED
    if unsure and item.kind is OpKind.TASK:
        state = OpState.IN_DOUBT
    if earlier is not None and earlier.state == OpState.DONE.value:
        state = OpState.DONE
    elif earlier is not None and earlier.state in {OpState.INTENT.value, OpState.IN_DOUBT.value}:
        state = OpState.IN_DOUBT
    elif item.withheld is not None:
        state = OpState.WITHHELD
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
        "key_field": item.key_field,
        "error": dumps(item.withheld, RemoteError) if item.withheld else None,
        "trust_after": earlier.trust_after if earlier is not None else None,
        "crm_id": earlier.crm_id if earlier is not None else None,
    }


def effect_row(item: NewOp, where: Ground) -> dict[str, Any]:
    """An effect planned for the first time."""
    return {
        "op_key": item.op_key,
        "kind": item.kind.value,
        "connection": where.connection,
        "ruleset": where.ruleset,
        "object": item.ref.object,
        "record_id": item.ref.id,
        "state": OpState.PLANNED.value,
    }


def these(ops: Sequence[Op]) -> tuple[sa.ColumnElement[bool], ...]:
    """Selects the attempts of *ops*, which belong to one run."""
    return (
        attempt.c.run_id == ops[0].record.run_id,
        attempt.c.seq.in_([item.seq for item in ops]),
    )


SEEN = (
    sa.update(attempt)
    .where(attempt.c.run_id == sa.bindparam("in_run"), attempt.c.seq == sa.bindparam("at_seq"))
    .values(seen=sa.func.coalesce(attempt.c.seen, sa.bindparam("to_seen", type_=sa.Text)))
)
"""The first look counts: from then on an edit lies between a look and a write."""
OUTCOME = (
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
EFFECT_OUTCOME = (
    sa.update(op)
    .where(op.c.op_key == sa.bindparam("key"))
    .values(
        state=sa.bindparam("to_state"),
        crm_id=sa.func.coalesce(sa.bindparam("to_id", type_=sa.String), op.c.crm_id),
        done_run=sa.func.coalesce(sa.bindparam("to_run", type_=sa.Integer), op.c.done_run),
    )
)


def seen_row(item: Op, intent: Intent) -> dict[str, Any]:
    """The parameters of `SEEN`."""
    seen = dumps(intent.seen[item.seq], Seen)
    return {"in_run": item.record.run_id, "at_seq": item.seq, "to_seen": seen}


def outcome_row(item: Settled) -> dict[str, Any]:
    """The parameters of `OUTCOME`."""
    return {
        "in_run": item.op.record.run_id,
        "at_seq": item.op.seq,
        "to_state": item.state.value,
        "to_id": item.crm_id,
        "to_version": item.version,
        "to_error": dumps(item.error, RemoteError) if item.error else None,
        "to_actual": dumps(item.actual, _Values) if item.actual else None,
    }


def effect_outcome_row(run_id: int, item: Settled) -> dict[str, Any]:
    """The parameters of `EFFECT_OUTCOME`."""
    return {
        "key": item.op.record.op_key,
        "to_state": item.state.value,
        "to_id": item.crm_id,
        "to_run": run_id if item.state is OpState.DONE else None,
    }


def _values(text: str | None) -> Mapping[str, Value]:
    return {} if text is None else loads(text, _Values)  # type: ignore[type-abstract]


def _overwritten(text: str | None) -> tuple[Overwritten, ...]:
    return () if text is None else loads(text, tuple[Overwritten, ...])


def op_of(row: sa.Row[Any]) -> Op:
    """One attempt read back."""
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
        seen=None if row.seen is None else loads(row.seen, Seen),
        look_back=None if row.look_back is None else LookedBack(row.look_back),
        overwritten=_overwritten(row.overwritten),
    )
    effect = Effect(about) if row.effect is None else loads(row.effect, Effect)
    return Op(record, OpKind(row.kind), effect, row.version, row.needs, row.key_field)
