"""Sockets with a total deadline: httpcore's network, bound to one moment instead of many timeouts.

A timeout of httpx counts each read anew, so a server that drips bytes holds a call for ever. Here
every connect, write and read of a call gets what is left of the call's own time.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from crmsync.connector.address import AddressGuard, NameNotFound

_PIECE = 16 * 1024


class Deadline:
    """The moment by which the present thread's call must be over."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def until(self, moment: float) -> Iterator[None]:
        """Bind the calls of this thread to *moment* (of ``time.monotonic``)."""
        before = getattr(self._local, "moment", None)
        self._local.moment = moment
        try:
            yield
        finally:
            self._local.moment = before

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """The seconds that remain, at most *timeout*; raises *late* when there are none."""
        moment = getattr(self._local, "moment", None)
        if moment is None:
            return 30.0 if timeout is None else timeout
        remaining: float = moment - time.monotonic()
        if remaining <= 0:
            raise late("the total deadline has passed")
        return remaining if timeout is None else min(timeout, remaining)


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves a name, checks every address, connects to the address it checked."""

    def __init__(self, guard: AddressGuard, deadline: Deadline) -> None:
        self._guard = guard
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first checked address that answers."""
        late = httpcore.ConnectTimeout
        try:
            addresses = self._guard.resolve(host, port, self._deadline.left(timeout, late))
        except NameNotFound as problem:
            raise httpcore.ConnectError(str(problem)) from problem
        failure: Exception | None = None
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port,
                    timeout=self._deadline.left(timeout, late),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                failure = problem
                continue
            return _BoundStream(stream, self._deadline)
        raise failure or httpcore.ConnectError(f"no address of {host} answers")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Refused: no CRM lives on a socket file."""
        raise httpcore.UnsupportedProtocol("unix sockets are not used")

    def sleep(self, seconds: float) -> None:
        """Only httpcore's own retries would sleep, and they are off."""


class _BoundStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            left = self._deadline.left(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _BoundStream(
            self._inner.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        return self._inner.get_extra_info(info)


Monotonic = Callable[[], float]
