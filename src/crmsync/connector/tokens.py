"""Access tokens: fetched by one, used by all, kept across restarts."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import httpx

from crmsync.connector.context import ConnectionContext
from crmsync.errors import Throttled
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, until when it lives, and what came with it (an API address, a tenant)."""

    value: str = field(repr=False)
    expires_at: datetime
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class _Shelved:
    token: Token | None = None
    not_before: datetime | None = None


class TokenCache:
    """Hands out a live token; at most one refresh at a time, across threads and processes.

    ``fetch`` asks the vendor for a new token; it MUST raise Throttled when the vendor says that too
    many were asked for. After that nobody asks again before the pause is over (``denied_pause``
    when the vendor named none), not even after a restart. ``identity`` names the credentials the
    token belongs to (client and refresh token): a shelf filled under others is ignored.
    """

    def __init__(
        self,
        context: ConnectionContext,
        fetch: Callable[[], Token],
        *,
        identity: str,
        margin: timedelta = timedelta(minutes=5),
        denied_pause: timedelta = timedelta(minutes=10),
    ) -> None:
        self._context = context
        self._fetch = fetch
        self._owner = hashlib.sha256(identity.encode()).hexdigest()[:32]
        self._margin = margin
        self._denied_pause = denied_pause
        self._token: Token | None = None
        self._guard = threading.RLock()

    def get(self) -> Token:
        """A token that lives for at least the margin; fetches one where need be."""
        token = self._token
        if token is not None and self._lives(token):
            return token
        return self._renew(refused=None)

    def refused(self, token: Token) -> Token:
        """The CRM refused *token*: another one, fetched unless somebody else already did."""
        return self._renew(refused=token)

    def _renew(self, refused: Token | None) -> Token:
        with self._guard:
            mine = self._token
            if mine is not None and self._usable(mine, refused):
                return mine
            with self._context.tokens.lock():
                shelved = self._load()
                token = shelved.token
                if token is None or not self._usable(token, refused):
                    token = self._fetch_and_keep(shelved)
                self._token = token
                return token

    def _fetch_and_keep(self, shelved: _Shelved) -> Token:
        now = self._context.now()
        if shelved.not_before is not None and shelved.not_before > now:
            raise Throttled(
                Text(
                    zh=f"连接“{self._context.connection}”申请令牌过于频繁，CRM 要求暂停",
                    en=f"connection “{self._context.connection}” asked for too many tokens; "
                    "the CRM wants a pause",
                ),
                retry_after=(shelved.not_before - now).total_seconds(),
            )
        try:
            token = self._fetch()
        except Throttled as problem:
            pause = self._denied_pause
            if problem.retry_after is not None:
                pause = timedelta(seconds=problem.retry_after)
            self._save(_Shelved(not_before=now + pause))
            raise
        self._save(_Shelved(token))
        return token

    def _usable(self, token: Token, refused: Token | None) -> bool:
        return self._lives(token) and (refused is None or token.value != refused.value)

    def _lives(self, token: Token) -> bool:
        return token.expires_at - self._margin > self._context.now()

    def _load(self) -> _Shelved:
        text = self._context.tokens.load()
        if not text:
            return _Shelved()
        try:
            found = json.loads(text)
            if found["owner"] != self._owner:
                return _Shelved()
            wait = found.get("not_before")
            kept = found.get("token")
            return _Shelved(
                token=None
                if kept is None
                else Token(kept["value"], _moment(kept["expires_at"]), dict(kept["extra"])),
                not_before=None if wait is None else _moment(wait),
            )
        except (ValueError, KeyError, TypeError):
            return _Shelved()

    def _save(self, shelved: _Shelved) -> None:
        token = shelved.token
        self._context.tokens.save(
            json.dumps(
                {
                    "owner": self._owner,
                    "token": token
                    and {
                        "value": token.value,
                        "expires_at": token.expires_at.astimezone(UTC).isoformat(),
                        "extra": dict(token.extra),
                    },
                    "not_before": shelved.not_before and shelved.not_before.isoformat(),
                }
            )
        )


class TokenAuth(httpx.Auth):
    """Signs requests with a token; after a 401 once more with a new one, then the 401 stands.

    A 401 means that nothing was done, so repeating is safe for writes, too. ``sign`` gives the
    headers for a token. Its repr shows nothing.
    """

    def __init__(self, cache: TokenCache, sign: Callable[[Token], Mapping[str, str]]) -> None:
        self._cache = cache
        self._sign = sign

    def __repr__(self) -> str:
        return "TokenAuth(…)"

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign, send, and once more if refused."""
        token = self._cache.get()
        request.headers.update(self._sign(token))
        response = yield request
        if response.status_code == 401:
            request.headers.update(self._sign(self._cache.refused(token)))
            yield request


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a shelved moment needs its zone")
    return moment
