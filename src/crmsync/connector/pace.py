"""Staying under a vendor's rate: at most so many calls in any stretch of time, per key."""

from __future__ import annotations

import threading
from collections import deque

from crmsync.connector.context import ConnectionContext

# Places further ahead than this many windows can only come from a clock that was set back.
_CLOCK_SET_BACK = 10


class Pace:
    """At most ``calls`` in any ``window`` seconds for each key; thread-safe.

    It keeps the times of the last calls, so a burst after a pause cannot exceed the limit either
    (a plain token bucket lets twice the number through in one window). ``margin`` seconds are added
    to the window for the time a call travels.
    """

    def __init__(
        self, context: ConnectionContext, calls: int, window: float, *, margin: float = 0.25
    ) -> None:
        if calls < 1 or window <= 0:
            raise ValueError("a pace needs at least one call in a positive window")
        self._context = context
        self._calls = calls
        self._window = window + margin
        self._taken: dict[str, deque[float]] = {}
        self._not_before: dict[str, float] = {}
        self._guard = threading.Lock()

    def wait(self, key: str = "") -> float:
        """Wait for the next free place and take it; returns the seconds waited."""
        pause = self._reserve(key)
        if pause > 0:
            self._context.sleep(pause)
        return pause

    def hold(self, seconds: float, key: str = "") -> None:
        """Let nobody go before *seconds* have passed (the vendor said so)."""
        with self._guard:
            until = self._now() + max(seconds, 0.0)
            self._not_before[key] = max(until, self._not_before.get(key, until))

    def _reserve(self, key: str) -> float:
        with self._guard:
            now = self._now()
            taken = self._taken.setdefault(key, deque(maxlen=self._calls))
            if taken and taken[-1] > now + _CLOCK_SET_BACK * self._window:
                taken.clear()
                self._not_before.pop(key, None)
            start = max(now, self._not_before.get(key, now))
            if len(taken) == self._calls:
                start = max(start, taken[0] + self._window)
            taken.append(start)
            return start - now

    def _now(self) -> float:
        return self._context.now().timestamp()
