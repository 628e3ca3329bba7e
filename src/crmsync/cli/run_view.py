"""Runs and their rows as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import clean, table, value_text
from crmsync.model.run import ApplyReport, OpRecord, OpState, Run, RunState
from crmsync.model.text import Text

RESULTS = {
    RunState.RUNNING: Text(zh="进行中", en="running"),
    RunState.DONE: Text(zh="完成", en="done"),
    RunState.PARTIAL: Text(zh="部分完成", en="partial"),
    RunState.STOPPED: Text(zh="已停止", en="stopped"),
    RunState.HELD: Text(zh="被拦下", en="held"),
    RunState.FAILED: Text(zh="失败", en="failed"),
}
KINDS = {
    "apply": Text(zh="写入", en="apply"),
    "sync": Text(zh="夜间", en="sync"),
    "undo": Text(zh="撤销", en="undo"),
    "adopt": Text(zh="采用", en="adopt"),
}
OUTCOMES = {
    OpState.PLANNED: Text(zh="未写", en="not written yet"),
    OpState.INTENT: Text(zh="正要写", en="about to be written"),
    OpState.IN_DOUBT: Text(zh="未确认", en="unconfirmed"),
    OpState.DONE: Text(zh="已写入", en="written"),
    OpState.CONFLICT: Text(zh="跳过：有人改过", en="skipped: somebody changed it"),
    OpState.REJECTED: Text(zh="被 CRM 拒绝", en="refused by the CRM"),
    OpState.CANCELLED: Text(zh="已取消", en="cancelled"),
    OpState.WITHHELD: Text(zh="暂缓：超出批准", en="withheld: beyond the approval"),
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
        say("评估", "READ"),
        "*",
        "▲",
        "▼",
        say("任务", "TASKS"),
        say("结果", "RESULT"),
        say("用时", "TOOK"),
        say("由", "BY"),
    )
    rows = [head, *(_run(run, zone) for run in runs)]
    return table(rows, align="rllllrrrrrlrl")


def _run(run: Run, zone: ZoneInfo) -> tuple[str, ...]:
    reason = f" ({run.reason})" if run.reason else ""
    figures = ("read", "firsts", "rises", "falls", "tasks")
    return (
        str(run.id),
        run.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        run.connection,
        f"{run.ruleset} v{run.ruleset_version}",
        KINDS.get(run.kind, Text.same(run.kind)).to(LANG),
        # A run that was stopped before it had figures shows none instead of zeros.
        *(str(run.counts[name]) if name in run.counts else "–" for name in figures),
        _result(run),
        _took(run),
        clean(run.by + reason),
    )


def _result(run: Run) -> str:
    lost = run.counts.get("overwritten", 0)
    told = say(f"，覆盖了 {lost} 条上的修改", f", edits of {lost} overwritten") if lost else ""
    return (
        RESULTS[run.state].to(LANG) + told + (f": {clean(run.note.to(LANG))}" if run.note else "")
    )


def _took(run: Run) -> str:
    if run.ended_at is None:
        return "–"
    seconds = int((run.ended_at - run.started_at).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02d}"


def run_page(run: Run, outcomes: Mapping[str, int], zone: ZoneInfo) -> Iterator[str]:
    """One run: its line, then how many rows ended how."""
    yield from run_table((run,), zone)
    if outcomes:
        yield ""
        rows = [
            (f"  {OUTCOMES[OpState(name)].to(LANG)}", str(count))
            for name, count in outcomes.items()
        ]
        yield from table(rows, align="lr")
        yield ""


def echo_lines(echoes: Mapping[str, int]) -> Iterator[str]:
    """How the run's own writes came back when the CRM was read again; nothing where it wrote
    nothing."""
    seen, near = echoes.get("echo", 0), echoes.get("near_miss", 0)
    waiting = echoes.get("sent", 0)
    if not (seen or near or waiting):
        return
    yield say(
        f"  字段读回：{seen} 个与写入相同，{near} 个不同，{waiting} 个还没读回",
        f"  Fields read back: {seen} as written, {near} otherwise, {waiting} not read yet",
    )
    yield ""


def problems(rows: Sequence[OpRecord], *, every: bool) -> Iterator[str]:
    """Every row that did not end well, with both values on a conflict and the CRM's own words."""
    limit = len(rows) if every else 10
    for row in rows[:limit]:
        yield _problem(row)
    if len(rows) > limit:
        yield say(f"  … 另有 {len(rows) - limit} 条", f"  … {len(rows) - limit} more")


