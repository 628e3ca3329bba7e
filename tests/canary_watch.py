"""No secret outside the secret store, in the whole suite.

Every credential a sandbox gives out is a canary. After each test the files it left are searched,
with what it printed and logged; command lines of running processes are looked at all the time.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from crmsync.testing import canaries_in, files_with_canaries, processes_with_canaries

LOGGERS = ("crmsync", "httpx", "httpcore", "tenacity", "apscheduler")
LOOK = 0.25
"""Seconds between two looks at the running processes."""


class CanaryWatch(logging.Handler):
    """Listens to the log at every level, watches processes, and searches what a test left."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._found: list[str] = []
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

    def end(self) -> None:
        """No longer."""
        self._over.set()
        self._thread.join()

    def after(self, item: pytest.Item) -> list[str]:
        """Where canaries showed since the last test, or in what this one left behind."""
        found, self._found = self._found, []
        for kind, title, text in item._report_sections:
            if canaries_in(text):
                found.append(f"{title} of the {kind}")
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path):
            found += [str(path.relative_to(folder)) for path in files_with_canaries([folder])]
        return found

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            self._found += processes_with_canaries()
