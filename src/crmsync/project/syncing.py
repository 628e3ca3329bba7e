"""``sync``: the nightly job. It pulls, plans and applies within its guards, or says why not."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from crmsync.config.jobs import JobConfig
from crmsync.errors import ExitCode, GuardRefused, UsageError
from crmsync.model.run import ApplyReport
from crmsync.model.text import Text
from crmsync.project.applying import ApplyAsk, Applying, ShowProgress, exit_code
from crmsync.project.keeping import tidy
from crmsync.project.opening import Project
from crmsync.project.planning import PlanAsk, PlanMade, make_plan, silent


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How a job ended; ``report`` is set when something was written or tried."""

    exit: ExitCode
    text: Text
    report: ApplyReport | None = None

    @property
    def run(self) -> int | None:
        """The run's number, when there was one."""
        return self.report.run.id if self.report else None


def sync(
    project: Project,
    job: str,
    *,
    by: str,
    stop: threading.Event,
    progress: ShowProgress = silent,
) -> SyncOutcome:
    """Run one job of ``crmsync.yaml`` now.

    The first apply on an account is a person's: until then the job plans and is held. Rows held
    back one by one (missing data, a person's edit) make the exit code 6; everything else is
    written. What our books kept long enough is forgotten first. Raises whatever stops a run before
    it begins.
    """
    tidy(project)
    told = _job(project, job)
    connection = project.connection(told.connection)
    plans = project.config.state / "plans"
    plans.mkdir(mode=0o700, parents=True, exist_ok=True)
    ask = PlanAsk(
        folder=project.ruleset_folder(told.ruleset),
        connection=connection,
        out=plans / f"{job}.json",
    )
    made = make_plan(project, ask, progress=progress)
    held = _not_yet(project, made)
    if held is not None:
        return SyncOutcome(ExitCode.HELD_BACK, held)
    try:
        with Applying(
            project, ApplyAsk(plan=made.path, by=by, kind="sync", allow=told.allow)
        ) as applying:
            report = applying.run(progress=progress, stop=stop)
    except GuardRefused as refused:
        return SyncOutcome(ExitCode.HELD_BACK, refused.message)
    return SyncOutcome(_exit(made, report), _sentence(made, report), report)


def _job(project: Project, name: str) -> JobConfig:
    jobs = project.config.jobs
    if name in jobs:
        return jobs[name]
    listed = ", ".join(jobs) or "–"
    raise UsageError(
        Text(zh=f"没有任务“{name}”", en=f"there is no job “{name}”"),
        mend=Text(zh=f"crmsync.yaml 里有：{listed}", en=f"crmsync.yaml has: {listed}"),
    )


def _not_yet(project: Project, made: PlanMade) -> Text | None:
    header = made.header
    with project.store() as store:
        if store.runs.ever_applied(header.connection, header.account_id):
            return None
    return Text(
        zh=f"账户 {header.account_id} 还没有人工写入过：先执行 crmsync apply {made.path}",
        en=f"nobody has applied a plan to account {header.account_id} yet: the first one is by"
        f" hand: crmsync apply {made.path}",
    )


def _exit(made: PlanMade, report: ApplyReport) -> ExitCode:
    code = exit_code(report)
    if code is ExitCode.DONE and made.header.counts.withheld:
        return ExitCode.HELD_BACK
    return code


def _sentence(made: PlanMade, report: ApplyReport) -> Text:
    counts = made.header.counts
    return Text(
        zh=f"写入 {report.written}，新任务 {report.tasks_created}，关闭 {report.tasks_closed}，"
        f"暂缓 {counts.withheld}",
        en=f"{report.written} written, {report.tasks_created} tasks created,"
        f" {report.tasks_closed} closed, {counts.withheld} withheld",
    )
