"""Every way a reply can go wrong has one meaning, and none of them outlives its deadline."""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
import ssl
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crmsync.connector.address import AddressRefused
from crmsync.connector.context import ConnectionContext
from crmsync.connector.http import HttpCall, HttpOptions, HttpSession, Purpose
from crmsync.errors import (
    AccessDenied,
    AuthError,
    ConfigError,
    ConnectorError,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    UnexpectedReply,
    UsageError,
)
from crmsync.testing import FaultProxy, SandboxClock, practice_context
from crmsync.testing.bad_wire import (
    Behaviour,
    drip,
    hang_up,
    raw,
    reply,
    reset,
    silence,
)

READ = HttpCall(method="GET", path="/things", purpose=Purpose.READ)
WRITE = HttpCall(method="POST", path="/things", purpose=Purpose.WRITE, json={"a": 1})
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def context(*, allow_private: bool = True) -> ConnectionContext:
    made = practice_context({}, SandboxClock(datetime(2026, 11, 22, tzinfo=UTC)))
    return ConnectionContext(
        connection="practice",
        secrets=made.secrets,
        tokens=made.tokens,
        now=made.now,
        sleep=made.sleep,
        allow_private=allow_private,
    )


@contextmanager
def serving(behaviour: Behaviour, **options: object) -> Iterator[tuple[HttpSession, FaultProxy]]:
    settings = HttpOptions(write_deadline=0.5, read_deadline=0.5, **options)
    with (
        FaultProxy(always=behaviour) as server,
        HttpSession(server.url, context(), settings) as session,
    ):
        yield session, server


def fails(behaviour: Behaviour, call: HttpCall) -> ConnectorError:
    with serving(behaviour) as (session, _), pytest.raises(ConnectorError) as caught:
        session.send(call).json()
    return caught.value


TORN = {
    "drips its headers": drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
    "drips its body": drip(CHUNKED, b"1\r\n1\r\n"),
    "drips nothing but a status": drip(b"", b"H"),
    "stays silent": silence,
    "hangs up": hang_up,
    "resets": reset,
    "breaks off its body": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\n\r\n[1,2"
    ),
    "breaks off a chunk": raw(CHUNKED + b"ff\r\n[1"),
    "is not HTTP": raw(b"220 mail.example.test ESMTP\r\n"),
    "sends a bad status line": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
    "sends a bad chunk": raw(CHUNKED + b"zz\r\n"),
    "sends an endless header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000),
}


@pytest.mark.parametrize("name", TORN)
@pytest.mark.parametrize(("call", "meaning"), [(READ, Unavailable), (WRITE, OutcomeUnknown)])
def test_a_lost_reply_is_safe_after_a_read_and_in_doubt_after_a_write(
    name: str, call: HttpCall, meaning: type[ConnectorError]
) -> None:
    started = time.monotonic()
    assert type(fails(TORN[name], call)) is meaning
    assert time.monotonic() - started < 2.0


UNREADABLE = {
    "cut JSON": reply(b'{"a": 1, "b'),
    "NaN": reply(b'{"a": NaN}'),
    "Infinity": reply(b'{"a": -Infinity}'),
    "a key twice": reply(b'{"a": 1, "a": 2}'),
    "an absurdly long number": reply(b'{"a": ' + b"9" * 5000 + b"}"),
    "an absurdly large number": reply(b'{"a": 1e999999999}'),
    "200 000 brackets": reply(b"[" * 200_000),
    "Latin-1 called UTF-8": reply(b'{"a": "caf\xe9"}'),
    "an encoding that does not exist": reply(b"{}", kind="application/json; charset=klingon"),
    "an empty 200": reply(b""),
    "a 204": raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False),
    "a web page": reply(b"<html><title>Sign in</title>", kind="text/html"),
    "a web page called JSON": reply(b"<html>"),
    "plain words": reply(b"OK", kind="text/plain"),
    "bad gzip": reply(b"not packed", headers="Content-Encoding: gzip\r\n"),
    "cut gzip": reply(gzip.compress(b"[1]" * 99)[:-6], headers="Content-Encoding: gzip\r\n"),
    "an encoding nobody asked for": reply(b"x", headers="Content-Encoding: br\r\n"),
    "a redirect": reply(b"", status="302 Found", headers="Location: https://else.test/\r\n"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize(("call", "meaning"), [(READ, UnexpectedReply), (WRITE, OutcomeUnknown)])
def test_a_reply_nobody_can_read(name: str, call: HttpCall, meaning: type[ConnectorError]) -> None:
    assert type(fails(UNREADABLE[name], call)) is meaning


def test_a_web_page_shows_its_title_and_nothing_more() -> None:
    page = b"<html><title> Sign\n in &amp; \x07go </title><body>Ms Example, 555-0100"
    problem = fails(reply(page, kind="text/html"), READ)
    assert "“Sign in & go”" in problem.message.zh
    assert "Example" not in problem.message.en + problem.message.zh


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress])
def test_a_bomb_is_refused_early(packed) -> None:
    bomb = packed(b"\0" * 200_000_000)
    kind = "gzip" if packed is gzip.compress else "deflate"
    with serving(reply(bomb, headers=f"Content-Encoding: {kind}\r\n"), max_reply=1_000_000) as (
        s,
        _,
    ):
        started = time.monotonic()
        with pytest.raises(UnexpectedReply, match="larger than the cap"):
            s.send(READ)
        assert time.monotonic() - started < 1.0


