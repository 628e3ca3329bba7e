"""Sends planned changes, batch by batch: compare, note the intent, call, note the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from crmsync.apply.comparing import compare, settled_without_call
from crmsync.apply.naming import Naming
from crmsync.apply.remote import Stopped
from crmsync.apply.work import Work
from crmsync.connector import CreateOnce, WriteOptions
from crmsync.errors import (
    AccessDenied,
    AuthError,
    BatchRejected,
    ConnectorError,
    QuotaExhausted,
    Throttled,
    Unavailable,
)
from crmsync.model.canonical import encode_value, text_of
from crmsync.model.change import (
    Change,
    ChangeResult,
    CreateRecord,
    Outcome,
    RemoteError,
    SetFields,
)
from crmsync.model.history import Seen
from crmsync.model.record import Record
from crmsync.model.run import RESTLESS, OpState
from crmsync.store import Intent, Op, OpKind, Settled
from crmsync.store.batching import batched

WINDOW = 2000
"""Rows looked at together, to find those that may share a call."""
ORDER = (OpKind.HANDOVER, OpKind.FIELDS, OpKind.TASK, OpKind.CLOSE)
RESTS = 5
"""Looks, each after two grains of the version, at a record that is being edited."""
NOT_WRITTEN = RemoteError("NOT_WRITTEN", "the customer's own change was not written")
NO_CREATE_ONCE = RemoteError("NO_CREATE_ONCE", "this CRM cannot create a task only once")
_STATES = {
    Outcome.APPLIED: OpState.DONE,
    Outcome.REJECTED: OpState.REJECTED,
    Outcome.CONFLICT: OpState.CONFLICT,
    Outcome.UNKNOWN: OpState.IN_DOUBT,
}


@dataclass(slots=True)
class Sender:
    """Sends what is planned.

    ``versions`` and ``seen`` are of the last look, by seq; ``looked`` says it was just now.
    ``again`` are rows that were in conflict once: they are sent a second time, not a third;
    ``restless`` those whose record is being edited all the time.
    """

    work: Work
    versions: dict[int, str | None] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    looked: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    restless: set[int] = field(default_factory=set)

    def send_planned(self) -> bool:
        """Send every planned change whose turn it is; says whether any row moved."""
        moved = False
        for kind in ORDER:
            after = 0
            while rows := self.work.journal.rows(
                self.work.run_id,
                states=[OpState.PLANNED],
                kinds=[kind],
                after=after,
                limit=WINDOW,
            ):
                after = rows[-1].seq
                ready, settled = self._in_turn(rows)
                moved = moved or settled
                for batch in self._batches(ready):
                    moved = True
                    self.send(batch)
        return moved

    def send(self, batch: Sequence[Op]) -> None:
        """Send one batch until every row of it has an outcome or is in doubt."""
        tries = 0
        while batch := self._compared(batch):
            if len(batch) > 1 and self._strict and batch[0].kind is not OpKind.TASK:
                self._one_by_one(batch)
                return
            error = self._attempt(batch)
            if error is None:
                return
            if isinstance(error, BatchRejected):
                self._split(batch, error)
                return
            tries += 1
            self.work.remote.put_off(error, tries)

    def _attempt(self, batch: Sequence[Op]) -> ConnectorError | None:
        """One call between two notes; gives back the error after which nothing was written."""
        work = self.work
        changes = [self._change(op) for op in batch]
        work.remote.gate(changes)
        work.remote.check_stop()
        self._intend(batch)
        try:
            results = work.remote.write(changes, self._options())
            work.world.checkpoint("called")
        except (Throttled, Unavailable, BatchRejected) as error:
            work.settle([Settled(op, OpState.PLANNED) for op in batch])
            return error
        except (AuthError, AccessDenied, QuotaExhausted) as error:
            work.settle([Settled(op, OpState.PLANNED) for op in batch])
            raise Stopped(error) from error
        except ConnectorError as error:
            # it may have been written: looked up later, never repeated blindly
            doubt = RemoteError(error.code, error.message.en)
            work.settle([Settled(op, OpState.IN_DOUBT, error=doubt) for op in batch])
            return None
        self._note(batch, results)
        return None

    def _intend(self, batch: Sequence[Op]) -> None:
        work = self.work
        sent_at = work.world.now()
        doubtful = work.doubtful
        trust_after = sent_at + doubtful
        ticks = None if work.world.ticks is None else work.world.ticks()
        if ticks is not None:
            until = ticks + doubtful.total_seconds()
            work.trusted_at.update((op.seq, until) for op in batch)
        work.world.checkpoint("intent")
        seen = {op.seq: self.seen[op.seq] for op in batch if op.seq in self.seen}
        work.journal.intend(batch, Intent(sent_at, trust_after, work.lock, seen, ticks))
        work.world.checkpoint("intent noted")

    def _note(self, batch: Sequence[Op], results: Sequence[ChangeResult]) -> None:
        """Outcomes by the change they name; a change without exactly one result is in doubt."""
        told: dict[str, list[ChangeResult]] = {}
        for result in results:
            told.setdefault(result.change_id, []).append(result)
        settled = [_settled(op, told.get(op.record.op_key, ())) for op in batch]
        again = [item.op for item in settled if self._worth_another(item)]
        kept = [item for item in settled if item.op not in again]
        self.work.settle([*kept, *(Settled(op, OpState.PLANNED) for op in again)])
        if again:
            self._after_conflict(again)

    def _worth_another(self, item: Settled) -> bool:
        return (
            item.state is OpState.CONFLICT
            and item.op.kind is not OpKind.TASK
            and item.op.seq not in self.again
        )

    def _after_conflict(self, ops: Sequence[Op]) -> None:
        """Owned fields unchanged: once more with the version of now. Else the conflict stands."""
        for op in ops:
            self.again.add(op.seq)
            self.send([op])

    def _one_by_one(self, batch: Sequence[Op]) -> None:
        """One call each, on the strength of the look just taken at all of them."""
        self.looked.update(op.seq for op in batch)
        for op in batch:
            self.send([op])

    def _split(self, batch: Sequence[Op], error: BatchRejected) -> None:
        """Halve until the culprit stands alone."""
        if len(batch) == 1:
            words = RemoteError(error.remote_code or error.code, error.message.en)
            self.work.settle([Settled(batch[0], OpState.REJECTED, error=words)])
            return
        middle = len(batch) // 2
        self.send(batch[:middle])
        self.send(batch[middle:])

    def _compared(self, batch: Sequence[Op]) -> Sequence[Op]:
        """The rows to be sent; those that need no call, or must not have one, are settled."""
        if batch[0].kind is OpKind.TASK:
            return batch
        if len(batch) == 1 and batch[0].seq in self.looked:
            self.looked.discard(batch[0].seq)
            return batch
        sent = [op for op in batch if op.record.want]
        settled = [Settled(op, OpState.DONE) for op in batch if not op.record.want]
        records = self._look(sent) if sent else {}
        ready: list[Op] = []
        for op in sent:
            record = records.get(op.record.ref.id)
            found = compare(op, record)
            self.versions[op.seq] = found.version
            if record is not None:
                self.seen[op.seq] = Seen(record.modified_at, found.held)
            outcome = settled_without_call(op, found)
            if outcome is None and op.seq in self.restless:
                outcome = Settled(op, OpState.CONFLICT, error=RESTLESS)
            if outcome is None:
                ready.append(op)
            else:
                settled.append(outcome)
        self.work.settle(self.work.survivors_named(settled))
        return ready

    def _look(self, ops: Sequence[Op]) -> Mapping[str, Record]:
        """The records as they stand now.

        For compare-and-set a record just modified is looked at again when its version's grain has
        passed: a second edit inside the grain would not show in the version. One that never comes
        to rest is left alone for this time.
        """
        remote = self.work.remote
        records = self._read(ops)
        grain = remote.capabilities.version_resolution
        if not (self._strict and grain):
            return records
        self.restless.difference_update(op.seq for op in ops)
        fresh = _fresh(ops, records, remote.asked_at, grain)
        for _ in range(RESTS):
            if not fresh:
                return records
            remote.pause(2 * grain.total_seconds())
            gone = {op.record.ref.id: None for op in fresh}
            again = self._read(fresh)
            records = {id: row for id, row in records.items() if id not in gone} | dict(again)
            fresh = _fresh(fresh, records, remote.asked_at, grain)
        self.restless.update(op.seq for op in fresh)
        return records

    def _read(self, ops: Sequence[Op]) -> Mapping[str, Record]:
        fields = sorted({name for op in ops for name in op.record.want})
        ids = [op.record.ref.id for op in ops]
        return self.work.remote.told_of(ops[0].record.ref.object, ids, fields)

    def _in_turn(self, rows: Sequence[Op]) -> tuple[Sequence[Op], bool]:
        """Rows whose own customer's change is done, and whether any others were settled here."""
        if rows[0].kind is OpKind.CLOSE:
            ready, settled = Naming(self.work).closings(rows)
            self.work.settle(settled)
            return ready, bool(settled)
        tasks = [op for op in rows if op.kind is OpKind.TASK]
        if not tasks:
            return rows, False
        if self._no_create_once:
            self.work.settle([_cancelled(op, NO_CREATE_ONCE) for op in tasks])
            return [], True
        needed = {op.needs for op in tasks if op.needs is not None}
        states = self.work.journal.states_of(self.work.run_id, needed)
        elsewhere = self.work.journal.done_elsewhere(tasks)
        ready, settled = [], []
        for op in tasks:
            needs = OpState.DONE if op.needs is None else states[op.needs]
            if op.seq in elsewhere:
                settled.append(Settled(op, OpState.DONE, crm_id=elsewhere[op.seq]))
            elif needs in _FAILED:
                settled.append(_cancelled(op, NOT_WRITTEN))
            elif needs is OpState.DONE:
                ready.append(op)
        self.work.settle(settled)
        return ready, bool(settled)

    def _batches(self, rows: Iterable[Op]) -> Iterator[Sequence[Op]]:
        """Rows that may share a call: one kind, one object, and one set of values if need be."""
        capabilities = self.work.remote.capabilities

        def together(op: Op) -> tuple[str, str]:
            return op.record.ref.object, _content(op) if capabilities.uniform_batch else ""

        for _, group in groupby(sorted(rows, key=together), key=together):
            yield from batched(group, capabilities.write_batch)

    def _change(self, op: Op) -> Change:
        record = op.record
        if op.kind is OpKind.TASK:
            return CreateRecord(
                change_id=record.op_key,
                object=record.ref.object,
                values=record.want,
                key_field=op.key_field or "",
                about=op.effect.about,
            )
        return SetFields(
            change_id=record.op_key,
            ref=record.ref,
            before={name: record.base.get(name) for name in record.want},
            after=record.want,
            version=self.versions.get(op.seq) if self._strict else None,
        )

    def _options(self) -> WriteOptions:
        return WriteOptions(run_automation=self.work.run_automation, strict=self._strict)

    @property
    def _strict(self) -> bool:
        return self.work.world.strict and self.work.remote.capabilities.conditional_write

    @property
    def _no_create_once(self) -> bool:
        rung = self.work.remote.capabilities.create_once
        return rung is CreateOnce.D and not self.work.world.accept_duplicates


_FAILED = {OpState.CONFLICT, OpState.REJECTED, OpState.CANCELLED, OpState.WITHHELD}


def _settled(op: Op, told: Sequence[ChangeResult]) -> Settled:
    if len(told) != 1:
        return Settled(op, OpState.IN_DOUBT, error=RemoteError("NO_RESULT", "no clear answer"))
    (result,) = told
    return Settled(
        op,
        _STATES[result.outcome],
        crm_id=result.ref.id if result.ref else None,
        version=result.version,
        error=result.error,
    )


def _cancelled(op: Op, why: RemoteError) -> Settled:
    return Settled(op, OpState.CANCELLED, error=why)


def _content(op: Op) -> str:
    return text_of({name: encode_value(op.record.want[name]) for name in sorted(op.record.want)})


def _fresh(
    ops: Sequence[Op], records: Mapping[str, Record], asked_at: datetime, grain: timedelta
) -> list[Op]:
    """Rows whose record was modified so lately that another edit may still get the same version."""
    found = ((op, records.get(op.record.ref.id)) for op in ops)
    return [op for op, row in found if row is not None and asked_at < row.modified_at + 2 * grain]
