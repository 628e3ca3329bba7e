"""What a proof is: one promise, a harness that tries to break it, and the figure that came out."""

from __future__ import annotations

import gc
import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crmsync.model.text import Text

MEMORY = Path("/dev/shm")
"""Where trials run whose point is not the disk: a thousand durable commits take minutes on one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is tried: the short form has fixed seeds and runs with the tests."""

    full: bool = False
    seed: int = 20261122
    until: float = math.inf
    """A moment of ``time.monotonic`` after which no further trial is begun."""

    def trials(self, short: int, full: int) -> Iterator[int]:
        """Numbers of the trials, as many as there is time for."""
        for number in range(self.of(short, full)):
            if number and time.monotonic() > self.until:
                return
            yield number

    def of(self, short: int, full: int) -> int:
        """The number of trials."""
        return full if self.full else short

    def chance(self, name: str) -> random.Random:
        """A source of chance of its own for every proof."""
        return random.Random(f"{self.seed}/{name}")


@dataclass(frozen=True, slots=True)
class Figure:
    """What came out: ``bad`` counts what must not happen, by name."""

    trials: int
    unit: str
    bad: dict[str, int]
    note: str = ""
    """Figures beside the gate: how many kills, how long."""

    @property
    def holds(self) -> bool:
        """Nothing bad happened, and something was tried."""
        return self.trials > 0 and not any(self.bad.values())

    @property
    def text(self) -> str:
        """The figure as one line."""
        counted = ", ".join(f"{count} {name}" for name, count in self.bad.items())
        return f"{counted} ({self.note})" if self.note else counted


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise with the way it is proved; ``run`` gets a scale and an empty folder."""

    promise: str
    name: str
    says: Text
    how: Text
    run: Callable[[Scale, Path], Figure]

    @property
    def id(self) -> str:
        """Such as ``P1-kills-zoho``."""
        return f"{self.promise}-{self.name}"


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder in memory where there is one, gone afterwards."""
    made = tempfile.mkdtemp(prefix="crmsync-proof-", dir=MEMORY if MEMORY.is_dir() else None)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def apart() -> Iterator[None]:
    """What this process held before is no work of the collector's meanwhile: in a long run of
    tests going through it costs more than what is measured."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
