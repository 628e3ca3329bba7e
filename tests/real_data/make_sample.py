"""Chooses the sample the package ships from the real data and writes it.

Run in the repository, with the folder of the downloaded file in CRMSYNC_REAL_DATA::

    CRMSYNC_REAL_DATA=… PYTHONPATH=src:. python tests/real_data/make_sample.py

Customers are put into strata (days since the last purchase × purchases × net revenue of the last
twelve months); each stratum gives its share of `WANTED`, and at least three where it has them, so
rare kinds (a loyal customer who left, one with nothing but returns) are there too. Within a stratum
the order is that of a hash of the id, so the choice is the same on every machine. Chosen customers
come with every order they have.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from tests.real_data.online_retail import FOLDER_VARIABLE, Customer, Ledger, Order, find, read

WANTED = 500
AT_LEAST = 3
YEAR_BEFORE = date(2010, 12, 9)
LAST_DAY = date(2011, 12, 9)
TARGET = Path(__file__).resolve().parents[2] / "src" / "crmsync" / "project" / "sample"


def choose(ledger: Ledger) -> list[Customer]:
    """The sample's customers, in order of id."""
    orders: dict[str, list[Order]] = defaultdict(list)
    for order in ledger.orders:
        orders[order.customer].append(order)
    strata: dict[tuple[int, int, int], list[Customer]] = defaultdict(list)
    for customer in ledger.customers:
        strata[stratum(orders[customer.id])].append(customer)
    chosen: list[Customer] = []
    for _, members in sorted(strata.items()):
        share = round(len(members) * WANTED / len(ledger.customers))
        members.sort(key=_hash)
        chosen += members[: max(share, AT_LEAST)]
    return sorted(chosen, key=lambda customer: customer.id)


def stratum(orders: Sequence[Order]) -> tuple[int, int, int]:
    """Recency, frequency and money class of a customer; who never ordered goods is a prospect."""
    if not orders:
        return (5, 0, 0)
    bought = [order for order in orders if order.amount > 0]
    days = min(((LAST_DAY - order.ordered_on).days for order in bought), default=9999)
    recent = [order for order in orders if order.ordered_on > YEAR_BEFORE]
    count = sum(order.amount > 0 for order in recent)
    money = sum(order.amount for order in recent)
    return (
        bisect_right([31, 91, 181, 9999], days),
        bisect_right([1, 2, 5, 9], count),
        bisect_right([230, 900, 3400], money),
    )


def write(ledger: Ledger, target: Path = TARGET) -> None:
    """Write ``customers.csv.gz`` and ``orders.csv.gz``; the same input gives the same rows."""
    chosen = choose(ledger)
    ids = {customer.id for customer in chosen}
    _write(
        target / "customers.csv.gz",
        ["id", "country"],
        ([customer.id, customer.country] for customer in chosen),
    )
    own = [order for order in ledger.orders if order.customer in ids]
    _write(
        target / "orders.csv.gz",
        ["id", "customer", "ordered_on", "amount"],
        ([o.id, o.customer, o.ordered_on.isoformat(), str(o.amount)] for o in own),
    )


def _write(path: Path, head: list[str], rows: Iterable[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def _hash(customer: Customer) -> str:
    return hashlib.sha256(f"crmsync sample {customer.id}".encode()).hexdigest()


if __name__ == "__main__":
    source = find()
    if source is None:
        sys.exit(f"set {FOLDER_VARIABLE} to the folder that holds the file")
    write(read(source))
