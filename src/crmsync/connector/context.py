"""What the engine hands a connector when it opens a connection: clock, secrets, token shelf."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


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
