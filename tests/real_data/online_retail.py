"""UCI "Online Retail" (Chen, Sain, Guo 2012, CC BY 4.0) as customers and orders.

Every invoice line of a British gift wholesaler, 2010-12-01 to 2011-12-09. What is done with the
541,909 lines, and how many each choice touches (`LineCounts` counts them again on every reading):

* 135,080 lines name no customer. They are set apart: nobody can be tiered by them. Stock
  write-offs ("damaged", negative quantities without a cancellation) and the three "Adjust bad debt"
  lines are all among them.
* 1,916 lines with a customer are not goods: postage and carriage (POST, DOT, C2), manual entries
  (M), discounts (D), samples (S), bank and marketplace charges (BANK CHARGES, AMAZONFEE), charity
  (CRUK), bad debt (B). They are left out, whatever their sign.
* 34 more lines have a price of 0 (gifts). They are left out.
* One invoice is one order on the invoice's own day; its amount is the sum of its lines, rounded to
  pence (4 lines of a pad cost a tenth of a penny each).
* An invoice whose number begins with C is a cancellation: an order with a negative amount, on the
  day it was cancelled. Netting is therefore the sum over all orders, and counting purchases means
  counting the positive ones. Cancellations are not matched to the invoice they undo: some undo
  purchases from before the first day.
* 5,268 lines repeat another line exactly. They are kept: the same article twice on an invoice is
  an ordinary thing, and nothing tells the two cases apart.
* The first and the last month are not whole; nothing is filled in.
* A customer's country is that of the last invoice (8 customers have two).
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

FILE = "online_retail_uci.csv.gz"
FOLDER_VARIABLE = "CRMSYNC_REAL_DATA"
NOT_GOODS = frozenset(
    {"POST", "DOT", "C2", "M", "m", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"}
)
PENNY = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Customer:
    """One known customer."""

    id: str
    country: str


@dataclass(frozen=True, slots=True)
class Order:
    """One invoice of one customer; a cancellation has a negative amount."""

    id: str
    customer: str
    ordered_on: date
    amount: Decimal


@dataclass(slots=True)
class LineCounts:
    """What became of the lines."""

    lines: int = 0
    no_customer: int = 0
    not_goods: int = 0
    no_price: int = 0
    kept: int = 0
    kept_cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole file, read; both lists in order of id."""

    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    counts: LineCounts = field(compare=False)


def find() -> Path | None:
    """The file in the folder named by CRMSYNC_REAL_DATA, else in ``../shared/data``, if there."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get(FOLDER_VARIABLE) or beside) / FILE
    return path if path.exists() else None


def read(path: Path) -> Ledger:
    """Customers and orders by the choices above."""
    counts = LineCounts()
    countries: dict[str, tuple[str, str]] = {}
    amounts: dict[str, Decimal] = {}
    heads: dict[str, tuple[str, date]] = {}
    for line in _lines(path):
        counts.lines += 1
        if not line["CustomerID"]:
            counts.no_customer += 1
            continue
        customer = line["CustomerID"].removesuffix(".0")
        seen = (line["InvoiceDate"], line["Country"])
        countries[customer] = max(countries.get(customer, seen), seen)
        price = Decimal(line["UnitPrice"])
        if line["StockCode"] in NOT_GOODS:
            counts.not_goods += 1
        elif not price:
            counts.no_price += 1
        else:
            counts.kept += 1
            counts.kept_cancelled += line["InvoiceNo"].startswith("C")
            invoice = line["InvoiceNo"]
            heads[invoice] = (customer, date.fromisoformat(line["InvoiceDate"][:10]))
            amounts[invoice] = amounts.get(invoice, Decimal(0)) + price * int(line["Quantity"])
    customers = tuple(Customer(key, countries[key][1]) for key in sorted(countries))
    orders = tuple(Order(key, *heads[key], amounts[key].quantize(PENNY)) for key in sorted(heads))
    return Ledger(customers, orders, counts)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
