"""The matchers: which conditions hold for which customers, one by one or all at once in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from duckdb import DuckDBPyConnection
from sqlglot import exp

from crmsync.evaluate.compiled import CompiledRuleset, split
from crmsync.evaluate.verdict_sql import WORD, VerdictColumns, column, mask_of, masks_over
from crmsync.model.fact import FactRow, FactType, FactValue, MatchedRow
from crmsync.model.record import RecordRef, Value
from crmsync.model.relation import IDENTITY_COLUMNS, FactRelation

BATCH = 2000
_Values = Sequence[object]


def match_compiled(
    rows: Iterable[FactRow], engine: CompiledRuleset, as_of: date
) -> Iterator[MatchedRow]:
    """The verdicts of the compiled matcher, row by row: the reference, and quick for few rows."""
    matcher, facts, count = engine.matcher, engine.facts, len(engine.conditions)
    for row in rows:
        values = [row.facts.get(name) for name in facts]
        true, unknown = split(matcher(values, as_of), count)
        yield MatchedRow(row, true, unknown)


def match_columnar(
    connection: DuckDBPyConnection, relation: FactRelation, engine: CompiledRuleset, as_of: date
) -> Iterator[MatchedRow]:
    """The verdicts of one statement over the whole relation, in its order.

    Rows stream: memory stays flat whatever the population. *connection* is busy until the iterator
    is exhausted or closed. Moments come back aware, in UTC.
    """
    statement = mask_sql(relation, engine, as_of).sql(dialect="duckdb", copy=False)
    result = connection.execute(statement)
    read = reader(relation, len(engine.conditions))
    while batch := result.fetchmany(BATCH):
        yield from map(read, batch)


def mask_sql(relation: FactRelation, engine: CompiledRuleset, as_of: date) -> exp.Select:
    """The statement of `match_columnar`: the relation's columns, then mask columns.

    Every layer is one SELECT over the one below, so nothing is computed twice: facts, conditions,
    and the words ``t0`` … for true and ``u0`` … for unknown.
    """
    facts = relation.select.copy()
    facts.set("order", None)  # the whole is ordered once, at the end
    verdicts = verdict_columns(relation, engine, as_of)
    return masks_over(verdicts, facts, relation.columns).order_by("id", copy=False)


def verdict_columns(relation: FactRelation, engine: CompiledRuleset, as_of: date) -> VerdictColumns:
    """The verdicts of the ruleset's conditions over the columns of *relation*."""
    columns = {
        fact: (column(relation.column(fact)), kind)
        for fact, kind in zip(relation.facts, relation.types, strict=True)
    }
    return VerdictColumns(engine.conditions, columns, as_of)


def reader(relation: FactRelation, conditions: int) -> Callable[[_Values], MatchedRow]:
    """How one fetched row becomes a `MatchedRow`."""
    first = len(IDENTITY_COLUMNS)
    last = first + len(relation.facts)
    owned_end = last + len(relation.owned)
    end = owned_end + len(relation.judged)
    words = (conditions + WORD - 1) // WORD
    moments = [n for n, kind in enumerate(relation.types) if kind is FactType.DATETIME]

    def read(values: _Values) -> MatchedRow:
        facts: list[FactValue] = list(values[first:last])  # type: ignore[arg-type]
        for number in moments:
            facts[number] = _aware(facts[number])
        masks = values[end : end + 2 * words]
        true = mask_of(masks[:words])
        unknown = mask_of(masks[words:])
        owned = dict(zip(relation.owned, map(_owned, values[last:owned_end]), strict=True))
        row = _row(relation, values, dict(zip(relation.facts, facts, strict=True)), owned)
        if relation.judged:
            row = replace(row, judged=relation.judgements(values[owned_end:end]))
        return MatchedRow(row, true, unknown)

    return read


def _row(
    relation: FactRelation,
    values: _Values,
    facts: Mapping[str, FactValue],
    owned: Mapping[str, Value],
) -> FactRow:
    ident, name, owner, version, modified_at, locked, rejected = values[: len(IDENTITY_COLUMNS)]
    moment = _aware(modified_at)
    return FactRow(
        ref=RecordRef(relation.object, str(ident)),
        name="" if name is None else str(name),
        owner=None if owner is None else str(owner),
        facts=facts,
        owned=owned,
        version=None if version is None else str(version),
        modified_at=moment if isinstance(moment, datetime) else None,
        locked=bool(locked),
        rejected=tuple(rejected) if isinstance(rejected, list | tuple) else (),
    )


def _aware(value: object) -> FactValue:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value  # type: ignore[return-value]


def _owned(value: object) -> Value:
    if isinstance(value, list):
        return tuple(sorted(str(item) for item in value))
    return _aware(value)  # type: ignore[return-value]
