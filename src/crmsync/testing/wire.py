"""The outermost layer of a sandbox: records each request, strikes with faults, keeps the clock."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Protocol, assert_never
from urllib.parse import parse_qs, parse_qsl

from crmsync.testing.clock import SandboxClock
from crmsync.testing.faults import (
    CommitLate,
    Delay,
    Drop,
    Fault,
    FaultScript,
    Reply,
    Truncate,
)
from crmsync.testing.recorder import CREDENTIAL_HEADERS, Recorder, RequestKind, RequestRecord
from crmsync.testing.server import TRANSPORT, ASGIApp, Message, Receive, Scope, Send


class Classify(Protocol):
    """Tells what a request does."""

    def __call__(self, method: str, path: str, body: Any) -> RequestKind: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One request on its way; ``end`` notes the status just before the client can know it."""

    scope: Scope
    body: bytes
    send: Send
    end: Callable[[int | None], None]


@dataclass(order=True, slots=True)
class _LateCommit:
    due: datetime
    order: int
    exchange: _Exchange = field(compare=False)


class Wire:
    """An ASGI application around the vendor's one."""

    def __init__(
        self,
        clock: SandboxClock,
        recorder: Recorder,
        faults: FaultScript,
        classify: Classify,
        app: Callable[[], ASGIApp],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._faults = faults
        self._classify = classify
        self._make_app = app
        self._app: ASGIApp | None = None
        self._late: list[_LateCommit] = []
        self._serial = itertools.count()
        self.before_each: list[Callable[[RequestRecord], None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        await self.settle()
        parsed = _parse(body, _header(scope, b"content-type"))
        record = RequestRecord(
            number=0,
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            kind=self._classify(scope["method"], scope["path"], parsed),
            started=self._clock.now(),
            headers=_kept_headers(scope),
            body=parsed,
        )
        self._recorder.open(record)

        def end(status: int | None) -> None:
            self._recorder.close(record, status, self._clock.now())

        for hook in tuple(self.before_each):
            hook(record)
        fault = self._faults.take(record)
        await self._serve(_Exchange(scope, body, send, end), fault)

    async def settle(self) -> None:
        """Carry out every late request whose time has come."""
        now = self._clock.now()
        while self._late and self._late[0].due <= now:
            late = heapq.heappop(self._late)
            await self._ask(late.exchange)

    async def _serve(self, exchange: _Exchange, fault: Fault | None) -> None:
        match fault:
            case None:
                await self._send(exchange, await self._ask(exchange))
            case Reply():
                if fault.commit:
                    await self._ask(exchange)
                await self._send(exchange, _scripted(fault))
            case Delay(seconds=seconds, after_commit=after):
                if not after:
                    await asyncio.sleep(seconds)
                answer = await self._ask(exchange)
                if after:
                    await asyncio.sleep(seconds)
                await self._send(exchange, answer)
            case Drop(commit=commit):
                if commit:
                    await self._ask(exchange)
                await _abort(exchange)
            case Truncate(sent=sent):
                await self._send(exchange, await self._ask(exchange), cut=sent)
            case CommitLate(seconds=seconds, answer=scripted):
                due = self._clock.now() + timedelta(seconds=seconds)
                heapq.heappush(self._late, _LateCommit(due, next(self._serial), exchange))
                if scripted:
                    await self._send(exchange, _scripted(scripted))
                else:
                    await _abort(exchange)
            case _:
                assert_never(fault)

    async def _ask(self, exchange: _Exchange) -> _Answer:
        if self._app is None:
            self._app = self._make_app()
        messages: list[Message] = []
        given = False

        async def receive() -> Message:
            nonlocal given
            if given:
                return {"type": "http.disconnect"}
            given = True
            return {"type": "http.request", "body": exchange.body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(dict(exchange.scope), receive, send)
        except Exception as problem:
            text = f"the sandbox failed: {type(problem).__name__}: {problem}"
            return _Answer(500, ((b"content-type", b"text/plain"),), text.encode())
        start = messages[0]
        content = b"".join(message.get("body", b"") for message in messages[1:])
        return _Answer(start["status"], tuple(start.get("headers", ())), content)

    async def _send(self, exchange: _Exchange, answer: _Answer, *, cut: int | None = None) -> None:
        now = self._clock.now()
        self._note_pause(answer, now)
        headers = [pair for pair in answer.headers if pair[0].lower() != b"date"]
        headers.append((b"date", format_datetime(now.astimezone(UTC), usegmt=True).encode()))
        exchange.end(answer.status if cut is None else None)
        body = answer.body if cut is None else answer.body[:cut]
        await exchange.send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await exchange.send(
            {"type": "http.response.body", "body": body, "more_body": cut is not None}
        )
        if cut is not None:
            exchange.scope[TRANSPORT].close()
            await asyncio.sleep(0.01)

    def _note_pause(self, answer: _Answer, now: datetime) -> None:
        if answer.status not in {429, 503}:
            return
        value = next((v for k, v in answer.headers if k.lower() == b"retry-after"), b"").decode()
        if value.isascii() and value.isdigit():
            self._recorder.announce(now + timedelta(seconds=min(int(value), 86_400)))
        elif value:
            with contextlib.suppress(ValueError):
                self._recorder.announce(parsedate_to_datetime(value))


def _scripted(reply: Reply) -> _Answer:
    content = reply.content()
    headers = {"content-type": reply.content_type(), "content-length": str(len(content))}
    if not content:
        del headers["content-type"]
    headers.update({name.lower(): value for name, value in reply.headers.items()})
    pairs = tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())
    return _Answer(reply.status, pairs, content)


async def _abort(exchange: _Exchange) -> None:
    exchange.end(None)
    exchange.scope[TRANSPORT].abort()
    await asyncio.sleep(0.01)


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _header(scope: Scope, name: bytes) -> str:
    return next((v.decode("latin-1") for k, v in scope["headers"] if k.lower() == name), "")


def _kept_headers(scope: Scope) -> Mapping[str, str]:
    pairs = ((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in scope["headers"])
    return {name: value for name, value in pairs if name not in CREDENTIAL_HEADERS}


def _parse(body: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON
    if not body:
        return None
    if content_type.startswith("application/x-www-form-urlencoded"):
        return {k: v[-1] for k, v in parse_qs(body.decode("latin-1")).items()}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
