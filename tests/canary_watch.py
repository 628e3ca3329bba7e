"""No secret outside the secret store, in the whole suite.

Every credential a sandbox gives out is a canary. After each test the files it left are searched,
with what it printed and logged; command lines of running processes are looked at all the time, and
at the end everything that is left below the temporary folder is searched once more.

``CRMSYNC_WATCH_FIGURE`` names a file to which every process of the run adds its figure, one line.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from crmsync.testing import canaries_in, files_with_canaries, processes_with_canaries

LOGGERS = ("crmsync", "httpx", "httpcore", "tenacity", "apscheduler")
LOOK = 0.25
"""Seconds between two looks at the running processes."""


FIGURE = "CRMSYNC_WATCH_FIGURE"


@dataclass(frozen=True, slots=True)
class Watched:
    """How many tests were watched and in how many places secrets showed."""

    tests: int
    found: int

    def add_to(self, file: Path) -> None:
        """One line more, whole whichever processes write."""
        line = json.dumps(asdict(self)).encode() + b"\n"
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    @classmethod
    def told(cls, file: Path) -> Watched:
        """All lines together."""
        lines = file.read_text(encoding="ascii").splitlines() if file.exists() else ()
        parts = [cls(**json.loads(line)) for line in lines]
        return cls(sum(part.tests for part in parts), sum(part.found for part in parts))


class CanaryWatch(logging.Handler):
    """Listens to the log at every level, watches processes, and searches what a test left."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._found: list[str] = []
        self._told: set[Path] = set()
        self._tests = self._leaks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="canary watch")

    def emit(self, record: logging.LogRecord) -> None:
        """A record with a canary in its message or traceback."""
        if canaries_in(logging.Formatter("%(name)s %(message)s").format(record)):
            self._found.append(f"log of {record.name}")

    def begin(self) -> None:
        """From now on."""
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self)
        logging.getLogger("crmsync").setLevel(logging.DEBUG)
        self._thread.start()

    def end(self, left: Path) -> list[str]:
        """No longer; where secrets are in what is *left* and was not told of before."""
        self._over.set()
        self._thread.join()
        return self._count(self._fresh(files_with_canaries([left]), left))

    def tell(self) -> None:
        """The figure, where it is asked for; after everything else."""
        if FIGURE in os.environ:
            Watched(self._tests, self._leaks + len(self._found)).add_to(Path(os.environ[FIGURE]))

    def after(self, item: pytest.Item) -> list[str]:
        """Where canaries showed since the last test, or in what this one left behind."""
        found, self._found = self._found, []
        for kind, title, text in item._report_sections:
            if canaries_in(text):
                found.append(f"{title} of the {kind}")
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path):
            found += self._fresh(files_with_canaries([folder]), folder)
        self._tests += 1
        return self._count(found)

    def _fresh(self, paths: Iterable[Path], folder: Path) -> list[str]:
        new = [path for path in paths if path not in self._told]
        self._told.update(new)
        return [str(path.relative_to(folder)) for path in new]

    def _count(self, found: list[str]) -> list[str]:
        self._leaks += len(found)
        return found

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            self._found += processes_with_canaries()
