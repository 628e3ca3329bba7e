"""YAML as a tree in which every key and value knows where it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.position import Span

ScalarValue: TypeAlias = str | int | Decimal | bool | None


class Style(StrEnum):
    """How a scalar is written; only PLAIN ones are read as numbers, truth values or nothing."""

    PLAIN = "plain"
    QUOTED = "quoted"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word, number or sentence.

    ``text`` is what was written without quotes (a number keeps its spelling: ``1.50``); ``value``
    is what YAML 1.2 makes of it. ``inner`` is the place of ``text`` alone: the span without quotes.
    """

    text: str
    value: ScalarValue
    style: Style
    span: Span
    inner: Span

    @property
    def verbatim(self) -> bool:
        """Whether ``text`` stands in the file letter by letter, on one line."""
        return (
            self.inner.line == self.inner.end_line
            and self.inner.end_column - self.inner.column == len(self.text)
        )

    def part(self, start: int, end: int) -> Span:
        """The place of ``text[start:end]``; of the whole text where letters cannot be traced."""
        if not self.verbatim:
            return self.inner
        column = self.inner.column
        line = self.inner.line
        return Span(
            self.inner.file, line, column + start, line, column + max(end, start), self.inner.cell
        )

    @property
    def empty(self) -> bool:
        """Whether nothing was written (``key:``)."""
        return self.style is Style.PLAIN and self.text == ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; ``flow`` is true for ``[a, b]``."""

    items: tuple[Node, ...]
    span: Span
    flow: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in file order; a key written twice is kept once, as first written."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    flow: bool = False
    _index: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for number, (key, _) in enumerate(self.entries):
            self._index.setdefault(key.text, number)

    def get(self, name: str) -> Node | None:
        """The value written under *name*, or ``None``."""
        number = self._index.get(name)
        return None if number is None else self.entries[number][1]

    def key(self, name: str) -> Scalar | None:
        """The key itself (for its place), or ``None``."""
        number = self._index.get(name)
        return None if number is None else self.entries[number][0]

    def keys(self) -> tuple[str, ...]:
        """The keys' texts, in file order."""
        return tuple(key.text for key, _ in self.entries)


Node: TypeAlias = Scalar | Sequence | Mapping
