"""Practice data for a sandbox: the shipped sample of real retail customers and their invoices."""

from __future__ import annotations

from datetime import date

from crmsync.project.sample import SampleOrder, load_sample
from crmsync.testing import PracticeCustomer, PracticeOrder


def practice_data(
    today: date, most: int
) -> tuple[tuple[PracticeCustomer, ...], tuple[PracticeOrder, ...]]:
    """At most *most* customers with their orders, dated so that the last day is not after
    yesterday."""
    sample = load_sample(today)
    chosen = sample.customers[:most]
    keys = {customer.id for customer in chosen}
    customers = tuple(
        PracticeCustomer(key=item.id, name=item.name, country=item.country, owner=item.owner)
        for item in chosen
    )
    return customers, tuple(_order(item) for item in sample.orders if item.customer in keys)


def _order(item: SampleOrder) -> PracticeOrder:
    return PracticeOrder(
        key=item.id,
        customer=item.customer,
        placed_on=item.ordered_on,
        amount=item.amount,
        title=f"Invoice {item.id}",
    )
