"""Points rounded to tenths in SQL are the points of the score sheet, or in doubt."""

from __future__ import annotations

import random
from decimal import Decimal

import duckdb
import pytest

from crmsync.evaluate import score_sql
from crmsync.evaluate.scoring import tenths


def values() -> list[float]:
    source = random.Random(20261126)
    halves = [source.randrange(3000) / 10 + 0.05 for _ in range(4000)]
    near = [half + source.choice((-1, 1)) * 10 ** -source.uniform(6, 13) for half in halves]
    scales = [5 + (source.random() * 0.15) / 0.15 * (12 - 5) for _ in range(4000)]
    return [0.0, 0.05, 12.35, 99.95, 100.0, *halves, *near, *scales]


def differing(*, snap: bool) -> tuple[int, int]:
    """How many certain values differ from the sheet's, and how many are in doubt."""
    points = values()
    rounded, doubt = score_sql.tenths(score_sql.column("p"), snap=snap)
    query = f"SELECT {rounded.sql('duckdb')}, {doubt.sql('duckdb')} FROM given"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE given AS SELECT unnest(?::DOUBLE[]) AS p", [points])
        found = connection.execute(query).fetchall()
    sheet = [tenths(Decimal(repr(round(p, 9)))) * 10 for p in points]
    wrong = sum(
        not unsure and got != said for (got, unsure), said in zip(found, sheet, strict=True)
    )
    return wrong, sum(unsure for _, unsure in found)


@pytest.mark.parametrize("snap", [True, False])
def test_certain_tenths_are_the_tenths_of_the_sheet(snap):
    wrong, unsure = differing(snap=snap)

    assert wrong == 0
    assert unsure < len(values()) * (0.25 if snap else 0.6)


def test_negative_points_are_left_to_the_sheet():
    _, doubt = score_sql.tenths(score_sql.double(-0.5), snap=True)
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {doubt.sql('duckdb')}").fetchall() == [(True,)]


@pytest.mark.parametrize(("name", "value"), [("DOUBT", 0.0), ("SNAP", 1e-6)])
def test_a_careless_rounding_is_caught(monkeypatch, name, value):
    monkeypatch.setattr(score_sql, name, value)

    assert differing(snap=True)[0] > 0
