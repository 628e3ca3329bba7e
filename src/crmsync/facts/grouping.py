"""Company groups over a relation: heads, sums of a whole group, and parents that go in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from crmsync.model.fact import FactType
from crmsync.model.group import Group
from crmsync.model.relation import SQL_TYPES, FactRelation

if TYPE_CHECKING:
    import duckdb

_CHAIN = """
    links AS (
        SELECT child.id, parent.id AS parent
        FROM members AS child LEFT JOIN members AS parent ON parent.id = child.parent
    ),
    chain AS (
        SELECT id, id AS head, parent, 0 AS depth FROM links WHERE parent IS NULL
        UNION ALL
        SELECT links.id, chain.head, links.parent, chain.depth + 1
        FROM chain JOIN links ON links.parent = chain.id
    )
"""
"""From every head down. Who is not reached stands in a circle, or below one."""

_EXACT = "DECIMAL(38, 9)"
"""Sums do not depend on the order they are made in: doubles are added as decimals."""


def grouped(
    below: exp.Select, group: Group, columns: Mapping[str, tuple[int, FactType]]
) -> exp.Select:
    """*below* with the group's sums in place of each member's own values.

    *columns* tells each fact's number and type. The sum is unknown while a member's value is, and
    where it is too large for the fact's type.
    """
    if not group.sums:
        return below
    by = columns[group.by][0]
    replaced = ", ".join(_sum(*columns[fact]) for fact in group.sums)
    template = f"""
        WITH RECURSIVE bottom AS MATERIALIZED (SELECT 1),
        members AS (SELECT id, f{by} AS parent FROM bottom),
        {_CHAIN}
        SELECT bottom.* REPLACE ({replaced})
        FROM bottom LEFT JOIN chain ON chain.id = bottom.id
    """
    tree = sqlglot.parse_one(template, dialect="duckdb")
    assert isinstance(tree, exp.Select)
    first = next(tree.find_all(exp.CTE))
    assert first.alias == "bottom"
    first.set("this", below)
    return tree


def _sum(number: int, kind: FactType) -> str:
    column, over = f"bottom.f{number}", "OVER (PARTITION BY COALESCE(chain.head, bottom.id))"
    total = f"SUM(TRY_CAST({column} AS {_EXACT})) {over}"
    whole = f"COUNT({column}) {over} = COUNT(*) {over}"
    return f"CASE WHEN {whole} THEN TRY_CAST({total} AS {SQL_TYPES[kind]}) END AS f{number}"


def group_links(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, by: str
) -> Iterator[tuple[str, str, str, int]]:
    """``(id, parent, head, depth)`` of every record below another, upper ones first."""
    found = connection.execute(
        f"{_population(relation, by)} SELECT id, parent, head, depth FROM chain "
        "WHERE depth > 0 ORDER BY depth, id"
    ).fetchall()
    yield from found


def circles(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, by: str, *, most: int = 10
) -> tuple[tuple[str, str], ...]:
    """``(id, name)`` of records whose parents go in a circle, at most so many."""
    looped = connection.execute(
        f"{_population(relation, by)}, loose AS ("
        "  SELECT * FROM links WHERE id NOT IN (SELECT id FROM chain)"
        "), tails AS ("
        "  SELECT id, parent, 1 AS depth FROM loose"
        "  UNION ALL"
        "  SELECT tails.id, loose.parent, tails.depth + 1 FROM tails"
        "  JOIN loose ON loose.id = tails.parent"
        "  WHERE tails.depth <= 64 AND tails.parent != tails.id"
        ") SELECT DISTINCT tails.id, members.name FROM tails JOIN members ON members.id = tails.id"
        " WHERE tails.parent = tails.id ORDER BY tails.id LIMIT ?",
        [most],
    ).fetchall()
    return tuple((str(id), str(name)) for id, name in looped)


def _population(relation: FactRelation, by: str) -> str:
    inner = relation.select.sql("duckdb")
    return (
        f"WITH RECURSIVE members AS MATERIALIZED ("
        f"SELECT id, name, {relation.column(by)} AS parent FROM ({inner}) AS facts), {_CHAIN}"
    )
