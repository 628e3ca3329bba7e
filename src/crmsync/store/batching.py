"""Cuts long sequences into pieces small enough for one statement or one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
CHUNK = 500
"""Values bound to one statement: well below what any database allows."""


def batched(items: Iterable[T], size: int = CHUNK) -> Iterator[tuple[T, ...]]:
    """*items* in their order, at most *size* at a time; nothing is read ahead of its piece."""
    iterator = iter(items)
    while piece := tuple(islice(iterator, size)):
        yield piece
