"""``check``, ``fmt``, ``simulate``: everything around rule files, nothing written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.errors import ExitCode, UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.project.checking import Proving


@click.command(
    help=say(
        "检查 crmsync.yaml、规则、映射与用例；一次列出全部问题。",
        "Check crmsync.yaml, rule, mapping and case files; every problem at once.",
    )
)
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "shape",
    type=click.Choice(["full", "concise", "github", "json"]),
    default="full",
    help=say("输出格式", "output format"),
)
@click.option("--fix", is_flag=True, help=say("改正可自动改的", "mend what is mechanical"))
@click.option("--explain", "code", metavar="CODE", help=say("解释一个代码", "explain a code"))
@click.option("--watch", is_flag=True, help=say("文件一变就再查", "check again on every change"))
@click.option(
    "--wobble",
    "wobbles",
    multiple=True,
    metavar="[FACT=]AMOUNT",
    help=say(
        "事实的波动幅度，如 5% 或 订单数=1：证明等级和阶段不会来回变，或举出反例",
        "how far facts wobble, such as 5% or orders=1: prove that nothing flaps, or show how",
    ),
)
@click.option(
    "--stay",
    type=click.IntRange(1, 400),
    metavar="DAYS",
    help=say("变动后至少停留的天数（默认 30）", "fewest days between a change and its return (30)"),
)
@face_options
def check_command(
    face: Face,
    folders: tuple[Path, ...],
    shape: str,
    fix: bool,
    code: str | None,
    watch: bool,
    wobbles: tuple[str, ...],
    stay: int | None,
) -> int:
    """Exit 1 when there is an error."""
    from crmsync.cli.watching import again_on_change
    from crmsync.project.checking import Proving, explain_code
    from crmsync.project.proving import asked_claim

    if code is not None:
        text = explain_code(code, LANG)
        if face.json:
            face.document("crmsync.code/1", {"code": code, "text": text})
        else:
            click.echo(text)
        return ExitCode.DONE
    proving = Proving(asked_claim(wobbles, stay), face.day())
    chosen = "json" if face.json else shape
    if not watch:
        return _check(face, folders, chosen, proving, fix=fix)

    def once() -> None:
        _check(face, folders, chosen, proving, fix=fix)
        face.talk("等待改动，Ctrl-C 结束 …", "waiting for changes, Ctrl-C ends …")

    again_on_change(folders or (face.folder / "crmsync.yaml", face.folder / "rulesets"), once)
    return ExitCode.DONE


def _check(
    face: Face, folders: tuple[Path, ...], shape: str, proving: Proving, *, fix: bool
) -> int:
    """Look once and show everything found."""
    from crmsync.project.checking import check, mend
    from crmsync.source import has_errors, render

    report = check(face.folder, folders, proving=proving)
    if fix:
        for path, count in mend(report).items():
            face.talk(f"{path}: 已改正 {count} 处", f"{path}: {count} mended")
        report = check(face.folder, folders, proving=proving)
    text = render(report.diagnostics, report.texts, format=shape, lang=LANG)  # type: ignore[arg-type]
    if face.json and report.calm:
        body = json.loads(text)
        face.document(body.pop("schema"), {**body, "calm": [c.as_document() for c in report.calm]})
    else:
        click.echo(text, nl=False)
        for proof in report.calm:
            summary = proof.summary()
            face.talk(summary.zh, summary.en)
    return ExitCode.FINDINGS if has_errors(report.diagnostics) else ExitCode.DONE


@click.command(
    help=say(
        "整理规则文件的空白与引号；--from gbk 把文件转成 UTF-8。--to xlsx 把一个规则集的各张表写成"
        "工作簿，--from xlsx FILE 读回：先说明改了什么含义，加 --write 才写入。",
        "Tidy white space in rule files; --from gbk turns a file into UTF-8. --to xlsx writes the"
        " matrices of a ruleset as a workbook; --from xlsx FILE reads it back: it says what"
        " would change in meaning, and writes with --write.",
    )
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|RULESET]...")
@click.option(
    "--from",
    "source",
    metavar="ENCODING|xlsx",
    help=say("原编码，如 gbk；或 xlsx", "such as gbk; or xlsx"),
)
@click.option(
    "--to", "target", type=click.Choice(["xlsx"]), help=say("写成工作簿", "write a workbook")
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("--to：写到哪个文件", "--to: the file to write"),
)
@click.option("--write", is_flag=True, help=say("--from xlsx：写入", "--from xlsx: write it"))
@click.option("--check", "only_check", is_flag=True, help=say("只检查", "only look"))
@face_options
def fmt_command(
    face: Face,
    files: tuple[Path, ...],
    source: str | None,
    target: str | None,
    output: Path | None,
    write: bool,
    only_check: bool,
) -> int:
    """Exit 1 with --check when a file would change."""
    if target is not None:
        return _to_workbook(face, files, output)
    if source is not None and source.lower() == "xlsx":
        return _from_workbook(face, files, write=write)
    return _tidy(face, files, source, only_check=only_check)


def _to_workbook(face: Face, asked: tuple[Path, ...], output: Path | None) -> int:
    from crmsync.project.places import ruleset_folders
    from crmsync.project.workbooks import to_workbook

    found = ruleset_folders(face.folder, asked)
    if len(found) != 1:
        raise UsageError(
            Text(zh="一个工作簿装一个规则集", en="a workbook holds one ruleset"),
            mend=Text(
                zh=f"指明其中一个：{'、'.join(path.name for path in found)}",
                en=f"name one of: {', '.join(path.name for path in found)}",
            ),
        )
    path = to_workbook(found[0], output or Path(f"{found[0].name}.xlsx"), LANG)
    if face.json:
        face.document("crmsync.workbook/1", {"file": str(path)})
    else:
        click.echo(str(path))
    return ExitCode.DONE


def _from_workbook(face: Face, files: tuple[Path, ...], *, write: bool) -> int:
    from crmsync.project.workbooks import from_workbook

    if len(files) != 1:
        raise UsageError(
            Text(zh="--from xlsx 需要一个工作簿", en="--from xlsx needs one workbook"),
            mend=Text(
                zh="如 crmsync fmt --from xlsx b2b-standard.xlsx",
                en="such as crmsync fmt --from xlsx b2b-standard.xlsx",
            ),
        )
    report = from_workbook(face.folder, files[0], write=write)
    if face.json:
        changes = [{"zh": item.zh, "en": item.en} for item in report.changes]
        face.document(
            "crmsync.workbook.changes/1",
            {
                "ruleset": report.ruleset,
                "changes": changes,
                "files": [str(path) for path in report.files],
                "written": report.written,
            },
        )
        return ExitCode.DONE
    for change in report.changes:
        click.echo(change.to(LANG))
    if not report.changes:
        face.talk("含义没有变化", "nothing changes in meaning")
    elif not report.written:
        face.talk("没有写入；加 --write 写入", "not written; --write does it")
    return ExitCode.DONE


def _tidy(face: Face, files: tuple[Path, ...], encoding: str | None, *, only_check: bool) -> int:
    from crmsync.project.formatting import tidy

    lacking = next((path for path in files if not path.is_file()), None)
    if lacking is not None:
        raise UsageError(
            Text(zh=f"没有文件 {lacking}", en=f"there is no file {lacking}"),
            mend=Text(zh="检查路径", en="check the path"),
        )
    changed = tidy(face.folder, files, encoding=encoding, write=not only_check)
    if face.json:
        face.document("crmsync.fmt/1", {"changed": [str(path) for path in changed]})
    else:
        for path in changed:
            click.echo(str(path))
    return ExitCode.FINDINGS if only_check and changed else ExitCode.DONE


@click.command(
    help=say(
        "在最近一次快照上比较规则改动前后的等级与任务；不写入任何东西。",
        "Compare tiers and tasks before and after an edit, on the last snapshot; writes nothing.",
    )
)
@click.argument("ruleset", required=False)
@click.option(
    "--against",
    metavar="REV|FILE",
    default="HEAD",
    show_default=True,
    help=say("与哪个版本比较", "a git revision, a rules file or a ruleset folder"),
)
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("写成一个带图的网页文件", "also write one HTML file with pictures"),
)
@face_options
def simulate_command(
    face: Face, ruleset: str | None, against: str, connection: str | None, page: Path | None
) -> int:
    """Migration matrix, stage moves, tasks."""
    from crmsync.cli.simulate_view import simulation
    from crmsync.project.simulating import simulate

    project = face.project()
    report = simulate(
        project, project.ruleset_folder(ruleset), project.connection(connection), against
    )
    if page is not None:
        from crmsync.cli.simulate_page import simulation_page

        page.write_text(simulation_page(report), encoding="utf-8")
        face.talk(f"已写 {page}", f"wrote {page}")
    if face.json:
        face.document("crmsync.simulate/1", report.as_document())
        return ExitCode.DONE
    for line in simulation(report):
        click.echo(line)
    return ExitCode.DONE
