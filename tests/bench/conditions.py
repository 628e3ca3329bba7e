"""Fifty conditions written three times: as sentences, as SQL by hand, and as lambdas by hand.

All three must give the same masks; the benches check it before they time anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
from sqlglot import exp
from tests.unit.facts.small_world import fact, ruleset

from crmsync.condition import Scope, ScopeName, parse_condition
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.model.condition import All, AnyOf, Condition, Name, Not
from crmsync.model.fact import FactType
from crmsync.model.position import NOWHERE
from crmsync.model.relation import SQL_TYPES, FactRelation
from crmsync.model.scorecard import Criterion, PointLine, PointsTable, Scorecard
from crmsync.model.text import Text

AS_OF = date(2026, 11, 22)
COLUMNS: Mapping[str, tuple[FactType, str]] = {
    "orders": (FactType.INTEGER, "CASE WHEN i % 11 = 0 THEN NULL ELSE i % 60 END"),
    "visits": (FactType.INTEGER, "CASE WHEN i % 13 = 0 THEN NULL ELSE (i * 7) % 20 END"),
    "revenue": (FactType.MONEY, "CASE WHEN i % 17 = 0 THEN NULL ELSE (i * 31) % 9000 * 1.5 END"),
    "credit": (FactType.MONEY, "((i * 37) % 8000) * 1.25"),
    "margin": (FactType.PERCENT, "CASE WHEN i % 7 = 0 THEN NULL ELSE ((i * 3) % 50) / 100.0 END"),
    "gap": (FactType.NUMBER, "CASE WHEN i % 19 = 0 THEN NULL ELSE ((i * 11) % 90) / 2.0 END"),
    "last_on": (
        FactType.DATE,
        f"CASE WHEN i % 23 = 0 THEN NULL ELSE DATE '{AS_OF}' - CAST((i * 5) % 400 AS INTEGER) END",
    ),
    "grade": (
        FactType.TEXT,
        "CASE WHEN i % 29 = 0 THEN NULL ELSE chr(CAST(65 + i % 6 AS INT)) END",
    ),
    "strategic": (FactType.YES_NO, "i % 5 = 0"),
}
_SCOPE = Scope(tuple(ScopeName(name, kind) for name, (kind, _) in COLUMNS.items()))
Row = Mapping[str, Any]
Test = Callable[[Row], bool | None]


@dataclass(frozen=True)
class Line:
    """One condition, three times."""

    condition: Condition
    sql: str
    test: Test


def lines() -> tuple[Line, ...]:
    """Fifty of them: ten shapes at five thresholds."""
    return tuple(line for step in range(5) for line in _of_step(step))


def _of_step(k: int) -> tuple[Line, ...]:
    day = AS_OF - timedelta(days=30 * (k + 1))
    grades = "ABCDEF"[k : k + 2]
    listed = "', '".join(grades)
    share = (k + 1) / 10
    return (
        Line(
            said(f"orders ≥ {k * 9}"), f"orders >= {k * 9}", _known("orders", lambda v: v >= k * 9)
        ),
        Line(
            said(f"revenue > {k * 2000}"),
            f"revenue > {k * 2000}",
            _known("revenue", lambda v: v > k * 2000),
        ),
        Line(
            said(f"margin < {k * 9 + 5}%"),
            f"margin < {k * 9 + 5}e-2::DOUBLE",
            _known("margin", lambda v: v < (k * 9 + 5) / 100),
        ),
        Line(
            said(f"last_on within {30 * (k + 1)} days"),
            f"(last_on > DATE '{day}' AND last_on <= DATE '{AS_OF}')",
            _known("last_on", lambda v: day < v <= AS_OF),
        ),
        Line(
            said(f"grade in {', '.join(grades)}"),
            f"grade IN ('{listed}')",
            _known("grade", lambda v: v in grades),
        ),
        Line(
            said(f"visits between {k} and {k + 6}"),
            f"visits BETWEEN {k} AND {k + 6}",
            _known("visits", lambda v: k <= v <= k + 6),
        ),
        Line(
            All((said("strategic"), said(f"orders > {k}"))),
            f"(strategic AND orders > {k})",
            _all(lambda r: r["strategic"], _known("orders", lambda v: v > k)),
        ),
        Line(
            AnyOf((said(f"gap > {k * 8}"), said(f"revenue < {k * 300}"))),
            f"(gap > {k * 8} OR revenue < {k * 300})",
            _any(_known("gap", lambda v: v > k * 8), _known("revenue", lambda v: v < k * 300)),
        ),
        Line(
            Not(AnyOf((said(f"visits > {k + 9}"), said("margin is missing")))),
            f"NOT (visits > {k + 9} OR margin IS NULL)",
            _not(_any(_known("visits", lambda v: v > k + 9), lambda r: r["margin"] is None)),
        ),
        Line(
            said(f"revenue > credit × {10 * (k + 1)}%"),
            f"revenue::DOUBLE > credit::DOUBLE * {share}::DOUBLE",
            _known("revenue", lambda v, r: float(v) > float(r["credit"]) * share),
        ),
    )


def said(sentence: str) -> Condition:
    """A sentence in the language of conditions over `COLUMNS`."""
    found, problems = parse_condition(sentence, NOWHERE, _SCOPE)
    assert found is not None, problems
    return found


def _known(name: str, test: Callable[..., bool]) -> Test:
    """Unknown where the value is; written out as a person would, with one look-up and one test."""
    if test.__code__.co_argcount == 2:
        return lambda r: None if r[name] is None else test(r[name], r)
    return lambda r: None if r[name] is None else test(r[name])


def _all(*tests: Test) -> Test:
    def both(row: Row) -> bool | None:
        found = [test(row) for test in tests]
        return False if False in found else None if None in found else True

    return both


def _any(*tests: Test) -> Test:
    def either(row: Row) -> bool | None:
        found = [test(row) for test in tests]
        return True if True in found else None if None in found else False

    return either


def _not(test: Test) -> Test:
    def other(row: Row) -> bool | None:
        found = test(row)
        return None if found is None else not found

    return other


def engine(conditions: Sequence[Condition]) -> CompiledRuleset:
    """A ruleset whose conditions are the lines of one points table."""
    points = tuple(PointLine(item, Decimal(1), "") for item in conditions)
    table = PointsTable(Name("orders", FactType.INTEGER), points)
    card = Scorecard("card", (Criterion("c", Text.same("c"), Decimal(1), table),))
    facts = (fact(name, kind) for name, (kind, _) in COLUMNS.items())
    return CompiledRuleset(replace(ruleset(*facts), scorecards=(card,)))


def relation(connection: duckdb.DuckDBPyConnection, rows: int) -> FactRelation:
    """So many made-up customers in memory, as facts hands them over; and by name as ``plain``."""
    types = tuple(kind for kind, _ in COLUMNS.values())
    facts = ", ".join(
        f"CAST({sql} AS {SQL_TYPES[kind]}) AS f{number}"
        for number, (kind, sql) in enumerate(COLUMNS.values())
    )
    connection.execute(
        "CREATE TABLE facts AS SELECT printf('%07d', i) AS id, printf('Example %d', i) AS name, "
        "'u1' AS owner, 'v1' AS version, TIMESTAMP '2026-11-01' AS modified_at, false AS locked, "
        f"CAST([] AS VARCHAR[]) AS rejected, {facts}, NULL::VARCHAR AS w_tier "
        f"FROM range({rows}) t(i)"
    )
    named = ", ".join(f"f{number} AS {name}" for number, name in enumerate(COLUMNS))
    connection.execute(f"CREATE VIEW plain AS SELECT * EXCLUDE (w_tier), {named} FROM facts")
    select = exp.select("*").from_("facts").order_by("id")
    return FactRelation("Accounts", select, tuple(COLUMNS), types, ("tier",))


def by_hand(written: Sequence[Line]) -> str:
    """The masks as a person would write them in SQL."""
    bits = [
        (f"CASE WHEN {line.sql} THEN {1 << bit} ELSE 0 END", line.sql, bit)
        for bit, line in enumerate(written)
    ]
    true = " + ".join(f"{sql}::BIGINT" for sql, _, _ in bits)
    unknown = " + ".join(
        f"CASE WHEN ({sql}) IS NULL THEN {1 << bit} ELSE 0 END::BIGINT" for _, sql, bit in bits
    )
    return f"SELECT id, {true} AS t0, {unknown} AS u0 FROM plain ORDER BY id"
