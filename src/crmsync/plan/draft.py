"""A plan being made: lines go to a private spool file, so a million of them fit in memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Self, cast

from crmsync.model.canonical import decode_any, dumps
from crmsync.model.plan import PlanHeader, PlanLine, TaskCreate


class Spool:
    """Encoded lines in the order they were added; the file has no name and ends with it."""

    def __init__(self) -> None:
        self._file: IO[bytes] = cast("IO[bytes]", tempfile.TemporaryFile("w+b"))  # noqa: SIM115
        self.count = 0

    def add(self, line: PlanLine) -> None:
        """Append one line."""
        self._file.write(encode_line(line))
        self.count += 1

    def add_encoded(self, lines: Sequence[str]) -> None:
        """Append lines made by `encode_line`, or by the same form elsewhere."""
        self._file.write("".join(lines).encode())
        self.count += len(lines)

    def raw(self) -> Iterator[bytes]:
        """Every encoded line, its newline included."""
        self._file.seek(0)
        yield from self._file

    def exchanged(self, tasks: Mapping[str, TaskCreate]) -> Spool:
        """A spool of the same lines, but for the *tasks* with these keys; this one is closed."""
        other = Spool()
        for raw in self.raw():
            line = decode_line(raw) if b'"is":"TaskCreate"' in raw else None
            if isinstance(line, TaskCreate) and line.key in tasks:
                other.add(tasks[line.key])
            else:
                other.add_encoded((raw.decode(),))
        self.close()
        return other

    def close(self) -> None:
        """Give the file back; twice is fine."""
        self._file.close()


class Draft:
    """A made plan that is not written yet: the header, and lines to be streamed. Close it."""

    def __init__(self, header: PlanHeader, spool: Spool) -> None:
        self.header = header
        self._spool = spool

    @property
    def changes(self) -> int:
        """Lines that are no mere observations of clocks are what a plan is about."""
        counts = self.header.counts
        return (
            counts.rises
            + counts.falls
            + counts.firsts
            + counts.stage_only
            + counts.other
            + counts.new_tasks
            + counts.closed_tasks
            + counts.merged
        )

    def raw(self) -> Iterator[bytes]:
        """Every encoded line, its newline included."""
        return self._spool.raw()

    def lines(self) -> Iterator[PlanLine]:
        """Every line, decoded."""
        return map(decode_line, self._spool.raw())

    def close(self) -> None:
        """Give the spool back; twice is fine."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def encode_line(line: PlanLine) -> bytes:
    """One line as canonical JSON."""
    return dumps(line, PlanLine).encode() + b"\n"


def decode_line(raw: bytes) -> PlanLine:
    """The line `encode_line` wrote; raises ValueError for anything else."""
    return cast(PlanLine, decode_any(json.loads(raw), PlanLine))
