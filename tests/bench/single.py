"""Part: the latency of one record alone, by the rete network and by the compiled matcher.

``python -m tests.bench.single rete|compiled CONDITIONS RECORDS``
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

import duckdb
from tests.bench.conditions import AS_OF, COLUMNS, engine, lines, relation
from tests.bench.figure import Figure, alone, tell

from crmsync.evaluate import rete_status
from crmsync.evaluate.single import CompiledRecords, RecordMatcher, ReteRecords
from crmsync.model.condition import All, Condition
from crmsync.model.fact import FactRow
from crmsync.model.record import RecordRef

COUNTS = (10, 50, 200)
WARM = 200


def figures(records: int) -> Iterator[Figure]:
    """The median record at each number of conditions; nothing where there is no extension."""
    if not rete_status().usable:
        return
    for count in COUNTS if records > WARM else COUNTS[:1]:
        rete, compiled = (alone("single", side, count, records) for side in ("rete", "compiled"))
        assert rete["sum"] == compiled["sum"], "the verdicts differ"
        name = f"rete.record.{count}_conditions"
        yield Figure(name, rete["us"], "µs", "compiled matcher", compiled["us"], rete["peak_mb"])


def conditions(count: int) -> list[Condition]:
    """The fifty of `lines`, then pairs of them that lie further and further apart."""
    written = [line.condition for line in lines()]
    apart = [
        All((one, written[(place + step) % len(written)]))
        for step in range(1, 4)
        for place, one in enumerate(written)
    ]
    return [*written, *apart][:count]


def main(side: str, count: int, records: int) -> None:
    ruleset = engine(conditions(count))
    assert len(ruleset.conditions) == count
    matcher: RecordMatcher = ReteRecords(ruleset) if side == "rete" else CompiledRecords(ruleset)
    rows = _rows(records)
    for row in rows[:WARM]:
        matcher.match(row, AS_OF)
    total, times = 0, []
    for row in rows:
        start = time.perf_counter_ns()
        found = matcher.match(row, AS_OF)
        times.append(time.perf_counter_ns() - start)
        total += found.true + 3 * found.unknown
    tell(us=statistics.median(times) / 1000, sum=str(total))


def _rows(count: int) -> list[FactRow]:
    with duckdb.connect() as connection:
        relation(connection, count)
        listed = f"SELECT {', '.join(COLUMNS)} FROM plain ORDER BY id"
        found = connection.execute(listed).fetchall()
    facts = [dict(zip(COLUMNS, values, strict=True)) for values in found]
    return [FactRow(RecordRef("A", str(n)), "", None, item) for n, item in enumerate(facts)]


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], int(words[1]), int(words[2]))


if __name__ == "__main__":
    run(sys.argv[1:])
