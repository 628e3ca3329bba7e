"""What compiled Python, SQL on DuckDB and the trace say of the same conditions on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import duckdb
from sqlglot import exp
from tests.unit.condition_execution.trees import AS_OF, COLUMNS, SLOTS

from crmsync.condition import compile_matcher, condition_sql, expression_sql, negate, verdict
from crmsync.condition.compiled import Matcher, compile_expression
from crmsync.condition.tracing import evaluate
from crmsync.condition.values import microseconds, moment
from crmsync.evaluate.rete import ReteNetworks
from crmsync.evaluate.verdict_sql import VerdictColumns, mask_of, masks_over
from crmsync.model.condition import Condition, Expression, Name
from crmsync.model.decision import Verdict

Row = Sequence[object]
Said = list[list[Verdict]]
Compile = Callable[[Sequence[Condition], Sequence[str]], Matcher]
ValueToSql = Callable[[Expression, Callable[[Name], exp.Expr], date], exp.Expr]
Values = list[list[object]]
ToSql = Callable[[Condition, Callable[[Name], exp.Expr], date], exp.Expr]


def column(name: Name) -> exp.Expr:
    return exp.column(f"c{SLOTS.index(name.id)}")


def table(rows: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    columns = ", ".join(f"c{n} {sql}" for n, (_, sql) in enumerate(COLUMNS.values()))
    connection.execute(f"CREATE TABLE rows (n INTEGER, {columns})")
    marks = ", ".join("?" * (len(SLOTS) + 1))
    stored = [
        [n, *(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row)]
        for n, row in enumerate(rows)
    ]
    connection.executemany(f"INSERT INTO rows VALUES ({marks})", stored)
    return connection


def ask(rows: Sequence[Row], nodes: Sequence[exp.Expr]) -> list[tuple[object, ...]]:
    listed = ", ".join(node.sql("duckdb") for node in nodes)
    connection = table(rows)
    try:
        return connection.execute(f"SELECT {listed} FROM rows ORDER BY n").fetchall()
    finally:
        connection.close()


def by_trace(conditions: Sequence[Condition], rows: Sequence[Row]) -> Said:
    return [
        [verdict(item, dict(zip(SLOTS, row, strict=True)), AS_OF) for item in conditions]
        for row in rows
    ]


def by_python(
    conditions: Sequence[Condition], rows: Sequence[Row], build: Compile = compile_matcher
) -> Said:
    matcher = build([*conditions, *(negate(item) for item in conditions)], SLOTS)
    count = len(conditions)
    said = []
    for row in rows:
        mask = matcher(row, AS_OF)
        assert not mask & (mask >> count) & ((1 << count) - 1), "true and false at once"
        said.append(
            [
                Verdict.TRUE
                if mask >> n & 1
                else Verdict.FALSE
                if mask >> (n + count) & 1
                else Verdict.UNKNOWN
                for n in range(count)
            ]
        )
    return said


def by_rete(
    conditions: Sequence[Condition],
    rows: Sequence[Row],
    networks: type[ReteNetworks] = ReteNetworks,
) -> Said:
    """By durable-rules alone: a failure is raised, never mended by another matcher."""
    made: list[ReteNetworks] = []

    def build(items: Sequence[Condition], slots: Sequence[str]) -> Matcher:
        made.append(networks(items, slots))
        return made[0].match

    try:
        return by_python(conditions, rows, build)
    finally:
        for item in made:
            item.close()


def by_sql(
    conditions: Sequence[Condition], rows: Sequence[Row], to_sql: ToSql = condition_sql
) -> Said:
    answers = ask(rows, [to_sql(item, column, AS_OF) for item in conditions])
    words = {True: Verdict.TRUE, False: Verdict.FALSE, None: Verdict.UNKNOWN}
    return [[words[value] for value in row] for row in answers]


def by_masks(
    conditions: Sequence[Condition], rows: Sequence[Row], slip: tuple[str, str] = ("", "")
) -> Said:
    """By the statement over a whole population; with a *slip*, by a miswritten one."""
    facts = {slot: (exp.column(f"c{n}"), kind) for n, (slot, (kind, _)) in _NUMBERED}
    below = exp.select("*").from_("rows")
    statement = masks_over(VerdictColumns(conditions, facts, AS_OF), below, ["n"]).order_by("n")
    connection = table(rows)
    try:
        answers = connection.execute(statement.sql("duckdb").replace(*slip)).fetchall()
    finally:
        connection.close()
    count, half = len(conditions), (len(answers[0]) - 1) // 2 if answers else 0
    masks = [(mask_of(row[1 : 1 + half]), mask_of(row[1 + half :])) for row in answers]
    return [[_verdict(true, unknown, n) for n in range(count)] for true, unknown in masks]


_NUMBERED = list(enumerate(COLUMNS.items()))


def _verdict(true: int, unknown: int, bit: int) -> Verdict:
    if true >> bit & 1:
        assert not unknown >> bit & 1, "true and unknown at once"
        return Verdict.TRUE
    return Verdict.UNKNOWN if unknown >> bit & 1 else Verdict.FALSE


def values_by_trace(expressions: Sequence[Expression], rows: Sequence[Row]) -> Values:
    named = [dict(zip(SLOTS, row, strict=True)) for row in rows]
    return [[plain(evaluate(item, row, AS_OF)) for item in expressions] for row in named]


def values_by_python(expressions: Sequence[Expression], rows: Sequence[Row]) -> Values:
    formulas = [compile_expression(item, SLOTS) for item in expressions]
    return [[plain(formula(row, AS_OF)) for formula in formulas] for row in rows]


def values_by_sql(
    expressions: Sequence[Expression], rows: Sequence[Row], to_sql: ValueToSql = expression_sql
) -> Values:
    answers = ask(rows, [to_sql(item, column, AS_OF) for item in expressions])
    return [[plain(value) for value in row] for row in answers]


def plain(value: object) -> object:
    """A value every engine writes alike: moments as microseconds, zeros without a sign."""
    if isinstance(value, datetime):
        known = moment(value if value.tzinfo else value.replace(tzinfo=UTC))
        return microseconds(known) if known else None
    if isinstance(value, float) and value == 0:
        return 0.0
    return value
