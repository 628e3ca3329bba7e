"""Reads a table file, whatever kind it is, into one grid of cells."""

from __future__ import annotations

from pathlib import Path

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.text import Text
from crmsync.source.findings import error
from crmsync.source.grid import SUFFIXES, Grid, GridTrouble, bytes_of, grid_of, whole
from crmsync.source.grid_csv import csv_text, read_csv
from crmsync.source.grid_xlsx import read_xlsx


def read_grid(
    path: Path, name: str, *, sheet: str | None = None
) -> tuple[Grid | None, list[Diagnostic]]:
    """Read one table; *name* is what messages call the file, *sheet* one of a workbook's sheets.

    Promises: never raises for anything the file holds; every finding names the file and, where
    there is one, the cell. The grid is given only when every cell could be read.
    """
    try:
        data = bytes_of(path, name)
        findings: list[Diagnostic] = []
        chosen = ""
        match path.suffix.lower():
            case ".csv":
                cells = read_csv(name, csv_text(name, data).text)
            case ".xlsx":
                cells, findings, chosen = read_xlsx(name, data, sheet)
            case _:
                listed = ", ".join(SUFFIXES)
                words = Text(
                    zh=f"{name} 不是表格：只读 {listed}", en=f"{name} is no table: {listed} are"
                )
                mend = Text(zh=f"另存为 {listed}", en=f"Save it as one of {listed}.")
                raise GridTrouble(error("TABLE001", whole(name), words, mend))
        grid, more = grid_of(name, cells, chosen)
    except GridTrouble as trouble:
        return None, [trouble.finding]
    found = [*findings, *more]
    return (None if found else grid), found


def table_text(path: Path, name: str) -> str:
    """The text of a CSV file for excerpts; nothing for a workbook or what cannot be read."""
    if path.suffix.lower() != ".csv":
        return ""
    try:
        return csv_text(name, bytes_of(path, name)).text
    except GridTrouble:
        return ""
