"""Counts API credits: what our calls cost by Zoho's table, and what Zoho itself says is left.

Facts (Zoho's API limits page, read 2026-11): one credit a call, a write one for every ten records,
a query by its LIMIT; over a rolling 24 hours. Zoho names the rest in a header, from half of it on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from crmsync.model.schema import Quota

DAY = timedelta(hours=24)
LEFT_HEADER = "x-api-credits-remaining"


def write_cost(records: int) -> int:
    """Credits of an insert or update of so many records."""
    return max(1, -(-records // 10))


def query_cost(limit: int) -> int:
    """Credits of a COQL query by its LIMIT."""
    return 1 if limit <= 200 else 2 if limit <= 1_000 else 3


class CreditCount:
    """What this process spent in the last 24 hours; thread-safe."""

    def __init__(self, now: Callable[[], datetime], limit: int | None) -> None:
        self._now = now
        self._limit = limit
        self._spent: deque[tuple[datetime, int]] = deque()
        self._used = 0
        self._left: int | None = None
        self._guard = threading.Lock()

    def spend(self, credits_: int) -> None:
        """Book a call that was answered."""
        with self._guard:
            self._spent.append((self._now(), credits_))
            self._used += credits_

    def told(self, header: str | None) -> None:
        """Take in what Zoho said is left; silence means that more than half is."""
        with self._guard:
            self._left = int(header) if header and header.isascii() and header.isdigit() else None

    @property
    def left(self) -> int | None:
        """What Zoho last said is left."""
        return self._left

    def quota(self) -> Quota:
        """Our own use, and Zoho's word where there is one: others spend from the same account."""
        with self._guard:
            before = self._now() - DAY
            while self._spent and self._spent[0][0] <= before:
                self._used -= self._spent.popleft()[1]
            return Quota("API credits", self._used, self._limit, self._left)