def test_a_large_plain_reply_is_refused() -> None:
    large = reply(b"[" + b"1," * 600_000 + b"1]")
    with (
        serving(large, max_reply=1_000_000) as (session, _),
        pytest.raises(OutcomeUnknown, match="larger than the cap"),
    ):
        session.send(WRITE)


@pytest.mark.parametrize("kind", ["gzip", "deflate", "raw deflate"])
def test_packed_replies_are_unpacked(kind: str) -> None:
    text = b'{"name": "\xe7\xa4\xba\xe4\xbe\x8b"}' + b" " * 400_000
    squeeze = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": squeeze.compress(text) + squeeze.flush(),
    }[kind]
    with serving(reply(packed, headers=f"Content-Encoding: {kind.rsplit(maxsplit=1)[-1]}\r\n")) as (
        session,
        _,
    ):
        assert session.send(READ).json() == {"name": "示例"}


def test_nothing_listening_means_not_sent_even_for_a_write() -> None:
    with FaultProxy(always=hang_up) as server:
        address = server.url
    with HttpSession(address, context()) as session, pytest.raises(Unavailable):
        session.send(WRITE)


def test_a_name_that_does_not_resolve_means_not_sent() -> None:
    with HttpSession("http://nobody.invalid", context()) as session, pytest.raises(Unavailable):
        session.send(WRITE)


def test_deadline_hits_leave_the_pool_usable() -> None:
    good = reply(b"{}")
    slow = True

    def behave(connection) -> None:
        if slow:
            silence(connection)
        else:
            good(connection)

    with FaultProxy(always=behave) as server:
        options = HttpOptions(parallel=2, read_deadline=0.05)
        with HttpSession(server.url, context(), options) as session:
            misses = []

            def work() -> None:
                for _ in range(12):
                    try:
                        session.send(READ)
                    except Unavailable:
                        misses.append(1)

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(misses) == 48
            slow = False
            call = HttpCall(method="GET", path="/", purpose=Purpose.READ, deadline=2.0)
            assert [session.send(call).json() for _ in range(6)] == [{}] * 6


def test_a_call_is_sent_once_whatever_happens() -> None:
    for behaviour in (hang_up, silence, reply(b"", status="503 Busy")):
        with serving(behaviour) as (session, server):
            with suppress(OutcomeUnknown):
                session.send(WRITE)
            assert len(server.requests) == 1


STATUSES = [
    (401, READ, AuthError),
    (401, WRITE, AuthError),
    (403, WRITE, AccessDenied),
    (429, WRITE, Throttled),
    (500, READ, Unavailable),
    (500, WRITE, OutcomeUnknown),
    (503, WRITE, OutcomeUnknown),
    (408, WRITE, OutcomeUnknown),
    (400, WRITE, type(None)),
    (404, READ, type(None)),
    (200, READ, type(None)),
]


@pytest.mark.parametrize(("status", "call", "meaning"), STATUSES)
def test_common_statuses_have_one_meaning(status: int, call: HttpCall, meaning: type) -> None:
    with serving(reply(b"{}", status=f"{status} X")) as (session, _):
        assert type(session.failure(session.send(call))) is meaning


def test_retry_after_reaches_the_error() -> None:
    with serving(reply(b"", status="429 Slow", headers="Retry-After: 12\r\n")) as (session, _):
        problem = session.failure(session.send(WRITE))
    assert isinstance(problem, Throttled)
    assert problem.retry_after == 12


