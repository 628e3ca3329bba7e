"""How a run that failed says so: one message with its mend, or a report file for a bug."""

from __future__ import annotations

import json
import math
import os
import platform
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from crmsync import __version__
from crmsync.cli.language import LANG, say
from crmsync.errors import (
    ConfigError,
    CrmSyncError,
    ExitCode,
    QuotaExhausted,
    Throttled,
    UsageError,
)
from crmsync.model.text import Text

SCHEMA = "crmsync.error/1"


def report_error(error: CrmSyncError, arguments: Sequence[str]) -> ExitCode:
    """Print *error* for a person on stderr, or as a JSON document on stdout with ``--json``."""
    if "--json" in arguments:
        _document(error.code, error.exit, error.message, advice(error), _findings(error))
        return error.exit
    if isinstance(error, ConfigError) and error.diagnostics:
        _diagnostics(error, arguments)
        if all(item.mend is not None for item in error.diagnostics):
            return error.exit
    else:
        _headline(error.code, error.message.to(LANG))
    mend = advice(error)
    if mend is not None:
        _mend(mend.to(LANG))
    return error.exit


def advice(error: CrmSyncError) -> Text | None:
    """What to do next: the error's own words, else when a CRM that asked for a pause may be asked
    again; always with the moment there will be room, where that is known."""
    if isinstance(error, QuotaExhausted) and error.resets_at is not None:
        when = f"{error.resets_at:%Y-%m-%d %H:%M} {error.resets_at.tzname() or 'UTC'}"
        own = error.mend or Text("", "")
        return Text(
            zh=f"{when} 之后可以继续；已完成的部分不会重做。{own.zh}",
            en=f"There is room again after {when}; what is done stays done. {own.en}".strip(),
        )
    if error.mend is not None or not isinstance(error, Throttled) or error.retry_after is None:
        return error.mend
    minutes = max(1, math.ceil(error.retry_after / 60))
    return Text(
        zh=f"{minutes} 分钟后再试；已完成的部分不会重做。",
        en=f"Try again in {minutes} minute{'s' * (minutes != 1)}; what is done stays done.",
    )


def report_usage(wrong: click.ClickException, arguments: Sequence[str]) -> ExitCode:
    """The same for what click refuses; ``crmsync`` alone prints its help."""
    if isinstance(wrong, click.exceptions.NoArgsIsHelpError):
        wrong.show()
        return ExitCode.USAGE
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context is not None else "crmsync"
    mend = Text.same(f"{path} --help")
    if isinstance(wrong, click.NoSuchOption) and wrong.possibilities:
        near = nearest(wrong.option_name, wrong.possibilities) or wrong.possibilities[0]
        mend = Text(zh=f"是不是 {near}？", en=f"Did you mean {near}?")
    return report_error(UsageError(_refusal(wrong), mend=mend), arguments)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like *word*, if one is like it at all."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def _refusal(wrong: click.ClickException) -> Text:
    """What click says in English, and the commonest refusals in Chinese."""
    english = wrong.format_message()
    match wrong:
        case click.NoSuchOption(option_name=name):
            return Text(zh=f"没有选项 {name}", en=f"there is no option {name}")
        case click.MissingParameter(param=click.Parameter() as param):
            return Text(zh=f"缺少 {_name(param)}", en=f"{_name(param)} is missing")
        case click.BadParameter(param=click.Parameter() as param):
            return Text(
                zh=f"{_name(param)} 的值不对：{_wanted(param) or wrong.message}",
                en=f"{_name(param)}: {wrong.message}",
            )
    return Text(zh=f"用法不对：{english}", en=english)


def _name(param: click.Parameter) -> str:
    return param.human_readable_name if isinstance(param, click.Argument) else param.opts[0]


def _wanted(param: click.Parameter) -> str:
    if isinstance(param.type, click.Choice):
        return f"只能是 {'、'.join(map(str, param.type.choices))}"
    return "要一个整数" if param.type is click.INT else ""


