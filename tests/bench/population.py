"""Part: everybody evaluated, by DuckDB over the mirror, or by a script with orders as dicts.

``python -m tests.bench.population fill|ours|dicts MIRROR CUSTOMERS ORDERS``
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure, alone, best, tell
from tests.bench.world import AS_OF, SCHEMAS, fill, mapping, rules

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    match_columnar,
    match_compiled,
    row_from_facts,
)
from crmsync.facts import relation
from crmsync.model.fact import FactRow, MatchedRow
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState
from crmsync.store.mirror import open_mirror

POTENTIAL = {"High": "高", "Medium": "中", "Low": "低"}


def figures(folder: Path, customers: int, sizes: tuple[int, int]) -> Iterator[Figure]:
    """Time and memory for few and for many orders, and whether memory is flat in orders."""
    ours: dict[int, dict[str, Any]] = {}
    for orders in sizes:
        mirror = folder / f"{orders}.duckdb"
        alone("population", "fill", mirror, customers, orders)
        ours[orders] = alone("population", "ours", mirror, customers, orders)
        theirs = alone("population", "dicts", mirror, customers, orders)
        assert ours[orders]["tiers"] == theirs["tiers"], "the script decides otherwise"
        name, peer = f"population.{orders}_orders", "script: orders as Python dicts"
        mine, other = ours[orders], theirs
        yield Figure(f"{name}.seconds", mine["s"], "s", peer, other["s"], mine["peak_mb"])
        yield Figure(f"{name}.peak", mine["peak_mb"], "MB", peer, other["peak_mb"], mine["peak_mb"])
    least, most = (ours[orders]["peak_mb"] for orders in sizes)
    peer = f"the same with {sizes[0]} orders"
    yield Figure(f"population.{sizes[1]}_orders.growth", most, "MB", peer, least, most)


def main(part: str, mirror: Path, customers: int, orders: int) -> None:
    if part == "fill":
        fill(mirror, customers, orders)
        tell()
        return
    work = _ours if part == "ours" else _dicts
    seconds, tiers = best(lambda: work(mirror), times=2)
    assert sum(tiers.values()) == customers
    tell(s=seconds, tiers=dict(sorted(tiers.items())))


def _ours(path: Path) -> Counter[str]:
    ruleset = rules()
    engine = Engine(ruleset)
    mirror = open_mirror(path)
    try:
        built = relation(ruleset, mapping(ruleset), SCHEMAS, AS_OF)
        return _tiers(engine, match_columnar(mirror, built, engine, AS_OF))
    finally:
        mirror.close()


def _tiers(engine: Engine, matched: Iterable[MatchedRow]) -> Counter[str]:
    context, tiers = EvaluationContext(AS_OF), Counter[str]()
    for item in matched:
        decision = decide(engine, item, CustomerState(item.row.ref), context)
        assert decision.tier is not None
        tiers[decision.tier.after or "-"] += 1
    return tiers


# ── the script ─────────────────────────────────────────────────────────────────────────────────


def _dicts(path: Path) -> Counter[str]:
    """What a script would do: read both lists whole, group the orders, compute, decide."""
    engine = Engine(rules())
    mirror = open_mirror(path)
    accounts, deals = _all(mirror, "Accounts"), _all(mirror, "Deals")
    mirror.close()
    orders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for deal in deals:
        if deal["Stage"] == "Closed Won":
            orders[deal["Account_Name"]].append(deal)
    rows = (_row(engine, account, orders[account["id"]]) for account in accounts)
    return _tiers(engine, match_compiled(rows, engine, AS_OF))


def _all(mirror: Any, table: str) -> list[dict[str, Any]]:
    found = mirror.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _row(engine: Engine, account: dict[str, Any], orders: list[dict[str, Any]]) -> FactRow:
    year = AS_OF.replace(year=AS_OF.year - 1)
    days = sorted({deal["Closing_Date"] for deal in orders})
    lately = [deal for deal in orders if year < deal["Closing_Date"] <= AS_OF]
    gaps = [(after - before).days for before, after in pairwise(days)]
    margin = account["Margin_12M"]
    facts = {
        "last_order_on": days[-1] if days else None,
        "orders_total": len(orders),
        "orders_12m": len(lately),
        "revenue_12m": sum((deal["Amount"] for deal in lately), Decimal(0)),
        "usual_gap": float(statistics.median(gaps)) if gaps else None,
        "margin_12m": None if margin is None else float(margin) / 100,
        "overdue_days": account["Max_Overdue_Days"],
        "potential": POTENTIAL.get(account["Demand_Potential"]),
        "strategic": account["Strategic_Account"],
        "blacklisted": account["Blacklisted"],
    }
    return row_from_facts(engine, RecordRef("Accounts", account["id"]), facts, AS_OF)


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], Path(words[1]), int(words[2]), int(words[3]))


if __name__ == "__main__":
    run(sys.argv[1:])
