"""Cut lines by SQL and by scores agree with a naive reading of what they promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from crmsync.facts import draw_cuts
from crmsync.model.cut import Cut, CutKind
from crmsync.model.fact import FactType
from crmsync.model.relation import SQL_TYPES, FactRelation

MONEY = st.decimals(min_value=-1000, max_value=100_000, places=2, allow_nan=False)
AMOUNTS = st.lists(st.one_of(st.none(), MONEY, st.sampled_from([Decimal(5), Decimal(0)])))
COUNTS = st.integers(1, 12).map(lambda count: Cut(CutKind.TOP, Decimal(count)))
SHARES = st.integers(1, 99).map(lambda part: Decimal(part) / 100)
CUTS = st.one_of(
    COUNTS,
    SHARES.map(lambda share: Cut(CutKind.SHARE, share)),
    SHARES.map(lambda share: Cut(CutKind.COVERS, share, "v")),
)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def relation_of(
    db: duckdb.DuckDBPyConnection, values: Sequence[object], kind: FactType
) -> FactRelation:
    db.execute(f"CREATE OR REPLACE TABLE t (id VARCHAR, f0 {SQL_TYPES[kind]})")
    for number, value in enumerate(values):
        db.execute("INSERT INTO t VALUES (?, ?)", [str(number), value])
    return FactRelation("Accounts", exp.select("id", "f0").from_("t"), ("v",), (kind,))


def naive(values: Sequence[Decimal | None], cut: Cut) -> Decimal | None:
    """The value of the last customer inside, by counting and adding one at a time."""
    known = sorted((value for value in values if value is not None), reverse=True)
    if cut.kind is CutKind.COVERS:
        positive = [value for value in known if value > 0]
        wanted, inside, held = cut.amount * sum(positive, Decimal(0)), 0, Decimal(0)
        while inside < len(positive) and held < wanted:
            held += positive[inside]
            inside += 1
    elif cut.kind is CutKind.SHARE:
        inside = int((cut.amount * len(known)).to_integral_value(ROUND_CEILING))
    else:
        inside = min(int(cut.amount), len(known))
    return known[inside - 1] if inside else None


@given(AMOUNTS, CUTS)
@settings(max_examples=150, deadline=None)
def test_lines_are_what_they_promise(
    db: duckdb.DuckDBPyConnection, values: list[Decimal | None], cut: Cut
) -> None:
    relation = relation_of(db, values, FactType.MONEY)
    lines, people = draw_cuts(db, relation, "v", {"vip.enter": cut})
    assert lines.get("vip.enter") == naive(values, cut)
    assert people == sum(value is not None for value in values)


def test_several_lines_come_from_one_statement(db: duckdb.DuckDBPyConnection) -> None:
    relation = relation_of(db, [50.0, 30.0, 15.0, 5.0], FactType.NUMBER)
    cuts = {
        "vip.enter": Cut(CutKind.TOP, Decimal(1)),
        "key.enter": Cut(CutKind.COVERS, Decimal("0.8"), "v"),
        "key.keep": Cut(CutKind.SHARE, Decimal("0.75")),
    }
    assert draw_cuts(db, relation, "v", cuts) == (
        {"vip.enter": Decimal("50.0"), "key.enter": Decimal("30.0"), "key.keep": Decimal("15.0")},
        4,
    )


def test_nobody_means_no_line(db: duckdb.DuckDBPyConnection) -> None:
    relation = relation_of(db, [None, None], FactType.MONEY)
    assert draw_cuts(db, relation, "v", {"a": Cut(CutKind.TOP, Decimal(3))}) == ({}, 0)
