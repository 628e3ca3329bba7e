"""Part: which conditions hold, for a population in SQL and for one record in Python.

``python -m tests.bench.matching masks|rows|single ours|peer ROWS``
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
from tests.bench.conditions import AS_OF, COLUMNS, Line, by_hand, engine, lines, relation
from tests.bench.figure import Figure, alone, best, tell

from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.matching import mask_sql, match_columnar
from crmsync.model.relation import FactRelation


def figures(rows: int, singles: int) -> Iterator[Figure]:
    """Columnar masks, the same handed to Python row by row, and one record at a time."""
    yield from _figure("columnar.masks", "masks", rows, "SQL written by hand", "s")
    yield from _figure("columnar.rows", "rows", rows, "SQL by hand, rows as dicts", "s")
    yield from _figure("compiled.record", "single", singles, "list of lambdas", "µs")


def _figure(name: str, part: str, rows: int, peer: str, unit: str) -> Iterator[Figure]:
    ours, theirs = (alone("matching", part, side, rows) for side in ("ours", "peer"))
    assert ours["sum"] == theirs["sum"], "the masks differ"
    each = rows / 1e6 if unit == "µs" else 1
    value, peer_value = ours["s"] / each, theirs["s"] / each
    full = f"{name}.{rows}_rows.{len(lines())}_conditions"
    yield Figure(full, value, unit, peer, peer_value, ours["peak_mb"])


def main(part: str, side: str, rows: int) -> None:
    written = lines()
    compiled = engine([line.condition for line in written])
    assert len(compiled.conditions) == len(written)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        built = relation(connection, rows)
        seconds, total = best(_PARTS[part, side](connection, built, compiled, written))
    tell(s=seconds, sum=total)


Connection = duckdb.DuckDBPyConnection
Work = Callable[[], int]


def _masks_ours(
    connection: Connection, built: FactRelation, compiled: CompiledRuleset, written: object
) -> Work:
    return lambda: _checksum(connection, mask_sql(built, compiled, AS_OF).sql("duckdb"))


def _masks_peer(
    connection: Connection, built: object, compiled: object, written: tuple[Line, ...]
) -> Work:
    statement = by_hand(written)
    return lambda: _checksum(connection, statement)


def _checksum(connection: Connection, statement: str) -> int:
    """Both masks of every row are made; only their sum is fetched."""
    found = connection.execute(
        f"SELECT SUM(t0::HUGEINT) + 3 * SUM(u0::HUGEINT) FROM ({statement}) AS masks"
    ).fetchall()
    return int(found[0][0])


def _rows_ours(
    connection: Connection, built: FactRelation, compiled: CompiledRuleset, written: object
) -> Work:
    def work() -> int:
        matched = match_columnar(connection, built, compiled, AS_OF)
        return sum(row.true + 3 * row.unknown for row in matched)

    return work


def _rows_peer(
    connection: Connection, built: object, compiled: object, written: tuple[Line, ...]
) -> Work:
    masks = by_hand(written).removeprefix("SELECT id, ")
    statement = f"SELECT id, name, owner, {', '.join(COLUMNS)}, {masks}"

    def work() -> int:
        result, total = connection.execute(statement), 0
        names = [column[0] for column in result.description or ()]
        while batch := result.fetchmany(2000):
            for values in batch:
                row = dict(zip(names, values, strict=True))
                total += row["t0"] + 3 * row["u0"]
        return total

    return work


def _records(connection: Connection) -> list[dict[str, Any]]:
    result = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM plain ORDER BY id")
    return [dict(zip(COLUMNS, values, strict=True)) for values in result.fetchall()]


def _single_ours(
    connection: Connection, built: object, compiled: CompiledRuleset, written: object
) -> Work:
    records, count = _records(connection), len(compiled.conditions)
    every = (1 << count) - 1

    def work() -> int:
        total, matcher, facts = 0, compiled.matcher, compiled.facts
        for record in records:
            mask = matcher([record[name] for name in facts], AS_OF)
            true = mask & every
            total += true + 3 * (every & ~(true | mask >> count))
        return total

    return work


def _single_peer(
    connection: Connection, built: object, compiled: object, written: tuple[Line, ...]
) -> Work:
    records, tests = _records(connection), [line.test for line in written]

    def work() -> int:
        total = 0
        for record in records:
            for bit, test in enumerate(tests):
                holds = test(record)
                if holds:
                    total += 1 << bit
                elif holds is None:
                    total += 3 << bit
        return total

    return work


_PARTS: dict[tuple[str, str], Callable[..., Work]] = {
    ("masks", "ours"): _masks_ours,
    ("masks", "peer"): _masks_peer,
    ("rows", "ours"): _rows_ours,
    ("rows", "peer"): _rows_peer,
    ("single", "ours"): _single_ours,
    ("single", "peer"): _single_peer,
}


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], words[1], int(words[2]))


if __name__ == "__main__":
    run(sys.argv[1:])
