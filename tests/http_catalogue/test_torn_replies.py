"""Rows 7, 8, 12 to 23, 30 and 41: replies that are lost, torn, late, lying or nobody can read."""

from __future__ import annotations

import gzip
import json
import threading
import time

import pytest
from tests.http_catalogue.line import PEOPLE, SOON, Line

from crmsync.errors import ExitCode, OutcomeUnknown, Unavailable, UnexpectedReply
from crmsync.testing import RequestKind
from crmsync.testing.bad_wire import (
    GARBAGE,
    Behaviour,
    after_commit,
    body_changed,
    bomb,
    cut,
    drip,
    hang_up,
    late,
    raw,
    relay,
    reply,
    reset,
    silence,
    slowly,
    twice_then_gone,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
LOST: dict[str, tuple[Behaviour, str, str]] = {
    "cut with its length": (cut(30), "中断", "broke off"),
    "cut without": (cut(30, known_length=False), "中断", "broke off"),
    "reset at once": (reset, "中断", "broke off"),
    "reset in the body": (cut(30, hard=True), "中断", "broke off"),
    "closed without a word": (hang_up, "中断", "broke off"),
    "not HTTP": (GARBAGE["not HTTP"], "不是 HTTP", "is not HTTP"),
    "bad status line": (GARBAGE["bad status line"], "不是 HTTP", "is not HTTP"),
    "bad chunk": (GARBAGE["bad chunk"], "不是 HTTP", "is not HTTP"),
    "2 MB header": (GARBAGE["2 MB header"], "不是 HTTP", "is not HTTP"),
    "bad gzip": (
        reply(b"not packed", headers="Content-Encoding: gzip\r\n"),
        "压缩内容损坏",
        "compression is broken",
    ),
}
UNREADABLE: dict[str, tuple[Behaviour, str, str]] = {
    "cut JSON of the right length": (body_changed(lambda b: b[:-7]), "JSON", "not usable JSON"),
    "a sign-in page": (
        reply(b"<html><title>Sign in</title>Ms Example", kind="text/html"),
        "网页（“Sign in”）",
        "a web page (“Sign in”)",
    ),
    "a page called JSON": (reply(b"<html><title>WAF</title>"), "WAF", "WAF"),
    "an empty 200": (reply(b""), "空的", "empty"),
    "deep JSON": (reply(b"[" * 200_000), "JSON", "not valid JSON"),
    "GBK without saying so": (
        reply('{"data":[{"id":"1","n":"示例"}]}'.encode("gbk")),
        "编码",
        "encoding",
    ),
    "a bomb of 64 MiB": (bomb(64 * 1024 * 1024), "32 MiB", "32 MiB"),
}


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_reply_to_a_read_is_asked_for_again(wire: Line, fault: str) -> None:
    connector = wire.open()
    struck = wire.next(LOST[fault][0])
    if fault == "bad gzip":
        with pytest.raises(UnexpectedReply) as caught:
            wire.read(connector)
        assert caught.value.exit is ExitCode.TRY_LATER
    else:
        assert len(wire.read(connector)) == PEOPLE
    assert struck.hits == 1


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_reply_to_a_write_is_in_doubt_and_never_repeated(wire: Line, fault: str) -> None:
    behaviour, zh, en = LOST[fault]
    connector = wire.open()
    wire.next(behaviour, RequestKind.WRITE)
    with pytest.raises(OutcomeUnknown) as caught:
        wire.write(connector)
    assert zh in caught.value.message.zh
    assert en in caught.value.message.en
    assert caught.value.exit is ExitCode.PARTIAL
    assert wire.sent(RequestKind.WRITE) == 1


@pytest.mark.parametrize("fault", list(GARBAGE))
def test_what_is_not_http_says_check_the_address(wire: Line, fault: str) -> None:
    connector = wire.open()
    wire.next(GARBAGE[fault], times=99)
    with pytest.raises(Unavailable) as caught:
        wire.read(connector)
    assert caught.value.mend is not None
    assert "核对连接的地址" in caught.value.mend.zh
    assert "Check the connection's address" in caught.value.mend.en


@pytest.mark.parametrize("fault", UNREADABLE)
@pytest.mark.parametrize("kind", [RequestKind.READ, RequestKind.WRITE])
def test_a_reply_nobody_can_read(wire: Line, fault: str, kind: RequestKind) -> None:
    behaviour, zh, en = UNREADABLE[fault]
    connector = wire.open()
    wire.next(behaviour, kind)
    meaning = OutcomeUnknown if kind is RequestKind.WRITE else UnexpectedReply
    with pytest.raises(meaning) as caught:
        wire.write(connector) if kind is RequestKind.WRITE else wire.read(connector)
    assert zh in caught.value.message.zh
    assert en in caught.value.message.en
    assert "Example" not in caught.value.message.en + caught.value.message.zh
    assert wire.sent(kind) == 1


def test_a_bomb_is_stopped_before_it_fills_the_memory(zoho: Line) -> None:
    import tracemalloc

    connector = zoho.open()
    zoho.next(bomb(512 * 1024 * 1024))
    tracemalloc.start()
    with pytest.raises(UnexpectedReply, match="32 MiB"):
        zoho.read(connector)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80 * 1024 * 1024


def test_a_204_on_a_list_means_no_records_where_the_vendor_says_so(zoho: Line) -> None:
    connector = zoho.open()
    zoho.next(raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False))
    assert zoho.read(connector) == []


