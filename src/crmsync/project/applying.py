"""``apply`` and ``apply --resume``: the checks before the first write, then the write protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crmsync.apply import Applier, ApplyOrder, Progress, Surroundings
from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Connector
from crmsync.errors import ConfigError, ExitCode, PlanRefused, UsageError
from crmsync.model.approval import Approval
from crmsync.model.consent import Consent
from crmsync.model.plan import PlanHeader, PlanSource
from crmsync.model.run import ApplyReport, OpState
from crmsync.model.text import Text
from crmsync.plan import (
    PlanFile,
    Present,
    applied_already,
    approves,
    check_plan,
    owned_fields,
    read_plan,
)
from crmsync.plan import fingerprint_of as fingerprint
from crmsync.plan import task_fields_of as task_fields
from crmsync.project.approving import approval_of
from crmsync.project.budgeting import require_budget
from crmsync.project.ground import Ground, stand
from crmsync.project.history import looked_back_document, op_document, run_document
from crmsync.project.opening import Project
from crmsync.project.planning import silent
from crmsync.store import Lock, Store

ShowProgress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyAsk:
    """What ``apply`` was asked for; exactly one of ``plan`` and ``resume`` is set."""

    plan: Path | None
    resume: int | None = None
    allow: tuple[str, ...] = ()
    approve: str | None = None
    reason: str | None = None
    by: str
    kind: str = "apply"
    in_parts: bool = False
    """Write what the API budget allows now, even when the plan needs more."""


class Applying:
    """An apply made ready: the lock is held and the plan is checked, nothing is written yet.

    Use it as a context manager. Raises LockHeld, PlanRefused, UsageError and whatever the CRM
    raises while it is asked who it is.
    """

    def __init__(self, project: Project, ask: ApplyAsk) -> None:
        self._project = project
        self._ask = ask
        self._stack = ExitStack()
        self._consents = tuple(Consent.parse(item) for item in ask.allow)
        self.already: Text | None = None
        """Set when this very plan was applied in full before: there is nothing to do."""
        self._plan: PlanSource | None = None
        self._approval: Approval | None = None
        self._header: PlanHeader

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def connection(self) -> str:
        """The connection's name."""
        return self._header.connection

    @property
    def environment(self) -> str:
        """``production``, ``sandbox`` or ``practice``."""
        return self._header.environment

    @property
    def headline(self) -> Text:
        """What is about to be written, where."""
        header = self._header
        counts = header.counts
        customers = counts.firsts + counts.rises + counts.falls + counts.stage_only + counts.other
        return Text(
            zh=f"计划 {header.plan_id[:8]}  {header.ruleset} v{header.ruleset_version} →"
            f" {header.connection}（{header.environment}）· {customers} 个客户 ·"
            f" {counts.new_tasks} 个新任务",
            en=f"Plan {header.plan_id[:8]}  {header.ruleset} v{header.ruleset_version} →"
            f" {header.connection} ({header.environment}) · {customers} customers ·"
            f" {counts.new_tasks} new tasks",
        )

    def run(
        self, *, progress: ShowProgress = silent, stop: threading.Event | None = None
    ) -> ApplyReport:
        """Write. Raises GuardRefused before the first write when a tripped guard has no consent.

        Setting *stop* ends the run after the batch under way; it can be resumed.
        """
        applier = Applier(self._store, self._crm, self._world(progress, stop or threading.Event()))
        order = ApplyOrder(
            kind=self._ask.kind,
            by=self._ask.by,
            lock=self._lock,
            reason=self._ask.reason,
            consents=self._consents,
            approval=self._approval,
        )
        if self._ask.resume is not None:
            return applier.resume(self._ask.resume, order)
        assert self._plan is not None
        return applier.run(self._plan, order)

    def _prepare(self) -> None:
        project, ask = self._project, self._ask
        self._store: Store = self._stack.enter_context(project.store())
        if ask.resume is not None:
            self._header = self._store.runs.header(ask.resume)
        elif ask.plan is not None:
            self._plan = self._read(ask.plan)
            self._header = self._plan.header
            stored = self._store.plans.get(self._header.plan_id)
            if self._applied(applied_already(self._plan, stored)):
                return
        else:
            raise UsageError(
                Text(zh="没有指明计划文件", en="no plan file was named"),
                mend=Text.same("crmsync apply plan.json"),
            )
        connection = project.connection(self._header.connection)
        self._lock: Lock = self._stack.enter_context(
            self._store.connection_lock(
                project.config.state / "locks", connection.name, by=ask.by, now=project.now
            )
        )
        self._crm: Connector = self._stack.enter_context(
            project.connect(connection, allowed=self._allowed())
        )
        ground = stand(self._crm, project.folder_of(self._header.ruleset), connection)
        self._check(ground)

    def _read(self, path: Path) -> PlanFile:
        plan = read_plan(path, self._project.key())
        approve = self._ask.approve
        if approve is not None and not approves(approve, plan.digest):
            raise PlanRefused(
                Text(
                    zh="计划的校验和与 --approve 不符",
                    en="the plan's checksum is not the one given with --approve",
                ),
                mend=Text(zh="用 crmsync show 核对", en="look at it with crmsync show"),
            )
        return plan

    def _check(self, ground: Ground) -> None:
        header, store = self._header, self._store
        present = Present(
            now=self._project.now(),
            connection=header.connection,
            account_id=ground.organization.id,
            ruleset_digest=ground.rules.digest,
            mapping_digest=ground.mapping.digest,
            owned_fields=owned_fields(ground.mapping),
            task_fields=task_fields(ground.mapping),
            schema_fingerprint=fingerprint(
                ground.mapping, ground.origin(header.connection, header.pulled_at)
            ),
            applied_since=store.runs.since(header),
        )
        if self._plan is None:
            self._check_account(present)
            return
        if self._applied(check_plan(self._plan, present, store.plans.get(header.plan_id))):
            return
        connection = self._connection()
        self._approval = approval_of(
            self._project, store, self._plan, required=connection.approval == "required"
        )
        if not self._ask.in_parts:
            require_budget(self._crm, header, strict=self._strict())

    def _applied(self, run: int | None) -> bool:
        """Whether a run applied it before; until we hold the lock another process may do so."""
        if run is not None:
            self.already = Text(
                zh=f"已在运行 {run} 中写入，没有要做的",
                en=f"already applied as run {run}; nothing to do",
            )
        return run is not None

    def _check_account(self, present: Present) -> None:
        """A resumed run keeps its own provenance, but never goes to another account."""
        if present.account_id != self._header.account_id:
            raise PlanRefused(
                Text(
                    zh="这次运行属于另一个 CRM 账户",
                    en="this run belongs to another CRM account",
                ),
                mend=Text(zh="检查连接设置", en="check the connection's settings"),
            )

    def _allowed(self) -> dict[str, frozenset[str]]:
        """The fields that are ours to write, by object: the last doors let no other through."""
        header = self._header
        allowed = {header.object: frozenset(header.owned_fields)}
        if header.task_object is not None:
            allowed[header.task_object] = frozenset(header.task_fields)
        return allowed

    def _world(self, progress: ShowProgress, stop: threading.Event) -> Surroundings:
        def told(step: Progress) -> None:
            progress(step.settled, step.total)

        return Surroundings(
            now=self._project.now,
            sleep=self._project.sleep,
            ticks=time.monotonic if self._project.sleep is time.sleep else None,
            allowed=self._allowed(),
            notice=self._project.notice,
            progress=told,
            stop=stop.is_set,
            strict=self._strict(),
            look_back=self._connection().look_back,
            accept_duplicates=self._connection().accept_duplicate_tasks,
        )

    def _connection(self) -> ConnectionConfig:
        return self._project.connection(self._header.connection)

    def _strict(self) -> bool:
        """Whether each record is written alone with compare-and-set, as the settings ask."""
        connection = self._connection()
        if connection.write_mode == "strict" and not self._crm.capabilities.conditional_write:
            raise ConfigError(
                Text(
                    zh=f"连接“{connection.name}”设了 write_mode: strict，但这个 CRM 没有条件写入",
                    en=f"connection “{connection.name}” asks for write_mode: strict, but this CRM"
                    " offers no conditional write",
                ),
                mend=Text(
                    zh="删去这一行：写入前仍会逐批重新读取比对",
                    en="remove the line: records are still read again just before they are written",
                ),
                code="CONF016",
            )
        return connection.write_mode == "strict"


