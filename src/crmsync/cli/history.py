"""``runs``, ``undo``, ``report``: look back and take back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.errors import UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.project.history import RunDetails


@click.command(help=say("列出运行，或查看其中一次。", "List runs, or show one of them."))
@click.argument("run", type=int, required=False)
@click.option("--limit", type=int, default=20, show_default=True, help=say("条数", "how many"))
@click.option("--all", "every", is_flag=True, help=say("列出全部问题", "every problem row"))
@face_options
def runs_command(face: Face, run: int | None, limit: int, every: bool) -> None:
    """Newest first."""
    from crmsync.cli.look_back_view import overwritten
    from crmsync.cli.run_view import echo_lines, problems, run_page, run_table
    from crmsync.project.history import latest_runs, run_details, run_document

    project = face.project()
    if run is None:
        runs = latest_runs(project, limit)
        if face.json:
            face.document("crmsync.runs/1", {"runs": [run_document(item) for item in runs]})
            return
        if not runs:
            click.echo(say("还没有运行。", "No runs yet."))
            return
        for line in run_table(runs, _zone()):
            click.echo(line)
        face.talk("查看： crmsync runs N", "Details: crmsync runs N")
        return
    details = run_details(project, run)
    if face.json:
        face.document("crmsync.run/1", details.as_document())
        return
    for line in run_page(details.run, details.outcomes, _zone()):
        click.echo(line)
    for line in echo_lines(details.echoes):
        click.echo(line)
    for line in overwritten(details.overwritten, every=every):
        click.echo(line)
    for line in problems(details.problems, every=every):
        click.echo(line)
    face.talk(
        f"撤销： crmsync undo {run}    报告： crmsync report {run}",
        f"Take it back: crmsync undo {run}    Report: crmsync report {run}",
    )


def _zone() -> ZoneInfo:
    from crmsync.cli.layout import local_zone

    return local_zone()


@click.command(
    help=say(
        "生成撤销某次运行的计划：之后有人改过的值保留并列出；用 apply 写入。",
        "Make a plan that takes a run back: values people changed since are kept and listed; apply"
        " writes it.",
    )
)
@click.argument("run", type=int)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("计划文件", "plan file"),
)
@click.option("--show-kept", is_flag=True, help=say("列出保留的值", "list what is kept"))
@face_options
def undo_command(face: Face, run: int, out: Path | None, show_kept: bool) -> None:
    """Nothing is written yet."""
    from crmsync.cli import plan_view
    from crmsync.project.plan_document import plan_document
    from crmsync.project.undoing import make_undo

    project = face.project()
    made = make_undo(project, run, out or face.folder / f"undo-{run}.json")
    header = made.header
    if face.json:
        face.document("crmsync.plan/1", plan_document(made))
        return
    for line in plan_view.undo_page(header, kept=show_kept):
        click.echo(line)
    face.talk(
        f"尚未写入。写入： crmsync apply {made.path.name}",
        f"A plan like any other; nothing is written yet:  crmsync apply {made.path.name}",
    )


@click.command(
    help=say(
        "一次运行的报告；--sheet 打印一个客户的评分表。",
        "A report of one run; with --sheet, the score sheet of one customer to print.",
    )
)
@click.argument("run", type=int, required=False)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["md", "html", "csv", "json"]),
    default="md",
    show_default=True,
    help=say("格式", "format"),
)
@click.option("--sheet", metavar="RECORD", help=say("评分表", "the score sheet of a customer"))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@face_options
def report_command(
    face: Face,
    run: int | None,
    shape: str,
    sheet: str | None,
    ruleset: str | None,
    connection: str | None,
) -> None:
    """Markdown for a mail or a pull request, CSV for a sheet, HTML for the printer."""
    from crmsync.project.history import run_details

    project = face.project()
    if sheet is not None and run is None and shape != "csv":
        from crmsync.cli import sheet_view
        from crmsync.project.explaining import explain_record

        where = project.ruleset_folder(ruleset), project.connection(connection)
        sheet_view.show(face, explain_record(project, *where, sheet, run=None), shape)
        return
    if run is None or sheet is not None or shape == "html":
        raise UsageError(
            Text(
                zh="写运行编号，或写 --sheet 客户（md、html 或 json）",
                en="name a run (md, csv or json), or --sheet and a customer (md, html or json)",
            ),
            mend=Text.same("crmsync report 12    crmsync report --sheet RECORD --format html"),
        )
    details = run_details(project, run)
    if face.json or shape == "json":
        face.document("crmsync.run/1", details.as_document())
    elif shape == "csv":
        click.echo(_csv(details), nl=False)
    else:
        click.echo(_markdown(details), nl=False)


def _rows(details: RunDetails) -> list[tuple[str, ...]]:
    from crmsync.cli.layout import value_text

    rows: list[tuple[str, ...]] = []
    for op in details.ops:
        lost = {item.field: item for item in op.overwritten}
        for field, want in op.want.items():
            edit, result = lost.get(field), op.state.value
            before = value_text(op.base.get(field) if edit is None else edit.theirs)
            if edit is not None:
                by = edit.by or say("某人", "somebody")
                result += say(f"，覆盖了 {by} 的修改", f", replaced an edit by {by}")
            rows.append((op.ref.id, op.name, field, before, value_text(want), result))
    return rows


_COLUMNS = (
    say("记录", "record"),
    say("客户", "customer"),
    say("字段", "field"),
    say("之前", "before"),
    say("之后", "after"),
    say("结果", "result"),
)
# A cell that begins like a formula is text with an apostrophe in every sheet program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def _csv(details: RunDetails) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in _rows(details):
        writer.writerow(
            [f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell for cell in row]
        )
    return file.getvalue()


def _markdown(details: RunDetails) -> str:
    run = details.run
    rules = f"{run.ruleset} v{run.ruleset_version}"
    lines = [
        f"# {say('运行', 'Run')} {run.id} · {rules} → {run.connection}",
        "",
        f"- {run.started_at.isoformat(timespec='seconds')} · {run.state.value} · {run.by}"
        + (f" · {run.reason}" if run.reason else ""),
        *(f"- {name}: {count}" for name, count in details.outcomes.items()),
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "---|" * len(_COLUMNS),
    ]
    for row in _rows(details):
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"
