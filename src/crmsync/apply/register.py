"""Turns the lines of a plan into journal rows, with what each one means for our own state."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeGuard

from crmsync.model.approval import Approval, Budget, share_text
from crmsync.model.change import RemoteError
from crmsync.model.plan import (
    FieldDelta,
    Observation,
    PlanHeader,
    PlanKind,
    PlanLine,
    RecordChange,
    Takeover,
    TaskClose,
    TaskCreate,
)
from crmsync.model.record import RecordRef, Value
from crmsync.model.state import Episode, Snapshot, Standing, StoredState
from crmsync.store import NewOp, OpKind
from crmsync.store.batching import batched
from crmsync.store.effects import Effect, Ground, HandOver
from crmsync.store.merges import Merges
from crmsync.store.states import States

RUN_ROLE = "run"


@dataclass(frozen=True, slots=True)
class Registering:
    """A run about to begin."""

    header: PlanHeader
    ground: Ground
    states: States
    merges: Merges
    approval: Approval | None = None


def new_ops(run: Registering, lines: Iterable[PlanLine]) -> Iterator[NewOp]:
    """The journal rows of a plan in its order.

    A task waits for its own customer's change (``needs``), so that nobody is told of a rise that
    was refused. In an undo the clocks given back belong to the change of the same customer. Rows
    beyond the ceilings of the approval are journalled as withheld.
    """
    seq = 0
    ceilings = run.approval.ceilings if run.approval else ()
    budget = Budget(ceilings, run.header.counts.evaluated)
    customers = (list(group) for _, group in groupby(lines, key=_customer_of))
    for groups in batched(customers):
        changed = [line.ref for group in groups for line in group if _is_change(line)]
        known = run.states.stored(run.ground.connection, run.ground.ruleset, changed)
        for group in groups:
            held = {id(line): name for line, name in zip(group, budget.beyond(group), strict=True)}
            for line, item in _customer(run, group, known, first=seq + 1):
                seq += 1
                beyond = held[id(line)]
                yield item if beyond is None else replace(item, withheld=_beyond(run, beyond))


def _customer(
    run: Registering,
    lines: Sequence[PlanLine],
    known: Mapping[RecordRef, StoredState],
    *,
    first: int,
) -> Iterator[tuple[PlanLine, NewOp]]:
    given_back = next((line for line in lines if isinstance(line, Observation)), None)
    change = None
    whole = any(isinstance(line, Takeover) and line.back for line in lines)
    left = next((line.standing for line in lines if _is_change(line)), None)
    for seq, line in enumerate(
        (line for line in lines if not isinstance(line, Observation)), start=first
    ):
        if isinstance(line, RecordChange):
            change = seq
            item = _fields(run, line, known.get(line.ref), given_back)
            yield line, _without_state(item) if whole else item
        elif isinstance(line, TaskCreate):
            yield line, _creation(run, line, change)
        elif isinstance(line, Takeover):
            yield line, _takeover(run, line, left)
        else:
            yield line, _closing(run, line)


def _customer_of(line: PlanLine) -> RecordRef:
    return line.about if isinstance(line, TaskCreate | TaskClose) else line.ref


def _is_change(line: PlanLine) -> TypeGuard[RecordChange]:
    return isinstance(line, RecordChange)


def _fields(
    run: Registering,
    line: RecordChange,
    stored: StoredState | None,
    given_back: Observation | None,
) -> NewOp:
    want = {delta.field: _wanted(delta, run.ground.run_id) for delta in line.fields}
    effect = Effect(
        about=line.ref,
        standing=line.standing,
        # a value given back to a person is none of ours: what we had put there stays noted, so
        # that the next plan sees theirs as an edit
        written={
            delta.role: delta.before if delta.theirs else want[delta.field] for delta in line.fields
        },
        before=_before(run, stored),
    )
    if run.header.kind is PlanKind.UNDO and given_back is not None:
        effect = replace(
            effect,
            clocks=given_back.clocks,
            known=given_back.known_facts,
            drop_state=given_back.drop_state,
        )
    return NewOp(
        op_key=_key(run, OpKind.FIELDS, str(line.ref), run.header.plan_id),
        kind=OpKind.FIELDS,
        ref=line.ref,
        name=line.name,
        base={delta.field: delta.before for delta in line.fields},
        want=want,
        effect=effect,
        version=line.version,
    )


def _without_state(item: NewOp) -> NewOp:
    """The fields alone: undo of a takeover gives the customer's whole state back by itself."""
    return replace(item, effect=Effect(about=item.effect.about))


