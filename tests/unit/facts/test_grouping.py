"""Company groups in SQL agree with walking the tree by hand; circles are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from crmsync.facts import circles, group_links
from crmsync.facts.grouping import grouped
from crmsync.model.fact import FactType
from crmsync.model.group import Group
from crmsync.model.relation import FactRelation

COLUMNS = {"parent": (0, FactType.TEXT), "revenue": (1, FactType.MONEY), "n": (2, FactType.NUMBER)}


@dataclass(frozen=True)
class Row:
    id: str
    parent: str | None
    revenue: Decimal | None
    n: float | None


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def load(db: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> exp.Select:
    db.execute(
        "CREATE OR REPLACE TABLE t (id VARCHAR, name VARCHAR, f0 VARCHAR, "
        "f1 DECIMAL(28, 6), f2 DOUBLE)"
    )
    for row in rows:
        db.execute(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            [row.id, f"Company {row.id}", row.parent, row.revenue, row.n],
        )
    return exp.select("*").from_("t")


def relation_of(select: exp.Select) -> FactRelation:
    return FactRelation("Accounts", select, ("parent",), (FactType.TEXT,))


def forest(parents: Sequence[int | None], values: Sequence[Decimal | None]) -> list[Row]:
    """Everybody's parent stands before it, or is unknown to the population: no circle."""
    rows = []
    for number, (up, value) in enumerate(zip(parents, values, strict=True)):
        above = None if up is None else (f"c{up % number}" if number and up < 90 else "elsewhere")
        n = None if value is None else float(value) / 3
        rows.append(Row(f"c{number}", above, value, n))
    return rows


def head_of(rows: Mapping[str, Row], id: str) -> str:
    while (above := rows[id].parent) in rows:
        assert above is not None
        id = above
    return id


FORESTS = st.integers(0, 12).flatmap(
    lambda size: st.builds(
        forest,
        st.lists(st.one_of(st.none(), st.integers(0, 99)), min_size=size, max_size=size),
        st.lists(
            st.one_of(st.none(), st.decimals(-1000, 1000, places=2), st.just(Decimal("0.01"))),
            min_size=size,
            max_size=size,
        ),
    )
)


@given(FORESTS)
@settings(max_examples=100, deadline=None)
def test_sums_are_those_of_the_whole_group(db: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    select = grouped(load(db, rows), Group("parent", ("revenue", "n")), COLUMNS)
    found = {
        id: (revenue, n)
        for id, revenue, n in db.execute(
            f"SELECT id, f1, f2 FROM ({select.sql('duckdb')}) AS s"
        ).fetchall()
    }
    by_id = {row.id: row for row in rows}
    for row in rows:
        head = head_of(by_id, row.id)
        members = [item for item in rows if head_of(by_id, item.id) == head]
        revenue = [item.revenue for item in members]
        if None in revenue:
            assert found[row.id] == (None, None)
        else:
            assert found[row.id][0] == sum((r for r in revenue if r is not None), Decimal(0))
            numbers = sum(item.n for item in members if item.n is not None)
            assert found[row.id][1] == pytest.approx(numbers, abs=1e-6)
    assert set(found) == set(by_id)


@given(FORESTS)
@settings(max_examples=60, deadline=None)
def test_links_name_parent_head_and_depth(db: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    by_id = {row.id: row for row in rows}
    expected = set()
    for row in rows:
        depth, id = 0, row.id
        while (above := by_id[id].parent) in by_id:
            assert above is not None
            depth, id = depth + 1, above
        if depth:
            expected.add((row.id, row.parent, id, depth))
    relation = relation_of(load(db, rows))
    found = list(group_links(db, relation, "parent"))
    assert set(found) == expected
    assert [depth for *_, depth in found] == sorted(depth for *_, depth in found)
    assert circles(db, relation, "parent") == ()


@pytest.mark.parametrize(
    ("parents", "named"),
    [
        ({"a": "b", "b": "a", "c": None}, ["a", "b"]),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "c", "c": "a", "under": "a"}, ["a", "b", "c"]),
    ],
)
def test_circles_are_named_without_those_below(
    db: duckdb.DuckDBPyConnection, parents: Mapping[str, str | None], named: list[str]
) -> None:
    rows = [Row(id, up, Decimal(1), 1.0) for id, up in parents.items()]
    relation = relation_of(load(db, rows))
    assert circles(db, relation, "parent") == tuple((id, f"Company {id}") for id in named)
    list(group_links(db, relation, "parent"))  # ends, whatever goes in a circle
