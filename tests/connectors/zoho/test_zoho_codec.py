"""Zoho's values become canonical and back, type by type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.model.schema import FieldType
from crmsync_zoho.codec import NotWritable, decode, encode, field_info


def field(data_type: str, **more: object):
    return field_info(
        {"id": "1", "api_name": "F", "field_label": "F", "data_type": data_type, **more}
    )


@pytest.mark.parametrize(
    ("data_type", "wire", "canonical"),
    [
        ("text", "Ann", "Ann"),
        ("text", "", None),
        ("text", None, None),
        ("phone", "+86 1", "+86 1"),
        ("textarea", "a\nb", "a\nb"),
        ("website", "https://x.example", "https://x.example"),
        ("picklist", "高", "高"),
        ("multiselectpicklist", ["b", "a", "a"], ("a", "b")),
        ("multiselectpicklist", [], None),
        ("boolean", False, False),
        ("integer", 7, 7),
        ("integer", Decimal("7.0"), 7),
        ("bigint", "9007199254740993", 9007199254740993),
        ("double", Decimal("0.1"), Decimal("0.1")),
        ("currency", 12, Decimal(12)),
        ("percent", Decimal("20"), Decimal(20)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("datetime", "2026-11-20T16:00:01+08:00", datetime(2026, 11, 20, 8, 0, 1, tzinfo=UTC)),
        ("datetime", "2026-11-20T00:30:00-11:30", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("lookup", {"name": "Invented", "id": "4876876000300000001"}, "4876876000300000001"),
        ("lookup", {"id": 4876876000300000001}, "4876876000300000001"),
        ("ownerlookup", {"name": "Zhang Invented", "id": "11", "email": "z@x.example"}, "11"),
        ("consent_lookup", {"id": "5"}, "5"),
        ("text", [{"name": "b", "id": "2"}, {"name": "a", "id": "1"}], None),
    ],
)
def test_what_zoho_sends_becomes_canonical(data_type: str, wire: object, canonical: object) -> None:
    got = decode(field(data_type).schema, wire)
    assert got == canonical
    assert type(got) is type(canonical)


@pytest.mark.parametrize(
    ("data_type", "wire"),
    [
        ("date", "0000-00-00"),
        ("date", 20261122),
        ("datetime", "2026-11-20T08:00:00"),
        ("integer", Decimal("1.5")),
        ("integer", True),
        ("boolean", "true"),
        ("currency", "much"),
        ("lookup", {"name": "no id"}),
    ],
)
def test_what_cannot_be_a_value_is_unknown_and_logged_by_id_only(data_type, wire, caplog) -> None:
    assert decode(field(data_type).schema, wire, "4711") is None
    assert "4711" in caplog.text
    assert str(wire) not in caplog.text


@pytest.mark.parametrize(
    ("data_type", "canonical", "wire"),
    [
        ("text", "", None),
        ("multiselectpicklist", None, []),
        ("multiselectpicklist", ("a",), ["a"]),
        ("currency", Decimal("12.50"), 12.5),
        ("bigint", 5, "5"),
        ("datetime", datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        ("lookup", "77", {"id": "77"}),
        ("ownerlookup", None, None),
        ("date", date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_canonical_values_go_out_in_zohos_shape(data_type, canonical, wire) -> None:
    assert encode(field(data_type), canonical) == wire


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("integer", "5"),
        ("integer", True),
        ("boolean", 1),
        ("date", datetime(2026, 1, 1, tzinfo=UTC)),
        ("datetime", datetime(2026, 1, 1)),
        ("text", 5),
        ("currency", "5"),
        ("picklist", ("a",)),
        ("multiselectpicklist", "a"),
    ],
)
def test_a_value_of_another_type_is_never_sent(data_type, value) -> None:
    with pytest.raises(NotWritable):
        encode(field(data_type), value)


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=2))
def test_money_survives_the_way_there_and_back(amount: Decimal) -> None:
    info = field("currency")
    assert decode(info.schema, Decimal(repr(encode(info, amount)))) == amount


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))
def test_moments_survive_to_the_second(moment: datetime) -> None:
    info = field("datetime")
    assert decode(info.schema, encode(info, moment)) == moment.replace(microsecond=0)


def test_formulas_are_typed_by_what_they_return_and_read_only() -> None:
    info = field("formula", formula={"return_type": "currency"})
    assert info.schema.type is FieldType.CURRENCY
    assert info.schema.read_only


def test_a_field_the_api_may_not_update_is_read_only() -> None:
    assert field("text", operation_type={"api_update": False}).schema.read_only
    assert not field("text", operation_type={"api_update": True}).schema.read_only


def test_choices_keep_value_and_label_and_leave_out_unused_ones() -> None:
    values = [
        {"actual_value": "High", "display_value": "高", "type": "used"},
        {"actual_value": "Old", "display_value": "旧", "type": "unused"},
    ]
    (choice,) = field("picklist", pick_list_values=values).schema.choices
    assert (choice.value, choice.label) == ("High", "高")
