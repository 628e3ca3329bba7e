"""A customer deleted after it was read: told once, then known; the nightly job is calm again."""

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
PEOPLE = 30
"""One of them is less than the share of customers that may be missing."""


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Everybody planned, and one customer deleted before anything was written."""
    with practice(request.param, tmp_path / "project", SandboxClock(NOW)) as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people, NOW.date()))
        made.init("retail-rfm")
        made.create_fields()
        made.planned = made.plan("--today", NOW.date().isoformat())
        made.sandbox.delete_as_person(made.header()["object"], victim(made))
        yield made


def victim(world: World) -> str:
    return str(next(row["id"] for row in world.planned["changes"] if row["is"] == "fields"))


def night(world: World) -> int:
    """One night later; the exit code of the nightly job."""
    world.sandbox.clock.advance(timedelta(days=1))
    today = world.sandbox.clock.now().date().isoformat()
    return world.run("sync", "nightly", "--today", today, ok=False).code


def test_a_deleted_customer_is_told_once_and_not_planned_again(world: World) -> None:
    first = world.apply("plan.json", "--today", NOW.date().isoformat(), ok=False)
    assert first.code == 7
    (problem,) = first.document["problems"]
    assert problem["id"] == victim(world)
    assert problem["error"]["code"] == "GONE"
    assert [night(world) for _ in range(2)] == [0, 0]
    read = world.run("pull", "--json").document["objects"]
    assert {row["object"]: row["rows"] for row in read}[world.header()["object"]] == PEOPLE - 1


def test_a_customer_taken_out_of_the_bin_is_planned_again(world: World) -> None:
    world.apply("plan.json", "--today", NOW.date().isoformat(), ok=False)
    night(world)
    world.sandbox.restore_as_person(world.header()["object"], victim(world))
    world.sandbox.clock.advance(timedelta(days=1))
    today = world.sandbox.clock.now().date().isoformat()
    again = world.plan("--today", today)
    assert victim(world) in {row["id"] for row in again["changes"]}


def test_when_too_many_are_gone_the_job_names_the_command_that_writes_all_the_same(
    world: World,
) -> None:
    world.apply("plan.json", "--today", NOW.date().isoformat(), ok=False)
    object = world.header()["object"]
    rest = [row.id for row in world.sandbox.store.rows(object) if row.id != victim(world)]
    for id in rest[:6]:
        world.sandbox.delete_as_person(object, id)
    world.sandbox.clock.advance(timedelta(days=1))
    today = ("--today", world.sandbox.clock.now().date().isoformat())
    world.run("pull", "--full")
    held = world.run("sync", "nightly", *today, ok=False)
    assert held.code == 6
    assert "population_shrink is " in held.out
    command = held.err.split("crmsync apply ")[1].split()
    assert world.run("apply", *command, "--yes", *today, ok=False).code == 0
    assert night(world) == 0
