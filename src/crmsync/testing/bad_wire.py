"""Replies no web framework would send: torn, dripping, lying, packed, silent or late."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the server behind, taken apart. ``headers`` are without its length."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    def head(self, *, length: int | None = None, more: str = "") -> bytes:
        """The status line and headers; *length* is what they claim, whatever is sent."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode("latin-1")

    def whole(self) -> bytes:
        """The reply as it should arrive."""
        return self.head(length=len(self.body)) + self.body


@dataclass(slots=True)
class Exchange:
    """One request that has arrived on *connection*; ``forward`` lets the server behind carry it
    out and gives its answer. ``over`` is set when the proxy stops."""

    connection: socket.socket
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    over: threading.Event
    forward: Callable[[], Answer] = field(repr=False)
    closed: bool = False
    """Nothing more is read from this connection."""

    def send(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self.connection.sendall(data)

    def close(self) -> None:
        """Close in good manners."""
        self.closed = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float) -> None:
        """Let time pass; ends early when the proxy stops."""
        self.over.wait(seconds)


Behaviour: TypeAlias = Callable[[Exchange], None]


def relay(exchange: Exchange) -> None:
    """What a wire should do: the server's answer, whole."""
    exchange.send(exchange.forward().whole())


def reply(
    body: bytes, *, status: str = "200 OK", headers: str = "", kind: str = "application/json"
) -> Behaviour:
    """A whole, well-formed reply that the server behind knows nothing of."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    )
    return raw(head.encode("latin-1") + body, close=False)


def raw(data: bytes, *, close: bool = True) -> Behaviour:
    """These bytes as they are."""

    def behave(exchange: Exchange) -> None:
        exchange.send(data)
        if close:
            exchange.close()

    return behave


def drip(head: bytes, piece: bytes, *, every: float = 0.05, times: int = 400) -> Behaviour:
    """*head* at once, then *piece* again and again, slowly."""

    def behave(exchange: Exchange) -> None:
        exchange.send(head)
        for _ in range(times):
            if exchange.over.wait(every):
                return
            exchange.send(piece)

    return behave


def silence(exchange: Exchange) -> None:
    """Say nothing until the client gives up."""
    exchange.connection.recv(1)
    exchange.closed = True


def hang_up(exchange: Exchange) -> None:
    """Close without a word."""
    exchange.close()


def reset(exchange: Exchange) -> None:
    """Reset the connection."""
    linger = struct.pack("ii", 1, 0)
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    exchange.connection.close()
    exchange.closed = True


def after_commit(behaviour: Behaviour) -> Behaviour:
    """Let the server behind carry the request out, then behave like this."""

    def behave(exchange: Exchange) -> None:
        exchange.forward()
        behaviour(exchange)

    return behave


def cut(sent: int, *, known_length: bool = True, hard: bool = False) -> Behaviour:
    """The server's answer broken off after *sent* bytes of its body: with the true length in its
    head or, as a chunk that never ends, without; *hard* resets instead of closing."""

    def behave(exchange: Exchange) -> None:
        answer = exchange.forward()
        if known_length:
            exchange.send(answer.head(length=len(answer.body)) + answer.body[:sent])
        else:
            head = answer.head(more="Transfer-Encoding: chunked\r\n")
            size = f"{len(answer.body):x}\r\n".encode()
            exchange.send(head + size + answer.body[:sent])
        reset(exchange) if hard else exchange.close()

    return behave


def changed(change: Callable[[Answer], Answer]) -> Behaviour:
    """The server's answer, changed on the way; its length is right."""

    def behave(exchange: Exchange) -> None:
        exchange.send(change(exchange.forward()).whole())

    return behave


def body_changed(change: Callable[[bytes], bytes], **headers: str) -> Behaviour:
    """The server's answer with another body and, where given, other headers (``content_type``)."""

    def altered(answer: Answer) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(answer, body=change(answer.body), headers={**answer.headers, **named})

    return changed(altered)


def bomb(size: int) -> Behaviour:
    """A small reply that unpacks to *size* bytes."""
    return reply(gzip.compress(b"\0" * size), headers="Content-Encoding: gzip\r\n")


def late(seconds: float) -> Behaviour:
    """Carry the request out at once, answer when the client has long given up."""

    def behave(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.wait(seconds)
        exchange.send(answer.whole())

    return behave


def slowly(every: float, *, piece: int = 1) -> Behaviour:
    """The server's whole answer, a few bytes at a time: headers first, then the body."""

    def behave(exchange: Exchange) -> None:
        data = exchange.forward().whole()
        for start in range(0, len(data), piece):
            exchange.send(data[start : start + piece])
            if exchange.over.wait(every):
                return

    return behave


def twice_then_gone(exchange: Exchange) -> None:
    """Answer well, keep the connection open, and close it as the next request comes in on it."""
    relay(exchange)
    exchange.connection.recv(65_536)
    exchange.close()


GARBAGE: Mapping[str, Behaviour] = {
    "not HTTP": raw(b"220 mail.example.test ESMTP\r\n\r\n"),
    "bad status line": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
    "bad chunk": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "2 MB header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000),
}
"""Four ways not to be HTTP."""
