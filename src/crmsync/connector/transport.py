"""Our transport under httpx: total deadline, capped replies, no environment, no redirects."""

from __future__ import annotations

import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol

import certifi
import httpcore
import httpx

from crmsync.connector.address import AddressGuard
from crmsync.connector.network import Deadline, GuardedBackend

MAX_REPLY = 32 * 1024 * 1024
DEADLINE = "crmsync.deadline"
"""The request extension that carries the moment (``time.monotonic``) the call must be over."""
DEFAULT_SECONDS = 30.0
_STEP = 256 * 1024


class ReplyTooLarge(httpx.TransportError):
    """The reply, or what it unpacks to, is larger than ``cap`` bytes."""

    def __init__(self, cap: int) -> None:
        super().__init__(f"larger than {cap} bytes")
        self.cap = cap


class BadCompression(httpx.TransportError):
    """The reply claims an encoding it does not have."""


class GuardedTransport(httpx.BaseTransport):
    """Sends one request and reads the whole reply before it returns; safe in several threads."""

    def __init__(
        self, guard: AddressGuard, *, connections: int = 8, max_reply: int = MAX_REPLY
    ) -> None:
        self._deadline = Deadline()
        self._max_reply = max_reply
        self._guard = guard
        self._slots = threading.BoundedSemaphore(connections)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            retries=0,
            network_backend=GuardedBackend(guard, self._deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with a complete response, already unpacked, or raise an httpx.TransportError."""
        self._guard.check_host(request.url.host)
        moment = request.extensions.get(DEADLINE, time.monotonic() + DEFAULT_SECONDS)
        left = max(moment - time.monotonic(), 0.001)
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), left)},
        )
        # Waiting inside httpcore's pool can lose a slot for good when the wait times out just as a
        # connection is handed over (seen under load with httpcore 1.0.9), so nobody waits there.
        if not self._slots.acquire(timeout=left):
            raise httpx.PoolTimeout("every connection is busy", request=request)
        try:
            with self._deadline.until(moment), _as_httpx(request):
                reply = self._pool.handle_request(core)
                try:
                    body = self._read(reply)
                finally:
                    reply.close()
        finally:
            self._slots.release()
        headers = [pair for pair in reply.headers if pair[0].lower() not in _CONSUMED]
        return httpx.Response(reply.status, headers=headers, content=body, request=request)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _read(self, reply: httpcore.Response) -> bytes:
        encoding = next((v for k, v in reply.headers if k.lower() == b"content-encoding"), b"")
        unpack = _unpacker(encoding.strip().lower().decode("latin-1"))
        assert isinstance(reply.stream, Iterable)
        received, size, parts = 0, 0, []
        for raw in reply.stream:
            received += len(raw)
            for part in unpack.feed(raw):
                size += len(part)
                if max(size, received) > self._max_reply:
                    raise ReplyTooLarge(self._max_reply)
                parts.append(part)
        unpack.finish()
        return b"".join(parts)


@cache
def _tls() -> ssl.SSLContext:
    # One for the whole process: reading the certificates takes longer than most calls.
    # create_default_context would write the session keys to the file SSLKEYLOGFILE names
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


_CONSUMED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class _Unpack(Protocol):
    def feed(self, raw: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None: ...


class _Plain:
    def feed(self, raw: bytes) -> Iterator[bytes]:
        yield raw

    def finish(self) -> None:
        pass


class _Deflated:
    """Unpacks in bounded steps, so that a bomb is noticed before it fills the memory."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS)
        self._started = False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        data = raw
        while data:
            try:
                part = self._inflate.decompress(data, _STEP)
            except zlib.error as problem:
                if self._started or self._gzip:
                    raise BadCompression("the reply cannot be unpacked") from problem
                self._inflate = zlib.decompressobj(
                    -zlib.MAX_WBITS
                )  # raw deflate, as some servers send
                self._started = True
                continue
            self._started = True
            data = self._inflate.unconsumed_tail
            if part:
                yield part
            if self._inflate.eof:
                return

    def finish(self) -> None:
        if self._started and not self._inflate.eof:
            raise BadCompression("the packed reply is incomplete")


def _unpacker(encoding: str) -> _Unpack:
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Deflated(gzip=True)
        case "deflate":
            return _Deflated(gzip=False)
    raise BadCompression("the reply uses an encoding nobody asked for")


_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except Exception as problem:
        for theirs, ours in _ERRORS:
            if isinstance(problem, theirs):
                # a LocalProtocolError quotes the header it dislikes, which may be the token
                words = "" if ours is httpx.LocalProtocolError else str(problem)
                raise ours(words, request=request) from None
        raise
