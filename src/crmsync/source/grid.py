"""A table file as cells that know where they stand: CSV in any usual encoding, or a workbook."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import error

MAX_BYTES = 5_000_000
MAX_ROWS = 2_000
MAX_COLUMNS = 64
MAX_CELLS = (MAX_ROWS + 100) * MAX_COLUMNS
"""Cells read of a file, empty ones too, before it is given up: some more than a table may have."""
MAX_REACH = 20_000
"""Lines read, empty ones too."""
MAX_CELL = 2_000
SUFFIXES = (".csv", ".xlsx")


class CellKind(Enum):
    """What a spreadsheet took a cell for. A CSV file has WRITTEN cells only."""

    WRITTEN = "written"
    NUMBER = "number"
    PERCENT = "percent"
    DATE = "date"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ``text`` as a person would write it (``90%``, ``2026-10-30``, ``yes``)."""

    text: str
    span: Span
    kind: CellKind = CellKind.WRITTEN

    @property
    def empty(self) -> bool:
        """Whether nothing is written there."""
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Grid:
    """The headings and the rows below them; rows without any text are left out.

    Every row has as many cells as there are headings.
    """

    name: str
    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sheet: str = ""


class GridTrouble(Exception):
    """The file cannot be used as a table at all; carries the finding."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.message.en)
        self.finding = finding


@lru_cache(maxsize=1024)
def column_name(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


_FEWER = Text(zh="拆成几张表", en="Make it several tables.")


def whole(name: str) -> Span:
    """The place of findings about a file as a whole."""
    return Span(name, 1, 1, 1, 1)


def bytes_of(path: Path, name: str) -> bytes:
    """What stands in a regular file of bearable size; raises GridTrouble."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            words = Text(zh=f"{name} 不是普通文件", en=f"{name} is not a regular file")
            mend = Text(zh="换成一个 .csv 或 .xlsx 文件", en="Put a .csv or .xlsx file there.")
            raise GridTrouble(error("TABLE001", whole(name), words, mend))
        if info.st_size > MAX_BYTES:
            words = Text(
                zh=f"{name} 有 {info.st_size / 1e6:.1f} MB，上限 {MAX_BYTES / 1e6:.0f} MB",
                en=f"{name} is {info.st_size / 1e6:.1f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB",
            )
            raise GridTrouble(error("TABLE001", whole(name), words, _FEWER))
        return path.read_bytes()
    except FileNotFoundError:
        words = Text(zh=f"找不到表格 {name}", en=f"there is no table {name}")
        mend = Text(zh="检查路径，或补上文件", en="Check the path, or put the file there.")
        raise GridTrouble(error("TABLE001", whole(name), words, mend)) from None
    except OSError:
        words = Text(zh=f"无法读取表格 {name}", en=f"the table {name} cannot be read")
        mend = Text(zh="检查文件的权限", en="Check the permissions of the file.")
        raise GridTrouble(error("TABLE001", whole(name), words, mend)) from None


def too_big(name: str, sheet: str = "") -> Diagnostic:
    """A table with more cells than are ever read."""
    return error(
        "TABLE001",
        whole(name),
        Text(
            zh=f"{f'{name} {sheet}'.strip()} 太大：一张表最多 {MAX_ROWS} 行 {MAX_COLUMNS} 列",
            en=f"{f'{name} {sheet}'.strip()} is too big: a table has {MAX_ROWS} rows and "
            f"{MAX_COLUMNS} columns at most",
        ),
        _FEWER,
    )


def grid_of(name: str, cells: list[list[Cell]], sheet: str = "") -> tuple[Grid, list[Diagnostic]]:
    """Headings and rows of equal length from the cells of a file; what does not fit is found.

    The first row that holds anything is the headings. Raises GridTrouble when there is none, or
    when the table is bigger than a table of rules may be.
    """
    filled = [row for row in cells if any(not cell.empty for cell in row)]
    if not filled:
        words = Text(zh=f"{name} 是空的", en=f"{name} is empty")
        mend = Text(zh="第一行写列标题", en="The first row holds the headings.")
        raise GridTrouble(error("TABLE009", whole(name), words, mend))
    head, *rows = filled
    width = max(number for number, cell in enumerate(head, 1) if not cell.empty)
    _bearable(name, len(rows), width)
    findings: list[Diagnostic] = []
    for row in filled:
        findings += _too_long(row[width:] if row is not head else [], row)
    even = tuple(tuple(_padded(row, width, head)) for row in rows)
    return Grid(name, tuple(head[:width]), even, sheet), findings


def _bearable(name: str, rows: int, width: int) -> None:
    if rows <= MAX_ROWS and width <= MAX_COLUMNS:
        return
    words = Text(
        zh=f"{name} 有 {rows} 行 {width} 列，上限 {MAX_ROWS} 行 {MAX_COLUMNS} 列",
        en=f"{name} has {rows} rows and {width} columns; the limit is {MAX_ROWS} and {MAX_COLUMNS}",
    )
    raise GridTrouble(error("TABLE001", whole(name), words, _FEWER))


def _too_long(beyond: list[Cell], row: list[Cell]) -> list[Diagnostic]:
    found = [
        error(
            "TABLE009",
            cell.span,
            Text(
                zh=f"“{shown(cell)}”所在的列没有标题", en=f"“{shown(cell)}” stands below no heading"
            ),
            Text(
                zh="给这一列写标题；CSV 里含逗号的单元格要加引号",
                en="Give the column a heading; in CSV a cell that holds a comma needs quotes.",
            ),
        )
        for cell in beyond
        if not cell.empty
    ]
    found += [
        error(
            "TABLE009",
            cell.span,
            Text(
                zh=f"单元格超过 {MAX_CELL} 个字符", en=f"a cell of more than {MAX_CELL} characters"
            ),
            Text(zh="缩短这一格", en="Shorten the cell."),
        )
        for cell in row
        if len(cell.text) > MAX_CELL
    ]
    return found


def _padded(row: list[Cell], width: int, head: list[Cell]) -> list[Cell]:
    last = row[-1].span
    row_number = "".join(char for char in last.cell.rpartition("!")[2] if char.isdigit())
    prefix = last.cell.rpartition("!")[0]
    missing = [
        Cell(
            "",
            Span(
                last.file,
                last.line,
                last.end_column,
                last.line,
                last.end_column,
                f"{prefix}!{column_name(number)}{row_number}"
                if prefix
                else f"{column_name(number)}{row_number}",
            ),
        )
        for number in range(len(row) + 1, width + 1)
    ]
    return [*row[:width], *missing]


def shown(cell: Cell) -> str:
    """The text of a cell, cut to what a message can hold."""
    text = " ".join(cell.text.split())
    return text if len(text) <= 40 else text[:39] + "…"