def report_bug(bug: BaseException, arguments: Sequence[str]) -> ExitCode:
    """Write what a maintainer needs into a private file and name it; no traceback on screen.

    The file holds the verb, versions and the stacks without messages and local variables, since
    those may hold customers' data.
    """
    kind = type(bug).__name__
    message = Text(zh=f"程序内部错误（{kind}）", en=f"something went wrong inside crmsync ({kind})")
    file = _bug_file(bug, arguments)
    if file is None:
        mend = Text(
            zh="未完成的运行可续做；报告文件写不进临时文件夹",
            en="an unfinished run can be resumed; the report file could not be written",
        )
    else:
        mend = Text(
            zh=f"未完成的运行可续做；请把 {file} 附在问题报告里",
            en=f"an unfinished run can be resumed; please attach {file}",
        )
    if "--json" in arguments:
        _document("BUG", ExitCode.BUG, message, mend, {"report": str(file) if file else None})
    else:
        _headline("BUG", message.to(LANG))
        _mend(mend.to(LANG))
    if "CRMSYNC_DEBUG" in os.environ:
        # A person asked for it; it may still not show a credential.
        from crmsync.connector.redaction import REDACTOR

        click.echo(REDACTOR.clean("".join(traceback.format_exception(bug))), err=True, nl=False)
    return ExitCode.BUG


def _bug_file(bug: BaseException, arguments: Sequence[str]) -> Path | None:
    verb = next((word for word in arguments[:1] if word.isalpha() and word.islower()), "")
    lines = [
        f"crmsync {__version__} · Python {platform.python_version()} · {platform.platform()}",
        f"verb: {verb}",
        *_stacks(bug),
    ]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="crmsync-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write("\n".join(lines))
    except OSError:
        return None
    return Path(file.name)


def _stacks(bug: BaseException) -> Iterator[str]:
    """The error and what led to it, each by its class and its stack."""
    seen: BaseException | None = bug
    while seen is not None:
        yield f"error: {type(seen).__name__}"
        yield ""
        yield from traceback.format_tb(seen.__traceback__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _headline(code: str, message: str) -> None:
    mark = say("错误", "error")
    click.secho(f"{mark}[{code}]: ", fg="red", bold=True, err=True, nl=False)
    click.secho(_safe(message), bold=True, err=True)


def _mend(mend: str) -> None:
    click.echo(f"  = {say('建议', 'help')}: {_safe(mend)}", err=True)


def _safe(text: str) -> str:
    # Messages may quote what a CRM answered; the import costs only the run that failed.
    from crmsync.cli.layout import clean

    return "\n".join(clean(line) for line in text.splitlines())


def _document(
    code: str, exit: ExitCode, message: Text, mend: Text | None, more: Mapping[str, object]
) -> None:
    body = {
        "schema": SCHEMA,
        "code": code,
        "exit": int(exit),
        "message": message.to(LANG),
        "help": mend.to(LANG) if mend else None,
        **more,
    }
    click.echo(json.dumps(body, ensure_ascii=False))


def _findings(error: CrmSyncError) -> dict[str, object]:
    if not isinstance(error, ConfigError) or not error.diagnostics:
        return {}
    rows = [
        {
            "code": item.code,
            "severity": item.severity.value,
            "file": item.span.file,
            "line": item.span.line,
            "column": item.span.column,
            "message": item.message.to(LANG),
            "help": item.mend.to(LANG) if item.mend else None,
        }
        for item in error.diagnostics
    ]
    return {"findings": rows}


def _diagnostics(error: ConfigError, arguments: Sequence[str]) -> None:
    # Only a run with findings pays for the renderer's import.
    from crmsync.source import read_file, render

    folder = _project(arguments)
    names = {item.span.file for item in error.diagnostics if item.span.file}
    files = {name: read_file(folder / name).text for name in names if (folder / name).is_file()}
    text = render(error.diagnostics, files, format="full", lang=LANG)
    click.echo(text, err=True, nl=False)


def _project(arguments: Sequence[str]) -> Path:
    """Where names of files begin: the folder given with ``--project``, else the present one."""
    for position, word in enumerate(arguments):
        if word.startswith("--project="):
            return Path(word.partition("=")[2])
        if word == "--project" and position + 1 < len(arguments):
            return Path(arguments[position + 1])
    return Path()
