"""Staying under a vendor's rate: at most so many calls in any stretch of time, per key."""

from __future__ import annotations

from datetime import timedelta

from crmsync.connector.context import ConnectionContext
from crmsync.model.metering import Admission


class Pace:
    """At most ``calls`` in any ``window`` seconds for each key, for every process that shares the
    connection's meter; thread-safe.

    The times of the last calls are kept, so a burst after a pause cannot exceed the limit either
    (a plain token bucket lets twice the number through in one window). ``margin`` seconds are added
    to the window for the time a call travels. For calls through an `HttpSession` an `Allowance`
    does the same.
    """

    def __init__(
        self, context: ConnectionContext, calls: int, window: float, *, margin: float = 0.25
    ) -> None:
        if calls < 1 or window <= 0:
            raise ValueError("a pace needs at least one call in a positive window")
        self._context = context
        self._calls = calls
        self._window = window + margin

    def wait(self, key: str = "") -> float:
        """Wait for the next free place and take it; returns the seconds waited."""
        ask = Admission(now=self._context.now(), lane=key, calls=self._calls, window=self._window)
        pause = self._context.meter.admit(ask).wait
        if pause > 0:
            self._context.sleep(pause)
        return pause

    def hold(self, seconds: float, key: str = "") -> None:
        """Let nobody go before *seconds* have passed (the vendor said so)."""
        until = self._context.now() + timedelta(seconds=max(seconds, 0.0))
        self._context.meter.hold(until, key)
