"""A raw-socket proxy between a connector and a sandbox, for faults below HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from crmsync.testing.bad_wire import Answer, Behaviour, Exchange, hang_up, relay
from crmsync.testing.recorder import RequestKind

Classify = Callable[[str, str, Any], RequestKind]
_DROPPED = {"content-length", "transfer-encoding", "connection", "keep-alive"}


@dataclass(slots=True)
class PlannedBehaviour:
    """One line of the proxy's script; ``hits`` tells how often it has struck."""

    method: str
    path: str
    kind: RequestKind | None
    behaviour: Behaviour
    times: int
    skip: int
    hits: int = 0


class FaultProxy:
    """Listens on 127.0.0.1 and passes requests on to *upstream*, but for those its script names.

    Without *upstream* every request is answered by *always* (a server of bare sockets). *classify*
    is the sandbox's own, so that a script can say "the next write". Use it as a context manager.
    """

    def __init__(
        self,
        upstream: str | None = None,
        *,
        classify: Classify | None = None,
        always: Behaviour | None = None,
    ) -> None:
        self._upstream = urlsplit(upstream) if upstream else None
        self._classify = classify
        self._always = always or (relay if upstream else hang_up)
        self._planned: list[PlannedBehaviour] = []
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        """What came in, head and body, in order."""
        self.arrived: list[datetime] = []
        """When each came in (the machine's clock)."""
        self._accepting = threading.Thread(
            target=self._accept, name="crmsync-fault-proxy", daemon=True
        )

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def next(
        self,
        behaviour: Behaviour,
        *,
        method: str = "*",
        path: str = "*",
        kind: RequestKind | None = None,
        times: int = 1,
        skip: int = 0,
    ) -> PlannedBehaviour:
        """Let *behaviour* strike the next *times* requests that match, after *skip* others."""
        planned = PlannedBehaviour(method.upper(), path, kind, behaviour, times, skip)
        with self._guard:
            self._planned.append(planned)
        return planned

    def clear(self) -> None:
        """Take every line of the script back."""
        with self._guard:
            self._planned.clear()

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in [self._accepting, *self._threads]:
            thread.join(5)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, http.client.HTTPException):
            while not self._over.is_set():
                request = _read_request(connection)
                if not request:
                    return
                with self._guard:
                    self.requests.append(request)
                    self.arrived.append(datetime.now(UTC))
                exchange = self._exchange(connection, request)
                self._behaviour(exchange)(exchange)
                if exchange.closed:
                    return

    def _exchange(self, connection: socket.socket, request: bytes) -> Exchange:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)

        def forward() -> Answer:
            return self._forward(method, target, headers, body)

        return Exchange(connection, method, target, headers, body, self._over, forward)

    def _behaviour(self, exchange: Exchange) -> Behaviour:
        path = exchange.target.partition("?")[0]
        kind = None
        if self._classify is not None:
            kind = self._classify(exchange.method, path, _parsed(exchange.body))
        with self._guard:
            for planned in self._planned:
                fits = (
                    planned.hits < planned.times
                    and planned.method in {"*", exchange.method}
                    and planned.kind in {None, kind}
                    and fnmatchcase(path, planned.path)
                )
                if not fits:
                    continue
                if planned.skip > 0:
                    planned.skip -= 1
                    continue
                planned.hits += 1
                return planned.behaviour
        return self._always

    def _forward(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert self._upstream is not None
        line = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port or 80)
        kept = {name: text for name, text in headers.items() if name.lower() not in _DROPPED}
        with contextlib.closing(line):
            line.request(method, target, body=body or None, headers=kept)
            found = line.getresponse()
            content = found.read()
            answered = {
                name.lower(): text
                for name, text in found.getheaders()
                if name.lower() not in _DROPPED
            }
            return Answer(found.status, found.reason or "-", answered, content)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
