"""The columnar matcher on Spark: the same statement, transpiled, over a table of facts.

For companies that keep their customers' facts in a lakehouse. The statement is the one DuckDB gets,
node for node; only nodes are let through that were proven to mean the same in both (`make spark`
compares their verdicts with the compiled matcher's). Needs the extra ``crmsync[spark]``, which is
pyspark, and Java.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from sqlglot import exp

from crmsync.condition.sql import Node, double
from crmsync.errors import UsageError
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.decided import facts_of
from crmsync.evaluate.verdict_sql import (
    WORD,
    PreparedWriter,
    VerdictColumns,
    column,
    mask_of,
    masks_over,
    named,
)
from crmsync.model.condition import Condition
from crmsync.model.text import Text

_SAME: frozenset[type[exp.Expr]] = frozenset(
    {
        *(
            exp.Select,
            exp.Star,
            exp.From,
            exp.Table,
            exp.TableAlias,
            exp.Subquery,
            exp.Alias,
            exp.Order,
        ),
        *(exp.Ordered, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren),
        *(exp.Cast, exp.DataType, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.In, exp.Is),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
        *(exp.Between, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs, exp.Sign, exp.Floor),
        *(exp.Least, exp.Greatest, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.Var),
    }
)
_MOST = sys.float_info.max


class SparkSession(Protocol):
    """What is used of ``pyspark.sql.SparkSession``."""

    @property
    def conf(self) -> Any: ...  # noqa: ANN401 - pyspark's own type, which is an extra

    def sql(self, sqlQuery: str) -> Any: ...  # noqa: ANN401, N803 - pyspark's own names


class SparkVerdicts(NamedTuple):
    """One customer's verdicts: bit *n* speaks of ``conditions[n]`` of the `CompiledRuleset`."""

    id: str
    true: int
    unknown: int


def match_spark(
    session: SparkSession, table: str, engine: CompiledRuleset, as_of: date
) -> Iterator[SparkVerdicts]:
    """The verdicts for every row of *table*, by ``id``.

    *table* (or a temporary view) has ``id`` (STRING) and one column per fact, called by the fact's
    id: DOUBLE, BIGINT, DECIMAL(28, 6), DATE, TIMESTAMP, STRING or BOOLEAN, NULL where unknown.
    Raises UsageError when a condition cannot be said to Spark.
    """
    statement = spark_sql(table, engine.facts, engine.conditions, as_of)
    count = (len(engine.conditions) + WORD - 1) // WORD
    before = {key: session.conf.get(key, None) for key in _SETTINGS}
    try:
        for key, value in _SETTINGS.items():
            session.conf.set(key, value)
        for row in session.sql(statement).toLocalIterator():
            yield SparkVerdicts(row[0], mask_of(row[1 : count + 1]), mask_of(row[count + 1 :]))
    finally:
        for key, value in before.items():
            session.conf.unset(key) if value is None else session.conf.set(key, value)


_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    # a text constant may look like a variable
    "spark.sql.variable.substitute": "false",
}


def spark_sql(
    table: str, facts: Sequence[str], conditions: Sequence[Condition], as_of: date
) -> str:
    """The statement `match_spark` runs: ``id``, then the words for true, then those for unknown.

    Raises UsageError when a condition cannot be said to Spark.
    """
    types = {name.id: name.type for condition in conditions for name in facts_of(condition)}
    read = {fact: f"f{number}" for number, fact in enumerate(facts) if fact in types}
    columns = {fact: (column(place), types[fact]) for fact, place in read.items()}
    inner = exp.select(
        column("id"), *(named(column(fact), place) for fact, place in read.items())
    ).from_(exp.to_table(table))
    verdicts = VerdictColumns(conditions, columns, as_of, _SparkWriter)
    return _said(masks_over(verdicts, inner, ["id"]).order_by("id"))


class _SparkWriter(PreparedWriter):
    def days(self, start: Node, end: Node) -> Node:
        """Spark's difference of two dates is an interval: count its days."""
        day = exp.DateDiff(this=end, expression=start, unit=exp.Var(this="DAY"))
        return exp.cast(day, "DOUBLE")


def _said(whole: exp.Select) -> str:
    for node in list(whole.find_all(exp.Anonymous)):
        if node.this == "ISFINITE":
            inside = exp.Between(this=node.expressions[0], low=double(-_MOST), high=double(_MOST))
            node.replace(exp.Paren(this=inside))
        elif node.this == "EPOCH_US":
            moment = exp.cast(node.expressions[0], exp.DType.TIMESTAMPLTZ)
            node.replace(exp.Anonymous(this="UNIX_MICROS", expressions=[moment]))
        else:
            raise _unsaid(node)
    for part in whole.walk():
        if type(part) not in _SAME and not isinstance(part, exp.Anonymous):
            raise _unsaid(part)
    return whole.sql("spark")


def _unsaid(node: exp.Expr) -> UsageError:
    return UsageError(
        Text(
            zh=f"Spark 匹配器不支持这种写法：{node.sql('duckdb')}",
            en=f"the Spark matcher cannot say this: {node.sql('duckdb')}",
        ),
        mend=Text(
            zh="用 crmsync 自己的匹配器判断这套规则",
            en="decide this ruleset with crmsync's own matchers",
        ),
    )
