"""What the engine hands a connector when it opens a connection: clock, secrets, token shelf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from crmsync.connector.meter import Meter, OwnMeter
from crmsync.model.text import Text


class TokenShelf(Protocol):
    """A small private place for an access token, kept across restarts and shared by processes.

    Access happens under ``lock()``, so that one process refreshes while the others wait for it.
    """

    def lock(self) -> AbstractContextManager[None]: ...

    def load(self) -> str | None:
        """The stored text, or ``None``."""
        ...

    def save(self, text: str) -> None:
        """Store *text* durably, readable by the owner alone."""
        ...


class Secrets(Protocol):
    """Secrets by reference: ``zoho/refresh_token`` and the like."""

    def get(self, reference: str) -> str:
        """The secret's text; raises ConfigError naming the reference."""
        ...


def _unheard(text: Text) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionContext:
    """Everything a connector may use besides its own settings."""

    connection: str
    secrets: Secrets
    tokens: TokenShelf
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None]
    allow_private: bool = False
    """Let calls go to private and loopback addresses (a sandbox, a CRM in the company's net)."""
    read_only: bool = False
    """Refuse every call that would write, below the connector: for planning and explaining."""
    user_agent: str = "crmsync"
    meter: Meter = field(default_factory=OwnMeter, repr=False)
    """The books of this connection's calls, shared with every other process that uses it."""
    notice: Callable[[Text], None] = _unheard
    """Told what a person at the screen should know now: a pause, a clock that is wrong."""
    allowed: Mapping[str, frozenset[str]] | None = None
    """Object → fields that may be written; the transport refuses every other (``None``: any)."""
    read_seconds: float = 60.0
    """The total deadline of one call that reads."""
    write_seconds: float = 15.0
    """The total deadline of one call that writes; the engine's quarantine counts on it."""
