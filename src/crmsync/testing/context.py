"""A connection context made of memory: for tests, contract checks and practice runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager

from crmsync.connector.context import ConnectionContext
from crmsync.testing.clock import SandboxClock


class MemorySecrets:
    """Secrets from a mapping; takes ``secret:NAME`` and ``NAME``. Its repr shows names only."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)

    def get(self, reference: str) -> str:
        """The secret of that name; raises KeyError."""
        return self._secrets[reference.removeprefix("secret:")]

    def values(self) -> tuple[str, ...]:
        """Every secret: canaries to look for where no secret may be."""
        return tuple(self._secrets.values())

    def __repr__(self) -> str:
        return f"MemorySecrets({', '.join(sorted(self._secrets))})"


class MemoryTokenShelf:
    """A token shelf in memory; counts how often it was written."""

    def __init__(self, text: str | None = None) -> None:
        self._text = text
        self._lock = threading.RLock()
        self.saves = 0

    def lock(self) -> AbstractContextManager[None]:
        """Held while one thread refreshes."""
        return _Held(self._lock)

    def load(self) -> str | None:
        """The stored text."""
        return self._text

    def save(self, text: str) -> None:
        """Keep *text*."""
        self._text = text
        self.saves += 1


class _Held(AbstractContextManager[None]):
    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def practice_context(
    secrets: Mapping[str, str],
    clock: SandboxClock,
    *,
    connection: str = "practice",
    shelf: MemoryTokenShelf | None = None,
) -> ConnectionContext:
    """A context whose clock and sleep are the sandbox's and that may reach 127.0.0.1."""
    return ConnectionContext(
        connection=connection,
        secrets=MemorySecrets(secrets),
        tokens=shelf or MemoryTokenShelf(),
        now=clock.now,
        sleep=clock.sleep,
        allow_private=True,
    )
