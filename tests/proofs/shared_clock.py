"""One clock for a sandbox and the processes that talk to it: pauses move it, nobody waits."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crmsync.testing import SandboxClock


class SharedClock(SandboxClock):
    """Real time plus an offset that lives in a file; ``sleep`` adds to it, in whichever process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        """Real time and the offset."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    @property
    def offset(self) -> float:
        """Seconds slept so far by all."""
        return float(struct.unpack("d", self._shared[:8])[0])

    def sleep(self, seconds: float) -> None:
        """Move on without waiting."""
        if seconds > 0:
            self._shared[:8] = struct.pack("d", self.offset + seconds)

    def advance(self, by: timedelta | float) -> None:
        """Move on by a timedelta or a number of seconds."""
        self.sleep(by.total_seconds() if isinstance(by, timedelta) else by)
