"""``doctor``: everything that could stop tonight's run, each with its mend."""

from __future__ import annotations

import sys

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.errors import ExitCode

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command(
    help=say(
        "检查引擎、项目、存储、登录、字段、配额和计划任务。",
        "Check engine, project, store, sign-in, fields, quota and schedule.",
    )
)
@click.option("--fix", is_flag=True, help=say("补上缺的密钥和权限", "make what is missing here"))
@face_options
def doctor_command(face: Face, fix: bool) -> int:
    """Exit 1 when there is a problem."""
    from crmsync.project.doctoring import examine
    from crmsync.schedule.outlook import job_findings

    findings = examine(face.folder, now=face.now, fix=fix, jobs=job_findings)
    if face.json:
        face.document("crmsync.doctor/1", {"findings": [item.as_document() for item in findings]})
    else:
        for item in findings:
            mark, color = MARKS[item.level]
            line = f"  {click.style(mark, fg=color)} {item.about:<14} {item.text.to(LANG)}"
            click.echo(line, color=sys.stdout.isatty())
            if item.mend is not None:
                click.echo(f"      {say('建议', 'fix')}: {item.mend.to(LANG)}")
        problems = sum(item.level == "problem" for item in findings)
        warnings = sum(item.level == "warning" for item in findings)
        click.echo(
            say(
                f"{problems} 个问题，{warnings} 个警告",
                f"{problems} problem{'s' * (problems != 1)}, {warnings} warning"
                f"{'s' * (warnings != 1)}",
            )
        )
    bad = any(item.level == "problem" for item in findings)
    return ExitCode.FINDINGS if bad else ExitCode.DONE
