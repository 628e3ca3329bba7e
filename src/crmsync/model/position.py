"""Where something stands in a file: needed by every message that names a line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one file. Lines and columns count from 1; ``end_column`` is exclusive.

    Columns count characters (code points), not bytes and not screen cells. In a table file
    ``cell`` names the cell as a spreadsheet does: ``E4``, with the sheet in a workbook
    (``Sheet1!E4``, where line and column are those of the sheet).
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    cell: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self._place(self.column)}"

    @property
    def short(self) -> str:
        """``rules.yaml:47`` or ``service.csv:4:E4``: the file's own name and the line or cell."""
        return f"{self.file.rsplit('/', 1)[-1]}:{self._place(None)}"

    def _place(self, column: int | None) -> str:
        if "!" in self.cell:
            return self.cell
        if self.cell:
            return f"{self.line}:{self.cell}"
        return str(self.line) if column is None else f"{self.line}:{column}"


NOWHERE = Span(file="", line=0, column=0, end_line=0, end_column=0)
