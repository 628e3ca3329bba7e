"""The lines around a finding, with carets that count a Chinese character as two columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Lang

_WIDEST = 160
_ROOM_LEFT = 50
_SECRET = re.compile(
    r"""(?:secret|token|password|permanent_code|api_key)["']?(?::[ \t]+|：[ \t]*)["']?"""
    r"(?!secret:)(?P<named>[^\s\"',#{}]+)"
    r"|(?P<shaped>(?=(?:[^\s\d]*\d){6})(?=[^\s]*[A-Za-z])[A-Za-z0-9._+/=-]{32,})"
    r"|://[^/@:\s]*:(?P<inside>[^/@\s]+)@",
    re.IGNORECASE | re.ASCII,
)
"""What may be a credential, by the name before it, by its looks, or by its place in an address."""
_DOT = "•"
_MARGIN = 200
"""Characters looked at on both sides of what is shown of a long line: a credential cut in two is
known as one all the same, and hostile lines stay quick."""


@dataclass(frozen=True, slots=True)
class _Mark:
    span: Span
    sign: str
    words: str


def display_width(text: str) -> int:
    """Columns a terminal needs: East Asian wide 2, combining 0, everything else 1."""
    width = 0
    for char in text:
        if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Mn", "Me"}:
            continue
        width += 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
    return width


def excerpt(item: Diagnostic, files: Mapping[str, Sequence[str]], lang: Lang | str) -> list[str]:
    """Excerpt lines between bars; nothing where the finding has no length or its file is not known.

    *files* maps a file name to its lines.
    """
    source = files.get(item.span.file)
    if source is None or _empty(item.span):
        return []
    marks = [
        _Mark(label.span, "-", label.text.to(lang))
        for label in item.labels
        if label.span.file == item.span.file and label.span.line <= len(source)
    ]
    marks.sort(key=lambda mark: (mark.span.line, mark.span.column))
    marks.append(_Mark(item.span, "^", ""))
    marked = {mark.span.line for mark in marks if 0 < mark.span.line <= len(source)}
    if item.span.line not in marked:
        return []
    shown = sorted(_around(marked, len(source)))
    gutter = max(2, len(str(shown[-1])))
    bar = " " * gutter + " |"
    out = [bar]
    previous = shown[0] - 1
    for number in shown:
        if number > previous + 1:
            out.append("." * gutter + " |")
        previous = number
        cut = _cut(source[number - 1], [mark for mark in marks if mark.span.line == number])
        line = source[number - 1]
        out.append(f"{number:>{gutter}} | {_shown(line, cut)}".rstrip())
        out.extend(
            f"{bar} {_underline(line, mark, cut)}" for mark in marks if mark.span.line == number
        )
    out.append(bar)
    out.extend(
        f"{' ' * gutter} ::: {label.span} {label.text.to(lang)}"
        for label in item.labels
        if label.span.file != item.span.file
    )
    return out


def _empty(span: Span) -> bool:
    return (span.end_line, span.end_column) <= (span.line, span.column)


def _around(marked: set[int], last: int) -> set[int]:
    return {
        number for line in marked for number in (line - 1, line, line + 1) if 0 < number <= last
    }


def _cut(line: str, marks: list[_Mark]) -> int:
    """How many characters of a very long line are left out at its beginning."""
    if len(line) <= _WIDEST or not marks:
        return 0
    first = min(mark.span.column - 1 for mark in marks)
    return max(0, first - _ROOM_LEFT) if first > _WIDEST - _ROOM_LEFT else 0


def _shown(line: str, cut: int) -> str:
    start = max(0, cut - _MARGIN)
    around = masked(line[start : cut + _WIDEST + _MARGIN])
    visible = _clean(around[cut - start : cut - start + _WIDEST])
    return ("…" if cut else "") + visible + ("…" if len(line) > cut + _WIDEST else "")


def masked(line: str) -> str:
    """The line with dots, as many as there were letters, where a credential may stand: an excerpt
    also shows the lines beside a finding, and nothing that is read there is known to be harmless.
    """

    def dotted(match: re.Match[str]) -> str:
        group = next(name for name, text in match.groupdict().items() if text is not None)
        start, end = (place - match.start() for place in match.span(group))
        return match.group()[:start] + _DOT * (end - start) + match.group()[end:]

    return _SECRET.sub(dotted, line)


def _clean(text: str) -> str:
    return "".join(
        " " if char == "\t" else char if char.isprintable() or char == "\u3000" else "\ufffd"
        for char in text
    )


def _underline(line: str, mark: _Mark, cut: int) -> str:
    start = min(mark.span.column - 1, len(line))
    end = mark.span.end_column - 1 if mark.span.end_line == mark.span.line else len(line)
    end = max(start, min(end, len(line), cut + _WIDEST))
    indent = display_width(_clean(line[cut:start])) + (1 if cut else 0)
    width = max(1, display_width(_clean(line[start:end])))
    words = f" {mark.words}" if mark.words else ""
    return " " * indent + mark.sign * width + words
