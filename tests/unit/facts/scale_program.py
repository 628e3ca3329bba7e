"""Run as a process of its own by test_scale: builds a mirror, fetches facts, tells its peak memory.

``python -m tests.unit.facts.scale_program MIRROR ORDERS`` prints ``{"peak": …, "found": …}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
from tests.peak import peak_mb
from tests.unit.facts.small_world import (
    AS_OF,
    SCHEMAS,
    fact,
    from_orders,
    is_word,
    mapping,
    ruleset,
    write_mirror,
)

from crmsync.facts import relation
from crmsync.model.fact import FactType
from crmsync.model.mapping import Aggregate
from crmsync.model.period import Period, RollingWindow
from crmsync.store.mirror import MirrorSettings, open_mirror

COUNT = 4_300
FIRST_DAY = "2024-06-01"

RULES = ruleset(
    fact("n", FactType.INTEGER),
    fact("n12", FactType.INTEGER, missing=0),
    fact("sum", FactType.MONEY),
    fact("last", FactType.DATE),
    fact("gap", FactType.NUMBER),
)
READ = {
    "n": from_orders(Aggregate.COUNT),
    "n12": from_orders(Aggregate.COUNT, within=RollingWindow(Period(months=12))),
    "sum": from_orders(Aggregate.SUM, "Amount"),
    "last": from_orders(Aggregate.MAX, "Day"),
    "gap": from_orders(Aggregate.GAP),
}


def fill(path: Path, orders: int) -> None:
    write_mirror(path, {})
    with duckdb.connect(str(path)) as plain:
        plain.execute(
            'INSERT INTO "Customers" (id, "Name") '
            f"SELECT printf('%05d', i), i::VARCHAR FROM range({COUNT}) t(i)"
        )
        plain.execute(
            'INSERT INTO "Orders" (id, "Customer", "Day", "Amount", "Status") '
            f"SELECT printf('%08d', i), printf('%05d', i % {COUNT}), "
            f"DATE '{FIRST_DAY}' + CAST(i % 600 AS INTEGER), (i % 1000) * 0.25, "
            f"CASE WHEN i % 7 = 0 THEN 'Lost' ELSE 'Won' END FROM range({orders}) t(i)"
        )


def main(path: Path, orders: int) -> None:
    fill(path, orders)
    built = relation(RULES, mapping(READ, where=is_word("Status", "Won")), SCHEMAS, AS_OF)
    found = {}
    connection = open_mirror(path, MirrorSettings(memory_limit="128MB", threads=2))
    cursor = connection.execute(built.select.sql("duckdb"))
    while rows := cursor.fetchmany(1000):
        for row in rows:
            if int(row[0]) % 100 == 0:
                found[row[0]] = [str(value) for value in row[7:12]]
    connection.close()
    print(json.dumps({"peak": peak_mb(), "found": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
