"""The most memory this process has held, for tests and benches; nothing but the standard library.

Not by ``getrusage``: on Linux its ``ru_maxrss`` starts at what the parent held when it started the
process, so a small child of a large process would seem large.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_mb() -> float:
    """Megabytes held at most, since the start or since `forget_peak`."""
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        found = next(line for line in lines if line.startswith("VmHWM:"))
        return int(found.split()[1]) / 1024
    # macOS counts bytes, other systems kilobytes
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def forget_peak() -> None:
    """From now on `peak_mb` tells of what comes; where the system cannot, it goes on as it was."""
    with suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")
