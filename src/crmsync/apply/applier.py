"""Carries out a plan: observations first, guards, then the write protocol, then the report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from crmsync.apply.lookback import STOPPED_FIRST, LookBack, look_back_report
from crmsync.apply.naming import Naming
from crmsync.apply.order import ApplyOrder, Surroundings
from crmsync.apply.readback import doubled, read_back
from crmsync.apply.register import Registering, new_ops, observations
from crmsync.apply.remote import Remote, Stopped
from crmsync.apply.report import report, run_counts, run_state
from crmsync.apply.sending import Sender
from crmsync.apply.settling import Settler
from crmsync.apply.work import Work
from crmsync.connector import Connector
from crmsync.errors import CrmSyncError, GuardRefused, PlanRefused
from crmsync.model.approval import covered, share_text
from crmsync.model.consent import refuse, unanswered
from crmsync.model.plan import PlanHeader, PlanKind, PlanSource
from crmsync.model.run import ApplyReport, OpRecord, RunState
from crmsync.model.text import Text
from crmsync.store import Hold, Lock, RunStart, Store
from crmsync.store.effects import Ground
from crmsync.store.journal_rows import OPEN


class Applier:
    """The one writing path to a CRM: apply, sync, undo and resume all go through it.

    The caller holds the connection's lock and has checked the plan's provenance.
    """

    def __init__(self, store: Store, connector: Connector, world: Surroundings) -> None:
        self._store = store
        self._world = world
        self._remote = Remote(connector, world)

    def run(self, plan: PlanSource, order: ApplyOrder) -> ApplyReport:
        """Apply *plan* and report every row's outcome.

        Observations are committed whatever follows. Raises GuardRefused, with the run noted as
        held and nothing written, when a tripped guard has no consent or the ruleset is paused;
        PlanRefused when the plan was applied before. Everything else ends in the report.
        """
        held = self._held(plan.header, order)
        self.observe(plan, held=held is not None)
        if held is not None:
            self._note_held(plan.header, order, held)
            raise held
        began = self._world.now()
        run_id = self._begin(plan, order, began)
        return self._carry_out(_Run(plan.header, order, run_id, began))

    def resume(self, run_id: int, order: ApplyOrder) -> ApplyReport:
        """Go on with a run: send what is planned, settle what is in doubt, repeat nothing done."""
        header = self._store.runs.header(run_id)
        run = self._store.runs.get(run_id)
        held = run.state is RunState.HELD or self._store.runs.undone_by(run_id) is not None
        if held or run.connection != order.lock.connection:
            raise PlanRefused(
                Text(
                    zh=f"第 {run_id} 次运行没有可以继续的内容",
                    en=f"run {run_id} has nothing that could be resumed",
                ),
                mend=Text("重新运行 crmsync plan。", "Run crmsync plan again."),
            )
        with self._store.database.write():
            self._store.runs.reopen(run_id, fence=order.lock.fence)
            self._store.journal.interrupted(run_id)
            if order.retry_refused:
                self._store.journal.again(run_id)
            self._audit(order, "resume", run_id, self._world.now())
        return self._carry_out(_Run(header, order, run_id, self._world.now()))

    def duplicates(self, run_id: int, lock: Lock) -> tuple[tuple[OpRecord, tuple[str, ...]], ...]:
        """The post-run scan: tasks of a run that exist more than once, with the ids of all.

        Only rows that were sent again are looked at; nothing is changed.
        """
        header = self._store.runs.header(run_id)
        order = ApplyOrder(kind="scan", by="", lock=lock)
        work = self._work(_Run(header, order, run_id, self._world.now()))
        return tuple((op.record, ids) for op, ids in Settler(work).duplicates())

    def observe(self, plan: PlanSource, *, held: bool = False) -> None:
        """Commit the plan's observations and adopted edits; repeating it changes nothing.

        Of a *held* plan the rules are not remembered: what an edit of them moves is still its
        doing the next day, and still measured by its guard.
        """
        header = plan.header
        if header.kind is PlanKind.UNDO:
            return
        self._world.checkpoint("observations")
        self._store.states.observe(
            header.connection,
            header.ruleset,
            observations(plan.lines()),
            ruleset_digest=None if held else header.ruleset_digest,
        )
        for override in header.adoptions:
            self._store.overrides.add(header.connection, header.ruleset, override)
        if header.frozen:
            self._store.frozen.keep(
                header.connection, header.ruleset, header.frozen, at=self._world.now()
            )
        self._world.checkpoint("observations noted")

    def _held(self, header: PlanHeader, order: ApplyOrder) -> GuardRefused | None:
        """Why nothing may be written, if so."""
        caps = order.approval.ceilings if order.approval else ()
        held = [
            guard
            for guard in unanswered(header.guards, order.consents)
            if not covered(guard.name, caps)
        ]
        pause = self._store.holds.active(header.connection, header.ruleset)
        if pause is not None and order.kind == "sync":
            # before any guard: its consent would write again what was taken back
            return _paused(pause)
        return refuse(held) if held else None

    def _note_held(self, header: PlanHeader, order: ApplyOrder, refusal: GuardRefused) -> None:
        now = self._world.now()
        with self._store.database.write():
            start = self._start(header, order, now)
            run_id = self._store.runs.create(header, start, state=RunState.HELD)
            note = refusal.message
            self._store.runs.end(run_id, RunState.HELD, at=now, counts={}, note=note)
            self._audit(order, "held", run_id, now)

    def _begin(self, plan: PlanSource, order: ApplyOrder, now: datetime) -> int:
        """One transaction: the run, its use of the plan, and every row planned."""
        header, store = plan.header, self._store
        self._world.checkpoint("begin")
        with store.database.write():
            run_id = store.runs.create(header, self._start(header, order, now))
            if store.plans.get(header.plan_id) is None:
                store.plans.register(header, digest=plan.digest, path=None)
            if not store.plans.use(header.plan_id, run_id):
                raise PlanRefused(
                    Text("这份计划已经执行过", "this plan was applied before"),
                    mend=Text("重新运行 crmsync plan。", "Run crmsync plan again."),
                )
            ground = _ground(header, run_id)
            books = Registering(header, ground, store.states, store.merges, order.approval)
            ops = new_ops(books, plan.lines())
            store.journal.plan(run_id, ground, ops)
            self._set_hold(header, order, run_id, now)
            self._audit(order, order.kind, run_id, now)
        self._world.checkpoint("begun")
        return run_id

    def _set_hold(self, header: PlanHeader, order: ApplyOrder, run_id: int, now: datetime) -> None:
        """An undo pauses its ruleset; a plan applied by a person ends the pause."""
        where = header.connection, header.ruleset
        if header.kind is PlanKind.UNDO:
            reason = f"run {header.undoes} was undone"
            self._store.holds.pause(Hold(0, *where, now, order.by, reason, run_id))
            if header.undoes is not None:
                self._end_undone(header.undoes, run_id, now)
        elif order.kind == "apply":
            self._store.holds.resume(*where, by=order.by, at=now)

    def _end_undone(self, undone: int, run_id: int, now: datetime) -> None:
        """What the undone run had not sent yet is never sent."""
        store = self._store
        store.runs.mark_undone(undone, by=run_id)
        if store.journal.cancel(undone):
            state, counts = run_state(store.journal.outcomes(undone)), store.runs.get(undone).counts
            note = Text(f"已被运行 {run_id} 撤销", f"undone by run {run_id}")
            store.runs.end(undone, state, at=now, counts=counts, note=note)
            told = {"by": str(run_id)}
            store.seal_run(undone, at=now, who="crmsync", what="sealed after an undo", detail=told)

    def _carry_out(self, run: _Run) -> ApplyReport:
        work = self._work(run)
        stopped: CrmSyncError | None = None
        interrupted = False
        why: Text | None = STOPPED_FIRST
        try:
            sender, settler = Sender(work), Settler(work)
            while sender.send_planned() | settler.settle():
                continue
            Naming(work).created()
            why = LookBack(work, self._store.look_backs).run()
        except Stopped as stop:
            stopped, interrupted = stop.error, stop.error is None
        self._end(run, stopped, interrupted=interrupted)
        told = report(
            self._store, run.id, since=run.began, stopped=stopped, interrupted=interrupted
        )
        told = replace(told, looked_back=look_back_report(work, self._store.look_backs, why))
        if stopped is not None or interrupted:
            return told
        looked = read_back(work) if run.header.kind is PlanKind.UNDO else None
        return replace(told, read_back=looked, doubled=doubled(work))

    def _end(self, run: _Run, stopped: CrmSyncError | None, *, interrupted: bool) -> None:
        store, now = self._store, self._world.now()
        earlier = store.runs.get(run.id).counts.get("api_calls", 0)
        calls = earlier + self._remote.calls
        self._remote.calls = 0
        asked = Text("被要求停下", "asked to stop") if interrupted else None
        note = stopped.message if stopped else asked
        self._world.checkpoint("end")
        with store.database.write():
            state = run_state(store.journal.outcomes(run.id))
            counts = run_counts(store, run.id, run.header.counts, api_calls=calls)
            store.runs.end(run.id, state, at=now, counts=counts, note=note)
            detail = {"state": state.value}
            store.seal_run(run.id, at=now, who=run.order.by, what="run ended", detail=detail)
        self._world.checkpoint("ended")

    def _work(self, run: _Run) -> Work:
        outcomes = self._store.journal.outcomes(run.id)
        total = sum(outcomes.values())
        return Work(
            ground=_ground(run.header, run.id),
            lock=run.order.lock,
            journal=self._store.journal,
            remote=self._remote,
            world=self._world,
            run_automation=run.header.run_automation,
            total=total,
            settled=total - sum(outcomes.get(state, 0) for state in OPEN),
        )

    def _start(self, header: PlanHeader, order: ApplyOrder, now: datetime) -> RunStart:
        kind = order.kind if header.kind is PlanKind.RULES else header.kind.value
        return RunStart(kind, order.by, now, order.lock.fence, order.reason)

    def _audit(self, order: ApplyOrder, what: str, run_id: int, now: datetime) -> None:
        consents = " ".join(share_text(item) for item in order.consents)
        detail = {"run": str(run_id), "reason": order.reason or "", "allow": consents}
        if order.approval is not None:
            caps = " ".join(share_text(item) for item in order.approval.ceilings)
            detail |= {"approved_by": order.approval.by, "approved": caps}
        self._store.audit.add(at=now, who=order.by, what=what, detail=detail)


@dataclass(frozen=True, slots=True)
class _Run:
    """A begun run."""

    header: PlanHeader
    order: ApplyOrder
    id: int
    began: datetime


def _ground(header: PlanHeader, run_id: int) -> Ground:
    return Ground(header.connection, header.ruleset, run_id, header.as_of, header.task_object)


def _paused(pause: Hold) -> GuardRefused:
    since = pause.since.isoformat(timespec="minutes")
    undone = pause.run_id is not None
    why = f"运行 {pause.run_id} 撤销了之前的写入" if undone else pause.reason
    return GuardRefused(
        Text(
            zh=f"{pause.ruleset} 在 {pause.connection} 上已暂停（{pause.by}，{since}：{why}）",
            en=f"{pause.ruleset} is paused on {pause.connection} ({pause.by}, {since}: "
            f"{pause.reason})",
        ),
        mend=Text(
            zh="由人执行一次计划，或运行 crmsync resume。",
            en="Apply a plan by hand, or run crmsync resume.",
        ),
    )
