"""Runs and their rows as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from crmsync.cli.language import say
from crmsync.cli.layout import clean, table, value_text
from crmsync.model.run import ApplyReport, OpRecord, OpState, Run, RunState

RESULTS = {
    RunState.RUNNING: ("进行中", "running"),
    RunState.DONE: ("完成", "done"),
    RunState.PARTIAL: ("部分完成", "partial"),
    RunState.STOPPED: ("已停止", "stopped"),
    RunState.HELD: ("被拦下", "held"),
    RunState.FAILED: ("失败", "failed"),
}
MARKS = {OpState.CONFLICT: "!", OpState.REJECTED: "✗", OpState.IN_DOUBT: "?"}


def run_table(runs: Sequence[Run], zone: ZoneInfo) -> list[str]:
    """The list of runs, newest first."""
    head = (
        say("运行", "RUN"),
        say(f"时间 ({zone})", f"WHEN ({zone})"),
        say("连接", "CONNECTION"),
        say("规则", "RULES"),
        say("类型", "KIND"),
        "*",
        "▲",
        "▼",
        say("任务", "TASKS"),
        say("结果", "RESULT"),
        say("用时", "TOOK"),
        say("由", "BY"),
    )
    rows = [head]
    for run in runs:
        counts = run.counts
        took = (run.ended_at - run.started_at).total_seconds() if run.ended_at else 0
        reason = f" ({run.reason})" if run.reason else ""
        rows.append(
            (
                str(run.id),
                run.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
                run.connection,
                f"{run.ruleset} v{run.ruleset_version}",
                run.kind,
                str(counts.get("firsts", 0)),
                str(counts.get("rises", 0)),
                str(counts.get("falls", 0)),
                str(counts.get("tasks", 0)),
                say(*RESULTS[run.state]) + (f": {run.note}" if run.note else ""),
                f"{int(took) // 60}:{int(took) % 60:02d}",
                clean(run.by + reason),
            )
        )
    return table(rows, align="rllllrrrrlrl")


def problems(rows: Sequence[OpRecord], *, every: bool) -> Iterator[str]:
    """Every row that did not end well, with both values on a conflict and the CRM's own words."""
    limit = len(rows) if every else 10
    for row in rows[:limit]:
        yield _problem(row)
    if len(rows) > limit:
        yield say(f"  … 另有 {len(rows) - limit} 条", f"  … {len(rows) - limit} more")


def _problem(row: OpRecord) -> str:
    head = f"  {MARKS.get(row.state, '·')} {clean(row.name)}  {row.ref.id}   "
    if row.state is OpState.CONFLICT:
        moved = [
            f"{field}: {value_text(row.base.get(field))} → {value_text(value)}"
            for field, value in row.actual.items()
            if value != row.base.get(field)
        ]
        return (
            head
            + say("跳过：计划之后被人改过 ", "skipped: changed since the plan ")
            + "; ".join(moved)
        )
    if row.state is OpState.REJECTED:
        error = row.error
        words = f"{error.code} {error.field or ''} {clean(error.message)}" if error else ""
        return head + say("被 CRM 拒绝：", "refused by the CRM: ") + words
    if row.state is OpState.IN_DOUBT:
        return head + say("未确认，稍后核对", "unconfirmed; will be looked up before repeating")
    return head + say("未写入", "not written")


def report_line(report: ApplyReport) -> str:
    """The one summary line of an apply."""
    outcomes = report.outcomes
    skipped, refused = outcomes.get(OpState.CONFLICT, 0), outcomes.get(OpState.REJECTED, 0)
    doubt = outcomes.get(OpState.IN_DOUBT, 0)
    left = outcomes.get(OpState.PLANNED, 0) + outcomes.get(OpState.INTENT, 0)
    extra_zh = (f"，{doubt} 未确认" if doubt else "") + (f"，{left} 未写" if left else "")
    extra_en = (f", {doubt} unconfirmed" if doubt else "") + (f", {left} left" if left else "")
    return say(
        f"运行 {report.run.id}：写入 {report.written}，跳过 {skipped}，被拒 {refused}{extra_zh}，"
        f"新建任务 {report.tasks_created}，关闭任务 {report.tasks_closed} · "
        f"{report.seconds:.1f} 秒 · {report.api_calls} 次写入调用",
        f"Run {report.run.id}: {report.written} written, {skipped} skipped, {refused} refused"
        f"{extra_en}, {report.tasks_created} tasks created, {report.tasks_closed} closed · "
        f"{report.seconds:.1f} s · {report.api_calls} write calls",
    )