def test_a_204_where_data_must_come_is_no_answer(fxiaoke: Line) -> None:
    connector = fxiaoke.open()
    fxiaoke.next(raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False))
    with pytest.raises(UnexpectedReply) as caught:
        fxiaoke.read(connector)
    assert "空的" in caught.value.message.zh


SLOW: dict[str, Behaviour] = {
    "headers drip": drip(HEAD, b"X-Slow: 1\r\n"),
    "body drips": drip(CHUNKED, b"1\r\n1\r\n"),
    "the whole answer drips": slowly(0.05),
    "silence": silence,
    "answers when we have gone": late(SOON * 3),
}


@pytest.mark.parametrize("fault", SLOW)
def test_a_slow_server_is_given_up_at_the_deadline(wire: Line, fault: str) -> None:
    connector = wire.open(write_seconds=SOON)
    wire.next(SLOW[fault], RequestKind.WRITE)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown) as caught:
        wire.write(connector)
    assert time.monotonic() - started < SOON + 1
    assert "没有在限定时间内答复" in caught.value.message.zh
    assert "within the deadline" in caught.value.message.en


def test_what_was_committed_before_the_silence_is_found_by_reading(wire: Line) -> None:
    connector = wire.open(write_seconds=SOON)
    wire.next(after_commit(silence), RequestKind.WRITE)
    with pytest.raises(OutcomeUnknown):
        wire.write(connector, "kept")
    assert wire.stored() == "kept"
    (found,) = [r for r in wire.read(connector) if r.ref == wire.refs[0]]
    assert found.fields[wire.harness.text_field] == "kept"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("committed", [True, False])
def test_a_5xx_after_a_write_tells_nothing(wire: Line, status: int, committed: bool) -> None:
    answer = reply(b"<html><title>Oops</title>", status=f"{status} X", kind="text/html")
    connector = wire.open()
    wire.next(after_commit(answer) if committed else answer, RequestKind.WRITE)
    with pytest.raises(OutcomeUnknown) as caught:
        wire.write(connector)
    assert f"HTTP {status}" in caught.value.message.zh
    assert wire.sent(RequestKind.WRITE) == 1


def test_a_503_page_on_a_read_is_waited_out(wire: Line) -> None:
    connector = wire.open()
    page = reply(b"<html><title>Maintenance</title>", status="503 Busy", kind="text/html")
    wire.next(page, times=2)
    assert len(wire.read(connector)) == PEOPLE


def test_a_kept_connection_closed_as_it_is_used_again(wire: Line) -> None:
    connector = wire.open()
    wire.next(twice_then_gone)
    wire.read(connector)
    with pytest.raises(OutcomeUnknown):
        wire.write(connector)
    assert wire.stored() != "new"


def test_a_declared_charset_is_used(wire: Line) -> None:
    wire.sandbox.edit_as_person(
        wire.harness.object, wire.refs[0].id, {wire.harness.text_field: "示例"}
    )
    connector = wire.open()
    recoded = body_changed(
        lambda body: json.dumps(json.loads(body), ensure_ascii=False).encode("gbk"),
        content_type="application/json; charset=gbk",
    )
    wire.next(recoded)
    assert "示例" in {r.fields[wire.harness.text_field] for r in wire.read(connector)}


def test_a_packed_answer_is_unpacked(wire: Line) -> None:
    connector = wire.open()
    wire.next(body_changed(gzip.compress, content_encoding="gzip"))
    assert len(wire.read(connector)) == PEOPLE


def test_deadlines_in_many_threads_leave_the_connector_usable(wire: Line) -> None:
    connector = wire.open(write_seconds=0.05)
    wire.next(silence, RequestKind.WRITE, times=24)
    missed: list[type] = []

    def work() -> None:
        for _ in range(8):
            try:
                wire.write(connector)
            except (OutcomeUnknown, Unavailable) as problem:
                missed.append(type(problem))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(missed) == 24
    assert len(wire.read(connector)) == PEOPLE


def test_relay_alone_changes_nothing(wire: Line) -> None:
    connector = wire.open()
    wire.next(relay, times=5)
    assert len(wire.read(connector)) == PEOPLE
