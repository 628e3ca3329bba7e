"""Part: an ordinary day after everybody was placed: a plan, and a simulation of other rules.

``python -m tests.bench.everyday plan|simulate filtered|whole FOLDER CUSTOMERS``

The peer asks the policy about everybody; the plan must be the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure, alone, tell
from tests.bench.world import AS_OF
from tests.unit.project.two_days import DAYS, World

from crmsync.evaluate import SteadyRow

ORDERS_EACH = 6


def figures(folder: Path, customers: int) -> Iterator[Figure]:
    """Seconds for everybody, state and all."""
    alone("everyday", "place", "all", folder, customers)
    for part in ("plan", "simulate"):
        ours, whole = (
            alone("everyday", part, side, folder, customers) for side in ("filtered", "whole")
        )
        assert ours["told"] == whole["told"], "the filter decides otherwise"
        name = f"everyday.{part}.{customers}_customers"
        peer = "the policy asked about everybody"
        yield Figure(name, ours["s"], "s", peer, whole["s"], ours["peak_mb"])


def main(part: str, side: str, folder: Path, customers: int) -> None:
    if part == "place":
        world = World(folder, customers=customers, orders=customers * ORDERS_EACH)
        _, lines = world.plan(AS_OF)
        world.apply(lines, AS_OF)
        world.close()
        tell()
        return
    world = World(folder)
    start = time.perf_counter()
    told = _plan(world, side) if part == "plan" else _simulate(world, side)
    seconds = time.perf_counter() - start
    world.close()
    tell(s=seconds, told=told)


def _plan(world: World, side: str) -> str:
    made, _ = world.plan(DAYS[0], filtered=side == "filtered")
    return hashlib.sha256(made.raw + made.counts.encode()).hexdigest()


def _simulate(world: World, side: str) -> str:
    """Where everybody stands under the rules, twice, as `simulate` looks at two versions."""
    counted: Counter[str] = Counter()
    for _ in range(2):
        with world.opened(DAYS[0]) as opened:
            if side == "filtered":
                for item in opened.placed():
                    if isinstance(item, SteadyRow):
                        counted[f"{item.tier}/{item.stage}"] += 1
                    else:
                        counted[f"{item.standing.tier}/{item.standing.lifecycle}"] += 1
                continue
            for whole in opened.evaluated():
                standing = whole.decision.standing
                counted[f"{standing.tier}/{standing.lifecycle}"] += 1
    return str(sorted(counted.items()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
