"""Time that setting the clock does not move, as far as one boot of a machine can tell it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment by the ticks (``time.monotonic``) of one boot; every process of it counts alike."""

    boot: str
    seconds: float

    def ago(self, ticks: float) -> float | None:
        """Seconds that have passed at *ticks*; ``None`` where another boot counted them."""
        return ticks - self.seconds if self.boot == boot() else None


def tick(seconds: float) -> Tick | None:
    """The moment *seconds* of this boot; ``None`` where the system does not name its boot."""
    here = boot()
    return None if here is None else Tick(here, seconds)


@cache
def boot() -> str | None:
    """What this boot is called (Linux); ``None`` elsewhere."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None
