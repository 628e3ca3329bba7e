"""Part: 10, 50 and 200 rules over a population, against SQL by hand and other rule engines.

``python -m tests.bench.against columnar|by_hand|records COUNT ROWS [FOLDER]``

The other engines are not in the project's own environment: ``make bench`` installs them beside it
(`PEERS_PYTHON`); where they are missing their figures are left out. They see a bounded prefix of
the records, and what they need for all of them is worked out from it; the hits on the prefix must
be ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from tests.bench.conditions import AS_OF, COLUMNS, engine, relation
from tests.bench.figure import PEERS_PYTHON, Figure, alone, best, by_peer, tell
from tests.bench.peer_engines import ENGINES
from tests.bench.plain_rules import by_hand, condition, plain_rules

from crmsync.evaluate.matching import mask_sql

SENT = tuple(name for name in COLUMNS if name not in {"last_on", "margin"})


def figures(folder: Path, rows: int, prefix: int, seconds: float) -> Iterator[Figure]:
    """Seconds for all rows; the peers' worked out from their prefix, within *seconds* (0: none)."""
    for count in (10, 50, 200) if seconds else (10,):
        ours, hand = (alone("against", side, count, rows) for side in ("columnar", "by_hand"))
        assert ours["sum"] == hand["sum"], "the masks differ"
        name = f"rules.{count}.{rows}_rows"
        yield Figure(name, ours["s"], "s", "SQL by hand", hand["s"], ours["peak_mb"])
        if not PEERS_PYTHON.exists() or not seconds:
            continue
        told = alone("against", "records", count, prefix, folder)
        for peer in ENGINES:
            found = by_peer("peer_engines", peer, folder, seconds)
            if found is None:
                continue
            _same_hits(peer, found, told["hits"])
            peer_seconds = found["us"] * rows / 1e6
            said = f"{peer}, from {found['records']} records"
            yield Figure(f"{name}.{peer}", ours["s"], "s", said, peer_seconds, ours["peak_mb"])


def _same_hits(peer: str, found: dict[str, Any], hits: list[list[int]]) -> None:
    """On the records it got through, each rule is met as often as by our matcher."""
    wanted = [sum(1 for place in places if place < found["records"]) for places in hits]
    assert found["hits"] == wanted, f"{peer} decides otherwise"


def main(part: str, count: int, rows: int, folder: Path | None) -> None:
    rules = plain_rules(count)
    compiled = engine([condition(rule) for rule in rules])
    assert len(compiled.conditions) == count
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        built = relation(connection, rows)
        if part == "records":
            assert folder is not None
            tell(hits=_records(connection, compiled, rules, folder))
            return
        ours = mask_sql(built, compiled, AS_OF)
        ours.set("order", None)
        statement = ours.sql("duckdb") if part == "columnar" else by_hand(rules)
        words = range((count + 59) // 60)
        total = " + ".join(f"SUM(t{n}::HUGEINT) * {n + 1} + 3 * SUM(u{n}::HUGEINT)" for n in words)
        query = f"SELECT {total} FROM ({statement}) AS masks"
        seconds, found = best(lambda: connection.execute(query).fetchall(), times=5)
    tell(s=seconds, sum=str(found[0][0]))


def _records(connection: Any, compiled: Any, rules: Any, folder: Path) -> list[list[int]]:
    """The records and rules for the peers; and for each rule the places of the records it meets."""
    listed = f"SELECT {', '.join(COLUMNS)} FROM plain ORDER BY id"
    rows = connection.execute(listed).fetchall()
    records = [dict(zip(COLUMNS, values, strict=True)) for values in rows]
    sent = [{name: _plain(record[name]) for name in SENT} for record in records]
    (folder / "records.json").write_text(json.dumps(sent))
    (folder / "rules.json").write_text(json.dumps(rules))
    hits: list[list[int]] = [[] for _ in rules]
    for place, values in enumerate(rows):
        mask = compiled.matcher(values, AS_OF)
        for rule in range(len(rules)):
            if mask >> rule & 1:
                hits[rule].append(place)
    return hits


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], int(words[1]), int(words[2]), Path(words[3]) if words[3:] else None)


if __name__ == "__main__":
    run(sys.argv[1:])
