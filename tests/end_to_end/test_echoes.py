"""Our own writes are no change to react to: the ledger knows them again, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors
from crmsync.testing import SandboxClock

NAMES = [spec.name for spec in connectors() if spec.sandbox]
NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TODAY = ("--today", NOW.date().isoformat())
PEOPLE = 6


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with practice(request.param, tmp_path / "project", SandboxClock(NOW)) as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people, NOW.date()))
        made.init("retail-rfm")
        made.create_fields()
        made.planned = made.plan(*TODAY)
        made.apply("plan.json", *TODAY)
        made.sandbox.clock.advance(timedelta(minutes=10))
        yield made
        made.check_invariants()


def written(world: World) -> int:
    return sum(len(row["set"]) for row in world.planned["changes"] if row["is"] == "fields")


def test_what_comes_back_as_it_was_written_is_an_echo_and_changes_nothing(world: World) -> None:
    assert world.run("runs", "1", "--json").document["echoes"] == {"sent": written(world)}
    shown = world.run("pull").out
    assert f"{written(world)} fields as written, 0 otherwise" in shown
    assert world.run("runs", "1", "--json").document["echoes"] == {"echo": written(world)}
    assert f"{written(world)} as written, 0 otherwise, 0 not read yet" in world.run("runs", "1").out
    again = world.plan(*TODAY)
    assert again["changes"] == []
    assert "Own writes" not in world.run("pull").out


def test_what_comes_back_otherwise_is_counted_and_named_in_the_run(world: World) -> None:
    """Somebody, or the CRM itself, wrote right after us."""
    object, field = world.header()["object"], world.header()["owned"]["reason"]
    customer = next(row["id"] for row in world.planned["changes"] if row["is"] == "fields")
    world.sandbox.edit_as_person(object, customer, {field: "by hand"})
    world.sandbox.clock.advance(timedelta(minutes=1))
    shown = world.run("pull").out
    assert f"{written(world) - 1} fields as written, 1 otherwise" in shown
    echoes = world.run("runs", "1", "--json").document["echoes"]
    assert echoes == {"echo": written(world) - 1, "near_miss": 1}
