"""Finds tasks by their key whose creation was confirmed without an id, to name and close them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crmsync.apply.remote import Stopped
from crmsync.apply.work import Work, alike
from crmsync.connector import CreateOnce
from crmsync.model.change import RemoteError
from crmsync.model.record import RecordRef
from crmsync.model.run import OpState
from crmsync.store import Named, Op, OpKind, Settled
from crmsync.store.batching import batched

NOT_VISIBLE = RemoteError(
    "NOT_VISIBLE", "the CRM does not show the task by its key yet; the next plan closes it"
)


class Naming:
    """Some CRMs confirm a creation without telling the new id; the key finds it later."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def created(self) -> None:
        """Note the ids of this run's tasks that show by now; the others are found when closed.

        Never a reason for a run to fail: every row has its outcome already.
        """
        try:
            for piece in batched(self._work.journal.nameless(self._work.run_id)):
                found = self._found(piece)
                self._note([Named(op, _key(op), found[op.seq]) for op in piece if op.seq in found])
        except Stopped:
            return

    def closings(self, ops: Sequence[Op]) -> tuple[list[Op], list[Settled]]:
        """The rows whose task is known or found, and outcomes for those whose task does not show.

        A task that does not show although it would have to by now is gone: nothing to close.
        """
        nameless = [op for op in ops if not op.record.ref.id]
        if not nameless:
            return list(ops), []
        asked_at = self._work.world.now()
        found = self._found(nameless)
        self._note([Named(op, _key(op), found[op.seq]) for op in nameless if op.seq in found])
        keys = [_key(op) for op in nameless if op.seq not in found]
        trust = self._work.journal.trust_of(self._work.ground.connection, keys)
        settled: list[Settled] = []
        ready: list[Op] = []
        for op in ops:
            if op.record.ref.id:
                ready.append(op)
            elif op.seq in found:
                ready.append(_named(op, found[op.seq]))
            elif _key(op) in trust and asked_at < trust[_key(op)]:
                settled.append(Settled(op, OpState.CANCELLED, error=NOT_VISIBLE))
            else:
                settled.append(Settled(op, OpState.DONE))
        return ready, settled

    def _found(self, ops: Sequence[Op]) -> dict[int, str]:
        """Seq → id of those the CRM shows."""
        by_parent = self._work.remote.capabilities.create_once is CreateOnce.B
        found: dict[int, str] = {}
        for group in alike(ops, by_parent=by_parent):
            first = group[0]
            records = self._work.remote.by_key(
                first.record.ref.object,
                first.key_field or "",
                [_key(op) for op in group],
                below=first.effect.about if by_parent else None,
            )
            found.update((op.seq, records[_key(op)].ref.id) for op in group if _key(op) in records)
        return found

    def _note(self, named: Sequence[Named]) -> None:
        if named:
            self._work.world.checkpoint("ids")
            self._work.journal.note_ids(self._work.ground, named)
            self._work.world.checkpoint("ids noted")


def _key(op: Op) -> str:
    if op.kind is OpKind.TASK:
        return op.record.ref.id
    return op.effect.closed or op.effect.reopened or ""


def _named(op: Op, crm_id: str) -> Op:
    ref = RecordRef(op.record.ref.object, crm_id)
    return replace(op, record=replace(op.record, ref=ref))
