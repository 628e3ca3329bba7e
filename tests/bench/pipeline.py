"""Part: from orders to tiers: RFM, growth, a score of six criteria, tier and lifecycle stage.

``python -m tests.bench.pipeline fill|ours|by_hand FOLDER CUSTOMERS ORDERS``

The peers (`pipeline_peers`) read the same rows from Parquet. All must place as many customers at
every tier and stage, with the same points together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
from tests.bench.figure import PEERS_PYTHON, Figure, alone, best, by_peer, tell
from tests.bench.pipeline_peers import PEERS
from tests.bench.world import AS_OF, SCHEMAS, fill

from crmsync.config import read_mapping, resolve
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.sharing import Shared, mirror_of
from crmsync.rules import load
from crmsync.store import open_store

RULES = """\
ruleset: pipeline
version: 1
title: Pipeline
record: account
time_zone: UTC
currency: CNY
workdays: CN
facts:
  last_order_on: {type: date, label: 最近 | Last}
  orders_total: {type: integer, label: 累计 | Total, missing: 0}
  orders_12m: {type: integer, label: 单数 | Orders, missing: 0}
  revenue_12m: {type: money, label: 金额 | Revenue, missing: 0}
  revenue_before: {type: money, label: 去年 | Before, missing: 0}
  overdue_days: {type: integer, label: 逾期 | Overdue}
  potential: {type: choice, label: 潜力 | Potential, choices: [高, 中, 低]}
  quiet: {type: number, label: 天数 | Days, formula: days_since(last_order_on)}
  growth:
    {type: number, label: 增长 | Growth, formula: (revenue_12m - revenue_before) / revenue_before}
rfm:
  recency: last_order_on
  frequency: orders_12m
  monetary: revenue_12m
  cut: quintiles
  freeze: quarter
score:
  - id: r
    of: rfm_r
    max: 20
    points: {≥ 5: 20, ≥ 4: 16, ≥ 3: 10, ≥ 2: 4, otherwise: 0}
    missing: 0
  - id: f
    of: rfm_f
    max: 20
    points: {≥ 5: 20, ≥ 4: 16, ≥ 3: 10, ≥ 2: 4, otherwise: 0}
    missing: 0
  - id: m
    of: rfm_m
    max: 30
    points: {≥ 5: 30, ≥ 4: 24, ≥ 3: 15, ≥ 2: 6, otherwise: 0}
    missing: 0
  - id: growth
    of: growth
    max: 10
    points: {≥ 0.5: 10, ≥ 0.1: 7, ≥ -0.1: 4, otherwise: 0}
    missing: 0
  - {id: potential, of: potential, max: 10, points: {高: 10, 中: 6, 低: 2}, missing: 0}
  - id: overdue
    of: overdue_days
    max: 10
    points: {≤ 0: 10, ≤ 30: 6, ≤ 60: 3, otherwise: 0}
    missing: 0
tier:
  levels:
    - {id: vip, label: VIP, enter: 80, keep: 72}
    - {id: key, label: Key, enter: 60, keep: 54}
    - {id: standard, label: Standard, enter: 35, keep: 30}
    - {id: basic, label: Basic}
lifecycle:
  start: prospect
  stages: {prospect: P, first: F, repeat: R, loyal: L, at_risk: A, churned: C}
  moves:
    - {from: prospect, to: first, when: orders_total ≥ 1}
    - {from: first, to: repeat, when: orders_total ≥ 2}
    - {from: repeat, to: loyal, when: [orders_12m ≥ 6, quiet ≤ 60]}
    - {from: [first, repeat, loyal], to: at_risk, when: quiet > 90}
    - {from: at_risk, to: churned, when: quiet > 180}
"""
MAPPING = """\
connector: zoho
object: Accounts
identity: {name: Account_Name, owner: Owner}
related:
  orders: {object: Deals, via: Account_Name, date: Closing_Date, where: Stage is Closed Won}
