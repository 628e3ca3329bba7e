"""Do something again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY = 0.25
"""Seconds between two looks."""
SUFFIXES = frozenset({".yaml", ".yml", ".csv", ".xlsx"})

Snapshot = frozenset[tuple[str, int, int]]


def snapshot(folders: Iterable[Path]) -> Snapshot:
    """Name, time and size of every rule file below *folders* (or beside, for a file named)."""
    seen = set()
    for folder in folders:
        paths = [folder] if folder.is_file() else folder.rglob("*")
        for path in paths:
            if path.suffix in SUFFIXES:
                try:
                    stat = path.stat()
                except OSError:  # it went away meanwhile: the next look shows it
                    continue
                seen.add((str(path), stat.st_mtime_ns, stat.st_size))
    return frozenset(seen)


def again_on_change(folders: Iterable[Path], do: Callable[[], None]) -> None:
    """Call *do* now and after every change; returns on Ctrl-C.

    A change that comes while *do* works is not lost: the state it began with is what is compared.
    """
    watched = list(folders)
    try:
        while True:
            before = snapshot(watched)
            do()
            while snapshot(watched) == before:
                time.sleep(EVERY)
    except KeyboardInterrupt:
        return
