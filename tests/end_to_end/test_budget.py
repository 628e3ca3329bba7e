"""A plan beyond the API budget where a batch is one call: refused, or written in parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.testing import SandboxClock

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TODAY = ("--today", NOW.date().isoformat())
PEOPLE, BATCH = 230, 100
LOOK, ROOM = 8, 14
"""Credits of one look at the account before writing, and what is left then: one batch fits."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """More customers than one batch holds, planned; the day's credits are not enough for all."""
    with practice("zoho", tmp_path / "project", SandboxClock(NOW)) as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people[:20], NOW.date()))
        made.init("retail-rfm")
        made.create_fields()
        credits_a_day(made, 1000)
        made.planned = made.plan(*TODAY)
        cost = made.planned["cost"]
        credits_a_day(made, cost["limit"] - cost["kept"] - cost["free"] + 2 * LOOK + ROOM)
        yield made
        made.check_invariants()


def credits_a_day(world: World, credits: int) -> None:
    """What the settings say of the edition; nothing is kept for others."""
    path = world.folder / "crmsync.yaml"
    lines = [line for line in path.read_text().splitlines() if "credits" not in line]
    place = lines.index("    connector: zoho") + 1
    told = [f"    credits_per_day: {credits}", "    keep_credits_percent: 0"]
    path.write_text("\n".join([*lines[:place], *told, *lines[place:]]) + "\n")


def written(world: World) -> int:
    object = world.header()["object"]
    return len({item.id for item in world.sandbox.field_writes() if item.object == object})


def test_a_plan_beyond_the_credits_is_refused_and_in_parts_takes_two_days(world: World) -> None:
    refused = world.apply("plan.json", *TODAY, ok=False)
    assert refused.code == 9
    assert "nothing was written" in refused.document["message"]
    assert "--in-parts" in refused.document["help"]
    assert written(world) == 0
    part = world.apply("plan.json", "--in-parts", *TODAY, ok=False)
    assert part.code == 9
    assert part.document["summary"]["resumable"]
    assert written(world) == part.document["summary"]["written"] == BATCH
    at_once = world.run("apply", "--resume", "1", "--yes", ok=False)
    assert at_once.code == 9
    assert "There is room again after 2026-11-17 06:" in at_once.err
    world.sandbox.clock.advance(timedelta(hours=24, minutes=2))
    world.run("apply", "--resume", "1", "--yes")
    assert written(world) == PEOPLE
    assert world.run("runs", "1", "--json").document["outcomes"].keys() == {"done"}
