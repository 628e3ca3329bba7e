"""Sheets as an XLSX workbook: text never becomes a formula, choices become drop-downs.

Writing needs openpyxl (the extra ``xlsx``); reading back does not.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.rules.sheets import Sheet
from crmsync.source.grid import GridTrouble, bytes_of
from crmsync.source.grid_xlsx import read_xlsx, sheet_names

SCHEMA = "crmsync.workbook/1"
ABOUT = "_crmsync"
"""The hidden sheet that says which ruleset a workbook was made of."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?\Z", re.ASCII)
_MOST_OFFERED = 255
"""Characters a drop-down's list may have inside the cell rule itself."""


@dataclass(frozen=True, slots=True)
class About:
    """What the hidden sheet says."""

    ruleset: str
    digest: str
    lang: str


def save(path: Path, sheets: Sequence[Sheet], about: About) -> None:
    """Write the workbook. Raises UsageError where openpyxl is not installed."""
    book = _openpyxl().Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _write(book.create_sheet(sheet.name), sheet)
    hidden = book.create_sheet(ABOUT)
    for word in (SCHEMA, about.ruleset, about.digest, about.lang):
        hidden.append([word])
    hidden.sheet_state = "veryHidden"
    book.save(path)


def _openpyxl() -> Any:  # noqa: ANN401 - an optional module without types
    try:
        return importlib.import_module("openpyxl")
    except ImportError as problem:
        raise UsageError(
            Text(zh="写工作簿需要 openpyxl，现在没有安装", en="writing a workbook needs openpyxl"),
            mend=Text(
                zh='安装：pip install "crmsync[xlsx]"', en='install it: pip install "crmsync[xlsx]"'
            ),
        ) from problem


def _write(target: Any, sheet: Sheet) -> None:  # noqa: ANN401
    styles = importlib.import_module("openpyxl.styles")
    rules = importlib.import_module("openpyxl.worksheet.datavalidation")
    for at, column in enumerate(sheet.columns, 1):
        _put(target.cell(1, at), column.heading)
        target.cell(1, at).font = styles.Font(bold=True)
        width = max([len(column.heading), *(len(row[at - 1].text) for row in sheet.rows)])
        letter = target.cell(1, at).column_letter
        target.column_dimensions[letter].width = min(60, 2 * width + 4)
        listed = ",".join(column.offered)
        if (
            listed
            and len(listed) <= _MOST_OFFERED
            and not any("," in word or '"' in word for word in column.offered)
        ):
            rule = rules.DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
            rule.showErrorMessage = False  # tests such as not(A) may be typed as well
            target.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{len(sheet.rows) + 100}")
    grey = styles.PatternFill("solid", fgColor="EEEEEE")
    for number, row in enumerate(sheet.rows, 2):
        for at, cell in enumerate(row, 1):
            _put(target.cell(number, at), cell.text)
            if cell.place is None and not sheet.table:
                target.cell(number, at).fill = grey
    target.freeze_panes = "A2"


def _put(cell: Any, text: str) -> None:  # noqa: ANN401
    """A number as a number; everything else as text, whatever sign it begins with."""
    if not text:
        return
    if _NUMBER.match(text):
        value = Decimal(text)
        cell.value = int(value) if value == value.to_integral_value() else float(value)
        return
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
    if text[0] in "=+-@":
        cell.quotePrefix = True


def about_of(path: Path) -> tuple[About, bytes]:
    """What a workbook was made of, and its bytes. Raises UsageError for any other file."""
    try:
        data = bytes_of(path, path.name)
        if ABOUT not in sheet_names(path.name, data):
            raise _foreign(path)
        words = [row[0] for row in texts_of(path, data, ABOUT) if row]
    except GridTrouble as trouble:
        raise UsageError(trouble.finding.message, mend=trouble.finding.mend) from None
    if len(words) != 4 or words[0] != SCHEMA:
        raise _foreign(path)
    return About(words[1], words[2], words[3]), data


def texts_of(path: Path, data: bytes, sheet: str) -> list[list[str]]:
    """The texts of one sheet, blank rows left out. Raises UsageError with the first wrong cell."""
    try:
        cells, findings, _ = read_xlsx(path.name, data, sheet)
    except GridTrouble as trouble:
        raise UsageError(trouble.finding.message, mend=trouble.finding.mend) from None
    if findings:
        first = findings[0]
        raise UsageError(
            Text(
                zh=f"{first.span}：{first.message.zh}",
                en=f"{first.span}: {first.message.en}",
            ),
            mend=first.mend,
        )
    rows = [[cell.text for cell in row] for row in cells]
    return [row for row in rows if any(text.strip() for text in row)]


def _foreign(path: Path) -> UsageError:
    return UsageError(
        Text(
            zh=f"{path.name} 不是 crmsync fmt --to xlsx 写的工作簿",
            en=f"{path.name} is no workbook written by crmsync fmt --to xlsx",
        ),
        mend=Text(zh="先运行 crmsync fmt --to xlsx", en="run crmsync fmt --to xlsx first"),
    )
