"""Builders: a ruleset, a mapping and a mirror with two objects, as small as a test needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from crmsync.facts import relation, row_of
from crmsync.model.condition import Compare, Comparison, Condition, Literal, Name
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    Related,
    Source,
    WriteTarget,
)
from crmsync.model.period import Window
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync.store.mirror import MirrorWriter, ReadKind, ReadState, open_mirror
from crmsync.store.mirror_columns import stored_fields

AS_OF = date(2026, 3, 31)
NOW = datetime(2026, 4, 1, tzinfo=UTC)

CUSTOMERS = ObjectSchema(
    "Customers",
    "Customers",
    (
        FieldSchema("Name", "Name", FieldType.TEXT),
        FieldSchema("Owner", "Owner", FieldType.USER),
        FieldSchema("Kind", "Kind", FieldType.PICKLIST),
        FieldSchema("Tier", "Tier", FieldType.PICKLIST),
        FieldSchema("Lock", "Lock", FieldType.BOOLEAN),
    ),
)
ORDERS = ObjectSchema(
    "Orders",
    "Orders",
    (
        FieldSchema("Customer", "Customer", FieldType.LOOKUP),
        FieldSchema("Day", "Day", FieldType.DATE),
        FieldSchema("At", "At", FieldType.DATETIME),
        FieldSchema("Amount", "Amount", FieldType.CURRENCY),
        FieldSchema("Rate", "Rate", FieldType.PERCENT),
        FieldSchema("Pieces", "Pieces", FieldType.INTEGER),
        FieldSchema("Status", "Status", FieldType.PICKLIST),
    ),
)


def fact(id: str, type: FactType, **more: object) -> FactDefinition:
    return FactDefinition(id, Text.same(id), type, **more)  # type: ignore[arg-type]


def ruleset(*facts: FactDefinition, zone: str = "Asia/Shanghai") -> Ruleset:
    return Ruleset(
        id="small",
        version=1,
        title=Text.same("small"),
        record="account",
        languages=("zh", "en"),
        time_zone=zone,
        currency="CNY",
        workdays="CN",
        facts=facts,
        scorecards=(),
        tier=None,
        lifecycle=None,
        service={},
        tasks=(),
        guards=(),
        digest="d",
    )


def from_orders(
    aggregate: Aggregate,
    of: str | None = None,
    *,
    related: str = "orders",
    where: Condition | None = None,
    within: Window | None = None,
) -> AggregateSource:
    pick = None if of is None else FieldPick(of)
    return AggregateSource(related, aggregate, pick, where=where, within=within)


def from_field(name: str, values: Mapping[str, str] | None = None) -> FieldSource:
    return FieldSource(FieldPick(name), values or {})


def is_word(field: str, word: str) -> Condition:
    return Compare(Comparison.EQ, Name(field, FactType.TEXT), Literal(word, FactType.TEXT))


def mapping(
    read: Mapping[str, Source],
    *,
    applies_to: Condition | None = None,
    where: Condition | None = None,
    write: Sequence[str] = ("tier",),
) -> CrmMapping:
    return CrmMapping(
        connector="invented",
        object="Customers",
        applies_to=applies_to,
        identity_name=FieldPick("Name"),
        identity_owner=FieldPick("Owner"),
        related={
            "orders": Related("orders", "Orders", "Customer", "Day", where),
            "moments": Related("moments", "Orders", "Customer", "At"),
        },
        read=read,
        write={role: WriteTarget(role, FieldPick("Tier")) for role in write},
        lock_field=FieldPick("Lock"),
        tasks=None,
        digest="d",
    )


def customers_with(*fields: FieldSchema) -> dict[str, ObjectSchema]:
    own = ObjectSchema("Customers", "Customers", (*CUSTOMERS.fields, *fields))
    return {"Customers": own, "Orders": ORDERS}


SCHEMAS = customers_with()


def write_mirror(
    path: Path,
    customers: Mapping[str, Mapping[str, Value]],
    orders: Sequence[Mapping[str, Value]] = (),
    schemas: Mapping[str, ObjectSchema] = SCHEMAS,
) -> None:
    rows = {
        "Customers": list(customers.items()),
        "Orders": [(f"o{number:06d}", order) for number, order in enumerate(orders)],
    }
    with MirrorWriter(path, account="a", now=NOW) as writer:
        for name, schema in schemas.items():
            fields = stored_fields(schema.fields)
            state = ReadState(name, fields, ReadKind.FULL, None, NOW, None, 0, False)
            records = [
                Record(RecordRef(name, key), values, NOW, "v1") for key, values in rows[name]
            ]
            state = writer.begin(state)
            writer.append(state, records, resume=None, done=True)
        writer.publish(NOW)


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_mirror(path)
    try:
        yield connection
    finally:
        connection.close()


def rows_of(path: Path, built: FactRelation) -> dict[str, FactRow]:
    with opened(path) as connection:
        cursor = connection.execute(built.select.sql("duckdb"))
        names = tuple(column[0] for column in cursor.description)
        assert names == built.columns
        return {row[0]: row_of(built, row) for row in cursor.fetchall()}


def facts_of(
    path: Path,
    rules: Ruleset,
    mapped: CrmMapping,
    schemas: Mapping[str, ObjectSchema] = SCHEMAS,
    as_of: date = AS_OF,
) -> dict[str, dict[str, FactValue]]:
    built = relation(rules, mapped, schemas, as_of)
    return {key: dict(row.facts) for key, row in rows_of(path, built).items()}
