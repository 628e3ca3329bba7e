"""Takes a run back, as a plan like any other: three ways per field, people's work is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crmsync.connector import FieldIn, Reader, ReadQuery
from crmsync.model.decision import Cause
from crmsync.model.equality import same_value
from crmsync.model.plan import (
    Direction,
    FieldDelta,
    Observation,
    PlanCounts,
    PlanKind,
    PlanLine,
    RecordChange,
    Takeover,
    TaskClose,
    Withheld,
)
from crmsync.model.record import Record, Value
from crmsync.model.run import OpState
from crmsync.model.state import Snapshot, Standing, StoredState
from crmsync.model.text import Text
from crmsync.plan.draft import Draft, Spool
from crmsync.plan.guards import Tally, judge
from crmsync.plan.header import MOST_LISTED, Figures, header
from crmsync.plan.identity import change_id
from crmsync.plan.inputs import PlanInputs
from crmsync.plan.provenance import owned_fields
from crmsync.plan.undo_refusals import elsewhere, nothing, purged
from crmsync.plan.values import ROLE_LABELS, FieldValues
from crmsync.store import Op, OpKind, Store
from crmsync.store.batching import batched

READ_SIZE = 100
_SENT = (OpState.DONE, OpState.INTENT, OpState.IN_DOUBT)
_LOOKED_AT = (*_SENT, OpState.CONFLICT, OpState.REJECTED)
_WORTH = (*_SENT, OpState.PLANNED)
"""What was written or still would be: a run without any has nothing to take back."""
_LEADING = {"tier", "lifecycle"}


@dataclass(frozen=True, slots=True)
class UndoAsk:
    """Which run to take back, with the means to look: our own books and the CRM as it stands."""

    store: Store
    reader: Reader
    run_id: int


def undo(inputs: PlanInputs, ask: UndoAsk) -> Draft:
    """Make the plan that takes a run back; nothing is written yet.

    A field goes back to the value our write replaced, where it still holds what the run wrote: that
    is a person's value where the run overwrote one. A value a person has changed since is kept and
    listed. Tasks the run created are closed if nobody has touched
    them, tasks it closed are opened again. Standing and clocks go back with the customer's tier
    and stage; a first assignment is forgotten. What the CRM did by itself in between (mails,
    webhooks, history entries) cannot be undone. Raises PlanRefused when the run wrote nothing, its
    old values were purged or it belongs elsewhere.
    """
    outcomes = ask.store.journal.outcomes(ask.run_id)
    replaced = ask.store.look_backs.overwritten(ask.run_id, limit=1)
    if not replaced and not any(outcomes.get(state) for state in _WORTH):
        raise nothing(ask.run_id)
    making = _Undoing(inputs, ask)
    try:
        sent = (op for op in ask.store.journal.each(ask.run_id, states=_LOOKED_AT) if _wrote(op))
        for piece in batched(sent, READ_SIZE):
            making.add(piece)
        return making.draft()
    except BaseException:
        making.spool.close()
        raise


class _Undoing:
    """The running figures of one undo."""

    def __init__(self, inputs: PlanInputs, ask: UndoAsk) -> None:
        self.inputs, self.ask = inputs, ask
        self.before = ask.store.runs.header(ask.run_id)
        here = inputs.origin.connection, inputs.ruleset.id, inputs.origin.account_id
        if here != (self.before.connection, self.before.ruleset, self.before.account_id):
            raise elsewhere(ask.run_id)
        self.roles = {field: role for role, field in self.before.owned.items()}
        self.allowed = frozenset(owned_fields(inputs.mapping))
        self.values = FieldValues(inputs.ruleset, inputs.mapping, inputs.origin.schema)
        levels = inputs.ruleset.tier.levels if inputs.ruleset.tier else ()
        self.rank = {level.id: place for place, level in enumerate(levels)}
        self.spool, self.tally = Spool(), Tally()
        self.count: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.withheld: list[Withheld] = []

    def add(self, ops: Sequence[Op]) -> None:
        """Undo some rows; the CRM and our own state are asked for all of them at once."""
        records = {kind: self._read(ops, kind) for kind in OpKind if kind is not OpKind.HANDOVER}
        stands = (OpKind.FIELDS, OpKind.HANDOVER)
        refs = [op.effect.about for op in ops if op.kind in stands]
        where = self.before.connection, self.before.ruleset
        states = self.ask.store.states.stored(*where, refs)
        for op in ops:
            if op.kind is OpKind.HANDOVER:
                for line in self._handed(op, states.get(op.effect.about)):
                    self._add(line)
                continue
            record = records[op.kind].get(_remote_id(op) or _task_key(op))
            if op.kind is OpKind.FIELDS:
                lines = self._customer(op, record, states.get(op.effect.about))
            elif op.kind is OpKind.TASK:
                lines = self._created(op, record)
            else:
                lines = self._closed(op, record)
            for line in lines:
                self._add(line)

    def draft(self) -> Draft:
        """The finished plan. Shares are of the customers the run itself had evaluated."""
        count = self.count
        counts = PlanCounts(
            evaluated=self.before.counts.evaluated,
            rises=count[Direction.RISE],
            falls=count[Direction.FALL],
            stage_only=count[Direction.STAGE],
            other=count[Direction.OTHER],
            closed_tasks=count["tasks"],
            merged=count["merged"],
            withheld=self.kinds.total(),
            by_cause={Cause.UNDO: count["changes"]},
            fields=count["fields"],
            withheld_by_kind=dict(self.kinds),
        )
        limits = self.inputs.ruleset.guards
        guards = judge(self.tally, counts, limits, previous=None, source_ages={})
        figures = Figures(counts, guards, tuple(self.withheld))
        made = header(self.inputs, figures, kind=PlanKind.UNDO, undoes=self.ask.run_id)
        return Draft(made, self.spool)

    def _customer(
        self, op: Op, record: Record | None, state: StoredState | None
    ) -> Iterator[PlanLine]:
        before = op.effect.before
        if before is None:
            raise purged(self.ask.run_id)
        if record is None:
            self._keep(op, None, Text("客户已不在 CRM 中", "the customer is no longer in the CRM"))
            return
        deltas, kept = self._fields(op, record)
        present = state.present.standing if state else Standing()
        moved_on = present != op.effect.standing
        back = not moved_on and not kept & _LEADING and op.record.state in _SENT
        if not deltas and not back:
            return
        yield self._change(op, record, deltas, before.standing if back else None)
        if back:
            yield _clocks(op, before)

    def _handed(self, op: Op, state: StoredState | None) -> Iterator[PlanLine]:
        """Give what was taken over back to the records it came from, exactly as it was; unless the
        customer has moved on since."""
        handed = op.effect.handed
        if handed is None:
            raise purged(self.ask.run_id)
        present = None if state is None else state.present.standing
        ours = [row.present.standing for row in handed.after.states]
        if present not in [*ours, *filter(None, [handed.left])]:
            text = Text(
                "合并后等级又有变化，接管的内容保留",
                "the tier has moved on since the merge: what was taken over stays",
            )
            self._keep(op, None, text)
            return
        run_id = self.ask.run_id
        yield Takeover(
            change_id=change_id(self.before.ruleset, str(op.effect.about), "undo takeover"),
            ref=op.effect.about,
            name=op.record.name,
            lost=handed.lost,
            after=handed.before,
            text=Text(f"撤销第 {run_id} 次运行", f"run {run_id} undone"),
            back=True,
        )

    def _fields(self, op: Op, record: Record) -> tuple[tuple[FieldDelta, ...], set[str]]:
        """The fields to give back, and the roles of those somebody has changed since."""
        deltas: list[FieldDelta] = []
        kept: set[str] = set()
        lost = {item.field: item.theirs for item in op.record.overwritten}
        for name in op.record.want if op.record.state in _SENT else lost:
            ours, now, role = op.record.want[name], record.fields.get(name), self.roles[name]
            base = lost[name] if name in lost else op.record.base.get(name)
            if same_value(now, base):
                continue
            if not same_value(now, ours):
                kept.add(role)
                told = (self.values.seen(role, value) or value for value in (ours, now))
                self._keep(op, name, _changed_since(role, *told))
            elif name not in self.allowed:
                kept.add(role)
                text = Text(
                    f"{name} 已不归 crmsync 写", f"{name} is not crmsync's to write any more"
                )
                self._keep(op, name, text)
            else:
                why = Text(f"撤销第 {self.ask.run_id} 次运行", f"run {self.ask.run_id} undone")
                seen = self.values.seen(role, now), self.values.seen(role, base)
                theirs = name in lost
                delta = FieldDelta(name, role, ROLE_LABELS[role], now, base, why, *seen, theirs)
                deltas.append(delta)
        return tuple(deltas), kept

    def _change(
        self,
        op: Op,
        record: Record,
        deltas: tuple[FieldDelta, ...],
        standing: Standing | None,
    ) -> RecordChange:
        ours = op.effect.standing or Standing()
        target = standing or ours
        return RecordChange(
            change_id=change_id(self.before.ruleset, str(op.record.ref), "undo"),
            ref=op.record.ref,
            name=op.record.name,
            owner=None,
            direction=self._direction(ours, target),
            cause=Cause.UNDO,
            fields=deltas,
            version=record.version,
            standing=standing,
            tier_before=ours.tier,
            tier_after=target.tier,
        )

    def _direction(self, ours: Standing, target: Standing) -> Direction:
        if ours.tier == target.tier:
            return Direction.STAGE if ours.lifecycle != target.lifecycle else Direction.OTHER
        if ours.tier is None or target.tier is None:
            return Direction.OTHER
        lowest = len(self.rank)
        up = self.rank.get(target.tier, lowest) < self.rank.get(ours.tier, lowest)
        return Direction.RISE if up else Direction.FALL

    def _created(self, op: Op, record: Record | None) -> Iterator[PlanLine]:
        target, episode = self.inputs.mapping.tasks, op.effect.opened
        if record is None and self._may_show_yet(op):
            text = Text(
                "CRM 还查不到这个任务，保留", "the CRM does not show the task yet: it stays"
            )
            self._keep(op, None, text)
            return
        if record is None or target is None or episode is None:
            return  # a task that is gone, or whose creation never came through, needs no closing
        status = record.fields.get(target.status)
        if same_value(status, target.closed):
            return
        touched = [
            name
            for name, ours in op.record.want.items()
            if not same_value(record.fields.get(name), ours)
        ]
        if touched:
            text = Text("任务已被处理，保留", "the task has been worked on: it stays")
            self._keep(op, touched[0], text)
            return
        yield TaskClose(
            change_id=change_id(self.before.ruleset, "undo", episode.key),
            key=episode.key,
            task_id=episode.task_id,
            about=op.effect.about,
            name=op.record.name,
            ref=record.ref,
            before={target.status: status},
            values={target.status: target.closed},
            text=Text(f"撤销第 {self.ask.run_id} 次运行", f"run {self.ask.run_id} undone"),
        )

    def _closed(self, op: Op, record: Record | None) -> Iterator[PlanLine]:
        key = op.effect.closed or op.effect.reopened
        if record is None or key is None:
            return
        now = {name: record.fields.get(name) for name in op.record.want}
        if _same(now, op.record.base):
            return
        if not _same(now, op.record.want):
            text = Text("任务之后被改动过，保留", "the task was changed since: it stays")
            self._keep(op, next(iter(now)), text)
            return
        yield TaskClose(
            change_id=change_id(self.before.ruleset, "undo", key),
            key=key,
            task_id="",
            about=op.effect.about,
            name=op.record.name,
            ref=op.record.ref,
            before=now,
            values=op.record.base,
            text=Text(f"撤销第 {self.ask.run_id} 次运行", f"run {self.ask.run_id} undone"),
            reopen=op.effect.closed is not None,
        )

    def _read(self, ops: Iterable[Op], kind: OpKind) -> dict[str, Record]:
        """What the CRM holds of some rows, by id; by key where the CRM never told the id."""
        mine = [op for op in ops if op.kind is kind]
        known = [op for op in mine if _remote_id(op)]
        nameless = [op for op in mine if not _remote_id(op) and _task_key(op)]
        found: dict[str, Record] = {}
        if known:
            ids = tuple(dict.fromkeys(_remote_id(op) for op in known))
            found = {record.ref.id: record for record in self._ask(known, FieldIn("id", ids))}
        if nameless:
            field = nameless[0].key_field or ""
            keys = tuple(_task_key(op) for op in nameless)
            for record in self._ask(nameless, FieldIn(field, keys)):
                found[str(record.fields.get(field))] = record
        return found

    def _ask(self, ops: Sequence[Op], where: FieldIn) -> Iterator[Record]:
        fields = tuple(sorted({name for op in ops for name in op.record.want}))
        for page in self.ask.reader.read(ReadQuery(ops[0].record.ref.object, fields, where)):
            yield from (record for record in page.records if not record.deleted)

    def _may_show_yet(self, op: Op) -> bool:
        trust_after = op.record.trust_after
        sent = not _remote_id(op) and trust_after is not None
        return sent and trust_after is not None and self.inputs.stamp.created_at < trust_after

    def _keep(self, op: Op, field: str | None, text: Text) -> None:
        self.kinds["human_edit"] += 1
        if self.kinds["human_edit"] <= MOST_LISTED:
            about = op.effect.about
            self.withheld.append(Withheld(about, op.record.name, "human_edit", text, field))

    def _add(self, line: PlanLine) -> None:
        self.spool.add(line)
        self.tally.add(line)
        if isinstance(line, RecordChange) and line.fields:
            self.count[line.direction] += 1
            self.count["changes"] += 1
            self.count["fields"] += len(line.fields)
        if isinstance(line, TaskClose):
            self.count["tasks"] += 1
        if isinstance(line, Takeover):
            self.count["merged"] += 1


def _wrote(op: Op) -> bool:
    """Whether a row may have written something: also one given up later, where the CRM's history
    shows what it replaced before."""
    return op.record.state in _SENT or bool(op.record.overwritten)


def _remote_id(op: Op) -> str:
    return op.record.ref.id if op.kind is not OpKind.TASK else op.record.crm_id or ""


def _task_key(op: Op) -> str:
    return op.record.ref.id if op.kind is OpKind.TASK else ""


def _clocks(op: Op, before: Snapshot) -> Observation:
    return Observation(
        ref=op.effect.about,
        clocks=before.clocks,
        opening=before.standing,
        known_facts=before.known,
        drop_state=before.standing == Standing(),
    )


def _same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return all(same_value(value, other.get(name)) for name, value in one.items())


def _changed_since(role: str, ours: Value, now: Value) -> Text:
    label = ROLE_LABELS[role]
    return Text(
        zh=f"{label.zh}之后从“{ours}”改成了“{now}”，保留",
        en=f"{label.en} was changed since, from “{ours}” to “{now}”: it stays",
    )