def test_numbers_stay_exact_and_texts_are_mended() -> None:
    body = '{"n": 12345678901234567890, "d": 0.1, "t": "a\\ud83db\\u0000c", "ok": "\\ud83d\\ude00"}'
    with serving(reply(body.encode())) as (session, _):
        found = session.send(READ).json()
    assert found["n"] == 12345678901234567890
    assert str(found["d"]) == "0.1"
    assert found["t"] == "a\ufffdbc"
    assert found["ok"] == "😀"


def test_a_declared_charset_is_used() -> None:
    body = '{"name": "示例"}'.encode("gbk")
    with serving(reply(body, kind="application/json;charset=gbk")) as (session, _):
        assert session.send(READ).json() == {"name": "示例"}


class _Key(httpx.Auth):
    def auth_flow(self, request):
        request.headers["X-Api-Key"] = "canary-51423"
        yield request


def test_no_credential_shows_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call = HttpCall(
        method="POST",
        path="/customers/1234567890123/notes",
        purpose=Purpose.WRITE,
        query={"phone": "555-0100"},
        json={"name": "Ms Example"},
    )
    with serving(hang_up, auth=_Key()) as (session, server):
        with pytest.raises(OutcomeUnknown) as caught:
            session.send(call)
        assert b"canary-51423" in server.requests[0]
        trace = "".join(traceback.format_exception(caught.value))
        shown = repr(session) + repr(call) + caplog.text + repr(caught.value) + trace
    assert "/customers/{id}/notes" in caplog.text
    for secret in ("canary-51423", "555-0100", "Ms Example"):
        assert secret not in shown


def test_a_token_with_a_line_break_is_not_quoted() -> None:
    class Broken(httpx.Auth):
        def auth_flow(self, request):
            request.headers["Authorization"] = "canary-51423\r\nX: y"
            yield request

    with serving(reply(b"{}"), auth=Broken()) as (session, server):
        with pytest.raises(ConfigError) as caught:
            session.send(WRITE)
        assert "canary" not in "".join(traceback.format_exception(caught.value))
        assert server.requests == []


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(reply(b"{}")) as (session, _):
        assert session.send(READ).json() == {}


def test_a_read_only_connection_sends_no_write() -> None:
    with FaultProxy(always=reply(b"{}")) as server:
        reading = replace(context(), read_only=True)
        with HttpSession(server.url, reading) as session:
            assert session.send(READ).json() == {}
            with pytest.raises(UsageError):
                session.send(WRITE)
        assert len(server.requests) == 1


def test_session_keys_are_not_written_out(monkeypatch, tmp_path) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with HttpSession("https://127.0.0.1:9", context()) as session, pytest.raises(Unavailable):
        session.send(WRITE)
    assert not keys.exists()


def test_a_certificate_nobody_signed_is_refused_before_anything_is_sent(tmp_path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_self_signed(tmp_path))
    received: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError), tls.wrap_socket(connection, server_side=True) as safe:
            received.append(safe.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with HttpSession(address, context()) as session, pytest.raises(Unavailable):
            session.send(WRITE)
        thread.join()
    assert received == []


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm.example.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "both.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_another_host_is_refused_before_anything_is_sent() -> None:
    with serving(reply(b"{}")) as (session, server):
        away = HttpCall(method="GET", path="http://elsewhere.test/next", purpose=Purpose.READ)
        with pytest.raises(AddressRefused):
            session.send(away)
        assert server.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://crm.example.test",
        "ftp://crm.example.test",
        "https://",
        "https://user@crm.example.test",
        "https://0177.0.0.1",
    ],
)
def test_an_address_must_be_https_and_whole(address: str) -> None:
    with pytest.raises(ConfigError):
        HttpSession(address, context(allow_private=False))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.8",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fe80::1]",
        "[fc00::1]",
        "224.0.0.1",
        "0.0.0.0",
    ],
)
def test_inner_addresses_are_not_reached(host: str) -> None:
    with (
        HttpSession(f"https://{host}", context(allow_private=False)) as session,
        pytest.raises(AddressRefused),
    ):
        session.send(READ)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1"])
def test_some_addresses_are_refused_even_where_private_ones_are_allowed(host: str) -> None:
    with HttpSession(f"http://{host}", context()) as session, pytest.raises(AddressRefused):
        session.send(READ)