read:
  last_order_on: {related: orders, max: Closing_Date}
  orders_total: {related: orders, count: all}
  orders_12m: {related: orders, count: all, within: 12 months}
  revenue_12m: {related: orders, sum: Amount, within: 12 months}
  revenue_before: {related: orders, sum: Amount, within: 12 months ending 12 months ago}
  overdue_days: Max_Overdue_Days
  potential: {field: Demand_Potential, values: {High: 高, Medium: 中, Low: 低}}
write:
  tier: Crmsync_Tier
  lifecycle: Crmsync_Lifecycle
"""
CONNECTION = "crm"


def figures(folder: Path, customers: int, orders: int, *, peers: bool = True) -> Iterator[Figure]:
    """Seconds and peak for all of it; the peers only where they are installed."""
    place = folder / "pipeline"
    alone("pipeline", "fill", place, customers, orders)
    ours, hand = (alone("pipeline", side, place, customers, orders) for side in ("ours", "by_hand"))
    others = {"SQL by hand": hand}
    for name in PEERS if peers and PEERS_PYTHON.exists() else ():
        found = by_peer("pipeline_peers", name, place, AS_OF)
        if found is not None:
            others[name] = found
    name = f"pipeline.{customers}_customers.{orders}_orders"
    for peer, found in others.items():
        assert found["told"] == ours["told"], (peer, found["told"], ours["told"])
        mine = ours["peak_mb"]
        yield Figure(f"{name}.seconds.{peer}", ours["s"], "s", peer, found["s"], mine)
        yield Figure(f"{name}.peak.{peer}", mine, "MB", peer, found["peak_mb"], mine)


def main(part: str, folder: Path, customers: int, orders: int) -> None:
    if part == "fill":
        _fill(folder, customers, orders)
        tell()
        return
    work = _ours if part == "ours" else _by_hand
    seconds, told = best(lambda: work(folder), times=2)
    assert sum(row[2] for row in told) == customers
    tell(s=seconds, told=told)


def _fill(folder: Path, customers: int, orders: int) -> None:
    """The mirror, and the same rows as Parquet for those who cannot read it."""
    (folder / "mirrors").mkdir(parents=True)
    mirror = folder / "mirrors" / f"{CONNECTION}.duckdb"
    fill(mirror, customers, orders)
    with duckdb.connect(str(mirror), read_only=True) as plain:
        for table, columns in (
            ("Accounts", "id, Max_Overdue_Days AS overdue, Demand_Potential AS potential"),
            (
                "Deals",
                "Account_Name AS account, Closing_Date AS day, Amount::DOUBLE AS amount, "
                "Stage AS stage",
            ),
        ):
            target = folder / f"{table.lower()}.parquet"
            plain.execute(f"COPY (SELECT {columns} FROM \"{table}\") TO '{target}'")


def _ours(folder: Path) -> list[list[Any]]:
    for name, text in (("rules", RULES), ("zoho", MAPPING)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    ruleset, problems = load(folder)
    assert ruleset is not None, problems
    mapping, problems = read_mapping(folder / "zoho.yaml", ruleset)
    assert mapping is not None, problems
    project: Any = SimpleNamespace(config=SimpleNamespace(state=folder, memory="1 GB"))
    (folder / "state.db").unlink(missing_ok=True)
    store = open_store(folder / "state.db")
    bound = resolve(mapping, SCHEMAS)
    people = Population(project, store, ruleset, bound, CONNECTION, AS_OF, SCHEMAS)
    with mirror_of(project, CONNECTION) as mirror:
        OpenPopulation(people, Shared(store, mirror)).place("places")
        found = mirror.execute(
            "SELECT tier, stage, count(*), sum(score)::BIGINT FROM places GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    store.close()
    return [list(row) for row in found]


BY_HAND = """
WITH sums AS (
    SELECT Account_Name AS id, max(Closing_Date) AS last, count(*) AS total,
        count(*) FILTER (Closing_Date > $day - INTERVAL 12 MONTH) AS orders,
        coalesce(sum(Amount) FILTER (Closing_Date > $day - INTERVAL 12 MONTH), 0) AS revenue,
        coalesce(sum(Amount) FILTER (Closing_Date > $day - INTERVAL 24 MONTH
            AND Closing_Date <= $day - INTERVAL 12 MONTH), 0) AS before
    FROM "Deals" WHERE Stage = 'Closed Won' GROUP BY 1
), facts AS (
    SELECT a.id, a.Max_Overdue_Days AS overdue, a.Demand_Potential AS potential,
        coalesce(total, 0) AS total, coalesce(orders, 0) AS orders,
        coalesce(revenue, 0) AS revenue, $day - last AS days,
        (coalesce(revenue, 0)::DOUBLE - coalesce(before, 0)::DOUBLE)
            / nullif(coalesce(before, 0)::DOUBLE, 0) AS growth
    FROM "Accounts" a LEFT JOIN sums USING (id)
), tiles AS (
    SELECT days, orders, revenue, ntile(5) OVER (ORDER BY days, id) AS r,
        ntile(5) OVER (ORDER BY orders, id) AS f, ntile(5) OVER (ORDER BY revenue, id) AS m
    FROM facts WHERE days IS NOT NULL AND orders > 0
), cuts AS (
    SELECT [max(days) FILTER (r = 1), max(days) FILTER (r = 2), max(days) FILTER (r = 3),
            max(days) FILTER (r = 4)] AS r,
        [max(orders) FILTER (f = 1), max(orders) FILTER (f = 2), max(orders) FILTER (f = 3),
            max(orders) FILTER (f = 4)] AS f,
        [max(revenue) FILTER (m = 1), max(revenue) FILTER (m = 2), max(revenue) FILTER (m = 3),
            max(revenue) FILTER (m = 4)] AS m
    FROM tiles
), scored AS (
    SELECT *, CASE WHEN days IS NULL OR orders = 0 THEN 0
            WHEN days <= r[1] THEN 20 WHEN days <= r[2] THEN 16 WHEN days <= r[3] THEN 10
            WHEN days <= r[4] THEN 4 ELSE 0 END
        + CASE WHEN days IS NULL OR orders = 0 THEN 0
            WHEN orders > f[4] THEN 20 WHEN orders > f[3] THEN 16 WHEN orders > f[2] THEN 10
            WHEN orders > f[1] THEN 4 ELSE 0 END
        + CASE WHEN days IS NULL OR orders = 0 THEN 0
            WHEN revenue > m[4] THEN 30 WHEN revenue > m[3] THEN 24 WHEN revenue > m[2] THEN 15
            WHEN revenue > m[1] THEN 6 ELSE 0 END
        + CASE WHEN growth >= 0.5 THEN 10 WHEN growth >= 0.1 THEN 7 WHEN growth >= -0.1 THEN 4
            ELSE 0 END
        + CASE potential WHEN 'High' THEN 10 WHEN 'Medium' THEN 6 WHEN 'Low' THEN 2 ELSE 0 END
        + CASE WHEN overdue <= 0 THEN 10 WHEN overdue <= 30 THEN 6 WHEN overdue <= 60 THEN 3
            ELSE 0 END AS score
    FROM facts, cuts
)
SELECT CASE WHEN score >= 80 THEN 'vip' WHEN score >= 60 THEN 'key'
        WHEN score >= 35 THEN 'standard' ELSE 'basic' END AS tier,
    CASE WHEN total = 0 THEN 'prospect' WHEN days > 180 THEN 'churned' WHEN days > 90 THEN 'at_risk'
        WHEN total = 1 THEN 'first' WHEN orders >= 6 AND days <= 60 THEN 'loyal'
        ELSE 'repeat' END AS stage,
    count(*), sum(score * 10)::BIGINT
FROM scored GROUP BY ALL ORDER BY ALL
"""


def _by_hand(folder: Path) -> list[list[Any]]:
    """The same in one statement, by somebody who knows what is wanted, under the same limits."""
    project: Any = SimpleNamespace(config=SimpleNamespace(state=folder, memory="1 GB"))
    with mirror_of(project, CONNECTION) as mirror:
        found = mirror.execute(BY_HAND, {"day": AS_OF}).fetchall()
    return [list(row) for row in found]


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], Path(words[1]), int(words[2]), int(words[3]))


if __name__ == "__main__":
    run(sys.argv[1:])
