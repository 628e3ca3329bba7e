"""How much memory this process holds now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def resident_kb() -> int:
    status = Path(f"/proc/{os.getpid()}/status")
    if not status.exists():
        pytest.skip("resident memory is read from /proc")
    line = next(item for item in status.read_text().splitlines() if item.startswith("VmRSS"))
    return int(line.split()[1])
