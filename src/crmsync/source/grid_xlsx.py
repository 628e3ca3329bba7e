"""Tables in XLSX: values by calamine, and what values do not tell by the sheet's own XML.

A formula nobody calculated reads as an empty cell and ``90%`` as 0.9, so formulas, merged cells and
percent formats are looked up in the file itself.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias
from xml.etree import ElementTree as ET

from python_calamine import CalamineError, CalamineWorkbook

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import did_you_mean, error
from crmsync.source.grid import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_REACH,
    Cell,
    CellKind,
    GridTrouble,
    column_name,
    too_big,
    whole,
)

MAX_INFLATED = 16_000_000

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PLAIN_PERCENT = frozenset({9, 10})
_REF = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")

Raw: TypeAlias = int | float | str | bool | time | date | datetime | timedelta


@dataclass(slots=True)
class _Marks:
    """What the values of one sheet do not tell, by cell."""

    percent: set[str] = field(default_factory=set)
    uncalculated: set[str] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def sheet_names(name: str, data: bytes) -> list[str]:
    """The visible and hidden sheets of a workbook, in order; raises GridTrouble."""
    return list(_workbook(name, data).sheet_names)


def read_xlsx(
    name: str, data: bytes, sheet: str | None = None
) -> tuple[list[list[Cell]], list[Diagnostic], str]:
    """The cells of one sheet (the first unless named), findings about cells, and its name.

    Raises GridTrouble where the workbook or the sheet cannot be used at all.
    """
    book = _workbook(name, data)
    chosen = sheet if sheet is not None else book.sheet_names[0]
    if chosen not in book.sheet_names:
        mend, _ = did_you_mean(chosen, book.sheet_names)
        words = Text(zh=f"{name} 里没有工作表“{chosen}”", en=f"{name} has no sheet “{chosen}”")
        raise GridTrouble(error("TABLE003", whole(name), words, mend))
    try:
        found = book.get_sheet_by_name(chosen)
        wide, high = found.total_width, found.total_height
        if high > MAX_REACH or wide > MAX_COLUMNS * 4 or high * wide > MAX_CELLS:
            raise GridTrouble(too_big(name, chosen))
        values: list[list[Raw]] = found.to_python(skip_empty_area=False)
        marks = _marks(name, data, chosen)
    except (CalamineError, zipfile.BadZipFile, ET.ParseError, KeyError, ValueError):
        raise GridTrouble(_broken(name)) from None
    findings: list[Diagnostic] = []
    rows = [
        [
            _cell(_span(name, chosen, row, column), value, marks, findings)
            for column, value in enumerate(line, 1)
        ]
        for row, line in enumerate(values, 1)
    ]
    _unseen(rows, marks, (name, chosen), findings)
    return rows, findings, chosen


def _workbook(name: str, data: bytes) -> CalamineWorkbook:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_INFLATED:
                raise GridTrouble(too_big(name, ""))
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError):
        raise GridTrouble(_broken(name)) from None
    if not book.sheet_names:
        raise GridTrouble(_broken(name))
    return book


def _broken(name: str) -> Diagnostic:
    return error(
        "TABLE002",
        whole(name),
        Text(
            zh=f"{name} 不是能读的 XLSX 工作簿（损坏、加密或旧格式）",
            en=f"{name} is no workbook that can be read (broken, encrypted or an old format)",
        ),
        Text(zh="在表格软件里另存为 .xlsx，不设密码", en="Save it as .xlsx without a password."),
    )


def _span(name: str, sheet: str, row: int, column: int) -> Span:
    cell = f"{sheet}!{column_name(column)}{row}"
    return Span(name, row, column, row, column, cell)


def _cell(span: Span, value: Raw, marks: _Marks, findings: list[Diagnostic]) -> Cell:
    reference = span.cell.rpartition("!")[2]
    if reference in marks.uncalculated:
        marks.uncalculated.discard(reference)
        findings.append(_formula(span))
        return Cell("", span)
    if reference in marks.errors:
        findings.append(_no_value(span, marks.errors[reference]))
        return Cell("", span)
    if isinstance(value, bool):
        return Cell("yes" if value else "no", span, CellKind.YES_NO)
    if isinstance(value, int | float):
        exact = Decimal(repr(value))
        if reference in marks.percent:
            return Cell(f"{_plain(exact * 100)}%", span, CellKind.PERCENT)
        return Cell(_plain(exact), span, CellKind.NUMBER)
    if isinstance(value, datetime):
        if value.time() == time():
            return Cell(value.date().isoformat(), span, CellKind.DATE)
        return Cell(value.isoformat(sep=" "), span, CellKind.DATE)
    if isinstance(value, date):
        return Cell(value.isoformat(), span, CellKind.DATE)
    if isinstance(value, time | timedelta):
        return Cell(str(value), span, CellKind.DATE)
    return Cell(value.strip(), span)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


def _no_value(span: Span, value: str) -> Diagnostic:
    return error(
        "TABLE004",
        span,
        Text(zh=f"单元格的值是错误 {value}", en=f"the value of this cell is {value}"),
        Text(zh="改正公式，或直接写值", en="Mend the formula, or write the value itself."),
    )


def _formula(span: Span) -> Diagnostic:
    return error(
        "TABLE004",
        span,
        Text(
            zh="公式没有计算过的值，会被当作空白",
            en="this formula has no calculated value: it would read as an empty cell",
        ),
        Text(
            zh="用表格软件打开并保存一次，或直接写值",
            en="Open and save the file in a spreadsheet program once, or write the value itself.",
        ),
    )


def _unseen(
    rows: list[list[Cell]], marks: _Marks, place: tuple[str, str], findings: list[Diagnostic]
) -> None:
    """Formulas beyond the values calamine gave, and merged cells."""
    for reference in sorted(marks.uncalculated):
        match = _REF.match(reference)
        if match is not None:
            findings.append(_formula(_span(*place, int(match[2]), _column(match[1]))))
    for reference in marks.merged:
        match = _REF.match(reference.partition(":")[0])
        if match is None:
            continue
        span = _span(*place, int(match[2]), _column(match[1]))
        findings.append(
            error(
                "TABLE004",
                span,
                Text(
                    zh=f"合并的单元格 {reference}：除第一格外都会被当作空白",
                    en=f"merged cells {reference}: all but the first would read as empty",
                ),
                Text(zh="取消合并，每格都写值", en="Unmerge them and write every value."),
            )
        )


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


# ── the sheet's own XML ────────────────────────────────────────────────────────────────────────


def _marks(name: str, data: bytes, sheet: str) -> _Marks:
    marks = _Marks()
    rows = cells = 0
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        percent = _percent_styles(packed)
        part = _part_of(packed, sheet)
        with packed.open(part) as stream:
            for _, node in ET.iterparse(stream):  # noqa: S314 - expat limits entities
                if node.tag == f"{_MAIN}c":
                    cells += 1
                    _note(node, percent, marks)
                    node.clear()
                elif node.tag == f"{_MAIN}row":
                    rows += 1
                    node.clear()
                    if rows > MAX_REACH or cells > MAX_CELLS:
                        raise GridTrouble(too_big(name, sheet))
                elif node.tag == f"{_MAIN}mergeCell":
                    marks.merged.append(node.get("ref", ""))
    return marks


def _note(node: ET.Element, percent: set[int], marks: _Marks) -> None:
    reference = node.get("r", "")
    if int(node.get("s", "0")) in percent:
        marks.percent.add(reference)
    value = node.find(f"{_MAIN}v")
    if node.get("t") == "e" and value is not None:
        marks.errors[reference] = value.text or "#"
    if node.find(f"{_MAIN}f") is not None and (value is None or not value.text):
        marks.uncalculated.add(reference)


def _part_of(packed: zipfile.ZipFile, sheet: str) -> str:
    book = ET.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314
    link = next(
        (item.get(_LINK) for item in book.iter(f"{_MAIN}sheet") if item.get("name") == sheet),
        None,
    )
    links = ET.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next((item.get("Target", "") for item in links if item.get("Id") == link), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _percent_styles(packed: zipfile.ZipFile) -> set[int]:
    """The numbers of the cell styles that show a percent."""
    if "xl/styles.xml" not in packed.namelist():
        return set()
    styles = ET.fromstring(packed.read("xl/styles.xml"))  # noqa: S314
    formats = set(_PLAIN_PERCENT)
    for item in styles.iter(f"{_MAIN}numFmt"):
        bare = re.sub(r'"[^"]*"|\\.', "", item.get("formatCode", ""))
        if "%" in bare:
            formats.add(int(item.get("numFmtId", "0")))
    crosswise = styles.find(f"{_MAIN}cellXfs")
    found = [] if crosswise is None else list(crosswise)
    return {n for n, item in enumerate(found) if int(item.get("numFmtId", "0")) in formats}
