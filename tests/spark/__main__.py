"""``make spark``: a real Spark gives the compiled matcher's verdicts, one by one.

Generated conditions over awkward records, then every shipped ruleset over awkward customers, then
the same with a matcher that is broken on purpose, which must be seen. Without Java it says so and
does nothing.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from tests.proofs.matchers import samples
from tests.unit.condition_execution import agreement, trees
from tests.unit.rete.test_three_matchers_agree import drawn

from crmsync.evaluate import match_spark
from crmsync.evaluate.compiled import CompiledRuleset, split
from crmsync.evaluate.spark import spark_sql
from crmsync.model.condition import Condition
from crmsync.model.decision import Verdict
from crmsync.model.relation import SQL_TYPES
from crmsync.rules import load

if TYPE_CHECKING:
    from pyspark.sql import SparkSession as RealSession

RULESETS = Path(__file__).resolve().parents[2] / "rulesets"
BATCHES, ROWS, CUSTOMERS = 30, 60, 200
SLIPS = (("<=", "<"), ("LEAST", "GREATEST"), ("FLOOR(", "CEIL("), ("IS NULL", "IS NOT NULL"))


def session() -> RealSession:
    """A local Spark of two threads that listens on loopback only."""
    from pyspark.sql import SparkSession as Real

    builder = Real.builder.master("local[2]").appName("crmsync")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def view(
    spark: RealSession, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
) -> str:
    """A temporary view of *rows*, with an ``id`` that sorts like their order."""
    sparks = [(name, "TIMESTAMP" if kind == "TIMESTAMP" else said(kind)) for name, kind in columns]
    schema = ", ".join(f"`{name}` {kind}" for name, kind in [("id", "STRING"), *sparks])
    numbered = [(f"{n:06}", *row) for n, row in enumerate(rows)]
    spark.createDataFrame(numbered, schema).createOrReplaceTempView("customers")
    return "customers"


def said(kind: str) -> str:
    """DuckDB's *kind* as Spark calls it."""
    return exp.DataType.build(kind, dialect="duckdb").sql("spark")


def by_spark(
    spark: RealSession,
    conditions: Sequence[Condition],
    rows: Sequence[Sequence[Any]],
    slip: tuple[str, str] = ("", ""),
) -> agreement.Said:
    """What Spark says of each condition on each row; with a *slip*, by a miswritten statement."""
    table = view(spark, [(name, sql) for name, (_, sql) in trees.COLUMNS.items()], rows)
    statement = spark_sql(table, trees.SLOTS, conditions, trees.AS_OF).replace(*slip)
    count, said = len(conditions), []
    for _, true, unknown in spark.sql(statement).collect():
        said.append([verdict(true, unknown, n) for n in range(count)])
    return said


def verdict(true: int, unknown: int, bit: int) -> Verdict:
    """One verdict out of two masks."""
    if true >> bit & 1:
        return Verdict.TRUE
    return Verdict.UNKNOWN if unknown >> bit & 1 else Verdict.FALSE


def wrong(said: agreement.Said, expected: agreement.Said) -> int:
    """Verdicts that differ."""
    assert len(said) == len(expected)
    return sum(
        a != b
        for one, two in zip(said, expected, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def generated(spark: RealSession) -> tuple[int, int]:
    """Verdicts over generated conditions: how many, and wrong ones."""
    trials = bad = 0
    for conditions, seed in samples(BATCHES, 1):
        rows = drawn(seed, ROWS)
        bad += wrong(by_spark(spark, conditions, rows), agreement.by_python(conditions, rows))
        trials += len(conditions) * ROWS
    return trials, bad


def unseen(spark: RealSession) -> list[tuple[str, str]]:
    """The slips of `SLIPS` that no generated condition gives away."""
    left = list(SLIPS)
    for conditions, seed in samples(BATCHES, 1):
        rows = drawn(seed, ROWS)
        expected = agreement.by_python(conditions, rows)
        left = [
            slip for slip in left if not wrong(by_spark(spark, conditions, rows, slip), expected)
        ]
        if not left:
            break
    return left


def awkward(ruleset: Any, count: int) -> Iterator[tuple[Any, ...]]:
    """Customers with a value of each fact's type, one in six of them unknown."""
    source = random.Random(7)
    for _ in range(count):
        yield tuple(
            None if source.random() < 1 / 6 else source.choice(trees.VALUES[fact.type])
            for fact in ruleset.facts
        )


def shipped(spark: RealSession, name: str) -> tuple[int, int]:
    """A shipped ruleset's conditions over awkward customers, through the public matcher."""
    ruleset, found = load(RULESETS / name)
    assert ruleset is not None, found
    engine = CompiledRuleset(ruleset)
    rows = list(awkward(ruleset, CUSTOMERS))
    table = view(spark, [(fact.id, SQL_TYPES[fact.type]) for fact in ruleset.facts], rows)
    count = len(engine.conditions)
    expected = [split(engine.matcher(row, trees.AS_OF), count) for row in rows]
    said = [(v.true, v.unknown) for v in match_spark(spark, table, engine, trees.AS_OF)]
    pairs = zip(said, expected, strict=True)
    bad = sum(bin((a ^ c) | (b ^ d)).count("1") for (a, b), (c, d) in pairs)
    return count * len(rows), bad


def main() -> int:
    """Exit 0 when every verdict agrees."""
    if shutil.which("java") is None:
        print("no Java here: Spark was not tried")
        return 0
    spark = session()
    try:
        trials, bad = generated(spark)
        print(f"generated conditions: {trials:,} verdicts, {bad} wrong")
        for folder in sorted(RULESETS.iterdir()):
            more, others = shipped(spark, folder.name)
            print(f"{folder.name}: {more:,} verdicts, {others} wrong")
            bad += others
        quiet = unseen(spark)
        print(f"slips on purpose: {len(SLIPS)} made, {len(quiet)} not seen")
    finally:
        spark.stop()
    return int(bool(bad or quiet))


if __name__ == "__main__":
    sys.exit(main())
