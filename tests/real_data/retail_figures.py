"""The figures of rulesets/retail-rfm/README.md: quantiles of the real data and what the rules make
of every customer.

Run in the repository, with the folder of the downloaded file in CRMSYNC_REAL_DATA::

    CRMSYNC_REAL_DATA=… PYTHONPATH=src:. python tests/real_data/retail_figures.py
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

from tests.real_data.online_retail import FOLDER_VARIABLE, Ledger, Order, find, read

from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.decision import Decision
from crmsync.model.fact import FactValue
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState
from crmsync.rules import load

RULESET = Path(__file__).resolve().parents[2] / "rulesets" / "retail-rfm"
LAST_DAY = date(2011, 12, 9)
FIFTHS = (20, 40, 60, 80, 90)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Percentiles 20, 40, 60, 80 and 90 over customers with at least one order."""

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]


def facts_of(orders: Sequence[Order], country: str, as_of: date) -> dict[str, FactValue]:
    """The facts the mapping computes from related orders, for one customer."""
    bought = sorted(order.ordered_on for order in orders if order.amount > 0)
    year, quarter = (Period(months=months).before(as_of) for months in (12, 3))
    facts: dict[str, FactValue] = {
        "orders_total": len(bought),
        "orders_12m": sum(day > year for day in bought),
        "orders_3m": sum(day > quarter for day in bought),
        "sold_12m": _sum(o for o in orders if o.ordered_on > year and o.amount > 0),
        "revenue_12m": _sum(o for o in orders if o.ordered_on > year),
        "revenue_total": _sum(iter(orders)),
        "country": country,
    }
    if bought:
        facts |= {"first_order_on": bought[0], "last_order_on": bought[-1]}
    if len(bought) > 1:
        facts["usual_gap"] = float(median((b - a).days for a, b in pairwise(bought)))
    return facts


def _sum(orders: Iterator[Order]) -> Decimal:
    return sum((order.amount for order in orders), Decimal(0))


def population(ledger: Ledger, as_of: date = LAST_DAY) -> list[dict[str, FactValue]]:
    """The facts of every customer."""
    orders: dict[str, list[Order]] = defaultdict(list)
    for order in ledger.orders:
        orders[order.customer].append(order)
    return [facts_of(orders[c.id], c.country, as_of) for c in ledger.customers]


def quantiles(facts: Sequence[dict[str, FactValue]], as_of: date = LAST_DAY) -> Quantiles:
    """Nearest-rank percentiles of R, F and M."""
    buyers = [item for item in facts if item["orders_total"]]

    def cut(values: list[Decimal]) -> tuple[int, ...]:
        values.sort()
        return tuple(int(values[-(-len(values) * share // 100) - 1]) for share in FIFTHS)

    days = [Decimal((as_of - item["last_order_on"]).days) for item in buyers]  # type: ignore[operator]
    counts = [Decimal(str(item["orders_12m"])) for item in buyers]
    money = [Decimal(str(item["revenue_12m"])) for item in buyers]
    return Quantiles(cut(days), cut(counts), cut(money))


def decisions(facts: Sequence[dict[str, FactValue]], as_of: date = LAST_DAY) -> list[Decision]:
    """What the shipped rules make of every customer on its first evaluation."""
    ruleset, problems = load(RULESET)
    if ruleset is None:
        raise SystemExit("\n".join(str(item) for item in problems))
    engine = Engine(ruleset)
    context = EvaluationContext(as_of=as_of)
    found = []
    for number, item in enumerate(facts):
        ref = RecordRef("customer", str(number))
        (matched,) = match_compiled((row_from_facts(engine, ref, item, as_of),), engine, as_of)
        found.append(decide(engine, matched, CustomerState(ref), context))
    return found


def main() -> None:
    """Print the figures the README quotes."""
    path = find()
    if path is None:
        sys.exit(f"name the folder of the downloaded file in {FOLDER_VARIABLE}")
    facts = population(read(path))
    buyers = sum(1 for item in facts if item["orders_total"])
    print(f"{len(facts)} customers, {buyers} with an order")
    print("percentiles 20 40 60 80 90:", quantiles(facts))
    found = decisions(facts)
    for tier, (count, share, revenue) in by_tier(found).items():
        print(f"{tier}: {count:,} customers, {share:.1%}; of net revenue {revenue:.1%}")
    print("exceptions in force:", Counter(name for item in found for name in item.exceptions))
    print("tier because:", Counter(item.tier.because for item in found if item.tier))
    print("stages:", Counter(item.lifecycle.after for item in found if item.lifecycle))


def table_row(values: Sequence[int]) -> str:
    """Percentiles as a row of the README's table."""
    return "| " + " | ".join(f"{value:,}" for value in values) + " |"


def by_tier(found: Sequence[Decision]) -> dict[str, tuple[int, float, float]]:
    """Customers of each tier: how many, their share, and their share of 12 months' net revenue."""
    counts: Counter[str] = Counter()
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for item in found:
        tier = str(item.tier.after if item.tier else None)
        counts[tier] += 1
        revenue[tier] += Decimal(str(item.facts["revenue_12m"]))
    total = sum(revenue.values())
    return {
        tier: (count, count / len(found), float(revenue[tier] / total))
        for tier, count in counts.most_common()
    }


if __name__ == "__main__":
    main()
