"""Cut points drawn from a population: the same as a slow reference, and no order of rows shows."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.facts.small_world import (
    AS_OF,
    SCHEMAS,
    fact,
    from_orders,
    mapping,
    opened,
    ruleset,
    write_mirror,
)

from crmsync.condition.binding import bind, model_facts
from crmsync.evaluate import Engine, row_from_facts
from crmsync.facts import draw_cut_points, prepare, relation, row_of
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.condition import Literal
from crmsync.model.fact import FactRow, FactType
from crmsync.model.frozen import Freeze, FrozenLines
from crmsync.model.mapping import Aggregate
from crmsync.model.period import Period
from crmsync.model.rfm import Part, RfmRules
from crmsync.model.ruleset import Ruleset

READS = {Part.RECENCY: "last", Part.FREQUENCY: "orders", Part.MONETARY: "revenue"}
QUINTILES = RfmRules(READS, 5, freeze=Freeze.QUARTER)
DECLARED = (
    fact("last", FactType.DATE),
    fact("first", FactType.DATE),
    fact("orders", FactType.INTEGER, missing=0),
    fact("revenue", FactType.MONEY, missing=Decimal(0)),
)
MAPPED = mapping(
    {
        "last": from_orders(Aggregate.MAX, "Day"),
        "first": from_orders(Aggregate.MIN, "Day"),
        "orders": from_orders(Aggregate.COUNT),
        "revenue": from_orders(Aggregate.SUM, "Amount"),
    }
)


def with_models(rfm: RfmRules | None = None, clv: ClvRules | None = None) -> Ruleset:
    known = {item.id: item for item in DECLARED}
    made = model_facts(rfm, clv, known)
    return replace(ruleset(*DECLARED, *made), rfm=rfm, clv=clv)


def population(
    path: Path, seed: int, *, customers: int = 203
) -> dict[str, tuple[int, int, Decimal]]:
    """Customers with many equal values, some of them without orders; what each should have."""
    chance = random.Random(seed)
    orders, told = [], {}
    ids = [f"c{number:04d}" for number in range(customers)]
    for key in ids:
        count = chance.choice((0, 1, 1, 1, 2, 3, 8))
        days = [chance.randrange(0, 300) for _ in range(count)]
        amounts = [Decimal(chance.randrange(-50, 5000)) / 100 for _ in range(count)]
        for day, amount in zip(days, amounts, strict=True):
            when = AS_OF - timedelta(days=day)
            orders.append({"Customer": key, "Day": when, "Amount": amount, "Status": "Won"})
        if count:
            told[key] = (min(days), count, sum(amounts, Decimal(0)))
    chance.shuffle(orders)
    chance.shuffle(ids)
    write_mirror(path, {key: {"Name": key} for key in ids}, orders)
    return told


def tiles(values: dict[str, object], classes: int) -> list[list[object]]:
    """NTILE by hand: as equal as can be, the first tiles one larger."""
    ordered = [values[key] for key in sorted(values, key=lambda key: (values[key], key))]
    size, more = divmod(len(ordered), classes)
    found, start = [], 0
    for number in range(classes):
        end = start + size + (number < more)
        found.append(ordered[start:end])
        start = end
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("classes", [3, 5])
def test_cut_points_are_those_of_a_slow_reference(tmp_path: Path, seed: int, classes: int) -> None:
    path = tmp_path / "m.duckdb"
    told = population(path, seed)
    rules = with_models(RfmRules(READS, classes, freeze=Freeze.YEAR))
    assert rules.rfm is not None
    built = relation(rules, MAPPED, SCHEMAS, AS_OF)
    with opened(path) as connection:
        drawn = draw_cut_points(connection, built, rules.rfm, AS_OF)
    assert drawn.customers == len(told)
    assert drawn.cuts is not None
    for place, part in enumerate(Part):
        values = {key: row[place] for key, row in told.items()}
        assert list(drawn.cuts[part]) == [tile[-1] for tile in tiles(values, classes)[:-1]]


def test_fewer_buyers_than_classes_give_no_cut_points(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    told = population(path, 1, customers=4)
    built = relation(with_models(QUINTILES), MAPPED, SCHEMAS, AS_OF)
    with opened(path) as connection:
        drawn = draw_cut_points(connection, built, QUINTILES, AS_OF)
    assert (drawn.cuts, drawn.customers) == (None, len(told))


def prepared(path: Path, rules: Ruleset) -> list[FactRow]:
    built = relation(rules, MAPPED, SCHEMAS, AS_OF)
    with opened(path) as connection:
        prepare(connection, rules)
        return [
            row_of(built, row) for row in connection.execute(built.select.sql("duckdb")).fetchall()
        ]


def in_both(path: Path, rules: Ruleset) -> int:
    """Every customer's facts from SQL and from Python must be the same bits; how many there are."""
    engine = Engine(rules)
    rows = prepared(path, rules)
    for row in rows:
        given = {item.id: row.facts[item.id] for item in DECLARED}
        single = row_from_facts(engine, row.ref, given, AS_OF)
        assert dict(row.facts) == dict(single.facts), row.ref
    return len(rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_classes_are_the_same_in_sql_and_for_one_record(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "m.duckdb"
    population(path, seed)
    rules = with_models(QUINTILES)
    built = relation(rules, MAPPED, SCHEMAS, AS_OF)
    with opened(path) as connection:
        drawn = draw_cut_points(connection, built, QUINTILES, AS_OF)
    bound = bind(rules, cuts=drawn.cuts)
    assert in_both(path, bound) == 203
    codes = [row.facts["rfm_code"] for row in prepared(path, bound)]
    assert {code for code in codes if code is not None} <= {
        r * 100 + f * 10 + m for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)
    }
    assert len({code for code in codes if code is not None}) > 10


def test_fitted_values_are_the_same_in_sql_and_for_one_record(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    population(path, 3)
    clv = ClvRules(
        model=ClvModel.BG_NBD,
        horizon=Period(days=364),
        orders="orders",
        revenue="revenue",
        margin=Literal(0.3, FactType.PERCENT),
        first="first",
        last="last",
        gamma_gamma=True,
        freeze=Freeze.QUARTER,
    )
    numbers = {
        "r": 0.243,
        "alpha": 4.414,
        "a": 0.793,
        "b": 2.426,
        "p": 6.25,
        "q": 3.74,
        "gamma": 15.4,
    }
    fit = FrozenLines(
        "clv", "2026-Q1", 1, "", AS_OF, 203, {k: (Decimal(str(v)),) for k, v in numbers.items()}
    )
    bound = bind(with_models(clv=clv), [fit])
    assert in_both(path, bound) == 203
    found = [row.facts["p_alive"] for row in prepared(path, bound)]
    alive = [float(str(value)) for value in found if value is not None]
    assert all(0 <= value <= 1 for value in alive)
    assert any(value < 0.9 for value in alive)
