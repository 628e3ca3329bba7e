"""The pipeline of `pipeline` in pandas and in Polars; runs in the peers' own environment.

``python -m tests.bench.pipeline_peers NAME FOLDER DAY``
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from tests.peak import peak_mb

Told = list[list[Any]]


def pandas(folder: Path, day: date) -> Told:
    """pandas, whole columns at a time."""
    import numpy as np
    import pandas as pd

    today = np.datetime64(day)
    year, two = (np.datetime64(day.replace(year=day.year - back)) for back in (1, 2))
    accounts = pd.read_parquet(folder / "accounts.parquet").set_index("id")
    deals = pd.read_parquet(folder / "deals.parquet")
    deals = deals[deals["stage"] == "Closed Won"]
    days = deals["day"].to_numpy(dtype="datetime64[D]")
    amount = deals["amount"].to_numpy()
    lately, before = days > year, (days > two) & (days <= year)
    deals = pd.DataFrame(
        {
            "account": deals["account"],
            "last": days.astype("datetime64[s]"),
            "total": 1,
            "orders": lately.astype("int64"),
            "revenue": np.where(lately, amount, 0.0),
            "before": np.where(before, amount, 0.0),
        }
    )
    how = {"last": "max", "total": "sum", "orders": "sum", "revenue": "sum", "before": "sum"}
    sums = deals.groupby("account", sort=False).agg(how).reindex(accounts.index)
    numbers = {name: sums[name].fillna(0).to_numpy() for name in ("total", "orders", "revenue")}
    since = (today - sums["last"].to_numpy(dtype="datetime64[D]")) / np.timedelta64(1, "D")
    base = sums["before"].fillna(0).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(base != 0, (numbers["revenue"] - base) / base, np.nan)
    buyer = ~np.isnan(since) & (numbers["orders"] > 0)

    def cut(values: Any) -> list[float]:
        ordered = np.sort(values[buyer])
        ends = np.cumsum([len(ordered) // 5 + (n < len(ordered) % 5) for n in range(4)])
        return [float(ordered[end - 1]) for end in ends]

    def points(tests: list[Any], worth: list[int]) -> Any:
        return np.select(tests, worth, 0)

    r, f, m = cut(since), cut(numbers["orders"]), cut(numbers["revenue"])
    overdue = accounts["overdue"].to_numpy(dtype="float64", na_value=np.nan)
    potential = accounts["potential"].fillna("").to_numpy()
    score = points([buyer & (since <= line) for line in r], [20, 16, 10, 4])
    score = score + points([buyer & (numbers["orders"] > x) for x in f[::-1]], [20, 16, 10, 4])
    score = score + points([buyer & (numbers["revenue"] > x) for x in m[::-1]], [30, 24, 15, 6])
    score = score + points([growth >= line for line in (0.5, 0.1, -0.1)], [10, 7, 4])
    score = score + points([potential == name for name in ("High", "Medium", "Low")], [10, 6, 2])
    score = score + points([overdue <= line for line in (0, 30, 60)], [10, 6, 3])
    tier = np.select([score >= 80, score >= 60, score >= 35], ["vip", "key", "standard"], "basic")
    total, orders = numbers["total"], numbers["orders"]
    tests = [total == 0, since > 180, since > 90, total == 1, (orders >= 6) & (since <= 60)]
    names = ["prospect", "churned", "at_risk", "first", "loyal"]
    stage = np.select(tests, names, "repeat")
    frame = pd.DataFrame({"tier": tier, "stage": stage, "score": score * 10})
    found = frame.groupby(["tier", "stage"])["score"].agg(["size", "sum"])
    return [[*key, int(row["size"]), int(row["sum"])] for key, row in found.iterrows()]


def polars(folder: Path, day: date) -> Told:
    """Polars, lazily; the streaming engine where it helps is its own choice."""
    import polars as pl

    year, two = (day.replace(year=day.year - back) for back in (1, 2))
    when, amount = pl.col("day"), pl.col("amount")
    lately, before = when > year, (when > two) & (when <= year)
    sums = (
        pl.scan_parquet(folder / "deals.parquet")
        .filter(pl.col("stage") == "Closed Won")
        .group_by("account")
        .agg(
            when.max().alias("last"),
            pl.len().alias("total"),
            lately.sum().alias("orders"),
            amount.filter(lately).sum().alias("revenue"),
            amount.filter(before).sum().alias("before"),
        )
    )
    facts = (
        pl.scan_parquet(folder / "accounts.parquet")
        .join(sums, left_on="id", right_on="account", how="left")
        .with_columns(
            pl.col("total", "orders", "revenue", "before").fill_null(0),
            (pl.lit(day) - pl.col("last")).dt.total_days().alias("days"),
        )
        .with_columns(
            pl.when(pl.col("before") != 0)
            .then((pl.col("revenue") - pl.col("before")) / pl.col("before"))
            .alias("growth"),
            (pl.col("days").is_not_null() & (pl.col("orders") > 0)).alias("buyer"),
        )
        .collect()
    )
    buyers = facts.filter(pl.col("buyer"))

    def cut(name: str) -> list[Any]:
        ordered = buyers[name].sort()
        count, ends = len(ordered), [0]
        for n in range(4):
            ends.append(ends[-1] + count // 5 + (n < count % 5))
        return [ordered[end - 1] for end in ends[1:]]

    def points(tests: list[Any], worth: list[int]) -> Any:
        choice: Any = pl
        for test, value in zip(tests, worth, strict=True):
            choice = choice.when(test).then(value)
        return choice.otherwise(0)

    buyer, col = pl.col("buyer"), pl.col
    score = (
        points([buyer & (col("days") <= line) for line in cut("days")], [20, 16, 10, 4])
        + points([buyer & (col("orders") > x) for x in cut("orders")[::-1]], [20, 16, 10, 4])
        + points([buyer & (col("revenue") > x) for x in cut("revenue")[::-1]], [30, 24, 15, 6])
        + points([col("growth") >= line for line in (0.5, 0.1, -0.1)], [10, 7, 4])
        + points([col("potential") == n for n in ("High", "Medium", "Low")], [10, 6, 2])
        + points([col("overdue") <= line for line in (0, 30, 60)], [10, 6, 3])
    )

    def named(tests: list[Any], names: list[str], rest: str) -> Any:
        choice: Any = pl
        for test, name in zip(tests, names, strict=True):
            choice = choice.when(test).then(pl.lit(name))
        return choice.otherwise(pl.lit(rest))

    total = col("total")
    loyal = (col("orders") >= 6) & (col("days") <= 60)
    stages = [total == 0, col("days") > 180, col("days") > 90, total == 1, loyal]
    tiers = [col("score") >= line for line in (80, 60, 35)]
    found = (
        facts.lazy()
        .with_columns(score.alias("score"))
        .with_columns(
            named(tiers, ["vip", "key", "standard"], "basic").alias("tier"),
            named(stages, ["prospect", "churned", "at_risk", "first", "loyal"], "repeat").alias(
                "stage"
            ),
        )
        .group_by("tier", "stage")
        .agg(pl.len().alias("count"), (col("score").cast(pl.Int64) * 10).sum().alias("points"))
        .sort("tier", "stage")
        .collect()
    )
    return [list(row) for row in found.rows()]


PEERS = {"pandas": pandas, "polars": polars}


def main(name: str, folder: Path, day: date) -> None:
    shortest, told = float("inf"), []
    for _ in range(2):
        start = time.perf_counter()
        told = PEERS[name](folder, day)
        shortest = min(shortest, time.perf_counter() - start)
    print(json.dumps({"s": shortest, "told": told, "peak_mb": round(peak_mb(), 1)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3]))
