"""Zoho's limits in the sandbox: sizes, the credit ledger of the last 24 hours, calls under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmsync.testing import SandboxClock
from crmsync_zoho.sandbox_replies import Json, Refusal


@dataclass(slots=True)
class ZohoLimits:
    """Every limit the sandbox enforces; tests make them small instead of making data large."""

    fields: int = 50
    per_page: int = 200
    pages: int = 10
    token_records: int = 100_000
    token_life: timedelta = timedelta(hours=24)
    batch: int = 100
    fields_per_call: int = 5
    timeline_page: int = 200
    coql_default: int = 200
    coql_rows: int = 2_000
    coql_offset: int = 100_000
    coql_fields: int = 500
    coql_values: int = 100
    coql_criteria: int = 25
    coql_orders: int = 10
    credits_per_day: int = 100_000
    concurrency: int = 15
    sub_concurrency: int = 10
    access_tokens: int = 15
    refreshes: int = 10
    refresh_window: timedelta = timedelta(minutes=10)
    access_token_life: timedelta = timedelta(hours=1)


DAY = timedelta(hours=24)


class CreditLedger:
    """Credits spent in the last 24 hours."""

    def __init__(self, clock: SandboxClock, limits: ZohoLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._spent: deque[tuple[datetime, int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Credits spent in the last 24 hours."""
        before = self._clock.now() - DAY
        while self._spent and self._spent[0][0] <= before:
            self._used -= self._spent.popleft()[1]
        return self._used

    def spend(self, credits: int) -> None:
        """Book a call; refuses it with 429 when it does not fit any more."""
        if self.used + credits > self._limits.credits_per_day:
            raise too_many()
        self._spent.append((self._clock.now(), credits))
        self._used += credits

    def headers(self) -> dict[str, str]:
        """Zoho tells what is left only from half of it on."""
        limit = self._limits.credits_per_day
        if self.used * 2 < limit:
            return {}
        return {"X-API-CREDITS-REMAINING": str(limit - self.used)}


class Slots:
    """Calls under way: in all, and of the kinds Zoho counts a second time."""

    def __init__(self, limits: ZohoLimits) -> None:
        self._limits = limits
        self.running = 0
        self.running_heavy = 0

    @contextmanager
    def hold(self, *, heavy: bool) -> Iterator[None]:
        """Occupy a slot while a call is carried out; refuses it with 429 when none is free."""
        if self.running >= self._limits.concurrency:
            raise too_many()
        if heavy and self.running_heavy >= self._limits.sub_concurrency:
            raise too_many()
        self.running += 1
        self.running_heavy += heavy
        try:
            yield
        finally:
            self.running -= 1
            self.running_heavy -= heavy


def too_many() -> Refusal:
    """429 as Zoho sends it: one code for every kind of limit, and no Retry-After."""
    return Refusal(429, "TOO_MANY_REQUESTS", {}, "too many requests")


def write_cost(records: int) -> int:
    """Credits of an insert, update or upsert: one for every ten records."""
    return max(1, -(-records // 10))


def coql_cost(limit: int) -> int:
    """Credits of a query, by its LIMIT."""
    return 1 if limit <= 200 else 2 if limit <= 1_000 else 3


def cost(method: str, parts: tuple[str, ...], body: Json, coql_limit: int) -> tuple[int, bool]:
    """Credits of a call and whether it counts against the sub-concurrency."""
    if parts[:1] == ("coql",):
        return coql_cost(coql_limit), True
    if method in {"POST", "PUT"} and parts and parts[0] not in {"settings", "users", "org"}:
        data = body.get("data") if isinstance(body, dict) else None
        records = len(data) if isinstance(data, list) else 1
        return write_cost(records), records > 10
    return 1, False
