from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from crmsync.project import sample
from crmsync.project.sample import LAST_DAY, SampleOrder, load_sample

SHOWN = date(2026, 11, 23)


@pytest.mark.parametrize("days", range(8))
def test_dates_move_by_whole_weeks_to_the_last_possible_day(days: int) -> None:
    today = SHOWN + timedelta(days=days)
    moved = load_sample(today)
    assert max(order.ordered_on for order in moved.orders) == moved.last_day
    assert moved.last_day.weekday() == LAST_DAY.weekday()
    assert 1 <= (today - moved.last_day).days <= 7


def test_the_latest_day_is_yesterday_where_whole_weeks_allow() -> None:
    saturday = date(2026, 11, 28)
    assert load_sample(saturday).last_day == date(2026, 11, 27)


def test_distances_between_orders_stay() -> None:
    now, then = load_sample(SHOWN), load_sample(LAST_DAY + timedelta(days=1))
    assert then.last_day == LAST_DAY
    shift = now.last_day - LAST_DAY
    assert [order.ordered_on - shift for order in now.orders] == [
        order.ordered_on for order in then.orders
    ]


def test_every_order_belongs_to_a_customer_and_names_are_made_up() -> None:
    shown = load_sample(SHOWN)
    ids = {customer.id for customer in shown.customers}
    assert len(ids) == len(shown.customers)
    assert {order.customer for order in shown.orders} <= ids
    assert {customer.name for customer in shown.customers} == {f"Customer {key}" for key in ids}
    assert all(customer.owner.startswith("Invented") for customer in shown.customers)


def test_the_traps_of_the_real_data_are_in_it() -> None:
    shown = load_sample(SHOWN)
    orders: dict[str, list[SampleOrder]] = defaultdict(list)
    for order in shown.orders:
        orders[order.customer].append(order)
    assert 450 <= len(shown.customers) <= 600
    assert any(not orders[customer.id] for customer in shown.customers)
    assert any(all(order.amount < 0 for order in own) for own in orders.values())
    assert any(sum(order.amount for order in own) < 0 for own in orders.values())
    assert any(len(own) >= 50 for own in orders.values())
    cancelled = [order for order in shown.orders if order.amount < 0]
    assert {order.id[0] for order in cancelled} == {"C"}
    assert all(order.amount == order.amount.quantize(Decimal("0.01")) for order in shown.orders)


def test_the_sample_is_small_and_says_where_it_comes_from() -> None:
    folder = files(sample)
    packed = [folder.joinpath(name) for name in ("customers.csv.gz", "orders.csv.gz")]
    assert sum(len(file.read_bytes()) for file in packed) < 300_000
    source = folder.joinpath("SOURCE.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in source
    assert "Chen" in source