def exit_code(report: ApplyReport) -> ExitCode:
    """What the shell is told: why it stopped, else whether every row is done."""
    if report.stopped is not None:
        return report.stopped.exit
    if report.interrupted:
        return ExitCode.INTERRUPTED
    held = report.outcomes.get(OpState.WITHHELD, 0)
    done = report.outcomes.get(OpState.DONE, 0)
    if sum(report.outcomes.values()) > done + held:
        return ExitCode.PARTIAL
    return ExitCode.HELD_BACK if report.withheld else ExitCode.DONE


def report_document(report: ApplyReport) -> dict[str, Any]:
    """A report for ``--json``."""
    return {
        "run": run_document(report.run),
        "summary": {
            "written": report.written,
            "tasks_created": report.tasks_created,
            "tasks_closed": report.tasks_closed,
            "outcomes": {state.value: count for state, count in report.outcomes.items()},
            "resumable": report.resumable,
            "withheld": report.withheld,
            "api_calls": report.api_calls,
        },
        "exit": int(exit_code(report)),
        "problems": [op_document(op) for op in report.problems],
        "read_back": _read_back(report),
        "doubled_tasks": [list(ids) for ids in report.doubled],
        "looked_back": looked_back_document(report.looked_back),
    }


def _read_back(report: ApplyReport) -> dict[str, Any] | None:
    looked = report.read_back
    if looked is None:
        return None
    differing = [{"id": row.ref.id, "fields": list(fields)} for row, fields in looked.differing]
    return {"fields": looked.checked, "same": looked.same, "differing": differing}
