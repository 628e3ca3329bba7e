"""The sandbox's clock: it runs with the world, or stands still until a test moves it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Tells the time of one sandbox; safe to use from several threads.

    Given a moment it stands still there and moves by ``advance``, ``set`` and ``sleep`` alone, so a
    test never waits. Without one it follows the real clock, and ``sleep`` really sleeps.
    """

    def __init__(self, at: datetime | None = None) -> None:
        if at is not None and at.tzinfo is None:
            raise ValueError("a sandbox clock needs an aware datetime")
        self._frozen = at is not None
        self._at = at or datetime.now(UTC)
        self._offset = timedelta()
        self._guard = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still between moves."""
        return self._frozen

    def now(self) -> datetime:
        """The sandbox's present, aware, in UTC."""
        with self._guard:
            if self._frozen:
                return self._at.astimezone(UTC)
            return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Seconds that only grow as long as nobody calls ``set`` with an earlier moment."""
        return self.now().timestamp()

    def advance(self, by: timedelta | float) -> None:
        """Move on by a timedelta or a number of seconds."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        with self._guard:
            if self._frozen:
                self._at += step
            else:
                self._offset += step
        self._tell()

    def set(self, at: datetime) -> None:
        """Jump to a moment, forwards or back."""
        if at.tzinfo is None:
            raise ValueError("a sandbox clock needs an aware datetime")
        with self._guard:
            if self._frozen:
                self._at = at
            else:
                self._offset = at - datetime.now(UTC)
        self._tell()

    def sleep(self, seconds: float) -> None:
        """Stand-in for ``time.sleep``: a standing clock jumps, a running one waits."""
        if seconds <= 0:
            return
        if self._frozen:
            self.advance(seconds)
        else:
            time.sleep(seconds)

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call *listener* after every ``advance`` and ``set``."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
