"""Resume tokens fit their query only; a page that repeats stops the read; JSON is read strictly."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.connector import Everything, FieldIn, ModifiedSince, ReadQuery
from crmsync.connector.paging import SeenCursors, chunks, pack_resume, unpack_resume
from crmsync.connector.strict_json import NotJson, parse_json
from crmsync.errors import UnexpectedReply, UsageError

SINCE = ModifiedSince(datetime(2026, 11, 1, tzinfo=UTC))
QUERIES = [
    ReadQuery("Thing", ("a",)),
    ReadQuery("Thing", ("a", "b")),
    ReadQuery("Other", ("a",)),
    ReadQuery("Thing", ("a",), SINCE),
    ReadQuery("Thing", ("a",), FieldIn("id", ("1", "2"))),
    ReadQuery("Thing", ("a",), FieldIn("id", ("1",), below="7")),
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_resume_token_comes_back_whole_and_fits_no_other_query(query: ReadQuery) -> None:
    place = {"after": "0001", "page": 3, "last": None, "ä/示": True}
    token = pack_resume(query, place)
    assert unpack_resume(query, token) == place
    for other in QUERIES:
        if other != query:
            with pytest.raises(UsageError):
                unpack_resume(other, token)


@given(st.text(max_size=80))
def test_a_foreign_token_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(UsageError):
        unpack_resume(ReadQuery("Thing", (), Everything()), text)


def test_a_page_that_repeats_stops_the_read() -> None:
    seen = SeenCursors("Things")
    assert [seen.next("a"), seen.next("b"), seen.next("a")] == ["a", "b", "a"]
    with pytest.raises(UnexpectedReply, match="same page twice"):
        seen.next("a")


def test_chunks() -> None:
    assert [list(part) for part in chunks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_good_json_comes_back_as_it_was(value: object) -> None:
    text = json.dumps(value)
    found = parse_json(text.encode())
    if "\\u0000" not in text and "\\ud" not in text.lower():
        assert found.value == value
        assert found.mended == 0


def test_numbers_are_exact() -> None:
    assert parse_json(b"[1, 0.10, -1e2]").value == [1, Decimal("0.10"), Decimal("-1e2")]


def test_broken_characters_are_mended_and_counted() -> None:
    found = parse_json(b'{"k\\u0000": ["\\udc00", "\\ud83d\\ude00", {"x": "\\uD83D"}]}')
    assert found.value == {"k": ["\ufffd", "😀", {"x": "\ufffd"}]}
    assert found.mended == 3


@given(st.binary(max_size=60))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    with contextlib.suppress(NotJson):
        parse_json(data)
