"""Single rows and counts out of a relation of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from crmsync.facts.related import Setting, table
from crmsync.facts.relation import relation, scope
from crmsync.facts.sources import Fields
from crmsync.model.fact import FactRow
from crmsync.model.mapping import CrmMapping
from crmsync.model.record import RecordRef, Value
from crmsync.model.relation import IDENTITY_COLUMNS, FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema

if TYPE_CHECKING:
    import duckdb


def excluded_count(
    connection: duckdb.DuckDBPyConnection,
    ruleset: Ruleset,
    mapping: CrmMapping,
    schemas: Mapping[str, ObjectSchema],
    as_of: date,
) -> int:
    """How many mirrored records the mapping's and the rules' ``applies_to`` and ``scope`` leave
    out (false or unknown)."""
    fields = Fields(mapping, schemas)
    setting = Setting(fields=fields, mapping=mapping, as_of=as_of, zone=ruleset.time_zone)
    if ruleset.population is not None:
        inner = relation(ruleset, mapping, schemas, as_of).select.sql("duckdb")
        everybody = exp.select(exp.Count(this=exp.Star()), copy=False).from_(
            table(mapping.object), copy=False
        )
        counted = f"SELECT ({everybody.sql('duckdb')}) - (SELECT COUNT(*) FROM ({inner}) AS inside)"
        return int(connection.execute(counted).fetchall()[0][0])
    inside = exp.Coalesce(this=scope(setting), expressions=[exp.false()])
    query = (
        exp.select(exp.Count(this=exp.Star()), copy=False)
        .from_(table(mapping.object), copy=False)
        .where(exp.Not(this=inside), copy=False)
    )
    return int(connection.execute(query.sql("duckdb", copy=False)).fetchall()[0][0])


def fact_row(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, id: str
) -> FactRow | None:
    """The facts of one record, or ``None`` when it is not mirrored or not in scope."""
    query = (
        exp.select("*", copy=False)
        .from_(relation.select.copy().subquery("facts", copy=False), copy=False)
        .where(
            exp.EQ(this=exp.column("id", quoted=True), expression=exp.Literal.string(id)),
            copy=False,
        )
    )
    rows = connection.execute(query.sql("duckdb", copy=False)).fetchall()
    return row_of(relation, rows[0]) if rows else None


def fact_rows(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, wanted: Sequence[str]
) -> list[FactRow]:
    """The facts of every record in scope whose id or exact name is *wanted*, in one pass."""
    words = exp.Array(expressions=[exp.Literal.string(word) for word in wanted])
    query = (
        exp.select("*", copy=False)
        .from_(relation.select.copy().subquery("facts", copy=False), copy=False)
        .where(
            exp.Or(
                this=exp.Anonymous(
                    this="LIST_CONTAINS", expressions=[words, exp.column("id", quoted=True)]
                ),
                expression=exp.Anonymous(
                    this="LIST_CONTAINS",
                    expressions=[words.copy(), exp.column("name", quoted=True)],
                ),
            ),
            copy=False,
        )
        .order_by(exp.column("id", quoted=True), copy=False)
    )
    return [
        row_of(relation, row)
        for row in connection.execute(query.sql("duckdb", copy=False)).fetchall()
    ]


def row_of(relation: FactRelation, values: Sequence[Any]) -> FactRow:
    """A fetched row of *relation* as a `FactRow`."""
    start = len(IDENTITY_COLUMNS)
    end = start + len(relation.facts)
    last = end + len(relation.owned)
    key, name, owner, version, modified_at, locked, rejected = values[:start]
    facts = zip(relation.facts, values[start:end], strict=True)
    owned = zip(relation.owned, values[end:last], strict=True)
    return FactRow(
        ref=RecordRef(relation.object, key),
        name=name,
        owner=owner,
        facts={fact: _aware(value) for fact, value in facts},
        owned={role: _canonical(value) for role, value in owned},
        version=version,
        modified_at=_aware(modified_at),
        locked=locked,
        rejected=tuple(rejected),
        judged=relation.judgements(values[last:]),
    )


def _aware(value: Any) -> Any:  # noqa: ANN401 - DuckDB hands over whatever the column holds
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _canonical(value: Any) -> Value:  # noqa: ANN401 - as above
    if isinstance(value, list):
        return tuple(value)
    canonical: Value = _aware(value)
    return canonical
