"""One open state store per process: whoever needs it while it is open gets the same one.

SQLite's WAL-reset race needs two writing connections, so a process keeps to one; and the meter of a
connection is asked before every call, while a run has the store open anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crmsync.store import Store


class SharedStore:
    """Opens on the first use and closes after the last; thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._store: Store | None = None
        self._users = 0

    @contextmanager
    def use(self, open_it: Callable[[], Store]) -> Iterator[Store]:
        """The open store; *open_it* is called when nobody has it open."""
        with self._guard:
            store = self._store = self._store or open_it()
            self._users += 1
        try:
            yield store
        finally:
            with self._guard:
                self._users -= 1
                if self._users == 0:
                    self._store = None
                    store.close()
