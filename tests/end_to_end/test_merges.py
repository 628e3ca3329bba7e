"""Two customers merged in the CRM: what crmsync keeps of the one that vanished goes over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors
from crmsync.project.opening import open_project
from crmsync.testing import SandboxClock

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
CRMS = [spec.name for spec in connectors() if spec.sandbox]
ALLOW = ("--allow", "tier_changes=100%", "--allow", "demotions=100%")
SHRUNK = (*ALLOW, "--allow", "population_shrink=50%")


@pytest.fixture(params=CRMS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Ten customers placed by the first run, with the tasks that came of it."""
    clock = SandboxClock(START)
    with practice(request.param, tmp_path / "project", clock) as made:
        people = customers(8)
        made.sandbox.load_over_http(people, orders(people, START.date()))
        made.init("retail-rfm")
        made.create_fields()
        made.plan()
        assert made.apply("plan.json", *ALLOW).code == 0
        yield made


def ids(world: World) -> dict[str, str]:
    """Name → id of the customers the CRM holds."""
    mapping = world.mapping()
    name = mapping["identity"]["name"]
    return {str(row.get(name)): row.id for row in world.sandbox.store.rows(mapping["object"])}


def standing(world: World, id: str) -> Any:
    """What our own books say of a customer."""
    from crmsync.model.record import RecordRef

    project = open_project(world.folder, now=world.sandbox.clock.now)
    ref = RecordRef(world.mapping()["object"], id)
    with project.store() as store:
        return store.states.stored("practice", "retail-rfm", [ref]).get(ref)


def merge(world: World, lost: str, survivor: str) -> None:
    """A colleague merges two customers, and a day goes by."""
    world.sandbox.merge_as_person(world.mapping()["object"], lost, survivor)
    world.sandbox.clock.advance(24 * 3600)


def test_the_survivor_takes_over_tier_day_and_tasks(world: World) -> None:
    known = ids(world)
    best, worst = known["Invented 000"], known["Invented 007"]
    before = standing(world, best).present.standing
    assert before.tier != standing(world, worst).present.standing.tier
    merge(world, best, worst)
    tasks = world.tasks()
    world.run("pull", "--full")
    noted = world.run("merged", best, worst, "-c", "practice", "--json").document["merges"]
    assert [(item["lost"], item["survivor"], item["fresh"]) for item in noted] == [
        (best, worst, True)
    ]
    plan = world.plan()
    (over,) = [item for item in plan["changes"] if item["is"] == "takeover"]
    assert (over["id"], over["lost"]) == (worst, [best])
    assert plan["summary"]["merged"] == 1
    (fields,) = [i for i in plan["changes"] if i["is"] == "fields" and i["id"] == worst]
    assert fields["cause"] == "merged"
    assert world.apply("plan.json", *SHRUNK).code == 0
    after = standing(world, worst)
    assert (after.present.standing.tier, after.present.standing.tier_since) == (
        before.tier,
        before.tier_since,
    )
    assert standing(world, best) is None
    assert world.plan()["changes"] == []
    assert {key for key, _ in world.tasks()} == {key for key, _ in tasks}
    world.check_invariants()


def test_undo_gives_everything_back_as_it_was(world: World) -> None:
    known = ids(world)
    best, worst = known["Invented 000"], known["Invented 007"]
    merge(world, best, worst)
    world.run("pull", "--full")
    world.run("merged", best, worst)
    before = standing(world, best), standing(world, worst)
    world.plan()
    run = world.apply("plan.json", *SHRUNK).document["run"]["id"]
    assert (standing(world, best), standing(world, worst)) != before
    refused = world.run("merged", "--remove", best, "--lang", "en", ok=False)
    assert refused.code == 2
    assert f"undo {run}" in refused.err
    world.run("undo", str(run))
    assert world.apply(f"undo-{run}.json", *SHRUNK).code == 0
    assert (standing(world, best), standing(world, worst)) == before
    world.run("merged", "--remove", best)
    assert world.run("merged", "--list", "--json").document["merges"] == []
