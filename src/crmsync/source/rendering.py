"""Shows findings: with an excerpt for people, one line each for editors, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from crmsync.model.diagnostic import Diagnostic, Severity
from crmsync.model.position import Span
from crmsync.model.text import Lang, Text
from crmsync.source.decoding import lines_of
from crmsync.source.excerpt import excerpt

Format = Literal["full", "concise", "github", "json"]
SCHEMA = "crmsync.diagnostics/1"
_WORD = {
    Severity.ERROR: Text(zh="错误", en="error"),
    Severity.WARNING: Text(zh="警告", en="warning"),
}
_HELP = Text(zh="建议", en="help")
_RUN_FIX = Text(zh="用 crmsync check --fix 改正", en="crmsync check --fix does it")


def by_place(diagnostics: Iterable[Diagnostic], files: Iterable[str] = ()) -> list[Diagnostic]:
    """Sorted by file (in the order of *files*, then by name), line and column."""
    order = {name: number for number, name in enumerate(files)}
    return sorted(
        diagnostics,
        key=lambda item: (
            order.get(item.span.file, len(order)),
            item.span.file,
            item.span.line,
            item.span.column,
            item.code,
        ),
    )


def render(
    diagnostics: Sequence[Diagnostic],
    files: Mapping[str, str],
    *,
    format: Format = "full",
    lang: Lang | str = Lang.EN,
) -> str:
    """All findings sorted by place, ending in a line break (empty for nothing to say).

    *files* maps each file's name, as spans carry it, to its text; the full form ends with a summary
    of them. A finding without a length (a whole file) has no excerpt.
    """
    found = by_place(diagnostics, files)
    match format:
        case "full":
            lines = {name: _lines(text) for name, text in files.items()}
            parts = [_full(item, lines, lang) for item in found]
            return "\n".join([*parts, summary(found, len(files), lang) + "\n"])
        case "concise":
            return "".join(_concise(item, lang) for item in found)
        case "github":
            return "".join(_github(item, lang) for item in found)
        case "json":
            return json.dumps(_document(found), ensure_ascii=False, indent=2) + "\n"


def summary(diagnostics: Sequence[Diagnostic], files: int, lang: Lang | str) -> str:
    """The last line: how many files, errors and warnings, and how to learn more."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]
    warnings = len(diagnostics) - len(errors)
    fixable = sum(1 for item in diagnostics if item.fix is not None)
    worst = errors or diagnostics
    pick = next((item for item in worst if item.fix is None), None)
    code = (pick or worst[0]).code if worst else ""
    if lang == "zh":
        if not diagnostics:
            return f"{files} 个文件：没有问题。"
        able = f"（{fixable} 个可自动改正）" if fixable else ""
        counts = f"{len(errors)} 个错误{able}，{warnings} 个警告"
        return f"{files} 个文件：{counts}。说明： crmsync check --explain {code}"
    noun = "file" if files == 1 else "files"
    if not diagnostics:
        return f"{files} {noun}: no problems."
    able = f" ({fixable} fixable)" if fixable else ""
    counts = f"{_count(len(errors), 'error')}{able}, {_count(warnings, 'warning')}"
    return f"{files} {noun}: {counts}. More: crmsync check --explain {code}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _lines(text: str) -> list[str]:
    lines = lines_of(text)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _full(item: Diagnostic, files: Mapping[str, Sequence[str]], lang: Lang | str) -> str:
    lines = [f"{_WORD[item.severity].to(lang)}[{item.code}]: {_one_line(item.message.to(lang))}"]
    if item.span.file:
        lines.append(f"  --> {item.span}")
    lines.extend(excerpt(item, files, lang))
    if item.mend is not None:
        mend = _one_line(item.mend.to(lang))
        if item.fix is not None:
            mend += f"     {_RUN_FIX.to(lang)}"
        lines.append(f"   = {_HELP.to(lang)}: {mend}")
    return "\n".join(lines) + "\n"


def _concise(item: Diagnostic, lang: Lang | str) -> str:
    mend = f" {_one_line(item.mend.to(lang))}" if item.mend is not None else ""
    stop = "。" if lang == "zh" else "."
    message = _one_line(item.message.to(lang))
    return (
        f"{item.span}: {item.severity.value}[{item.code}] {message}{stop if mend else ''}{mend}\n"
    )


def _github(item: Diagnostic, lang: Lang | str) -> str:
    span = item.span
    place = f"file={_escape_property(span.file)},line={span.line},col={span.column}"
    if span.end_line == span.line and span.end_column > span.column:
        place += f",endLine={span.end_line},endColumn={span.end_column}"
    words = item.message.to(lang)
    if item.mend is not None:
        words += f"\n{item.mend.to(lang)}"
    return f"::{item.severity.value} {place},title={item.code}::{_escape(words)}\n"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split(" "))


def _document(found: Sequence[Diagnostic]) -> dict[str, object]:
    errors = sum(1 for item in found if item.severity is Severity.ERROR)
    return {
        "schema": SCHEMA,
        "diagnostics": [_finding(item) for item in found],
        "summary": {
            "errors": errors,
            "warnings": len(found) - errors,
            "fixable": sum(1 for item in found if item.fix is not None),
        },
    }


def _finding(item: Diagnostic) -> dict[str, object]:
    return {
        "code": item.code,
        "severity": item.severity.value,
        "place": _place(item.span),
        "message": _both(item.message),
        "mend": None if item.mend is None else _both(item.mend),
        "labels": [
            {"place": _place(label.span), "text": _both(label.text)} for label in item.labels
        ],
        "fix": None
        if item.fix is None
        else {"place": _place(item.fix.span), "replacement": item.fix.replacement},
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _place(span: Span) -> dict[str, object]:
    place: dict[str, object] = {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
    return {**place, "cell": span.cell} if span.cell else place
