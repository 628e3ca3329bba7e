"""The vendor's limits: calls per interface, calls per day, and the desk that gives out tokens.

Documented: 100 calls in 20 seconds per interface; a daily quota bought in packs that starts again
at midnight; a token lives 7200 s, asking again within its first 6600 s gives the same one, after
that a new one while the old still works; the token interface takes 10 calls a minute and none at
the same time. Not documented, so chosen here: refused calls do not count, the window slides, the
day is Beijing's, and the token interface answers 14001 when it is asked too often.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crmsync.testing import canary
from crmsync_fxiaoke.sandbox_values import BEIJING

TOKEN_LIFE = timedelta(seconds=7200)
SAME_TOKEN = timedelta(seconds=6600)
TOKEN_CALLS_A_MINUTE = 10
WINDOW = timedelta(seconds=20)


class RateWindow:
    """At most *calls* in any *window*, for each key on its own."""

    def __init__(self, calls: int, window: timedelta) -> None:
        self.calls = calls
        self._window = window
        self._taken: dict[str, deque[datetime]] = {}

    def take(self, key: str, now: datetime) -> bool:
        """Count one call, or refuse it."""
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - self._window:
            taken.popleft()
        if len(taken) >= self.calls:
            return False
        taken.append(now)
        return True


class DailyQuota:
    """The calls of one day; ``calls`` of ``None`` means that no pack was bought."""

    def __init__(self, calls: int | None) -> None:
        self.calls = calls
        self.used = 0
        self._day: date | None = None

    def take(self, now: datetime) -> bool:
        """Count one call of today, or refuse it."""
        today = now.astimezone(BEIJING).date()
        if today != self._day:
            self._day, self.used = today, 0
        if self.calls is None or self.used >= self.calls:
            return False
        self.used += 1
        return True


@dataclass(frozen=True, slots=True)
class Token:
    """One access token and when it was made."""

    text: str
    made: datetime

    def left(self, now: datetime) -> int:
        """Seconds until it dies."""
        return int((self.made + TOKEN_LIFE - now).total_seconds())


class TokenDesk:
    """Gives out tokens by the vendor's rules and knows which ones work."""

    def __init__(self) -> None:
        self._tokens: list[Token] = []
        self._rate = RateWindow(TOKEN_CALLS_A_MINUTE, timedelta(minutes=1))
        self.busy = False

    def admits(self, now: datetime) -> bool:
        """Whether one more call of the token interface is taken this minute."""
        return self._rate.take("token", now)

    def give(self, now: datetime) -> Token:
        """The token for a caller who has proved who it is."""
        self._tokens = [token for token in self._tokens if token.left(now) > 0]
        if self._tokens and now < self._tokens[-1].made + SAME_TOKEN:
            return self._tokens[-1]
        token = Token(canary(), now)
        self._tokens.append(token)
        return token

    def works(self, text: str, now: datetime) -> bool:
        """Whether *text* is a live token."""
        return any(token.text == text and token.left(now) > 0 for token in self._tokens)

    def revoke_all(self) -> None:
        """Kill every token, as an administrator who resets the app does."""
        self._tokens.clear()
