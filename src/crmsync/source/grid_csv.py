"""Tables in CSV: UTF-8 with or without its mark, UTF-16, or GB18030; commas, tabs or semicolons."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.decoding import LINE_BREAK
from crmsync.source.findings import error
from crmsync.source.grid import (
    MAX_CELLS,
    MAX_REACH,
    Cell,
    GridTrouble,
    column_name,
    too_big,
    whole,
)

_DELIMITERS = (",", "\t", ";")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class CsvText:
    """The text of a CSV file and how its bytes spelled it."""

    text: str
    encoding: str
    """A codec's name that writes the same bytes again: ``utf-8-sig`` keeps the mark."""


def csv_text(name: str, data: bytes) -> CsvText:
    """The text of *data*; raises GridTrouble where it is no text in a known encoding.

    UTF-8 is tried before GB18030, which nearly every text fits: a file is read as GB18030 only
    when it cannot be UTF-8.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            body = data if encoding == "utf-8-sig" else data[len(mark) :]
            return CsvText(_decoded(name, body, encoding), encoding)
    try:
        return CsvText(_clean(name, data.decode("utf-8")), "utf-8")
    except UnicodeDecodeError:
        return CsvText(_decoded(name, data, "gb18030"), "gb18030")


def csv_bytes(found: CsvText) -> bytes:
    """The bytes of a text in the encoding it had."""
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    return marks.get(found.encoding, b"") + found.text.encode(found.encoding)


def _decoded(name: str, data: bytes, encoding: str) -> str:
    try:
        return _clean(name, data.decode(encoding))
    except UnicodeDecodeError:
        words = Text(
            zh=f"{name} 不是 UTF-8、UTF-16 或 GB18030 文字",
            en=f"{name} is no text in UTF-8, UTF-16 or GB18030",
        )
        mend = Text(zh="在表格软件里另存为 CSV UTF-8", en="Save it as “CSV UTF-8”.")
        raise GridTrouble(error("TABLE002", whole(name), words, mend)) from None


def _clean(name: str, text: str) -> str:
    match = _FORBIDDEN.search(text)
    if match is None:
        return text
    words = Text(
        zh=f"{name} 里有控制字符 U+{ord(match.group()):04X}：不是 CSV 文字",
        en=f"{name} holds the control character U+{ord(match.group()):04X}: it is no CSV text",
    )
    mend = Text(zh="在表格软件里另存为 CSV UTF-8", en="Save it as “CSV UTF-8”.")
    raise GridTrouble(error("TABLE002", whole(name), words, mend))


def delimiter_of(text: str) -> str:
    """What parts the cells: the mark the first line with text holds most often."""
    first = next((line for line in LINE_BREAK.split(text) if line.strip()), "")
    bare = re.sub('"[^"]*"', "", first)
    return max(_DELIMITERS, key=lambda mark: (bare.count(mark), -_DELIMITERS.index(mark)))


def read_csv(name: str, text: str) -> list[list[Cell]]:
    """The cells of a CSV text, row by row; raises GridTrouble at a quote that never closes."""
    return _Reader(name, text, delimiter_of(text)).rows()


class _Reader:
    def __init__(self, name: str, text: str, delimiter: str) -> None:
        self._name, self._text, self._delimiter = name, text, delimiter
        self._at, self._line, self._start = 0, 1, 0
        self._cells = 0
        self._stops = re.compile(f"[{re.escape(delimiter)}\r\n]")

    def rows(self) -> list[list[Cell]]:
        rows: list[list[Cell]] = []
        while self._at < len(self._text):
            rows.append(self._row(len(rows) + 1))
            self._cells += len(rows[-1])
            if len(rows) > MAX_REACH or self._cells > MAX_CELLS:
                raise GridTrouble(too_big(self._name))
        return rows

    def _row(self, number: int) -> list[Cell]:
        row: list[Cell] = []
        while True:
            if len(row) > MAX_CELLS:
                raise GridTrouble(too_big(self._name))
            row.append(self._cell(f"{column_name(len(row) + 1)}{number}"))
            if self._text[self._at : self._at + 1] == self._delimiter:
                self._at += 1
                continue
            self._break()
            return row

    def _break(self) -> None:
        match = LINE_BREAK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            self._line, self._start = self._line + 1, self._at

    def _cell(self, cell: str) -> Cell:
        if self._text[self._at : self._at + 1] == '"':
            return self._quoted(cell)
        begin = self._at
        stop = self._stops.search(self._text, begin)
        self._at = len(self._text) if stop is None else stop.start()
        written = self._text[begin : self._at]
        text = written.strip()
        column = begin - self._start + 1 + len(written) - len(written.lstrip())
        span = Span(self._name, self._line, column, self._line, column + len(text), cell)
        return Cell(text, span)

    def _quoted(self, cell: str) -> Cell:
        line, begin = self._line, self._at
        column = begin - self._start + 1
        parts: list[str] = []
        self._at += 1
        while True:
            end = self._text.find('"', self._at)
            if end < 0:
                raise self._open(line, column, cell)
            parts.append(self._text[self._at : end])
            self._at = end + 1
            if self._text[self._at : self._at + 1] != '"':
                break
            parts.append('"')
            self._at += 1
        text = "".join(parts)
        for match in LINE_BREAK.finditer(self._text, begin, self._at):
            self._line, self._start = self._line + 1, match.end()
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        if self._text[self._at : self._at + 1] not in {self._delimiter, "\r", "\n", ""}:
            raise self._after(cell)
        if line != self._line:
            return Cell(text.strip(), Span(self._name, line, column, line, column + 1, cell))
        inner = Span(self._name, line, column + 1, line, self._at - self._start, cell)
        return Cell(text.strip() if text != text.strip() else text, inner)

    def _open(self, line: int, column: int, cell: str) -> GridTrouble:
        return GridTrouble(
            error(
                "TABLE002",
                Span(self._name, line, column, line, column + 1, cell),
                Text(zh='这里的引号 " 没有配对的另一半', en='the quote " opened here never closes'),
                Text(zh="在单元格末尾补上引号", en="Close it at the end of the cell."),
            )
        )

    def _after(self, cell: str) -> GridTrouble:
        at = self._at - self._start + 1
        return GridTrouble(
            error(
                "TABLE002",
                Span(self._name, self._line, at, self._line, at + 1, cell),
                Text(zh="引号之后还有文字", en="text follows the closing quote of this cell"),
                Text(
                    zh='单元格里的引号要写两遍：""',
                    en='A quote inside a quoted cell is written twice: "".',
                ),
            )
        )
