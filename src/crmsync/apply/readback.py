"""Looks again after a run: do the records hold what was written, and is no task there twice?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.apply.remote import Stopped
from crmsync.apply.settling import Settler
from crmsync.apply.work import Work
from crmsync.model.equality import same_value
from crmsync.model.record import Value
from crmsync.model.run import OpRecord, OpState, ReadBack
from crmsync.store import Op, OpKind
from crmsync.store.batching import batched

MOST_LISTED = 1000


def read_back(work: Work) -> ReadBack | None:
    """Read every record a run wrote and compare field by field; ``None`` if the CRM stops us.

    A difference is no fault of the run by itself: somebody may have edited since, or the CRM may
    change what it stores. It is listed, never mended.
    """
    checked = same = 0
    differing: list[tuple[OpRecord, tuple[str, ...]]] = []
    written = work.journal.each(work.run_id, states=[OpState.DONE], kinds=[OpKind.FIELDS])
    try:
        for piece in batched(op for op in written if op.record.want):
            held = _held(work, piece)
            for op in piece:
                values = held.get(op.record.ref.id, {})
                wrong = [
                    name
                    for name, want in op.record.want.items()
                    if not same_value(values.get(name), want)
                ]
                checked += len(op.record.want)
                same += len(op.record.want) - len(wrong)
                if wrong and len(differing) < MOST_LISTED:
                    differing.append((op.record, tuple(wrong)))
    except Stopped:
        return None
    return ReadBack(checked, same, tuple(differing))


def doubled(work: Work) -> tuple[tuple[str, ...], ...]:
    """Ids of tasks of this run that stand in the CRM more than once, one tuple a task.

    Only what was sent more than once can be; a CRM that commits later than it says makes one.
    """
    try:
        return tuple(ids for _, ids in Settler(work).duplicates())
    except Stopped:
        return ()


def _held(work: Work, ops: Sequence[Op]) -> dict[str, Mapping[str, Value]]:
    fields = sorted({name for op in ops for name in op.record.want})
    ids = [op.record.ref.id for op in ops]
    records = work.remote.by_id(ops[0].record.ref.object, ids, fields)
    return {id: record.fields for id, record in records.items()}