def _problem(row: OpRecord) -> str:
    words, details = OUTCOMES[row.state].to(LANG), ""
    if row.gone:
        words = say(
            "跳过：CRM 里已没有这条记录（删除或合并），请重新 crmsync plan",
            "skipped: deleted or merged in the CRM since the plan; run crmsync plan again",
        )
        if row.merged_into is not None:
            words = say(
                f"跳过：已并入 {row.merged_into}，请重新 crmsync plan",
                f"skipped: merged into {row.merged_into}; run crmsync plan again",
            )
    elif row.restless:
        words = say(
            "跳过：有人正在编辑这条记录，下次再写", "skipped: somebody is editing it; next time"
        )
    elif row.state is OpState.CONFLICT:
        words = say("跳过：计划之后有人改过", "skipped: changed since the plan")
        details = say("；", "; ").join(
            f"{field} {value_text(row.base.get(field))} → {value_text(value)}"
            for field, value in row.actual.items()
            if value != row.base.get(field)
        )
    elif row.state is OpState.IN_DOUBT:
        words = say("未确认，续做时先核对", "unconfirmed; looked up before it is repeated")
        if row.trust_after is not None:
            when = f"{row.trust_after.astimezone():%H:%M:%S}"
            details = say(f"最早 {when} 核对", f"not before {when}")
    elif row.state is OpState.WITHHELD and row.error is not None:
        details = row.error.message.replace(", approved by ", say("，批准人 ", ", approved by "))
    elif row.error is not None:
        told = (row.error.code, row.error.field or "", row.error.message)
        details = clean(" ".join(filter(None, told)))
    head = f"  {MARKS.get(row.state, '·')} {clean(row.name)}  {row.ref.id}   {words}"
    return f"{head}{say('：', ': ')}{details}" if details else head


def report_line(report: ApplyReport) -> str:
    """The one summary line of an apply."""
    outcomes = report.outcomes
    skipped, refused = outcomes.get(OpState.CONFLICT, 0), outcomes.get(OpState.REJECTED, 0)
    doubt = outcomes.get(OpState.IN_DOUBT, 0)
    left = outcomes.get(OpState.PLANNED, 0) + outcomes.get(OpState.INTENT, 0)
    rest = (
        (outcomes.get(OpState.WITHHELD, 0), "超出批准而暂缓", "withheld beyond the approval"),
        (doubt, "未确认", "unconfirmed"),
        (left, "未写", "left"),
    )
    extra_zh = "".join(f"，{count} {zh}" for count, zh, _ in rest if count)
    extra_en = "".join(f", {count} {en}" for count, _, en in rest if count)
    return say(
        f"运行 {report.run.id}：写入 {report.written}，跳过 {skipped}，被拒 {refused}{extra_zh}，"
        f"新建任务 {report.tasks_created}，关闭任务 {report.tasks_closed} · "
        f"{report.seconds:.1f} 秒 · {report.api_calls} 次调用",
        f"Run {report.run.id}: {report.written} written, {skipped} skipped, {refused} refused"
        f"{extra_en}, {report.tasks_created} tasks created, {report.tasks_closed} closed · "
        f"{report.seconds:.1f} s · {report.api_calls} calls",
    )


def aftermath(report: ApplyReport) -> Iterator[str]:
    """What a look at the CRM after the run showed: fields read back, tasks that exist twice."""
    looked = report.read_back
    if looked is not None:
        yield say(
            f"核对：重新读取了 {looked.checked} 个字段，{looked.same} 个与写入的一致",
            f"Looked again: {looked.same} of {looked.checked} fields hold what was written",
        )
        for row, fields in looked.differing[:10]:
            yield f"  ! {clean(row.name)}  {row.ref.id}  {', '.join(fields)}"
        more = len(looked.differing) - 10
        if more > 0:
            yield say(f"  … 另有 {more} 条", f"  … {more} more")
    for ids in report.doubled:
        listed = ", ".join(ids)
        yield say(
            f"  ! 同一任务在 CRM 中有 {len(ids)} 个：{listed}；请留一个，关闭其余",
            f"  ! one task stands {len(ids)} times in the CRM: {listed}; keep one, close the rest",
        )
