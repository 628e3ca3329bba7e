"""Rows 24 to 29, 31, 32, 36 and 40: what stands inside a reply that arrived whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.http_catalogue.line import PEOPLE, Line

from crmsync.errors import ConnectorError, UnexpectedReply
from crmsync.model.canonical import encode_value
from crmsync.model.equality import same_value
from crmsync.testing import RequestKind
from crmsync.testing.bad_wire import Exchange, body_changed

TEXT = "Marker-4711"


def marked(line: Line) -> Any:
    """A connector, with a text in the first record that a fault can replace on the wire."""
    line.sandbox.edit_as_person(
        line.harness.object, line.refs[0].id, {line.harness.text_field: TEXT}
    )
    return line.open()


def swapped(wire_json: bytes) -> Callable[[bytes], bytes]:
    """Put other JSON in the place of the marker."""
    return lambda body: body.replace(f'"{TEXT}"'.encode(), wire_json)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_number_is_named_with_its_field(wire: Line, number: bytes) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(number)))
    with pytest.raises(UnexpectedReply) as caught:
        wire.read(connector)
    field = wire.harness.text_field
    assert f"{field} 不是数字" in caught.value.message.zh
    assert f"{field} is not a number" in caught.value.message.en


def test_a_number_beyond_every_double_does_no_harm(wire: Line) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(b"1e400")))
    for record in wire.read(connector):
        json.dumps(encode_value(record.fields[wire.harness.text_field]))


def test_five_thousand_digits_are_refused_quickly(wire: Line) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(b"9" * 5000)))
    with pytest.raises(UnexpectedReply) as caught:
        wire.read(connector)
    assert "长得离谱" in caught.value.message.zh


def test_ids_are_text_even_when_they_come_as_large_numbers(zoho: Line) -> None:
    """Nineteen digits do not fit a double; they come back digit for digit."""
    connector = zoho.open()
    ids = {ref.id for ref in zoho.refs}

    def numeric(body: bytes) -> bytes:
        for id in ids:
            body = body.replace(f'"id":"{id}"'.encode(), f'"id":{id}'.encode())
        return body

    zoho.next(body_changed(numeric))
    found = {record.ref.id for record in zoho.read(connector)}
    assert found == ids
    assert all(isinstance(id, str) and len(id) == 19 for id in found)


def test_nesting_deeper_than_the_stack_is_unreadable(wire: Line) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(b"[" * 100_000 + b"]" * 100_000)))
    with pytest.raises(UnexpectedReply):
        wire.read(connector)


def test_a_key_that_comes_twice_is_never_guessed(wire: Line) -> None:
    connector = marked(wire)
    field = wire.harness.text_field
    wire.next(body_changed(swapped(f'"{TEXT}","{field}":"other"'.encode())))
    with pytest.raises(UnexpectedReply) as caught:
        wire.read(connector)
    assert "两次" in caught.value.message.zh
    assert "twice" in caught.value.message.en


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'"a\\ud83db"', "a\ufffdb"),
        (b'"a\\u0000b"', "ab"),
        ('"👩‍👩‍👧 مرحبا"'.encode(), "👩‍👩‍👧 مرحبا"),
        ('"e\u0301"'.encode(), "e\u0301"),
    ],
)
def test_broken_characters_are_mended_and_told_others_kept(
    wire: Line, sent: bytes, kept: str
) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(sent)))
    found = {record.fields[wire.harness.text_field] for record in wire.read(connector)}
    assert kept in found
    told = [text for text in wire.notices if "损坏字符" in text.zh]
    assert len(told) == (1 if b"\\u" in sent else 0)


def test_composed_and_decomposed_letters_are_the_same_value() -> None:
    assert same_value("é", "e\u0301")


def test_a_text_of_two_megabytes_is_carried_whole(wire: Line) -> None:
    connector = marked(wire)
    wire.next(body_changed(swapped(b'"' + b"x" * 2_000_000 + b'"')))
    longest = max(len(str(r.fields[wire.harness.text_field])) for r in wire.read(connector))
    assert longest == 2_000_000


def test_only_fields_that_are_asked_for_are_asked_of_the_crm(wire: Line) -> None:
    """A large field no rule uses never travels: reads name their fields."""
    connector = wire.open()
    wire.read(connector)
    request = wire.proxy.requests[-1]
    assert wire.harness.text_field.encode() in request
    assert b"Description" not in request
    assert b"remark" not in request


def test_a_page_that_comes_again_is_noticed(zoho: Line) -> None:
    connector = zoho.open()
    zoho.harness.seed(450)
    first: list[bytes] = []

    def again(exchange: Exchange) -> None:
        answer = exchange.forward()
        first.append(answer.whole())
        exchange.send(first[0])

    zoho.proxy.next(again, kind=RequestKind.READ, times=9)
    with pytest.raises(UnexpectedReply) as caught:
        zoho.read(connector)
    assert "同一页" in caught.value.message.zh
    assert "same page twice" in caught.value.message.en


def test_a_full_page_that_comes_again_is_noticed(fxiaoke: Line) -> None:
    connector = fxiaoke.open()
    fxiaoke.harness.seed(150)
    first: list[bytes] = []

    def again(exchange: Exchange) -> None:
        answer = exchange.forward()
        first.append(answer.whole())
        exchange.send(first[0])

    fxiaoke.proxy.next(again, kind=RequestKind.READ, times=9)
    with pytest.raises(UnexpectedReply) as caught:
        fxiaoke.read(connector)
    assert "同一页" in caught.value.message.zh


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-20T16:00:00+08:00",
        "2026-11-20T08:00:00Z",
        "2026-11-20T13:30:00+05:30",
        "2026-11-20T21:45:00+13:45",
    ],
)
def test_odd_zones_of_a_modified_time_are_the_same_moment(zoho: Line, stamp: str) -> None:
    connector = zoho.open()

    def restamped(body: bytes) -> bytes:
        tree = json.loads(body)
        for item in tree["data"]:
            item["Modified_Time"] = stamp
        return json.dumps(tree).encode()

    zoho.next(body_changed(restamped))
    for record in zoho.read(connector):
        assert record.modified_at.isoformat() == "2026-11-20T08:00:00+00:00"


@pytest.mark.parametrize(
    "stamp", ["2026-11-20T16:00:00", "20/11/2026", "0001-01-01T00:00:00+14:00", ""]
)
def test_a_modified_time_without_a_zone_is_refused_not_guessed(zoho: Line, stamp: str) -> None:
    connector = zoho.open()

    def restamped(body: bytes) -> bytes:
        tree = json.loads(body)
        for item in tree["data"]:
            item["Modified_Time"] = stamp
        return json.dumps(tree).encode()

    zoho.next(body_changed(restamped))
    with pytest.raises(ConnectorError) as caught:
        zoho.read(connector)
    assert "修改时间" in caught.value.message.zh


@pytest.mark.parametrize(
    ("millis", "day"), [(15_000_000_000, "1970-06-23"), (1_795_219_200_000, "2026-11-21")]
)
def test_milliseconds_are_never_read_as_seconds(fxiaoke: Line, millis: int, day: str) -> None:
    connector = fxiaoke.open()

    def restamped(body: bytes) -> bytes:
        tree = json.loads(body)
        for row in tree["data"]["dataList"]:
            row["last_modified_time"] = millis
        return json.dumps(tree).encode()

    fxiaoke.next(body_changed(restamped))
    records = fxiaoke.read(connector)
    assert len(records) == PEOPLE
    assert {record.modified_at.date().isoformat() for record in records} == {day}


@pytest.mark.parametrize("millis", [10**18, -(10**18), "1795219200000", None, True])
def test_a_modified_time_in_another_form_is_refused(fxiaoke: Line, millis: object) -> None:
    connector = fxiaoke.open()

    def restamped(body: bytes) -> bytes:
        tree = json.loads(body)
        for row in tree["data"]["dataList"]:
            row["last_modified_time"] = millis
        return json.dumps(tree).encode()

    fxiaoke.next(body_changed(restamped))
    with pytest.raises(UnexpectedReply) as caught:
        fxiaoke.read(connector)
    assert "last_modified_time" in caught.value.message.zh
