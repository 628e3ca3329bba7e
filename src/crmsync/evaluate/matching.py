"""The matchers: which conditions hold for which customers, one by one or all at once in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from duckdb import DuckDBPyConnection
from sqlglot import exp

from crmsync.condition import normal_form
from crmsync.condition.sql import SqlWriter, fact_value
from crmsync.evaluate.compiled import CompiledRuleset, split
from crmsync.evaluate.decided import decided, facts_of
from crmsync.model.condition import Condition, Name
from crmsync.model.fact import FactRow, FactType, FactValue, MatchedRow
from crmsync.model.record import RecordRef, Value
from crmsync.model.relation import IDENTITY_COLUMNS, FactRelation

_HALF = 30
WORD = 2 * _HALF
"""Conditions per mask column: 60 bits fit a BIGINT with room for its sign."""

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

    Facts are read once, in an inner SELECT; conditions become BOOLEAN columns in the next, and the
    outermost packs them into words, ``t0`` … for true and ``u0`` … for unknown.
    """
    read = [
        exp.alias_(fact_value(exp.column(f"f{number}"), kind), f"n{number}", copy=False)
        for number, kind in enumerate(relation.types)
    ]
    facts = relation.select.copy()
    facts.set("order", None)  # the whole is ordered once, at the end
    inner = exp.select(exp.Star(), *read, copy=False)
    inner = inner.from_(facts.subquery("facts", copy=False), copy=False)
    columns = {fact: f"n{number}" for number, fact in enumerate(relation.facts)}
    writer = PreparedWriter(lambda name: exp.column(columns[name.id]), as_of)
    verdicts = [
        exp.alias_(writer.condition(normal_form(condition)), f"c{number}", copy=False)
        for number, condition in enumerate(engine.conditions)
    ]
    verdicts.append(exp.alias_(lacking(engine.conditions, writer.name), LACKING, copy=False))
    middle = exp.select(*relation.columns, *verdicts, copy=False)
    middle = middle.from_(inner.subquery("known", copy=False), copy=False)
    outer = exp.select(
        *relation.columns,
        *mask_columns(len(engine.conditions), unsure(engine.conditions)),
        copy=False,
    )
    outer = outer.from_(middle.subquery("verdicts", copy=False), copy=False)
    return outer.order_by("id", copy=False)


def mask_columns(conditions: int, unsure: exp.Expr | None = None) -> list[exp.Expr]:
    """The words over columns ``c0`` …: those for true, then those for unknown.

    Where *unsure* is given, nothing is unknown in a row for which it is not TRUE.
    """
    words = packed([exp.column(f"c{number}") for number in range(conditions)])
    half = len(words) // 2
    if unsure is not None:
        nothing = exp.cast(exp.Literal.number(0), "BIGINT", copy=False)
        words[half:] = [
            exp.case().when(unsure.copy(), word, copy=False).else_(nothing.copy(), copy=False)
            for word in words[half:]
        ]
    return [
        exp.alias_(word, f"{'t' if number < half else 'u'}{number % half}", copy=False)
        for number, word in enumerate(words)
    ]


def packed(verdicts: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Nullable BOOLEANs as words of `WORD` bits: those that are true, then those unknown."""
    pieces = range(0, len(verdicts), WORD)
    return [
        _word(verdicts[start : start + WORD], of)
        for of in (_is_true, _is_unknown)
        for start in pieces
    ]


LACKING = "lacking"
"""The column that says whether a fact is unknown that some condition reads."""


def lacking(conditions: Sequence[Condition], column: Callable[[Name], exp.Expr]) -> exp.Expr:
    """Whether one of the prepared columns the *conditions* read is NULL."""
    read = dict.fromkeys(name for condition in conditions for name in facts_of(condition))
    columns = {name.id: column(name) for name in read}
    if not columns:
        return exp.false()
    return exp.or_(
        *(exp.Is(this=item, expression=exp.null()) for item in columns.values()), copy=False
    )


def unsure(conditions: Sequence[Condition]) -> exp.Expr:
    """Whether a row may have an unknown verdict, over `LACKING` and the columns ``c0`` …"""
    others = [
        exp.Is(this=exp.column(f"c{number}"), expression=exp.null())
        for number, condition in enumerate(conditions)
        if not decided(condition)
    ]
    return exp.or_(exp.column(LACKING), *others, copy=False)


class PreparedWriter(SqlWriter):
    """Reads prepared columns: `fact_value` has been applied once per fact already."""

    def name(self, name: Name) -> exp.Expr:
        """The column as it is."""
        return self._column(name)


def _is_true(condition: exp.Expr) -> exp.Expr:
    return condition  # CASE takes unknown for not true


def _is_unknown(condition: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Is(this=condition, expression=exp.null()))


def _word(verdicts: Sequence[exp.Expr], of: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Both halves of a word are summed up as INTEGER, which takes half the memory of BIGINT."""
    low, high = verdicts[:_HALF], verdicts[_HALF:]
    word = exp.cast(_sum(low, of), "BIGINT", copy=False)
    if not high:
        return word
    above = exp.cast(_sum(high, of), "BIGINT", copy=False)
    shifted = exp.Mul(this=above, expression=exp.Literal.number(1 << _HALF))
    return exp.Add(this=word, expression=shifted)


def _sum(verdicts: Sequence[exp.Expr], of: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    total: exp.Expr | None = None
    for number, verdict in enumerate(verdicts):
        bit = exp.cast(exp.Literal.number(1 << number), "INTEGER", copy=False)
        none = exp.cast(exp.Literal.number(0), "INTEGER", copy=False)
        term: exp.Expr = exp.paren(
            exp.case().when(of(verdict), bit, copy=False).else_(none, copy=False),
            copy=False,
        )
        total = term if total is None else exp.Add(this=total, expression=term)
    assert total is not None
    return total


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


def mask_of(words: Sequence[object]) -> int:
    """The bits of one kind, out of their words."""
    mask = 0
    for number, word in enumerate(words):
        mask |= int(word) << (number * WORD)  # type: ignore[call-overload]
    return mask


def _aware(value: object) -> FactValue:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value  # type: ignore[return-value]


def _owned(value: object) -> Value:
    if isinstance(value, list):
        return tuple(sorted(str(item) for item in value))
    return _aware(value)  # type: ignore[return-value]
