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
from dataclasses import replace
from pathlib import Path

from tests.bench.figure import Figure, alone, tell
from tests.bench.world import AS_OF
from tests.unit.project.two_days import CONNECTION, DAYS, World

from crmsync.model.ruleset import Ruleset
from crmsync.project.evaluating import OpenPopulation
from crmsync.project.sharing import Shared, mirror_of
from crmsync.project.simulated import NEW, NONE, OLD, PEOPLE_OF, Tally

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
    """Where everybody stands under two versions of the rules, as `simulate` counts them."""
    if side == "filtered":
        with mirror_of(world.project, CONNECTION) as mirror:
            shared, each = Shared(world.store, mirror), {}
            for rules, table in ((world.rules, OLD), (_edited(world.rules), NEW)):
                opened = OpenPopulation(world.people(DAYS[0], rules), shared)
                opened.place(table)
                each[table] = opened.people.count(PEOPLE_OF[table])
            tally = Tally(_edited(world.rules), mirror, each)
            return str((sorted(tally.matrix.items()), sorted(tally.stages.items())))
    versions = []
    for rules in (world.rules, _edited(world.rules)):
        with world.people(DAYS[0], rules).open() as opened:
            standings = [whole.decision.standing for whole in opened.evaluated()]
        versions.append([(it.tier or NONE, it.lifecycle or NONE) for it in standings])
    old, new = (list(zip(*version, strict=True)) for version in versions)
    pairs = (
        Counter(zip(before, after, strict=True)) for before, after in zip(old, new, strict=True)
    )
    return str(tuple(sorted(counted.items()) for counted in pairs))


def _edited(rules: Ruleset) -> Ruleset:
    """The highest tiers two points nearer."""
    tier = rules.tier
    assert tier is not None
    high, *others = tier.levels
    assert high.enter is not None
    return replace(rules, tier=replace(tier, levels=(replace(high, enter=high.enter - 2), *others)))


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], words[1], Path(words[2]), int(words[3]))


if __name__ == "__main__":
    run(sys.argv[1:])
