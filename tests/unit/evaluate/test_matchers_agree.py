"""The columnar and the compiled matcher give the same rows with the same verdicts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp
from tests.unit.condition_execution import trees
from tests.unit.evaluate.build import criterion, of, ruleset

from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.matching import match_columnar, match_compiled
from crmsync.evaluate.verdict_sql import WORD
from crmsync.model.condition import Compare, Comparison, Condition, Literal, Name
from crmsync.model.fact import FactRow, FactType
from crmsync.model.record import RecordRef
from crmsync.model.relation import IDENTITY_COLUMNS, SQL_TYPES, FactRelation
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import PointLine, PointsTable
from crmsync.model.text import Text

FACTS = tuple(
    FactDefinition(name, Text.same(name), kind) for name, (kind, _) in trees.COLUMNS.items()
)
SEEN = datetime(2026, 11, 20, 8, tzinfo=UTC)


def engine_of(conditions: Sequence[Condition]) -> CompiledRuleset:
    """A ruleset whose conditions are the lines of one points table."""
    lines = tuple(PointLine(item, Decimal(1), "") for item in conditions)
    card = replace(
        ruleset().scorecards[0],
        criteria=(criterion("c", 1, PointsTable(of("orders_total"), lines)),),
    )
    plain = replace(ruleset(), tier=None, lifecycle=None, tasks=())
    return CompiledRuleset(replace(plain, facts=FACTS, scorecards=(card,)))


def relation_of(connection: duckdb.DuckDBPyConnection, rows: Sequence[FactRow]) -> FactRelation:
    types = tuple(fact.type for fact in FACTS)
    columns = ", ".join(f"f{n} {SQL_TYPES[kind]}" for n, kind in enumerate(types))
    connection.execute(
        "CREATE TABLE facts (id VARCHAR, name VARCHAR, owner VARCHAR, version VARCHAR, "
        f"modified_at TIMESTAMP, locked BOOLEAN, rejected VARCHAR[], {columns}, w_tier VARCHAR)"
    )
    marks = ", ".join("?" * (len(IDENTITY_COLUMNS) + len(types) + 1))
    stored = [
        [
            *(row.ref.id, row.name, row.owner, row.version, _naive(row.modified_at), row.locked),
            list(row.rejected),
            *(_naive(row.facts[fact.id]) for fact in FACTS),
            row.owned["tier"],
        ]
        for row in rows
    ]
    connection.executemany(f"INSERT INTO facts VALUES ({marks})", stored)
    select = exp.select("*").from_("facts").order_by("id")
    return FactRelation("Accounts", select, tuple(fact.id for fact in FACTS), types, ("tier",))


def _naive(value):
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def fact_row(number: int, values: Sequence[object]) -> FactRow:
    return FactRow(
        ref=RecordRef("Accounts", f"{number:06d}"),
        name=f"Example {number}",
        owner="u1",
        facts=dict(zip(trees.SLOTS, values, strict=True)),
        owned={"tier": "VIP客户"},
        version="3",
        modified_at=SEEN,
        locked=number % 2 == 0,
        rejected=("kind",) if number % 3 == 0 else (),
    )


def known(value: object) -> bool:
    """A relation holds no NaN, and an id out of range has been made NULL before."""
    return not isinstance(value, float) or value - value == 0


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(trees.conditions(1), min_size=1, max_size=8), trees.rows())
def test_both_matchers_give_the_same_rows_and_verdicts(conditions, rows):
    engine = engine_of(conditions)
    facts = [
        fact_row(n, [v if known(v) else None for v in values]) for n, values in enumerate(rows)
    ]
    with duckdb.connect() as connection:
        relation = relation_of(connection, facts)
        columnar = list(match_columnar(connection, relation, engine, trees.AS_OF))

    assert columnar == list(match_compiled(facts, engine, trees.AS_OF))


def test_more_conditions_than_one_word_holds():
    whole = Name("whole", FactType.INTEGER)
    numbers = [Literal(n, FactType.INTEGER) for n in range(2 * WORD + 5)]
    conditions = [Compare(Comparison.EQ, whole, number) for number in numbers]
    engine = engine_of(conditions)
    values = {"whole": 2 * WORD + 1}
    facts = [
        fact_row(n, [values.get(slot) if n else None for slot in trees.SLOTS]) for n in range(3)
    ]
    with duckdb.connect() as connection:
        relation = relation_of(connection, facts)
        columnar = list(match_columnar(connection, relation, engine, date(2026, 11, 22)))

    assert [row.true for row in columnar] == [0, 1 << 2 * WORD + 1, 1 << 2 * WORD + 1]
    assert columnar[0].unknown == (1 << 2 * WORD + 5) - 1
    assert columnar == list(match_compiled(facts, engine, date(2026, 11, 22)))


def test_rows_stream_so_memory_stays_flat():
    engine = engine_of([])
    with duckdb.connect() as connection:
        relation = relation_of(connection, [fact_row(0, [None] * len(trees.SLOTS))])
        many = exp.select("*").from_("facts").join("range(40000)", join_type="cross")
        names = [exp.column(name) for name in relation.columns]
        relation = replace(relation, select=exp.select(*names).from_(many.subquery("many")))
        tracemalloc.start()
        count = sum(1 for _ in match_columnar(connection, relation, engine, trees.AS_OF))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert count == 40_000
    assert peak < 15_000_000
