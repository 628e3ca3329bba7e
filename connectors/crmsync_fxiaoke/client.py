"""The wire: one signed call at a time, paced per interface, counted against the day's quota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from crmsync.connector.context import ConnectionContext
from crmsync.connector.gate import Allowance
from crmsync.connector.http import HttpCall, HttpOptions, HttpSession, Purpose
from crmsync.connector.retry import Patience
from crmsync.errors import ConfigError, Throttled
from crmsync.model.schema import Quota
from crmsync.model.text import Text
from crmsync_fxiaoke.auth import SignIn
from crmsync_fxiaoke.codes import (
    DEAD_TOKEN,
    WINDOW_SECONDS,
    Envelope,
    envelope_of,
    midnight,
    next_midnight,
    problem_of,
    quota_problem,
    read_failure,
)
from crmsync_fxiaoke.settings import FxiaokeSettings

CLOUDS = (".fxiaoke.com", ".sharecrm.com")


UNIT = "calls"
MARGIN = 0.25
"""Seconds added to the vendor's window, for the time a call travels."""
NO_FIELDS = frozenset({"_id", "dataObjectApiName"})


def _allowance(settings: FxiaokeSettings, context: ConnectionContext) -> Allowance:
    """The bought calls of Beijing's day and the rate per interface."""
    return Allowance(
        unit=UNIT,
        since=midnight,
        resets=next_midnight,
        spent_up=lambda quota: quota_problem(context),
        limit=settings.calls_per_day,
        keep_percent=settings.keep_calls_percent,
        calls=settings.calls_per_20_seconds,
        window=WINDOW_SECONDS + MARGIN,
    )


class FxiaokeClient:
    """Calls the open API of one tenant. Thread-safe."""

    def __init__(self, settings: FxiaokeSettings, context: ConnectionContext) -> None:
        options = HttpOptions(
            parallel=settings.parallel_calls + 1, allowance=_allowance(settings, context)
        )
        self._session = HttpSession(_address(settings.host, context), context, options)
        self._context = context
        self._sign_in = SignIn(settings, context, self._session)
        self._patience = Patience(context)

    def __repr__(self) -> str:
        return f"FxiaokeClient({self._session!r})"

    def close(self) -> None:
        """Give the connections back; twice is fine."""
        self._session.close()

    def quota(self) -> Quota:
        """The calls made today; other integrations share the same pack unseen."""
        found = self._session.gate.quota() or Quota(UNIT, 0, None, None)
        if found.limit is None:
            return found
        return replace(found, remaining=max(found.limit - found.used, 0))

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
        if isinstance(problem, Throttled):
            self._session.gate.hold(WINDOW_SECONDS, path)
        if problem is not None:
            raise problem
        return envelope

    def _send(
        self, path: str, body: Mapping[str, Any], purpose: Purpose, headers: Mapping[str, str]
    ) -> Envelope:
        call = HttpCall(
            method="POST",
            path=path,
            purpose=purpose,
            query={"thirdTraceId": str(uuid4())},
            json=body,
            headers=headers,
            template=path,
            lane=path,
            writes=_fields_set(body) if purpose is Purpose.WRITE else {},
            signed=False,
        )
        return envelope_of(self._session, self._session.send(call))


def _fields_set(body: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    """The fields a body sets, by object."""
    data = body["data"]["object_data"]
    return {str(data["dataObjectApiName"]): frozenset(data) - NO_FIELDS}


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
