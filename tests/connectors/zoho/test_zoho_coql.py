"""What the connector writes as COQL is what the sandbox's own parser reads."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.model.schema import FieldSchema, FieldType
from crmsync_zoho import coql
from crmsync_zoho.sandbox_coql_text import criteria, parse

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)


@given(st.lists(TEXT, min_size=1, max_size=9, unique=True))
def test_any_text_comes_through_as_it_is(values: list[str]) -> None:
    condition = coql.one_of(None, "Phone", values)
    query = parse(coql.select(["id"], "Accounts", [condition, coql.behind("7")], 200))
    assert list(criteria(query.where)[0].values) == values


@given(st.integers(min_value=1, max_value=25))
def test_any_number_of_conditions_is_joined_in_pairs(count: int) -> None:
    where = [f"F{number} = 1" for number in range(count)]
    query = parse(coql.select(["id"], "Accounts", where, 200))
    assert [found.column for found in criteria(query.where)] == [
        f"F{number}" for number in range(count)
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "'true'"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (date(2026, 1, 2), "'2026-01-02'"),
        (datetime(2026, 1, 2, tzinfo=UTC), "'2026-01-02T00:00:00+00:00'"),
        ("O'Brien", "'O''Brien'"),
    ],
)
def test_values_are_written_by_type(value, written) -> None:
    assert coql.literal(value) == written


def test_a_look_up_is_compared_by_its_id() -> None:
    target = FieldSchema("A", "A", FieldType.LOOKUP, target="Accounts")
    anywhere = FieldSchema("W", "W", FieldType.LOOKUP)
    assert coql.one_of(target, "A", ["5"]) == "A.id in ('5')"
    assert coql.one_of(anywhere, "W", ["5", None]) == "(W in ('5') or W is null)"
