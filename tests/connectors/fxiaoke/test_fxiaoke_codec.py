"""Wire forms, field by field: what describe says and how values travel."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.model.schema import FieldType
from crmsync_fxiaoke.codec import FieldCodec, Unreadable, Unwritable, codecs


def codec(type_: str, **entry: Any) -> FieldCodec:
    described = {"f": {"type": type_, "label": "字段", "api_name": "f", **entry}}
    return codecs(described, "Asia/Shanghai")["f"]


@pytest.mark.parametrize(
    ("type_", "entry", "expected"),
    [
        ("number", {"decimal_places": 0}, FieldType.INTEGER),
        ("number", {"decimal_places": 2}, FieldType.DECIMAL),
        ("number", {}, FieldType.DECIMAL),
        ("percentile", {"decimal_places": 2}, FieldType.PERCENT),
        ("master_detail", {"target_api_name": "AccountObj"}, FieldType.LOOKUP),
        ("formula", {"return_type": "currency"}, FieldType.CURRENCY),
        ("quote", {"quote_field_type": "select_one"}, FieldType.PICKLIST),
        ("file_attachment", {}, FieldType.OTHER),
        ("department", {}, FieldType.OTHER),
    ],
)
def test_types_follow_the_description(
    type_: str, entry: dict[str, Any], expected: FieldType
) -> None:
    found = codec(type_, **entry).schema
    assert found.type is expected
    assert found.read_only is (type_ in {"formula", "quote"})


def test_fields_switched_off_and_options_out_of_use_are_left_out() -> None:
    assert codecs({"f": {"type": "text", "is_active": False}}, "Asia/Shanghai") == {}
    options = [
        {"value": "a", "label": "甲"},
        {"value": "b", "label": "乙", "not_usable": True},
        {"api_name": "default__c", "label": "预设"},
    ]
    found = codec("select_one", options=options).schema
    assert [choice.value for choice in found.choices] == ["a", "default__c"]


@pytest.mark.parametrize(
    ("type_", "wire", "value"),
    [
        ("number", "100.010", Decimal("100.01")),
        ("currency", 100, Decimal(100)),
        ("date", 1619712000000, date(2021, 4, 30)),  # the vendor's own example: 16:00Z, Beijing day
        ("date", 15000000000, date(1970, 6, 23)),  # milliseconds, never seconds
        ("date", "1619712000000", date(2021, 4, 30)),
        ("date_time", 1619422813071, datetime(2021, 4, 26, 7, 40, 13, 71000, tzinfo=UTC)),
        ("employee", ["1000"], "1000"),
        ("employee", "FSUID_1", "FSUID_1"),
        ("employee", [], None),
        ("select_many", ["b", "a", "a"], ("a", "b")),
        ("text", "", None),
        ("true_or_false", False, False),
        ("image", [], None),
    ],
)
def test_wire_values_become_canonical(type_: str, wire: Any, value: Any) -> None:
    got = codec(type_).read(wire)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("type_", "wire"),
    [
        ("number", "12,5"),
        ("number", "NaN"),
        ("number", True),
        ("currency", ["1"]),
        ("date", "2026-11-22"),
        ("date_time", 10**20),
        ("true_or_false", "true"),
        ("select_one", 3),
        ("employee", [1000]),
        ("text", {"a": 1}),
    ],
)
def test_other_forms_are_unreadable_not_guessed(type_: str, wire: Any) -> None:
    with pytest.raises(Unreadable):
        codec(type_).read(wire)


def test_an_integer_field_does_not_round_what_it_reads() -> None:
    with pytest.raises(Unreadable):
        codec("number", decimal_places=0).read("1.5")


@pytest.mark.parametrize(
    ("type_", "value", "wire"),
    [
        ("number", Decimal("1E+3"), "1000"),
        ("currency", Decimal("-0.10"), "-0.10"),
        ("date", date(2021, 4, 30), 1619712000000),
        ("employee", "1000", ["1000"]),
        ("true_or_false", True, True),
        ("department", "1001", ["1001"]),
    ],
)
def test_canonical_values_go_out_in_the_documented_form(type_: str, value: Any, wire: Any) -> None:
    assert codec(type_).write(value) == wire


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("number", "12"),
        ("number", True),
        ("number", Decimal("Infinity")),
        ("date", datetime(2026, 1, 1, tzinfo=UTC)),
        ("date_time", datetime(2026, 1, 1)),
        ("true_or_false", 1),
        ("text", 3),
        ("select_many", "a"),
        ("text", ("a",)),
    ],
)
def test_values_of_another_type_are_unwritable(type_: str, value: Any) -> None:
    with pytest.raises(Unwritable) as caught:
        codec(type_).write(value)
    assert caught.value.code == "WRONG_TYPE"


def test_dates_follow_the_field_s_own_zone() -> None:
    west = codec("date", time_zone="GMT-5")
    assert west.read(1619712000000) == date(2021, 4, 29)
    assert west.write(date(2021, 4, 29)) == 1619672400000


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KINDS = ("text", "number", "date", "date_time", "employee", "select_many", "true_or_false", "image")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), ANY_JSON)
def test_whatever_comes_is_read_or_called_unreadable(kind: str, wire: Any) -> None:
    with contextlib.suppress(Unreadable):
        codec(kind).read(wire)


@settings(max_examples=150, deadline=None)
@given(st.dates(min_value=date(1901, 1, 1)))
def test_every_date_comes_back(day: date) -> None:
    field = codec("date")
    assert field.read(field.write(day)) == day


@settings(max_examples=150, deadline=None)
@given(st.decimals(-(10**15), 10**15, places=2))
def test_every_amount_comes_back(amount: Decimal) -> None:
    field = codec("currency", decimal_places=2)
    assert field.read(field.write(amount)) == amount
