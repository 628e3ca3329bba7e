"""Where something stands in a file: needed by every message that names a line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one file. Lines and columns count from 1; ``end_column`` is exclusive.

    Columns count characters (code points), not bytes and not screen cells.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def short(self) -> str:
        """``rules.yaml:47``: the file's own name and the line, for explanations."""
        return f"{self.file.rsplit('/', 1)[-1]}:{self.line}"


NOWHERE = Span(file="", line=0, column=0, end_line=0, end_column=0)
