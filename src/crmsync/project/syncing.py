"""``sync``: the nightly job. It pulls, plans and applies within its guards, or says why not."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from crmsync.config.jobs import JobConfig
from crmsync.errors import ExitCode, GuardRefused, UsageError
from crmsync.model.consent import allow_words, unanswered
from crmsync.model.run import ApplyReport
from crmsync.model.text import Text
from crmsync.project.applying import ApplyAsk, Applying, ShowProgress, exit_code
from crmsync.project.keeping import tidy
from crmsync.project.opening import Project
from crmsync.project.planning import PlanAsk, PlanMade, make_plan, silent


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How a job ended; ``report`` is set when something was written or tried, ``mend`` when a
    person has to do something first."""

    exit: ExitCode
    text: Text
    report: ApplyReport | None = None
    mend: Text | None = None

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

    The first apply on an account is a person's: until then the job plans and is held. Falls and
    moves that wait for a source make the exit code 6; everything else is written. What our books
    kept long enough is forgotten first. Raises whatever stops a run before it begins.
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
        return held
    try:
        with Applying(
            project, ApplyAsk(plan=made.path, by=by, kind="sync", allow=told.allow)
        ) as applying:
            report = applying.run(progress=progress, stop=stop)
    except GuardRefused as refused:
        return SyncOutcome(ExitCode.HELD_BACK, refused.message, mend=_by_hand(made, refused))
    return SyncOutcome(exit_code(report), _sentence(made, report), report)


def _job(project: Project, name: str) -> JobConfig:
    jobs = project.config.jobs
    if name in jobs:
        return jobs[name]
    listed = ", ".join(jobs) or "–"
    raise UsageError(
        Text(zh=f"没有任务“{name}”", en=f"there is no job “{name}”"),
        mend=Text(zh=f"crmsync.yaml 里有：{listed}", en=f"crmsync.yaml has: {listed}"),
    )


def _not_yet(project: Project, made: PlanMade) -> SyncOutcome | None:
    header = made.header
    with project.store() as store:
        if store.runs.ever_applied(header.connection, header.account_id):
            return None
    refused = Text(
        zh=f"账户 {header.account_id} 还没有人工写入过",
        en=f"nobody has applied a plan to account {header.account_id} yet: the first is by hand",
    )
    return SyncOutcome(ExitCode.HELD_BACK, refused, mend=_by_hand(made, None))


def _by_hand(made: PlanMade, refused: GuardRefused | None) -> Text | None:
    """The one command that writes the job's plan all the same, with the consent it needs."""
    held = unanswered(made.header.guards, ())
    if refused is not None and not held:
        return refused.mend
    words = " ".join(["crmsync apply", str(made.path), allow_words(held)]).strip()
    return Text(zh=f"确认无误后运行：{words}", en=f"If this is meant: {words}")


def _sentence(made: PlanMade, report: ApplyReport) -> Text:
    counts = made.header.counts
    return Text(
        zh=f"写入 {report.written}，新任务 {report.tasks_created}，关闭 {report.tasks_closed}，"
        f"暂缓 {counts.withheld}",
        en=f"{report.written} written, {report.tasks_created} tasks created,"
        f" {report.tasks_closed} closed, {counts.withheld} withheld",
    )
