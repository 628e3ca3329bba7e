"""The gate every call passes: the CRM's own pauses, its rate, and a budget with a reserve."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmsync.connector.call import HttpCall, HttpReply, Purpose
from crmsync.connector.context import ConnectionContext
from crmsync.connector.retry_after import parse_retry_after
from crmsync.errors import QuotaExhausted, Throttled
from crmsync.model.metering import Admission, room_again
from crmsync.model.schema import Quota
from crmsync.model.text import Text

LONGEST_PAUSE = 300.0
"""A pause the CRM asks for beyond this many seconds is not waited out."""
WORTH_TELLING = 5.0
NOT_CHARGED = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a vendor grants one account.

    ``limit`` units since ``since(now)``, of which ``keep_percent`` is left to people and other
    programs; ``calls`` per ``window`` seconds on each lane. ``rolling`` windows give back what is
    older, day windows everything at ``resets(now)``. ``spent_up`` words the vendor's refusal.
    """

    unit: str
    since: Callable[[datetime], datetime]
    resets: Callable[[datetime], datetime] | None = None
    spent_up: Callable[[Quota], QuotaExhausted]
    limit: int | None = None
    keep_percent: int = 10
    calls: int | None = None
    window: float = 0.0


class Gate:
    """Lets the calls of one connection through; thread-safe, and shared by processes through the
    context's meter.

    Whatever pause a reply names (429, 503) holds every caller of the connection, in this process
    and in others. A pause of more than five minutes, or one that a write would have to wait for,
    goes up as Throttled: the engine waits so that a request to stop is heard.
    """

    def __init__(self, context: ConnectionContext, allowance: Allowance | None) -> None:
        self._context = context
        self._allowance = allowance
        self._left: int | None = None
        self._half = 0
        self._guard = threading.Lock()

    def enter(self, call: HttpCall) -> datetime:
        """Wait for the call's place; gives the moment it is booked at.

        Raises Throttled or QuotaExhausted: nothing was sent then.
        """
        now = self._context.now()
        grant = self._allowance
        if call.purpose is Purpose.AUTH:
            return now
        if grant is not None and self._told_too_little(call.price):
            raise grant.spent_up(self._known(grant))
        admitted = self._context.meter.admit(self._asked(call, now))
        if admitted.spent_up and grant is not None:
            raise grant.spent_up(self._known(grant))
        if admitted.held and call.purpose is Purpose.WRITE:
            raise self._wait(admitted.wait)
        if admitted.wait > LONGEST_PAUSE:
            raise self._wait(admitted.wait)
        if admitted.wait > 0:
            if admitted.wait >= WORTH_TELLING:
                self._context.notice(waiting(self._context.connection, admitted.wait))
            self._context.sleep(admitted.wait)
        return now

    def left(self, call: HttpCall, reply: HttpReply, booked: datetime) -> None:
        """Take in what a reply says: a pause for everybody, a call that was not charged."""
        if call.purpose is Purpose.AUTH:
            return
        if reply.status in NOT_CHARGED or reply.status >= 500:
            self.give_back(call, booked)
        if reply.status in {429, 503}:
            now = self._context.now()
            pause = parse_retry_after(reply.header("retry-after"), reply.server_time or now)
            if pause:
                self.hold(pause)

    def give_back(self, call: HttpCall, booked: datetime) -> None:
        """The call was not charged."""
        if self._allowance is not None and call.price:
            self._context.meter.give_back(call.price, booked)

    def hold(self, seconds: float, lane: str = "") -> None:
        """Let nobody go before so many seconds have passed."""
        self._context.meter.hold(self._context.now() + timedelta(seconds=seconds), lane)

    def told(self, remaining: int | None) -> None:
        """Take in what the vendor says is left (``None``: it does not say)."""
        with self._guard:
            changed, self._left = remaining != self._left, remaining
            if remaining is not None:
                self._half = max(self._half, remaining)
        if changed and self._allowance is not None:
            self._context.meter.told(self._known(self._allowance), self._context.now())

    def quota(self) -> Quota | None:
        """What is known of the account's quota now; ``None`` without an allowance."""
        return None if self._allowance is None else self._known(self._allowance)

    def _known(self, grant: Allowance) -> Quota:
        now = self._context.now()
        since = grant.since(now)
        spent = self._context.meter.spending(since)
        used = sum(item.used for item in spent)
        limit = grant.limit
        if limit is None and self._half:
            # vendors that tell what is left only from half of it on: twice the most they told
            limit = 2 * self._half
        kept = 0 if limit is None else limit - limit * (100 - grant.keep_percent) // 100
        resets = grant.resets(now) if grant.resets else None
        if resets is None and limit is not None:
            freed = room_again(spent, max(1, used - (limit - kept) + 1))
            resets = None if freed is None else freed + (now - since)
        return Quota(grant.unit, used, grant.limit, self._left, kept, resets)

    def _asked(self, call: HttpCall, now: datetime) -> Admission:
        grant = self._allowance
        hold = 0.0 if call.purpose is Purpose.WRITE else LONGEST_PAUSE
        if grant is None:
            return Admission(now=now, longest=LONGEST_PAUSE, longest_hold=hold)
        ceiling = None if grant.limit is None else grant.limit * (100 - grant.keep_percent) // 100
        return Admission(
            now=now,
            price=call.price,
            since=grant.since(now),
            ceiling=ceiling,
            lane=call.lane,
            calls=grant.calls,
            window=grant.window,
            longest=LONGEST_PAUSE,
            longest_hold=hold,
        )

    def _told_too_little(self, price: int) -> bool:
        if self._left is None or self._allowance is None:
            return False
        return self._left - price < self._known(self._allowance).kept

    def _wait(self, seconds: float) -> Throttled:
        return Throttled(waiting(self._context.connection, seconds), retry_after=seconds)


def waiting(connection: str, seconds: float) -> Text:
    """What people read while nothing may be sent."""
    rounded = max(1, round(seconds))
    return Text(
        zh=f"连接“{connection}”：CRM 要求等待 {rounded} 秒",
        en=f"connection “{connection}”: the CRM asks for a pause of {rounded} s",
    )
