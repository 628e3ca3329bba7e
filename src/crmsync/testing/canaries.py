"""Canaries: secrets that can be recognised wherever they turn up, so that tests can look for them.

Every credential the sandboxes give out is one, and no two are alike. ``CRMSYNC_CANARIES`` names the
test session they belong to; without it each process has a name of its own.
"""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

SESSION = os.environ.get("CRMSYNC_CANARIES") or secrets.token_hex(3)
MARK = f"cnry{SESSION}"
"""What every canary of this session begins with."""
PROCESSES = Path("/proc")
STORES = frozenset({"secrets", "tokens"})
"""Folders where secrets belong."""


def canary() -> str:
    """A secret no other test has."""
    return MARK + secrets.token_hex(10)


def canaries_in(text: str | bytes) -> bool:
    """Whether a canary shows in *text*."""
    return MARK.encode() in (text.encode() if isinstance(text, str) else text)


def files_with_canaries(folders: Iterable[Path]) -> Iterator[Path]:
    """Files below *folders*, other than those of a secret store, that hold a canary."""
    for folder in folders:
        # a walk goes past what vanishes meanwhile
        walked = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
        for path in sorted(walked):
            inside = path.relative_to(folder).parts
            if not STORES.intersection(inside) and _holds(path):
                yield path


def processes_with_canaries() -> Iterator[str]:
    """Command lines of running processes that show a canary, as ``ps`` would."""
    for folder in PROCESSES.iterdir() if PROCESSES.is_dir() else ():
        if not folder.name.isdigit():
            continue
        try:
            told = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if canaries_in(told):
            yield f"process {folder.name}"


def _holds(path: Path) -> bool:
    try:
        if not path.is_file() or path.is_symlink() or not path.stat().st_size:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all:
            return all.find(MARK.encode()) >= 0
    except OSError:
        return False  # it went away meanwhile