def _takeover(run: Registering, line: Takeover, left: Standing | None) -> NewOp:
    """A handing over in our own books; *left* is the standing that the customer's own change in
    the same run leaves, which undo must find again."""
    where = run.ground.connection, run.ground.ruleset
    handed = HandOver(
        lost=line.lost,
        before=run.merges.keeping(*where, (line.ref, *line.lost)),
        after=line.after,
        at=run.header.created_at,
        told=line.told,
        left=left,
    )
    return NewOp(
        op_key=_key(run, OpKind.HANDOVER, str(line.ref), run.header.plan_id),
        kind=OpKind.HANDOVER,
        ref=line.ref,
        name=line.name,
        base={},
        want={},
        effect=Effect(about=line.ref, handed=handed),
    )


def _before(run: Registering, stored: StoredState | None) -> Snapshot:
    """What undo gives back: the standing of now, the clocks the day opened with."""
    if stored is None:
        return Snapshot(standing=Standing())
    opening = stored.opening_of(run.ground.day)
    return replace(opening, standing=stored.present.standing)


def _creation(run: Registering, line: TaskCreate, needs: int | None) -> NewOp:
    episode = Episode(
        line.key, line.task_id, line.about, run.header.as_of, owner=line.owner, due=line.due
    )
    return NewOp(
        op_key=_key(run, OpKind.TASK, line.key),
        kind=OpKind.TASK,
        ref=RecordRef(line.object, line.key),
        name=line.name,
        base={},
        want=line.values,
        effect=Effect(about=line.about, opened=episode),
        needs=needs,
        key_field=line.key_field,
    )


def _closing(run: Registering, line: TaskClose) -> NewOp:
    return NewOp(
        op_key=_key(run, OpKind.CLOSE, line.key, run.header.plan_id),
        kind=OpKind.CLOSE,
        ref=line.ref,
        name=line.name,
        base=line.before,
        want=line.values,
        effect=Effect(
            about=line.about,
            closed=None if line.reopen else line.key,
            reopened=line.key if line.reopen else None,
        ),
        key_field=line.key_field or None,
    )


def _beyond(run: Registering, name: str) -> RemoteError:
    """Why a row is withheld: the ceiling it lies beyond, and who set it."""
    approval = run.approval
    assert approval is not None
    cap = next(share_text(item) for item in approval.ceilings if item.name == name)
    return RemoteError("BEYOND_APPROVAL", f"{cap}, approved by {approval.by}")


def _wanted(delta: FieldDelta, run_id: int) -> Value:
    """The run's number is known only now."""
    if delta.role != RUN_ROLE or delta.after is None:
        return delta.after
    return run_id if isinstance(delta.after, int) else str(run_id)


def _key(run: Registering, kind: OpKind, *what: str) -> str:
    """The name of one external effect: the same effect has the same name in every run."""
    parts = (run.header.account_id, run.ground.connection, kind.value, *what)
    digest = hashlib.blake2b("\x1f".join(parts).encode()).digest()
    return "cs1-" + base64.b32encode(digest).decode().lower()[:20]


def observations(lines: Iterable[PlanLine]) -> Iterator[Observation]:
    """The observations among *lines*."""
    return (line for line in lines if isinstance(line, Observation))
