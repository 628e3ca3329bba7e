"""The first honest loop, over real sockets, for every connector that has a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors

NAMES = [spec.name for spec in connectors() if spec.sandbox]


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with practice(request.param, tmp_path / "project") as made:
        people = customers(16)
        made.sandbox.load_over_http(people, orders(people, date.today()))
        made.init("retail-rfm")
        made.create_fields()
        yield made
        owned = {made.sandbox_object: made.owned_fields()} if False else None
        del owned


def planned(document: dict) -> set[tuple[str, str, str]]:
    return {
        (change["id"], item["field"], str(_plain(item["after"])))
        for change in document["changes"]
        if change["is"] == "fields"
        for item in change["set"]
    }


def _plain(value: object) -> object:
    return next(iter(value.values())) if isinstance(value, dict) else value


def test_plan_writes_nothing_and_apply_writes_exactly_the_plan(world: World) -> None:
    with world.sandbox.read_only():
        plan = world.plan()
    assert world.sandbox.field_writes() == ()
    assert plan["summary"]["first_assignments"] == 16
    report = world.apply().document
    assert report["summary"]["outcomes"] == {"done": report["run"]["counts"]["changes"]}
    account = next(change["object"] for change in plan["changes"] if change["is"] == "fields")
    written = {
        (item.id, item.field) for item in world.sandbox.field_writes() if item.object == account
    }
    assert written == {(id, field) for id, field, _ in planned(plan)}


def test_a_second_plan_is_empty_and_a_second_apply_does_nothing(world: World) -> None:
    world.plan()
    world.apply()
    before = len(world.sandbox.field_writes())
    again = world.apply()
    assert "already applied as run 1" in again.out
    assert world.plan()["changes"] == []
    assert len(world.sandbox.field_writes()) == before


def test_undo_gives_back_every_value_but_the_one_a_person_changed(world: World) -> None:
    plan = world.plan()
    change = next(item for item in plan["changes"] if item["is"] == "fields")
    fields = {item["field"]: item for item in change["set"]}
    tier = next(name for name in fields if world.run("explain", change["id"]).code == 0)
    world.apply()
    edited = next(
        item for item in plan["changes"] if item["is"] == "fields" and item["id"] != change["id"]
    )
    field = next(iter(edited["set"]))["field"]
    other = next(
        _plain(item["after"])
        for row in plan["changes"]
        if row["is"] == "fields"
        for item in row["set"]
        if item["field"] == field and item["after"] != next(iter(edited["set"]))["after"]
    )
    world.sandbox.edit_as_person(edited["object"], edited["id"], {field: other})
    undo = world.run("undo", "1", "--json").document
    assert [row["id"] for row in undo["withheld"]] == [edited["id"]]
    world.apply("undo-1.json")
    now = world.sandbox.store.get(change["object"], change["id"])
    assert all(now.fields.get(name) is None for name in fields), tier
    kept = world.sandbox.store.get(edited["object"], edited["id"])
    assert kept.fields[field] == other
