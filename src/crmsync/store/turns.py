"""Takes turns at writing a SQLite file across processes, where SQLite itself may lose a commit.

SQLite 3.7.0 to 3.51.2 can lose commits when one connection checkpoints and starts the write-ahead
log anew while another one writes (the WAL-reset race; sqlite.org, 2026; mended in 3.51.3, 3.50.7
and 3.44.6). A checkpoint comes with a commit and with the last connection's end: done in turn, no
other connection writes meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MENDED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.05


def wal_reset_mended(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite is free of the race."""
    return version >= _MENDED[-1] or any(
        version[:2] == known[:2] and version >= known for known in _MENDED
    )


@contextmanager
def turn(file: Path, *, patience: float) -> Iterator[bool]:
    """Hold the turn at writing *file*; false when somebody kept it longer than *patience* seconds.

    The folder is what is locked, so nothing is left beside the file. Whoever ends gives the turn
    back, however it ends. A thread must not ask for a second turn in the same folder.
    """
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _taken(handle, time.monotonic() + patience)
    finally:
        os.close(handle)


def _taken(handle: int, until: float) -> bool:
    pause = FIRST_PAUSE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return True
