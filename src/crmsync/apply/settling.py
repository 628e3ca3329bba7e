"""Settles what is in doubt: looks it up, adopts what is there, repeats what surely is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from crmsync.apply.comparing import Standing, compare, settled_without_call
from crmsync.apply.work import Work, alike
from crmsync.connector import CreateOnce
from crmsync.model.run import OpState
from crmsync.store import Op, OpKind, Settled
from crmsync.store.batching import batched


class Settler:
    """Rows in doubt wait at the end of the queue; other rows never wait for them.

    A record that is found proves itself at once. A record that is not found proves nothing before
    the quarantine is over: the server may still be about to commit it.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._repeated: Counter[int] = Counter()

    def settle(self) -> bool:
        """Look at every row in doubt; says whether any of them moved."""
        waiting, moved = self._look()
        if not waiting:
            return moved
        until = max(op.record.trust_after or self._now() for op in waiting)
        wait = max(until - self._now(), *map(self._work.untrusted, waiting))
        if wait > self._work.world.limits.settle_within:
            return moved
        self._work.remote.pause(max(0.0, wait.total_seconds()))
        return self._look()[1] or moved

    def duplicates(self) -> tuple[tuple[Op, tuple[str, ...]], ...]:
        """Tasks sent more than once that exist more than once, with all their ids.

        A CRM that commits later than it says it can (``late_commit``) still makes one; this finds
        it. Nothing is deleted.
        """
        found = []
        for op in self._work.journal.each(self._work.run_id, states=[OpState.DONE]):
            if op.kind is not OpKind.TASK or op.record.attempt < 2:
                continue
            place = op.record.ref.object, op.key_field or "", op.record.ref.id
            ids = self._work.remote.holders(*place, below=op.effect.about)
            if len(ids) > 1:
                found.append((op, ids))
        return tuple(found)

    def _look(self) -> tuple[list[Op], bool]:
        waiting: list[Op] = []
        moved = False
        for piece in batched(self._work.journal.each(self._work.run_id, states=[OpState.IN_DOUBT])):
            settled = [
                item
                for group in alike(piece, by_parent=self._by_parent)
                for item in self._verdicts(group)
            ]
            if settled:
                self._work.settle(settled)
                moved = True
            known = {item.op.seq for item in settled}
            waiting += [op for op in piece if op.seq not in known and self._may_wait(op)]
        return waiting, moved

    def _verdicts(self, ops: Sequence[Op]) -> list[Settled]:
        believed = frozenset(op.seq for op in ops if self._rested(op))
        if ops[0].kind is OpKind.TASK:
            return self._creations(ops, believed)
        fields = sorted({name for op in ops for name in op.record.want})
        ids = [op.record.ref.id for op in ops]
        records = self._work.remote.by_id(ops[0].record.ref.object, ids, fields)
        verdicts = []
        for op in ops:
            found = compare(op, records.get(op.record.ref.id))
            verdict = settled_without_call(op, found)
            if verdict is None and found.standing is Standing.READY and self._sure(op, believed):
                verdict = self._repeat(op)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _creations(self, ops: Sequence[Op], believed: frozenset[int]) -> list[Settled]:
        rung = self._work.remote.capabilities.create_once
        if rung is CreateOnce.D:
            return []
        if rung is CreateOnce.A:
            # an upsert by the key finds what is there; repeating it is safe at any time
            return [self._repeat(op) for op in ops if self._may_repeat(op)]
        below = ops[0].effect.about if self._by_parent else None
        found = self._work.remote.by_key(
            ops[0].record.ref.object,
            ops[0].key_field or "",
            [op.record.ref.id for op in ops],
            below=below,
        )
        verdicts = []
        for op in ops:
            record = found.get(op.record.ref.id)
            if record is not None:
                verdicts.append(
                    Settled(op, OpState.DONE, crm_id=record.ref.id, version=record.version)
                )
            elif self._sure(op, believed):
                verdicts.append(self._repeat(op))
        return verdicts

    def _rested(self, op: Op) -> bool:
        """Whether the quarantine is over; neither a clock set forward nor a restart ends it."""
        trust_after = op.record.trust_after
        over = trust_after is None or self._now() >= trust_after
        return over and not self._work.untrusted(op)

    def _sure(self, op: Op, believed: frozenset[int]) -> bool:
        """Whether *not there* is the truth: asked after the quarantine, and worth another call."""
        return self._may_repeat(op) and op.seq in believed

    def _repeat(self, op: Op) -> Settled:
        self._repeated[op.seq] += 1
        return Settled(op, OpState.PLANNED)

    def _may_repeat(self, op: Op) -> bool:
        return self._repeated[op.seq] < self._work.world.limits.repeats

    def _may_wait(self, op: Op) -> bool:
        no_way = self._work.remote.capabilities.create_once is CreateOnce.D
        return self._may_repeat(op) and not (op.kind is OpKind.TASK and no_way)

    @property
    def _by_parent(self) -> bool:
        return self._work.remote.capabilities.create_once is CreateOnce.B

    def _now(self) -> datetime:
        return self._work.world.now()
