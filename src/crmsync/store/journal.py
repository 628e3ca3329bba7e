"""The journal: one row per planned change, moved from planned through intent to one outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from crmsync.model.canonical import loads
from crmsync.model.change import RemoteError
from crmsync.model.merge import survivors
from crmsync.model.record import RecordRef
from crmsync.model.run import GONE, OpState
from crmsync.store.batching import batched
from crmsync.store.echoes import note as note_echoes
from crmsync.store.effects import Confirmed, Ground, confirm, hand_over
from crmsync.store.engine import Database
from crmsync.store.episodes import Episodes
from crmsync.store.journal_rows import (
    EFFECT_OUTCOME,
    OUTCOME,
    SEEN,
    Intent,
    NewOp,
    Op,
    OpKind,
    Settled,
    effect_outcome_row,
    effect_row,
    effects_of,
    new_row,
    op_of,
    outcome_row,
    seen_row,
    these,
    was_restored,
)
from crmsync.store.locks import check_fence, note_sent
from crmsync.store.merges import Merges
from crmsync.store.naming import Named, note_ids, trust_of
from crmsync.store.seals import forget_values, seal_of_run
from crmsync.store.states import States
from crmsync.store.tables import attempt, op, run
from crmsync.store.uptime import tick


class Journal:
    """Rows by run and seq; every method is one transaction, or joins the caller's."""

    def __init__(
        self, database: Database, states: States, episodes: Episodes, merges: Merges
    ) -> None:
        self._database = database
        self._merges = merges
        self._states = states
        self._episodes = episodes

    def plan(self, run_id: int, where: Ground, ops: Iterable[NewOp]) -> int:
        """Register the rows of a run in order, seq from 1; says how many.

        A task that an earlier run created is done already; one that an earlier run left in doubt
        starts in doubt, so it is looked up before anything is sent. After a backup was put back
        every task starts in doubt: the books may not know that it was created.
        """
        seq = 0
        with self._database.write() as db:
            unsure = was_restored(db)
            for piece in batched(ops):
                earlier = effects_of(db, [item.op_key for item in piece])
                rows = [
                    new_row(run_id, seq + n, item, earlier.get(item.op_key), unsure=unsure)
                    for n, item in enumerate(piece, start=1)
                ]
                db.execute(sa.insert(attempt), rows)
                fresh = [effect_row(item, where) for item in piece if item.op_key not in earlier]
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
            return tuple(
                op_of(row) for row in db.execute(query.order_by(attempt.c.seq).limit(limit))
            )

    def each(
        self,
        run_id: int,
        *,
        states: Sequence[OpState] | None = None,
        kinds: Sequence[OpKind] | None = None,
    ) -> Iterator[Op]:
        """Every row in its order, streamed in pieces."""
        after = 0
        while piece := self.rows(run_id, states=states, kinds=kinds, after=after):
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
            known = effects_of(db, [item.record.op_key for item in ops])
        return {
            item.seq: known[item.record.op_key].crm_id
            for item in ops
            if item.record.op_key in known and known[item.record.op_key].state == OpState.DONE.value
        }

    def intend(self, ops: Sequence[Op], intent: Intent) -> None:
        """Note that *ops* are about to be sent; raises LockHeld when the lock was lost."""
        with self._database.write() as db:
            check_fence(db, intent.lock)
            note_sent(db, intent.lock, None if intent.ticks is None else tick(intent.ticks))
            for piece in batched(ops):
                db.execute(
                    sa.update(attempt)
                    .where(*these(piece))
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
            looked = [seen_row(item, intent) for item in ops if item.seq in intent.seen]
            if looked:
                db.execute(SEEN, looked)

    def settle(
        self, where: Ground, settled: Sequence[Settled], *, at: datetime | None = None
    ) -> None:
        """Note outcomes; for DONE rows our own state changes in the same transaction,
        and with *at*, the present, the ledger of our own writes."""
        if not settled:
            return
        with self._database.write() as db:
            db.execute(OUTCOME, [outcome_row(item) for item in settled])
            db.execute(EFFECT_OUTCOME, [effect_outcome_row(where.run_id, item) for item in settled])
            done = [item for item in settled if item.state is OpState.DONE or item.moot]
            hand_over(self._merges, where, [item.op.effect for item in done])
            confirm(
                self._states,
                self._episodes,
                where,
                [Confirmed(item.op.effect, item.crm_id) for item in done],
            )
            if at is not None:
                note_echoes(db, where, settled, at)

    def nameless(self, run_id: int) -> Iterator[Op]:
        """Tasks that were created without the CRM telling their id."""
        made = self.each(run_id, states=[OpState.DONE], kinds=[OpKind.TASK])
        return (op for op in made if op.record.crm_id is None)

    def note_ids(self, where: Ground, named: Sequence[Named]) -> None:
        """Note ids that were found by key."""
        with self._database.write() as db:
            note_ids(db, where, named)

    def gone(self, connection: str, *, since: datetime) -> dict[str, tuple[str, ...]]:
        """Object → ids of records that runs begun since a moment did not find in the CRM."""
        query = (
            sa.select(attempt.c.object, attempt.c.record_id, attempt.c.error)
            .select_from(attempt.join(run, run.c.id == attempt.c.run_id))
            .where(
                run.c.connection == connection,
                run.c.started_at >= since,
                attempt.c.state == OpState.CONFLICT.value,
                attempt.c.kind == OpKind.FIELDS.value,
            )
        )
        found: dict[str, set[str]] = {}
        with self._database.read() as db:
            for object, id, error in db.execute(query):
                if error is not None and loads(error, RemoteError).code == GONE.code:
                    found.setdefault(object, set()).add(id)
        return {object: tuple(sorted(ids)) for object, ids in found.items()}

    def survivors(self, connection: str) -> dict[RecordRef, RecordRef]:
        """Who stands for each record that was merged away, as far as we were told."""
        return survivors(self._merges.told(connection))

    def trust_of(self, connection: str, keys: Iterable[str]) -> dict[str, datetime]:
        """Task key → until when its absence proves nothing."""
        with self._database.read() as db:
            return trust_of(db, connection, keys)

    def interrupted(self, run_id: int) -> int:
        """Put rows whose call never came back in doubt, before a run goes on; says how many."""
        rows = (attempt.c.run_id == run_id, attempt.c.state == OpState.INTENT.value)
        doubt = {"state": OpState.IN_DOUBT.value}
        with self._database.write() as db:
            keys = sa.select(attempt.c.op_key).where(*rows).scalar_subquery()
            db.execute(sa.update(op).where(op.c.op_key.in_(keys)).values(**doubt))
            return db.execute(sa.update(attempt).where(*rows).values(**doubt)).rowcount

    def again(self, run_id: int) -> int:
        """Plan refused and cancelled rows again: nothing was written for them.

        Rows whose values are forgotten stay as they are: nobody knows what they would write.
        """
        states = (OpState.REJECTED.value, OpState.CANCELLED.value)
        with self._database.write() as db:
            done = db.execute(
                sa.update(attempt)
                .where(
                    attempt.c.run_id == run_id,
                    attempt.c.state.in_(states),
                    attempt.c.want.is_not(None),
                )
                .values(state=OpState.PLANNED.value, error=None)
            )
            return done.rowcount

    def cancel(self, run_id: int) -> int:
        """Cancel what a run has planned and not sent; says how many rows."""
        with self._database.write() as db:
            done = db.execute(
                sa.update(attempt)
                .where(attempt.c.run_id == run_id, attempt.c.state == OpState.PLANNED.value)
                .values(state=OpState.CANCELLED.value)
            )
            return done.rowcount

    def outcomes(self, run_id: int) -> dict[OpState, int]:
        """Rows per state: their sum is the size of the plan."""
        query = (
            sa.select(attempt.c.state, sa.func.count())
            .where(attempt.c.run_id == run_id)
            .group_by(attempt.c.state)
        )
        with self._database.read() as db:
            return {OpState(state): count for state, count in db.execute(query)}

    def unsettled(self) -> dict[int, int]:
        """Run → rows sent whose outcome nobody knows yet."""
        doubtful = (OpState.INTENT.value, OpState.IN_DOUBT.value)
        query = (
            sa.select(attempt.c.run_id, sa.func.count().label("rows"))
            .where(attempt.c.state.in_(doubtful))
            .group_by(attempt.c.run_id)
            .order_by(attempt.c.run_id)
        )
        with self._database.read() as db:
            return {row.run_id: row.rows for row in db.execute(query)}

    def done_by_kind(self, run_id: int) -> dict[OpKind, int]:
        """Rows that are done, per kind; reopened tasks count as closings.

        A row that only confirms what the CRM already holds wrote nothing and is left out.
        """
        query = (
            sa.select(attempt.c.kind, sa.func.count())
            .where(
                attempt.c.run_id == run_id,
                attempt.c.state == OpState.DONE.value,
                sa.func.coalesce(attempt.c.want, "") != "{}",
            )
            .group_by(attempt.c.kind)
        )
        with self._database.read() as db:
            return {OpKind(kind): count for kind, count in db.execute(query)}

    def forget_values(self, *, ended_before: datetime) -> int:
        """Keep only a code in place of old and new values of runs that ended before a moment.

        They cannot be undone then. What was done, when and how it ended stays, and so does what
        is not settled yet. Says how many rows lost their values.
        """
        with self._database.write() as db:
            return forget_values(db, self._database.sealer, ended_before=ended_before)

    def digest(self, run_id: int) -> str:
        """The seal over a run's rows: the audit log keeps it, so a later edit shows."""
        with self._database.read() as db:
            return seal_of_run(db, self._database.sealer, run_id)
