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
    refused = world.run("merged", "--remove", best, ok=False)
    assert refused.code == 2
    assert f"undo {run}" in refused.err
    world.run("undo", str(run))
    assert world.apply(f"undo-{run}.json", *SHRUNK).code == 0
    assert (standing(world, best), standing(world, worst)) == before
    world.run("merged", "--remove", best)
    assert world.run("merged", "--list", "--json").document["merges"] == []


def test_a_record_merged_since_the_plan_is_a_conflict_that_names_the_survivor(
    world: World,
) -> None:
    known = ids(world)
    lost, survivor = known["Invented 000"], known["Invented 006"]
    world.sandbox.edit_as_person(world.mapping()["object"], lost, {world.tier_field(): None})
    world.sandbox.clock.advance(24 * 3600)
    world.run("override", lost, "--tier", "occasional", "--reason", "left for good")
    plan = world.plan()
    assert lost in {item["id"] for item in plan["changes"] if item["is"] == "fields"}
    merge(world, lost, survivor)
    told = world.run("merged", lost, survivor, "--json")
    assert told.document["merges"][0]["still_there"]
    assert "crmsync pull" in told.err
    applied = world.apply("plan.json", *SHRUNK, "--allow", "source_age=100", ok=False)
    assert applied.code == 7, applied
    shown = world.run("runs", "2").out
    assert f"merged into {survivor}" in shown


def test_explain_tells_where_a_record_went_and_what_a_customer_took_over(world: World) -> None:
    known = ids(world)
    lost, survivor = known["Invented 000"], known["Invented 006"]
    merge(world, lost, survivor)
    world.run("pull", "--full")
    world.run("merged", lost, survivor)
    gone = world.run("explain", lost, ok=False)
    assert gone.code == 2
    assert f"crmsync explain {survivor}" in gone.err
    shown = world.run("explain", survivor, "--json").document
    assert [item["lost"] for item in shown["merges"]] == [lost]
    assert shown["merges"][0]["runs"] == []
    assert "not taken over yet" in world.run("explain", survivor).out
    # what explain shows is what the plan would make of the customer
    tier = shown["tier"]["before"]
    world.plan("--no-pull")
    assert "takes over" in world.run("show", "plan.json").out
    assert world.apply("plan.json", *SHRUNK).code == 0
    assert standing(world, survivor).present.standing.tier == tier
    assert "taken over in run 2" in world.run("explain", survivor).out


def test_wrong_merges_say_what_to_do(world: World, tmp_path: Path) -> None:
    known = ids(world)
    one, two, three = (known[f"Invented 00{number}"] for number in (0, 1, 2))
    for lost, survivor in ((one, two), (two, three)):
        merge(world, lost, survivor)
    world.run("pull", "--full")
    file = tmp_path / "merges.csv"
    file.write_text(f"lost,survivor\n{two},{three}\n{one},{two}\n", encoding="utf-8")
    noted = world.run("merged", str(file), "--json").document["merges"]
    assert [(item["lost"], item["stands"]) for item in noted] == [(two, three), (one, three)]
    again = world.run("merged", one, two, "--json").document["merges"]
    assert [item["fresh"] for item in again] == [False]
    broken = tmp_path / "broken.csv"
    broken.write_text(f"{one}\n", encoding="utf-8")
    for words, told in (
        ((), "CSV"),
        ((one,), "CSV"),
        ((str(broken),), "broken.csv:1"),
        ((one, three), f"noted as merged into {two}"),
        ((one, one), "circle"),
        ((three, one), "circle"),
        ((one, "nobody at all"), "nobody at all"),
        (("nobody at all", three), "nobody at all"),
        (("--remove", three), three),
    ):
        refused = world.run("merged", *words, ok=False)
        assert refused.code == 2, (words, refused)
        assert told in refused.err, (words, refused.err)
    world.plan("--no-pull")
    (over,) = [i for i in world.plan("--no-pull")["changes"] if i["is"] == "takeover"]
    assert (over["id"], over["lost"]) == (three, sorted([one, two]))
    assert "not yet" in world.run("merged", "--list").out
    project = open_project(world.folder, now=world.sandbox.clock.now)
    with project.store() as store:
        entries = [item for item in store.audit.entries() if item.what == "merged"]
    assert {item.detail["record"].rpartition("/")[2] for item in entries} == {one, two}
    assert all(item.who for item in entries)
