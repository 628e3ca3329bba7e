"""How a run that failed says so: one message with its mend, or a report file for a bug."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from crmsync import __version__
from crmsync.cli.language import LANG, say
from crmsync.errors import ConfigError, CrmSyncError, ExitCode


def report_error(error: CrmSyncError, arguments: Sequence[str]) -> ExitCode:
    """Print *error* for a person on stderr, or as a JSON document on stdout with ``--json``."""
    if "--json" in arguments:
        click.echo(json.dumps(_document(error), ensure_ascii=False))
        return error.exit
    if isinstance(error, ConfigError) and error.diagnostics:
        _diagnostics(error, arguments)
        if all(item.mend is not None for item in error.diagnostics):
            return error.exit
    else:
        mark = say("错误", "error")
        click.secho(f"{mark}[{error.code}]: ", fg="red", bold=True, err=True, nl=False)
        click.secho(error.message.to(LANG), bold=True, err=True)
    if error.mend is not None:
        click.echo(f"  = {say('建议', 'help')}: {error.mend.to(LANG)}", err=True)
    return error.exit


def _document(error: CrmSyncError) -> dict[str, object]:
    document: dict[str, object] = {
        "schema": "crmsync.error/1",
        "code": error.code,
        "exit": int(error.exit),
        "message": error.message.to(LANG),
        "help": error.mend.to(LANG) if error.mend else None,
    }
    if isinstance(error, ConfigError) and error.diagnostics:
        # Only a run with findings pays for the renderer's import.
        from crmsync.source import render

        findings = json.loads(render(error.diagnostics, {}, format="json"))
        document["diagnostics"] = findings["diagnostics"]
    return document


def _diagnostics(error: ConfigError, arguments: Sequence[str]) -> None:
    from crmsync.source import read_file, render

    folder = _project(arguments)
    names = {item.span.file for item in error.diagnostics if item.span.file}
    files = {name: read_file(folder / name).text for name in names if (folder / name).is_file()}
    click.echo(render(error.diagnostics, files, format="full", lang=LANG), err=True)


def _project(arguments: Sequence[str]) -> Path:
    """Where names of files begin: the folder given with ``--project``, else the present one."""
    for position, word in enumerate(arguments):
        if word.startswith("--project="):
            return Path(word.partition("=")[2])
        if word == "--project" and position + 1 < len(arguments):
            return Path(arguments[position + 1])
    return Path()


def report_bug(bug: Exception, arguments: Sequence[str]) -> ExitCode:
    """Write what a maintainer needs into a private file and name it; no traceback on screen.

    The file holds the verb, versions and the stack without local variables, since those may hold
    customers' data.
    """
    lines = [
        f"crmsync {__version__} · Python {platform.python_version()} · {platform.platform()}",
        f"verb: {arguments[0] if arguments else ''}",
        f"error: {type(bug).__name__}",
        "",
        *traceback.format_tb(bug.__traceback__),
    ]
    with tempfile.NamedTemporaryFile(
        "w", prefix="crmsync-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("\n".join(lines))
    click.secho(
        say(
            f"错误[BUG]: 程序内部错误（{type(bug).__name__}）。",
            f"error[BUG]: something went wrong inside crmsync ({type(bug).__name__}).",
        ),
        fg="red",
        bold=True,
        err=True,
    )
    click.echo(
        say(
            f"  = 建议: 未完成的运行可续做；请把 {Path(file.name)} 附在问题报告里",
            f"  = help: an unfinished run can be resumed; please attach {Path(file.name)}",
        ),
        err=True,
    )
    if "CRMSYNC_DEBUG" in os.environ:
        traceback.print_exception(bug, file=sys.stderr)
    return ExitCode.BUG
