"""Bytes to text: UTF-8 (or UTF-16 with a mark), and a good word when it is something else."""

from __future__ import annotations

import codecs
import re

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import error

LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_MAX_SHOWN = 5


def decode(name: str, data: bytes) -> tuple[str, list[Diagnostic]]:
    """The text without its byte order mark; a finding YAML001 when it is not Unicode."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), []
        except UnicodeDecodeError:
            return "", [
                error(
                    "YAML001",
                    Span(name, 1, 1, 1, 1),
                    _NOT_TEXT,
                    Text(zh="用 UTF-8 另存为文本文件", en="Save it as text in UTF-8."),
                )
            ]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode("utf-8-sig", "replace")
        span = place(name, before, len(before))
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace"), [error("YAML001", span, _NOT_TEXT, _SAVE_AS)]
        return text, [error("YAML001", span, _LOOKS_GBK, _FROM_GBK)]


def forbidden_characters(name: str, text: str) -> list[Diagnostic]:
    """A finding YAML019 for each control character or exotic line break, the first five."""
    found = []
    for match in _FORBIDDEN.finditer(text):
        code = f"U+{ord(match.group()):04X}"
        span = place(name, text, match.start(), match.end())
        found.append(
            error(
                "YAML019",
                span,
                Text(
                    zh=f"这里有一个看不见的控制字符 {code}",
                    en=f"invisible control character {code}",
                ),
                Text(zh="删掉它", en="Delete it."),
                fix="",
            )
        )
        if len(found) == _MAX_SHOWN:
            break
    return found


def lines_of(text: str) -> list[str]:
    """The lines as YAML counts them."""
    return LINE_BREAK.split(text)


def place(name: str, text: str, start: int, end: int | None = None) -> Span:
    """The span of ``text[start:end]``."""
    line, column = _line_and_column(text, start)
    end_line, end_column = (line, column) if end is None else _line_and_column(text, end)
    return Span(name, line, column, end_line, end_column)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    line, last = 1, 0
    for match in LINE_BREAK.finditer(text, 0, offset):
        line, last = line + 1, match.end()
    return line, offset - last + 1


_NOT_TEXT = Text(zh="文件不是 UTF-8 文字", en="the file is not UTF-8 text")
_SAVE_AS = Text(zh="请在编辑器里另存为 UTF-8", en="Save it as UTF-8 in your editor.")
_LOOKS_GBK = Text(
    zh="文件看起来是 GBK 编码，应为 UTF-8", en="the file looks like GBK; it must be UTF-8"
)
_FROM_GBK = Text(
    zh="运行 crmsync fmt --from gbk 转换，或另存为 UTF-8",
    en="Run crmsync fmt --from gbk, or save it as UTF-8.",
)
