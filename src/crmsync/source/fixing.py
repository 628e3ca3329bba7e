"""Carries out the mechanical mends of findings on a file's text."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.model.diagnostic import Diagnostic, Fix
from crmsync.source.decoding import LINE_BREAK


def apply_fixes(text: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, int]:
    """The text with every mend carried out that does not overlap an earlier one, and their number.

    All findings must be about this one text. A mend that overlaps another is left for the next
    round: check again, fix again, until none is left.
    """
    starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]
    wanted = []
    for item in diagnostics:
        if item.fix is not None:
            wanted.append((*_offsets(starts, len(text), item.fix), item.fix.replacement))
    done = 0
    limit = -1
    parts: list[str] = []
    last = 0
    for start, end, replacement in sorted(set(wanted)):
        if start < limit or (start == limit and done and start == last and start == end):
            continue
        parts.extend((text[last:start], replacement))
        last = limit = end
        done += 1
    parts.append(text[last:])
    return "".join(parts), done


def _offsets(starts: list[int], size: int, fix: Fix) -> tuple[int, int]:
    def offset(line: int, column: int) -> int:
        if line > len(starts):
            return size
        return min(starts[line - 1] + column - 1, size)

    span = fix.span
    start = offset(span.line, span.column)
    return start, max(start, offset(span.end_line, span.end_column))
