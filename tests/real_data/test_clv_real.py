"""The clv models on the UCI online-retail file: what fits, and what must be refused there.

Skipped where the file is absent.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.real_data.online_retail import Order, find, read

from crmsync.facts import Fit, Histories, Refused, fit_bg_nbd, fit_gamma_gamma


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    path = find()
    if path is None:
        pytest.skip("the UCI file is not here")
    return [order for order in read(path).orders if order.amount > 0]


def histories(orders: list[Order], on: date) -> tuple[Histories, list[str]]:
    """One purchase a day and customer, as the model means it, up to and with *on*."""
    days: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for order in orders:
        if order.ordered_on <= on:
            own = days[order.customer]
            own[order.ordered_on] = own.get(order.ordered_on, Decimal(0)) + order.amount
    ids = sorted(days)
    data = Histories(
        repeats=[float(len(days[key]) - 1) for key in ids],
        last=[(max(days[key]) - min(days[key])).days / 7 for key in ids],
        age=[(on - min(days[key])).days / 7 for key in ids],
        revenue=[float(sum(days[key].values())) for key in ids],
    )
    return data, ids


def test_a_shop_that_tells_no_chance_to_leave_is_refused(orders: list[Order]) -> None:
    """At 40 weeks the likelihood only rises as a falls to nothing: nobody seems ever to leave."""
    end = max(order.ordered_on for order in orders)
    data, ids = histories(orders, end - timedelta(weeks=13))
    found = fit_bg_nbd(data)
    assert len(ids) > 3000
    assert isinstance(found, Refused)
    assert "a ran to its bound" in found.why.en


def test_the_worth_of_orders_fits_too(orders: list[Order]) -> None:
    data, _ = histories(orders, max(order.ordered_on for order in orders))
    fit = fit_gamma_gamma(data)
    assert isinstance(fit, Fit), fit
    p, q, gamma = (fit.parameters[name] for name in ("p", "q", "gamma"))
    assert 200 < p * gamma / (q - 1) < 700  # pounds an order; the plain mean is near 450
