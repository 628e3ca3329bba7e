"""The first honest loop, over real sockets, for every connector that has a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors

NAMES = [spec.name for spec in connectors() if spec.sandbox]
PEOPLE = 16


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with practice(request.param, tmp_path / "project") as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people, date.today()))
        made.init("retail-rfm")
        made.create_fields()
        yield made
        made.check_invariants()


def plain(value: object) -> object:
    return next(iter(value.values())) if isinstance(value, dict) else value


def rows(plan: Any) -> list[Any]:
    return [change for change in plan["changes"] if change["is"] == "fields"]


def cells(plan: Any) -> set[tuple[str, str, str, str]]:
    return {
        (row["id"], item["field"], str(plain(item["before"])), str(plain(item["after"])))
        for row in rows(plan)
        for item in row["set"]
    }


def test_plan_writes_nothing_and_apply_writes_exactly_the_plan(world: World) -> None:
    with world.sandbox.read_only():
        plan = world.plan()
    assert world.sandbox.field_writes() == ()
    assert plan["summary"]["first_assignments"] == PEOPLE
    report = world.apply().document
    assert set(report["summary"]["outcomes"]) == {"done"}
    account = rows(plan)[0]["object"]
    written = {
        (item.id, item.field, str(item.old), str(item.new))
        for item in world.sandbox.field_writes()
        if item.object == account
    }
    assert written == cells(plan)


def test_a_second_plan_is_empty_and_a_second_apply_does_nothing(world: World) -> None:
    world.plan()
    world.apply()
    before = len(world.sandbox.field_writes())
    requests = world.sandbox.recorder.count()
    again = world.apply()
    assert "already applied as run 1" in again.document["already"]
    assert world.sandbox.recorder.count() == requests
    assert world.plan()["changes"] == []
    assert len(world.sandbox.field_writes()) == before


def test_undo_gives_back_every_value_but_the_one_a_person_changed(world: World) -> None:
    plan = world.plan()
    world.apply()
    first, *others = rows(plan)
    field = world.tier_field()
    mine = next(item["after"] for item in first["set"] if item["field"] == field)
    other = next(
        item["after"]
        for row in others
        for item in row["set"]
        if item["field"] == field and item["after"] != mine
    )
    world.sandbox.edit_as_person(first["object"], first["id"], {field: plain(other)})
    undo = world.run("undo", "1", "--json").document
    assert [row["id"] for row in undo["withheld"]] == [first["id"]]
    world.apply("undo-1.json")
    for row in rows(plan):
        stored = world.sandbox.store.get(row["object"], row["id"])
        for item in row["set"]:
            if row["id"] == first["id"] and item["field"] == field:
                assert stored.get(field) == plain(other)
            else:
                assert stored.get(item["field"]) in {None, ""}, item


def test_a_person_who_edits_between_plan_and_apply_keeps_the_value(world: World) -> None:
    plan = world.plan()
    first, *others = rows(plan)
    field = world.tier_field()
    (mine,) = [plain(item["after"]) for item in first["set"] if item["field"] == field]
    other = next(
        value
        for row in others
        for item in row["set"]
        if item["field"] == field and (value := plain(item["after"])) != mine
    )
    world.sandbox.edit_as_person(first["object"], first["id"], {field: other})
    done = world.apply(ok=False)
    assert done.code == 7
    conflicts = [row for row in done.document["problems"] if row["state"] == "conflict"]
    assert [row["id"] for row in conflicts] == [first["id"]]
    assert plain(conflicts[0]["actual"][field]) == other
    assert world.sandbox.store.get(first["object"], first["id"]).values[field] == other


def test_tasks_are_created_once_and_closed_when_their_reason_is_gone(world: World) -> None:
    world.plan()
    world.apply()
    first = world.tasks()
    assert len({key for key, _ in first}) == len(first) > 0
    world.plan()
    assert world.tasks() == first


def test_a_persons_value_in_our_field_is_left_alone_and_listed_in_every_plan(world: World) -> None:
    plan = world.plan()
    world.apply()
    first, *others = rows(plan)
    field = world.tier_field()
    (mine,) = [plain(item["after"]) for item in first["set"] if item["field"] == field]
    other = next(
        value
        for row in others
        for item in row["set"]
        if item["field"] == field and (value := plain(item["after"])) != mine
    )
    world.sandbox.edit_as_person(first["object"], first["id"], {field: other})
    for _ in range(2):
        again = world.plan()
        assert [(row["id"], row["kind"]) for row in again["withheld"]] == [
            (first["id"], "human_edit")
        ]
        assert not [row for row in rows(again) if row["id"] == first["id"]]
    world.sandbox.edit_as_person(first["object"], first["id"], {field: mine})
    assert world.plan()["withheld"] == []


def test_every_verb_gives_one_document_whose_first_key_names_its_schema(world: World) -> None:
    world.plan()
    folder = str(world.folder / "rulesets" / "retail-rfm")
    verbs = (
        ("connectors",),
        ("check",),
        ("check", "--explain", "MAP052"),
        ("fmt",),
        ("test",),
        ("connect",),
        ("doctor",),
        ("pull",),
        ("plan",),
        ("show",),
        ("simulate", "--against", folder),
        ("explain", rows(world.plan())[0]["id"]),
        ("apply", "plan.json", "--yes", "--allow", "tasks_per_owner=100%"),
        ("apply", "plan.json", "--yes"),
        ("sync", "nightly"),
        ("runs",),
        ("runs", "1"),
        ("report", "1"),
        ("undo", "1"),
        ("pause", "--reason", "invented"),
        ("resume",),
        ("review",),
        ("explain", "Nobody Invented"),
        ("sync", "no-such-job"),
    )
    for words in verbs:
        result = world.run(*words, "--json", ok=False)
        assert next(iter(result.document)) == "schema", words
        assert str(result.document["schema"]).startswith("crmsync."), words
