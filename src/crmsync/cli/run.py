"""``pull``, ``plan``, ``show``, ``apply``, ``sync``: read, decide, show, write exactly that."""

from __future__ import annotations

import getpass
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.failure import advice
from crmsync.cli.language import LANG, say
from crmsync.errors import ExitCode, UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.model.run import ApplyReport
    from crmsync.project.applying import Applying
    from crmsync.project.planning import PlanMade


@click.command(
    help=say("把映射用到的字段读到本地镜像。", "Read the mapped fields into the local mirror.")
)
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option("--full", is_flag=True, help=say("全部重读", "read everything again"))
@face_options
def pull_command(face: Face, connection: str | None, full: bool) -> None:
    """Incremental unless asked otherwise."""
    from crmsync.project.pulling import pull

    project = face.project()
    with face.progress(Text(zh="读取", en="reading")) as progress:
        report = pull(project, project.connection(connection), full=full, progress=progress)
    if face.json:
        rows = [
            {"object": item.object, "kind": item.kind, "read": item.read, "rows": item.rows}
            for item in report.objects
        ]
        face.document("crmsync.pull/1", {"objects": rows, "pulled_at": report.pulled_at})
        return
    for warning in report.warnings:
        face.talk(f"! {warning.zh}", f"! {warning.en}")
    for item in report.objects:
        click.echo(
            say(
                f"读取 {item.object}：{item.read} 条，变化 {item.changed}，删除 {item.deleted}，"
                f"共 {item.rows} 条",
                f"Read {item.object}: {item.read} records, {item.changed} changed,"
                f" {item.deleted} deleted, {item.rows} in the mirror",
            )
        )
    if report.echoes or report.near_misses:
        click.echo(
            say(
                f"自己写的字段读回：{report.echoes} 个与写入相同，{report.near_misses} 个不同",
                f"Own writes read back: {report.echoes} fields as written, {report.near_misses}"
                " otherwise",
            )
        )


@click.command(
    help=say(
        "读取 CRM、评估、列出每个字段和任务的改动并保存计划；不写入 CRM。",
        "Read the CRM, evaluate, show every field and task that would change and save the plan;"
        " writes nothing to the CRM.",
    )
)
@click.argument("ruleset", required=False)
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("计划文件", "plan file"),
)
@click.option("--all", "every", is_flag=True, help=say("列出全部客户", "show every customer"))
@click.option("--only", multiple=True, metavar="ID", help=say("只写这些客户", "write these only"))
@click.option("--no-pull", is_flag=True, help=say("用现有镜像", "use the mirror as it is"))
@click.option("--exit-code", is_flag=True, help=say("有改动时返回 3", "exit 3 when it changes"))
@click.option(
    "--release",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help=say(
        "放行至多 N 项因数据源未更新而暂缓的变化",
        "let up to N falls and moves happen that wait for a source",
    ),
)
@click.option(
    "--retry-refused",
    is_flag=True,
    help=say("重试 CRM 多次拒绝的改动", "also what the CRM refused run after run"),
)
@face_options
def plan_command(
    face: Face,
    ruleset: str | None,
    connection: str | None,
    out: Path | None,
    every: bool,
    only: tuple[str, ...],
    no_pull: bool,
    exit_code: bool,
    release: int,
    retry_refused: bool,
) -> int:
    """The plan is a file; apply writes that file and nothing else."""
    from crmsync.project.planning import PlanAsk, make_plan

    project = face.project()
    ask = PlanAsk(
        folder=project.ruleset_folder(ruleset),
        connection=project.connection(connection),
        out=out or face.folder / "plan.json",
        only=only,
        pull=not no_pull,
        release=release,
        retry_refused=retry_refused,
    )
    with face.progress(Text(zh="读取与评估", en="reading and evaluating")) as progress:
        made = make_plan(project, ask, progress=progress)
    _show(face, made, every=every)
    changes = made.header.counts.anything
    return ExitCode.CHANGES if exit_code and changes else ExitCode.DONE


@click.command(help=say("显示一份已保存的计划。", "Show a saved plan."))
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), default="plan.json")
@click.option("--all", "every", is_flag=True, help=say("列出全部客户", "show every customer"))
@face_options
def show_command(face: Face, plan: Path, every: bool) -> None:
    """The same page ``plan`` printed."""
    from crmsync.project.planning import load_plan

    project = face.project()
    plan = face.file(plan)
    _show(face, load_plan(project, plan), every=every)


def _show(face: Face, made: PlanMade, *, every: bool) -> None:
    from crmsync.cli import plan_view
    from crmsync.project.plan_document import plan_document

    if face.json:
        face.document("crmsync.plan/1", plan_document(made))
        return
    out = face.out()
    for line in plan_view.page(made.header, made.lines(), made.tier_names(LANG), every=every):
        out.print(line)
    told = plan_view.next_step(made.header, digest=made.digest, file=made.path.name)
    face.talk(told.zh, told.en)


