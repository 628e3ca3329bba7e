"""The wire: one signed call at a time, paced per interface, counted against the day's quota."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from crmsync.connector.context import ConnectionContext
from crmsync.connector.http import HttpCall, HttpOptions, HttpSession, Purpose
from crmsync.connector.pace import Pace
from crmsync.connector.retry import Patience
from crmsync.errors import ConfigError
from crmsync.model.schema import Quota
from crmsync.model.text import Text
from crmsync_fxiaoke.auth import SignIn
from crmsync_fxiaoke.codes import (
    BEIJING,
    DEAD_TOKEN,
    WINDOW_SECONDS,
    Envelope,
    envelope_of,
    problem_of,
    quota_problem,
    read_failure,
)
from crmsync_fxiaoke.settings import FxiaokeSettings

CLOUDS = (".fxiaoke.com", ".sharecrm.com")


class DayCount:
    """The calls of today, in Beijing's days; stops before the share that is kept for others."""

    def __init__(self, settings: FxiaokeSettings, context: ConnectionContext) -> None:
        self._context = context
        self._bought = settings.calls_per_day
        self._keep = settings.keep_calls_percent
        self._day: date | None = None
        self._used = 0
        self._guard = threading.Lock()

    def take(self) -> None:
        """Count one call; raises QuotaExhausted instead of starving others."""
        with self._guard:
            self._turn()
            if self._bought is not None and self._used >= self._bought * (100 - self._keep) // 100:
                raise quota_problem(self._context)
            self._used += 1

    def quota(self) -> Quota:
        """What this connection used today; other integrations share the same pack unseen."""
        with self._guard:
            self._turn()
            left = None if self._bought is None else max(self._bought - self._used, 0)
            return Quota("calls", self._used, self._bought, left)

    def _turn(self) -> None:
        today = self._context.now().astimezone(BEIJING).date()
        if today != self._day:
            self._day, self._used = today, 0


class FxiaokeClient:
    """Calls the open API of one tenant. Thread-safe."""

    def __init__(self, settings: FxiaokeSettings, context: ConnectionContext) -> None:
        options = HttpOptions(parallel=settings.parallel_calls + 1)
        self._session = HttpSession(_address(settings.host, context), context, options)
        self._context = context
        self._sign_in = SignIn(settings, context, self._session)
        self._pace = Pace(context, settings.calls_per_20_seconds, WINDOW_SECONDS)
        self._patience = Patience(context)
        self.day = DayCount(settings, context)

    def __repr__(self) -> str:
        return f"FxiaokeClient({self._session!r})"

    def close(self) -> None:
        """Give the connections back; twice is fine."""
        self._session.close()

    def company(self) -> str:
        """The enterprise account the credentials belong to; raises AuthError."""
        return self._patience.call(self._sign_in.token).extra["ea"]

    def read(
        self,
        path: str,
        body: Mapping[str, Any],
        purpose: Purpose = Purpose.READ,
        *,
        patient: bool = True,
    ) -> Envelope:
        """A successful answer to a call that may be repeated: waits out pauses and short outages
        unless told to ask once only.

        Raises what stands in the way otherwise.
        """

        def once() -> Envelope:
            envelope = self._call(path, body, purpose)
            if envelope.code != 0:
                raise read_failure(envelope, _what(path, body))
            return envelope

        return self._patience.call(once) if patient else once()

    def write(self, path: str, body: Mapping[str, Any]) -> Envelope:
        """A call that is never repeated once it may have arrived."""
        return self._call(path, body, Purpose.WRITE)

    def _call(self, path: str, body: Mapping[str, Any], purpose: Purpose) -> Envelope:
        token = self._sign_in.token()
        envelope = self._send(path, body, purpose, self._sign_in.headers(token))
        if envelope.code in DEAD_TOKEN:  # refused at the door: nothing was done
            token = self._sign_in.another(token)
            envelope = self._send(path, body, purpose, self._sign_in.headers(token))
        problem = problem_of(envelope, self._context)
        if problem is not None:
            raise problem
        return envelope

    def _send(
        self, path: str, body: Mapping[str, Any], purpose: Purpose, headers: Mapping[str, str]
    ) -> Envelope:
        self.day.take()
        self._pace.wait(path)
        call = HttpCall(
            method="POST",
            path=path,
            purpose=purpose,
            query={"thirdTraceId": str(uuid4())},
            json=body,
            headers=headers,
            template=path,
            signed=False,
        )
        return envelope_of(self._session, self._session.send(call))


def _what(path: str, body: Mapping[str, Any]) -> str:
    """What is read, for messages: the object where there is one."""
    data = body.get("data")
    named = data.get("dataObjectApiName", data.get("apiName")) if isinstance(data, Mapping) else ""
    return str(named or path)


def _address(host: str, context: ConnectionContext) -> str:
    address = host if "://" in host else f"https://{host}"
    name = urlsplit(address).hostname or ""
    if context.allow_private or (name.endswith(CLOUDS) and name.startswith("open")):
        return address
    raise ConfigError(
        Text(
            zh=f"连接“{context.connection}”的 host“{name}”不是纷享销客开放平台的域名",
            en=f"host “{name}” of connection “{context.connection}” is not Fxiaoke's open platform",
        ),
        mend=Text(
            zh="写成 https://open.fxiaoke.com，或企业所在云的 open-… 域名（不是 www）。",
            en="Write https://open.fxiaoke.com, or the open-… address of your cloud (not www).",
        ),
    )
