"""One run being carried out, as the parts of the write protocol share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from crmsync.apply.order import Progress, Surroundings
from crmsync.apply.remote import Remote
from crmsync.model.record import RecordRef
from crmsync.model.run import GONE, MERGED_INTO
from crmsync.store import Lock, Op, OpKind, Settled
from crmsync.store.effects import Ground
from crmsync.store.journal import Journal
from crmsync.store.journal_rows import OPEN


@dataclass(slots=True, kw_only=True)
class Work:
    """One run being carried out; ``settled`` of ``total`` rows have their outcome."""

    ground: Ground
    lock: Lock
    journal: Journal
    remote: Remote
    world: Surroundings
    run_automation: bool
    total: int
    settled: int
    trusted_at: dict[int, float] = field(default_factory=dict)
    """Seq → the tick after which a row this process sent may be believed not to be there."""
    earlier_trusted_at: float = 0.0
    """The same for rows that processes before this one sent."""

    def __post_init__(self) -> None:
        """What was sent before was sent by the last tick an earlier holder of the lock noted; where
        nobody can tell how long ago that was, it may have been just now."""
        if self.world.ticks is None:
            return
        now, before = self.world.ticks(), self.lock.sent_before
        ago = None if before is None else before.ago(now)
        self.earlier_trusted_at = now + self.doubtful.total_seconds() - (ago or 0.0)

    @property
    def doubtful(self) -> timedelta:
        """How long after it left a call's effect may still appear."""
        capabilities = self.remote.capabilities
        quarantine = capabilities.late_commit + capabilities.index_lag
        return self.world.limits.deadline + quarantine

    def untrusted(self, op: Op) -> timedelta:
        """How much of a row's quarantine is left by the ticks, however the clock was set."""
        if self.world.ticks is None:
            return timedelta()
        left = self.trusted_at.get(op.seq, self.earlier_trusted_at) - self.world.ticks()
        return timedelta(seconds=max(left, 0.0))

    def survivors_named(self, settled: Sequence[Settled]) -> list[Settled]:
        """*settled*, where of a record that is gone a person has told what it was merged into."""
        gone = {item.op.record.ref for item in settled if item.error == GONE and not item.actual}
        if not gone:
            return list(settled)
        into = self.journal.survivors(self.ground.connection)
        return [
            replace(item, actual={MERGED_INTO: into[ref].id})
            if (ref := item.op.record.ref) in gone & into.keys()
            else item
            for item in settled
        ]

    @property
    def run_id(self) -> int:
        """The run's number."""
        return self.ground.run_id

    def settle(self, settled: Sequence[Settled]) -> None:
        """Note outcomes; the journal alone knows what is done."""
        if not settled:
            return
        self.world.checkpoint("outcome")
        self.journal.settle(self.ground, settled, at=self.world.now())
        self.world.checkpoint("outcome noted")
        self.settled += sum(item.state not in OPEN for item in settled)
        self.remote.standing = self.settled, self.total
        kind, remote = settled[0].op.kind.value, self.remote
        self.world.progress(
            Progress(self.run_id, kind, self.settled, self.total, remote.calls, remote.waits)
        )


def alike(ops: Sequence[Op], *, by_parent: bool) -> Iterator[list[Op]]:
    """Rows that one look-up can answer: one kind and object, and one customer where a task without
    an id is looked up in the customer's own list."""
    groups: dict[tuple[OpKind, str, RecordRef | None], list[Op]] = {}
    for op in ops:
        keyed = op.kind is OpKind.TASK or not op.record.ref.id
        about = op.effect.about if by_parent and keyed else None
        groups.setdefault((op.kind, op.record.ref.object, about), []).append(op)
    yield from groups.values()