@click.command(
    help=say(
        "写入一份已保存的计划：只写计划里的内容，逐条记录结果，可续做、可撤销。",
        "Write a saved plan: exactly what it says, every row journalled, resumable, undoable.",
    )
)
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--allow",
    multiple=True,
    metavar="GUARD=VALUE",
    help=say("放行一个变更上限，如 demotions=40", "consent to one guard, such as demotions=40"),
)
@click.option("--approve", metavar="SHA", help=say("只接受这个校验和", "only this checksum"))
@click.option("--reason", metavar="TEXT", help=say("原因，写入运行记录", "why, kept with the run"))
@click.option(
    "--in-parts",
    is_flag=True,
    help=say("额度不够也先写一部分", "write what the API budget allows, resume later"),
)
@click.option("--resume", "run", type=int, metavar="RUN", help=say("续做", "finish a run"))
@face_options
def apply_command(
    face: Face,
    plan: Path | None,
    allow: tuple[str, ...],
    approve: str | None,
    reason: str | None,
    in_parts: bool,
    run: int | None,
) -> int:
    """Ask, write, report from the journal."""
    from crmsync.project.applying import ApplyAsk, Applying

    project = face.project()
    if plan is not None:
        plan = face.file(plan)
    ask = ApplyAsk(
        plan=plan or (face.folder / "plan.json" if run is None else None),
        resume=run,
        allow=allow,
        approve=approve,
        reason=reason,
        by=person(),
        in_parts=in_parts,
    )
    with Applying(project, ask) as applying:
        if applying.already is not None:
            if face.json:
                face.document("crmsync.apply/1", {"already": applying.already})
            else:
                click.echo(applying.already.to(LANG))
            return ExitCode.DONE
        ask_to_write(face, applying, approved=approve is not None)
        with stoppable() as stop, face.progress(Text(zh="写入", en="writing")) as progress:
            report = applying.run(progress=progress, stop=stop)
    code = finish(face, report)
    return stop.code if report.interrupted else code


def ask_to_write(face: Face, applying: Applying, *, approved: bool) -> None:
    """Where real customers are at stake, a person types the connection's name or has consented."""
    face.talk(applying.headline.zh, applying.headline.en)
    if applying.environment != "production" or face.yes or approved:
        return
    name = applying.connection
    if not face.terminal:
        raise UsageError(
            Text(
                zh=f"写入生产环境 {name} 需要确认，这里没有终端可问",
                en=f"writing to {name}, a production CRM, needs a yes, and there is no terminal",
            ),
            mend=Text(
                zh="加上 --approve 校验和（见 crmsync show），或 --yes",
                en="give --approve with the checksum (see crmsync show), or --yes",
            ),
        )
    typed = click.prompt(
        say(f"写入生产环境？输入连接名 {name} 继续", f"This is PRODUCTION. Type {name} to go on"),
        err=True,
    )
    if typed != name:
        raise click.Abort


def person() -> str:
    """Who runs this, as the operating system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


class Stop(threading.Event):
    """Set when a signal asks to stop; remembers which, for the exit code."""

    code = ExitCode.INTERRUPTED


@contextmanager
def stoppable() -> Iterator[Stop]:
    """SIGINT and SIGTERM finish the batch under way; a second one ends the process at once."""
    stop = Stop()
    previous = {}

    def ask(number: int, frame: object) -> None:
        del frame
        stop.code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        if stop.is_set():
            raise SystemExit(stop.code)
        stop.set()
        click.echo(
            say("正在停下：等这一批写完…", "Stopping: the batch under way is finished first …"),
            err=True,
        )

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def finish(face: Face, report: ApplyReport) -> int:
    """Print what a run did and give its exit code."""
    from crmsync.cli.look_back_view import looked_back
    from crmsync.cli.run_view import aftermath, problems, report_line
    from crmsync.project.applying import exit_code, report_document

    if face.json:
        face.document("crmsync.apply/1", report_document(report))
        return exit_code(report)
    for line in problems(report.problems, every=False):
        click.echo(line)
    for line in (*aftermath(report), *looked_back(report.looked_back)):
        click.echo(line)
    click.echo(report_line(report))
    if report.stopped is not None:
        face.talk(f"停在：{report.stopped.message.zh}", f"Stopped: {report.stopped.message.en}")
        if (mend := advice(report.stopped)) is not None:
            face.talk(f"  = 建议: {mend.zh}", f"  = help: {mend.en}")
    run = report.run.id
    again = f"crmsync apply --resume {run}"
    if report.resumable:
        face.talk(f"续做： {again}", f"Go on: {again}")
    wrote = report.written or report.tasks_created or report.tasks_closed or report.resumable
    look = Text(f"查看： crmsync runs {run}", f"Look: crmsync runs {run}")
    if wrote:
        back = Text(f"撤销： crmsync undo {run}", f"Take it back: crmsync undo {run}")
        look = Text(f"{back.zh}    {look.zh}", f"{back.en}    {look.en}")
    face.talk(look.zh, look.en)
    return exit_code(report)


@click.command(
    help=say(
        "夜间任务：读取 → 计划 → 在变更上限之内写入。",
        "The nightly job: pull → plan → apply within its guards.",
    )
)
@click.argument("job")
@face_options
def sync_command(face: Face, job: str) -> int:
    """One job of crmsync.yaml, now."""
    from crmsync.project.syncing import sync

    project = face.project()
    with stoppable() as stop, face.progress(Text(zh="运行", en="running")) as progress:
        outcome = sync(project, job, by=f"sync {job}", stop=stop, progress=progress)
    if outcome.report is not None:
        code = finish(face, outcome.report)
        return stop.code if outcome.report.interrupted else code
    if face.json:
        told = {"result": outcome.text, "mend": outcome.mend, "exit": int(outcome.exit)}
        face.document("crmsync.sync/1", told)
        return outcome.exit
    click.echo(outcome.text.to(LANG))
    if outcome.mend is not None:
        face.talk(f"  = 建议: {outcome.mend.zh}", f"  = help: {outcome.mend.en}")
    return outcome.exit
