"""Real invoices through pull, mirror and facts, against the same facts computed by hand.

The shipped sample always; the whole file too where CRMSYNC_REAL_DATA names its folder.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.real_data import online_retail
from tests.unit.ingest.paged_crm import PagedCrm

from crmsync.condition import Scope, parse_condition
from crmsync.evaluate import Engine, match_columnar, match_compiled
from crmsync.facts import fact_row, relation, row_of, wants
from crmsync.ingest import PullOptions, pull
from crmsync.model.condition import Condition
from crmsync.model.fact import FactRow, FactValue
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    Related,
    WriteTarget,
)
from crmsync.model.period import Period, RollingWindow
from crmsync.model.position import NOWHERE
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.project.sample import LAST_DAY, load_sample
from crmsync.project.shipped import shipped_ruleset
from crmsync.rules import load
from crmsync.store.mirror import open_mirror

AS_OF = LAST_DAY
NOW = datetime.combine(AS_OF, time(20), UTC)

SCHEMAS = {
    "Accounts": ObjectSchema(
        "Accounts",
        "Accounts",
        tuple(
            FieldSchema(name, name, kind)
            for name, kind in {
                "Account_Name": FieldType.TEXT,
                "Billing_Country": FieldType.TEXT,
                "Tier": FieldType.PICKLIST,
            }.items()
        ),
    ),
    "Sales_Orders": ObjectSchema(
        "Sales_Orders",
        "Sales orders",
        tuple(
            FieldSchema(name, name, kind)
            for name, kind in {
                "Account_Name": FieldType.LOOKUP,
                "Order_Date": FieldType.DATE,
                "Grand_Total": FieldType.CURRENCY,
            }.items()
        ),
    ),
}


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    ordered_on: date
    amount: Decimal


@dataclass(frozen=True)
class World:
    """Customers with their countries, and every order."""

    customers: dict[str, str]
    orders: list[Order]


def sample() -> World:
    shown = load_sample(LAST_DAY.fromordinal(LAST_DAY.toordinal() + 1))
    return World({c.id: c.country for c in shown.customers}, _plain(shown.orders))


def whole() -> World:
    path = online_retail.find()
    if path is None:
        pytest.skip("the real file is not here: name its folder in CRMSYNC_REAL_DATA")
    ledger = online_retail.read(path)
    return World({c.id: c.country for c in ledger.customers}, _plain(ledger.orders))


def _plain(orders: Iterable[object]) -> list[Order]:
    return [Order(o.id, o.customer, o.ordered_on, o.amount) for o in orders]  # type: ignore[attr-defined]


@pytest.fixture(scope="module", params=[sample, whole], ids=["sample", "whole"])
def world(request: pytest.FixtureRequest) -> World:
    return request.param()


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    found, findings = load(shipped_ruleset("retail-rfm"))
    assert found is not None, findings
    return found


@pytest.fixture(scope="module")
def mirror(world: World, ruleset: Ruleset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    crm = PagedCrm(NOW, page_size=200)
    for key, country in world.customers.items():
        crm.put("Accounts", key, {"Account_Name": f"Customer {key}", "Billing_Country": country})
    for order in world.orders:
        fields = {
            "Account_Name": order.customer,
            "Order_Date": order.ordered_on,
            "Grand_Total": order.amount,
        }
        crm.put("Sales_Orders", order.id, fields)
    path = tmp_path_factory.mktemp("mirror") / "real.duckdb"
    asked = wants(ruleset, mapping(), SCHEMAS)
    report = pull(crm, asked, path, options=PullOptions(now=lambda: crm.now))
    assert [item.rows for item in report.objects] == [len(world.customers), len(world.orders)]
    return path


def mapping() -> CrmMapping:
    year, quarter = RollingWindow(Period(months=12)), RollingWindow(Period(months=3))
    total, day = FieldPick("Grand_Total"), FieldPick("Order_Date")
    target = ("Sales_Orders", "Account_Name", "Order_Date")
    return CrmMapping(
        connector="invented",
        object="Accounts",
        applies_to=None,
        identity_name=FieldPick("Account_Name"),
        identity_owner=None,
        related={
            "orders": Related("orders", *target, condition("Grand_Total > 0")),
            "ledger": Related("ledger", *target),
        },
        read={
            "last_order_on": AggregateSource("orders", Aggregate.MAX, day),
            "first_order_on": AggregateSource("orders", Aggregate.MIN, day),
            "orders_total": AggregateSource("orders", Aggregate.COUNT),
            "orders_12m": AggregateSource("orders", Aggregate.COUNT, within=year),
            "orders_3m": AggregateSource("orders", Aggregate.COUNT, within=quarter),
            "sold_12m": AggregateSource("orders", Aggregate.SUM, total, within=year),
            "revenue_12m": AggregateSource("ledger", Aggregate.SUM, total, within=year),
            "revenue_total": AggregateSource("ledger", Aggregate.SUM, total),
            "usual_gap": AggregateSource("orders", Aggregate.GAP),
            "country": FieldSource(FieldPick("Billing_Country")),
        },
        write={"tier": WriteTarget("tier", FieldPick("Tier"))},
        lock_field=None,
        tasks=None,
        digest="d",
    )


def condition(sentence: str) -> Condition:
    found, findings = parse_condition(sentence, NOWHERE, Scope(open_names=True))
    assert found is not None, findings
    return found


def by_hand(country: str, own: list[Order]) -> dict[str, FactValue]:
    """The facts of one customer, computed without any of the code under test."""
    year, quarter = date(2010, 12, 9), date(2011, 9, 9)
    bought = [order for order in own if order.amount > 0]
    days = sorted({order.ordered_on for order in bought})
    last = days[-1] if days else None
    gaps = [(after - before).days for before, after in pairwise(days)]
    sold = sum((o.amount for o in bought if o.ordered_on > year), Decimal(0))
    revenue = sum((o.amount for o in own if o.ordered_on > year), Decimal(0))
    gap = float(statistics.median(gaps)) if gaps else None
    since = float((AS_OF - last).days) if last else None
    return {
        "last_order_on": last,
        "first_order_on": days[0] if days else None,
        "orders_total": len(bought),
        "orders_12m": sum(order.ordered_on > year for order in bought),
        "orders_3m": sum(order.ordered_on > quarter for order in bought),
        "sold_12m": sold,
        "revenue_12m": revenue,
        "revenue_total": sum((order.amount for order in own), Decimal(0)),
        "usual_gap": gap,
        "country": country,
        "days_since_order": since,
        "gap_ratio": since / gap if since is not None and gap else None,
        "returns_share": 1 - float(revenue) / float(sold) if sold else None,
    }


def read_rows(path: Path, built: FactRelation) -> list[FactRow]:
    connection = open_mirror(path)
    try:
        rows = connection.execute(built.select.sql("duckdb")).fetchall()
    finally:
        connection.close()
    return [row_of(built, row) for row in rows]


def test_every_fact_of_every_customer_is_what_the_invoices_say(
    world: World, ruleset: Ruleset, mirror: Path
) -> None:
    own: dict[str, list[Order]] = defaultdict(list)
    for order in world.orders:
        own[order.customer].append(order)
    rows = read_rows(mirror, relation(ruleset, mapping(), SCHEMAS, AS_OF))
    assert [row.ref.id for row in rows] == sorted(world.customers)
    for row in rows:
        assert row.facts == by_hand(world.customers[row.ref.id], own[row.ref.id]), row.ref
        assert row.rejected == ()
        assert row.name == f"Customer {row.ref.id}"


def test_both_matchers_say_the_same_of_real_customers(ruleset: Ruleset, mirror: Path) -> None:
    built = relation(ruleset, mapping(), SCHEMAS, AS_OF)
    engine = Engine(ruleset)
    compiled = list(match_compiled(read_rows(mirror, built), engine, AS_OF))
    connection = open_mirror(mirror)
    try:
        columnar = list(match_columnar(connection, built, engine, AS_OF))
        one = fact_row(connection, built, columnar[0].row.ref.id)
    finally:
        connection.close()
    assert [(m.row.ref, m.true, m.unknown) for m in columnar] == [
        (m.row.ref, m.true, m.unknown) for m in compiled
    ]
    assert one == columnar[0].row == compiled[0].row
    assert any(match.unknown for match in columnar)
