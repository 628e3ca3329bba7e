"""``test``: run the cases, make new ones, and see what they would not notice."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.errors import ExitCode, UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.project.cases import CaseOutcome, CasesReport
    from crmsync.project.mutating import MutationReport


@click.command(
    help=say(
        "运行 rules.test.yaml 里的用例。mutate 每次改动规则的一处，列出没有用例察觉的改动；"
        "generate 在规则的边界上生成用例；capture RECORD 把一个真实决定变成隐去名称的用例。",
        "Run the cases in rules.test.yaml. mutate changes the rules in one spot at a time and names"
        " the changes no case notices; generate makes cases at the boundaries of the rules;"
        " capture RECORD turns a real decision into a case without names.",
    )
)
@click.argument("words", nargs=-1, metavar="[mutate|generate|capture RECORD] [FOLDER]...")
@click.option("--coverage", is_flag=True, help=say("列出未触及的规则", "name rules never hit"))
@click.option(
    "--write", is_flag=True, help=say("把新用例写进文件", "put new cases into rules.test.yaml")
)
@click.option(
    "--seconds",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help=say("mutate、generate 的时间上限", "time limit of mutate and generate"),
)
@click.option(
    "--at-least",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help=say("mutate 察觉率的下限", "mutate: exit 1 when cases notice less"),
)
@click.option("--ruleset", metavar="NAME", help=say("capture：规则集", "capture: ruleset"))
@click.option("--connection", metavar="NAME", help=say("capture：连接", "capture: connection"))
@face_options
def test_command(
    face: Face,
    words: tuple[str, ...],
    coverage: bool,
    write: bool,
    seconds: int,
    at_least: float | None,
    ruleset: str | None,
    connection: str | None,
) -> int:
    """Exit 1 when a case fails, or when cases notice less than asked."""
    word, rest = (words[0], words[1:]) if words else ("", ())
    match word:
        case "mutate":
            return _mutate(face, [Path(item) for item in rest], seconds, at_least)
        case "generate":
            return _generate(face, [Path(item) for item in rest], seconds, write=write)
        case "capture":
            return _capture(face, rest, (ruleset, connection), write=write)
        case _:
            return _run(face, [Path(item) for item in words], coverage=coverage)


def _run(face: Face, folders: list[Path], *, coverage: bool) -> int:
    from crmsync.project.cases import run_cases

    reports = run_cases(face.folder, folders)
    if face.json:
        face.document("crmsync.test/1", {"rulesets": [r.as_document() for r in reports]})
    else:
        for report in reports:
            _cases(report, coverage=coverage)
        total = sum(len(report.outcomes) for report in reports)
        failed = sum(not item.passed for report in reports for item in report.outcomes)
        click.echo(
            say(
                f"{total} 个用例：{total - failed} 通过，{failed} 失败",
                f"{total} tests: {total - failed} passed, {failed} failed",
            )
        )
    return ExitCode.FINDINGS if any(not report.passed for report in reports) else ExitCode.DONE


def _mutate(face: Face, folders: list[Path], seconds: int, at_least: float | None) -> int:
    from crmsync.project.mutating import Deadline, mutate

    reports = mutate(face.folder, folders, Deadline(time.monotonic, seconds))
    if face.json:
        face.document("crmsync.mutate/1", {"rulesets": [r.as_document() for r in reports]})
    else:
        for report in reports:
            _survivors(report)
    least = 0.0 if at_least is None else at_least / 100
    return ExitCode.FINDINGS if any(r.share < least for r in reports) else ExitCode.DONE


def _survivors(report: MutationReport) -> None:
    noticed = report.tried - len(report.survivors)
    share = f"{report.share * 100:.1f} %"
    click.echo(
        say(
            f"{report.ruleset}：{report.tried} 处改动，{report.cases} 个用例察觉 {noticed} 处"
            f"（{share}）",
            f"{report.ruleset}: {report.tried} changes, {report.cases} cases notice {noticed}"
            f" ({share})",
        )
    )
    for item in report.survivors:
        after = item.change.after or say("（去掉）", "(left out)")
        click.echo(f"  {item.change.span.short}  {item.place}: {item.change.before} → {after}")
    if report.left:
        click.echo(
            say(
                f"  时间到，还有 {report.left} 处未试（--seconds）",
                f"  time is up; {report.left} were not tried (--seconds)",
            )
        )


def _generate(face: Face, folders: list[Path], seconds: int, *, write: bool) -> int:
    from crmsync.project.case_files import add_cases
    from crmsync.project.generating import generate
    from crmsync.project.mutating import Deadline
    from crmsync.project.places import ruleset_folders

    found = []
    for folder in ruleset_folders(face.folder, folders):
        made = generate(folder, face.day(), Deadline(time.monotonic, seconds))
        found.append(made.as_document())
        if write and made.cases:
            add_cases(folder, made.ruleset, made.text, face.day())
        elif not face.json:
            click.echo(made.text, nl=False)
        noticed = len(made.before.survivors) - len(made.unnoticed)
        face.talk(
            f"{made.ruleset.id}：{len(made.cases)} 个新用例，多察觉 {noticed} 处改动，"
            f"仍有 {len(made.unnoticed)} 处。期望值是规则现在的结果，请逐个读一遍",
            f"{made.ruleset.id}: {len(made.cases)} new cases notice {noticed} more changes,"
            f" {len(made.unnoticed)} remain. They expect what the rules decide now: read them",
        )
    if face.json:
        face.document("crmsync.generate/1", {"rulesets": found})
    return ExitCode.DONE


def _capture(
    face: Face, words: tuple[str, ...], chosen: tuple[str | None, str | None], *, write: bool
) -> int:
    from crmsync.project.capturing import capture
    from crmsync.project.case_files import add_cases
    from crmsync.project.opening import open_project

    if len(words) != 1:
        raise UsageError(
            Text(zh="capture 后写一个记录", en="capture takes one record"),
            mend=Text(zh="crmsync test capture 记录编号", en="crmsync test capture RECORD"),
        )
    project = open_project(face.folder, now=face.now, today=face.today)
    folder, connection = project.ruleset_folder(chosen[0]), project.connection(chosen[1])
    made = capture(project, folder, connection, words[0])
    if write:
        add_cases(folder, made.ruleset, "\n" + made.text, made.today)
    if face.json:
        face.document("crmsync.capture/1", {"ruleset": made.ruleset.id, "text": made.text})
    elif not write:
        click.echo(made.text, nl=False)
    return ExitCode.DONE


def _cases(report: CasesReport, *, coverage: bool) -> None:
    click.echo(f"{report.ruleset} · rules.test.yaml · today = {report.today}")
    for outcome in report.outcomes:
        _case(outcome, report)
    hit, total = report.exercised
    if total:
        share = f"{hit * 100 // total} %"
        never = report.never_hit if coverage else report.never_hit[:2]
        more = "" if coverage or len(report.never_hit) <= 2 else ", …   --coverage"
        names = ", ".join(f"{name} ({span.short})" for name, span in never)
        click.echo(
            say(f"触及规则 {hit}/{total} ({share})", f"Rules exercised: {hit} of {total} ({share})")
            + (say("。未触及：", ". Never hit: ") + names + more if names else "")
        )


def _case(outcome: CaseOutcome, report: CasesReport) -> None:
    from crmsync.source import render

    mark = click.style("✓", fg="green") if outcome.passed else click.style("✗", fg="red")
    click.echo(f"  {mark} {outcome.name}", color=sys.stdout.isatty())
    if outcome.passed:
        return
    text = render(outcome.diagnostics, report.texts, format="full", lang=LANG)
    for line in text.splitlines()[: -2 if len(outcome.diagnostics) else None]:
        click.echo(f"      {line}")
    for reason in outcome.reasons:
        click.echo(f"      = {say('原因', 'why')}: {reason.to(LANG)}")
