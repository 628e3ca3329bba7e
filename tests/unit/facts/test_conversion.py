"""Each kind of stored value as each type of fact: what it becomes, or unknown and listed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.facts.small_world import (
    AS_OF,
    customers_with,
    fact,
    from_field,
    mapping,
    rows_of,
    ruleset,
    write_mirror,
)

from crmsync.facts import relation
from crmsync.model.fact import FactType, FactValue
from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema, FieldType

T, F = FactType, FieldType
NO = object()
"""Unknown, and the fact is listed as rejected."""

MIDNIGHT = datetime(2026, 2, 27, 16, tzinfo=UTC)
EVENING = datetime(2026, 2, 28, 16, tzinfo=UTC)
DAY = date(2026, 2, 28)

CELLS: list[tuple[FieldType, Value, dict[FactType, object]]] = [
    (F.TEXT, "12", {T.INTEGER: 12, T.NUMBER: 12.0, T.MONEY: Decimal(12), T.PERCENT: 0.12}),
    (F.TEXT, "12", {T.TEXT: "12", T.CHOICE: "12", T.YES_NO: NO, T.DATE: NO, T.DATETIME: NO}),
    (F.TEXT, "-0.5", {T.INTEGER: NO, T.NUMBER: -0.5, T.MONEY: Decimal("-0.5"), T.PERCENT: -0.005}),
    (F.TEXT, "12 ", {T.INTEGER: NO, T.NUMBER: NO, T.MONEY: NO, T.PERCENT: NO, T.TEXT: "12 "}),
    (F.TEXT, "1,000", {T.INTEGER: NO, T.NUMBER: NO, T.MONEY: NO}),
    (F.TEXT, "1e3", {T.NUMBER: NO}),
    (F.TEXT, "٣", {T.INTEGER: NO, T.NUMBER: NO}),
    (F.TEXT, "nan", {T.NUMBER: NO, T.INTEGER: NO, T.MONEY: NO}),
    (F.TEXT, "Infinity", {T.NUMBER: NO}),
    (F.TEXT, "2026-02-28", {T.DATE: DAY, T.NUMBER: NO, T.DATETIME: NO}),
    (F.TEXT, "2026-02-30", {T.DATE: NO}),
    (F.TEXT, "2026-2-8", {T.DATE: NO}),
    (F.TEXT, "28/02/2026", {T.DATE: NO}),
    (F.TEXT, "Yes", {T.YES_NO: True, T.CHOICE: "Yes"}),
    (F.TEXT, "否", {T.YES_NO: False}),
    (F.TEXT, "true", {T.YES_NO: True}),
    (F.TEXT, "1", {T.YES_NO: NO}),
    (F.TEXT, " ", {T.TEXT: " ", T.NUMBER: NO, T.DATE: NO, T.YES_NO: NO}),
    (F.TEXT, "", {T.TEXT: None, T.NUMBER: None, T.DATE: None, T.YES_NO: None, T.CHOICE: None}),
    (F.TEXT, None, {T.TEXT: None, T.INTEGER: None, T.MONEY: None, T.DATETIME: None}),
    (F.BOOLEAN, True, {T.YES_NO: True, T.INTEGER: NO, T.NUMBER: NO, T.TEXT: NO, T.DATE: NO}),
    (F.BOOLEAN, False, {T.YES_NO: False, T.MONEY: NO, T.CHOICE: NO}),
    (F.INTEGER, 5, {T.INTEGER: 5, T.NUMBER: 5.0, T.MONEY: Decimal(5), T.PERCENT: 0.05}),
    (F.INTEGER, 5, {T.YES_NO: NO, T.DATE: NO, T.TEXT: NO}),
    (F.INTEGER, 2**53, {T.INTEGER: 2**53}),
    (F.INTEGER, 2**53 + 2, {T.INTEGER: NO, T.MONEY: Decimal(2**53 + 2)}),
    (F.DECIMAL, Decimal("20.5"), {T.INTEGER: NO, T.NUMBER: 20.5, T.PERCENT: 0.205, T.TEXT: NO}),
    (F.CURRENCY, Decimal(-3), {T.INTEGER: -3, T.MONEY: Decimal(-3), T.NUMBER: -3.0}),
    (F.PERCENT, Decimal(20), {T.PERCENT: 0.2, T.NUMBER: 20.0, T.INTEGER: 20}),
    (F.DATE, DAY, {T.DATE: DAY, T.DATETIME: MIDNIGHT, T.NUMBER: NO, T.TEXT: NO, T.YES_NO: NO}),
    (F.DATE, date(1899, 12, 31), {T.DATE: NO, T.DATETIME: NO}),
    (F.DATE, date(2200, 1, 1), {T.DATE: NO}),
    (F.DATETIME, EVENING, {T.DATETIME: EVENING, T.DATE: date(2026, 3, 1), T.INTEGER: NO}),
    (F.MULTI_PICKLIST, ("a",), {T.CHOICE: "a", T.TEXT: "a", T.NUMBER: NO}),
    (F.MULTI_PICKLIST, ("a", "b"), {T.CHOICE: NO, T.TEXT: "a, b", T.YES_NO: NO}),
    (F.LOOKUP, "9007199254740993", {T.TEXT: "9007199254740993", T.INTEGER: NO}),
    (F.PICKLIST, "高", {T.CHOICE: "高", T.TEXT: "高", T.NUMBER: NO}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value", "becomes"), CELLS)
def test_a_stored_value_as_each_type_of_fact(
    tmp_path: Path, source: FieldType, value: Value, becomes: dict[FactType, object]
) -> None:
    path = tmp_path / "m.duckdb"
    schemas = customers_with(FieldSchema("V", "V", source))
    rules = ruleset(*(fact(kind.value, kind) for kind in becomes))
    read = {kind.value: from_field("V") for kind in becomes}
    write_mirror(path, {"1": {"V": value}}, schemas=schemas)
    row = rows_of(path, relation(rules, mapping(read), schemas, AS_OF))["1"]
    expected = {kind.value: None if wanted is NO else wanted for kind, wanted in becomes.items()}
    assert row.facts == expected
    assert {key: type(found) for key, found in row.facts.items()} == {
        key: type(wanted) for key, wanted in expected.items()
    }
    assert row.rejected == tuple(kind.value for kind, wanted in becomes.items() if wanted is NO)


TRANSLATED: list[tuple[FieldType, Value, dict[str, str], FactType, FactValue]] = [
    (F.BOOLEAN, True, {"true": "高", "false": "低"}, T.CHOICE, "高"),
    (F.INTEGER, 3, {"3": "高", "1": "低"}, T.CHOICE, "高"),
    (F.PICKLIST, "Y", {"Y": "yes", "N": "no"}, T.YES_NO, True),
    (F.PICKLIST, "A'; DROP TABLE x; --", {"A'; DROP TABLE x; --": "低"}, T.CHOICE, "低"),
    (F.PICKLIST, "tier-1", {"tier-1": "12"}, T.INTEGER, 12),
    (F.MULTI_PICKLIST, ("High",), {"High": "高"}, T.CHOICE, "高"),
]


@pytest.mark.parametrize("row", TRANSLATED)
def test_a_values_table_comes_first(
    tmp_path: Path, row: tuple[FieldType, Value, dict[str, str], FactType, FactValue]
) -> None:
    source, value, values, kind, wanted = row
    path = tmp_path / "m.duckdb"
    schemas = customers_with(FieldSchema("V", "V", source))
    choices = ("高", "低") if kind is T.CHOICE else ()
    rules = ruleset(fact("x", kind, choices=choices))
    write_mirror(path, {"1": {"V": value}}, schemas=schemas)
    mapped = mapping({"x": from_field("V", values)})
    found = rows_of(path, relation(rules, mapped, schemas, AS_OF))["1"]
    assert found.facts == {"x": wanted}
    assert found.rejected == ()
