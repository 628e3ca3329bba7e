"""The shipped sample of real invoices, typed, with its dates moved to the present.

From UCI "Online Retail" (CC BY 4.0); SOURCE.md beside this file says what was changed.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files

LAST_DAY = date(2011, 12, 9)
"""The last day of the source."""

OWNERS = ("Invented Owner North", "Invented Owner South", "Invented Owner East")
"""Made-up account owners, given out in turn."""


@dataclass(frozen=True, slots=True)
class SampleCustomer:
    """One real customer under a made-up name and owner."""

    id: str
    name: str
    country: str
    owner: str


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """One real invoice: its amount in pounds, negative for a cancellation."""

    id: str
    customer: str
    ordered_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sample:
    """The whole sample, both lists in order of id; ``last_day`` is the source's last day, moved."""

    customers: tuple[SampleCustomer, ...]
    orders: tuple[SampleOrder, ...]
    last_day: date


def load_sample(today: date) -> Sample:
    """The sample as if it ended in the week before *today*.

    Every date moves by the same number of whole weeks, the largest that leaves none after
    yesterday: week days and the distances between orders stay as they were, so the last day, a
    Friday in the source, becomes the latest Friday before *today*.
    """
    shift = timedelta(days=(today - timedelta(days=1) - LAST_DAY).days // 7 * 7)
    customers = tuple(
        SampleCustomer(key, f"Customer {key}", country, OWNERS[number % len(OWNERS)])
        for number, (key, country) in enumerate(_rows("customers.csv.gz"))
    )
    orders = tuple(
        SampleOrder(key, customer, date.fromisoformat(day) + shift, Decimal(amount))
        for key, customer, day, amount in _rows("orders.csv.gz")
    )
    return Sample(customers=customers, orders=orders, last_day=LAST_DAY + shift)


def _rows(name: str) -> Iterator[list[str]]:
    packed = files(__name__).joinpath(name).read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    yield from csv.reader(lines[1:])
