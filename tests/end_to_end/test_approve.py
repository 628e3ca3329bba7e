"""``approve``: recorded, capped, verified; a connection may demand it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.store import open_store
from crmsync.store.tables import approval


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[World]:
    with practice("zoho", tmp_path / "project") as world:
        people = customers(12)
        world.sandbox.load_over_http(people, orders(people, date.today()))
        world.init("retail-rfm")
        world.create_fields()
        world.planned = world.plan()
        yield world


def plan_file(world: World) -> str:
    return str(world.folder / "plan.json")


def demand(world: World) -> None:
    settings = world.folder / "crmsync.yaml"
    line = f"    connector: {world.name}\n"
    settings.write_text(settings.read_text().replace(line, line + "    approval: required\n"))


def test_an_approval_caps_what_is_written(planned: World) -> None:
    said = planned.run(
        "approve", plan_file(planned), "--max", "first_assignments=5", "--reason", "pilot", "--json"
    ).document
    assert said["schema"] == "crmsync.approval/1"
    assert said["max"] == ["first_assignments=5"]
    assert said["withheld"] >= 7
    result = planned.run(
        "apply", plan_file(planned), "--yes", "--json", "--allow", "tasks_per_owner=50", ok=False
    )
    assert result.code == 6, result.out + result.err
    outcomes = result.document["summary"]["outcomes"]
    assert outcomes["withheld"] == said["withheld"]
    assert outcomes["done"] == said["written"]
    tier = planned.tier_field()
    rows = planned.sandbox.store.rows(planned.header()["object"])
    assert sum(1 for row in rows if row.get(tier)) == 5
    planned.check_invariants()
    assert len([c for c in planned.plan()["changes"] if c["is"] == "fields"]) == 7


def test_a_connection_may_take_approved_plans_only(planned: World) -> None:
    demand(planned)
    refused = planned.apply(ok=False)
    assert refused.code == 5
    assert "approve" in refused.err + refused.out
    assert planned.sandbox.field_writes() == ()
    planned.run("approve", plan_file(planned), "--reason", "reviewed with sales")
    planned.apply()
    assert planned.plan()["changes"] == []


def test_an_altered_approval_is_a_refusal(planned: World) -> None:
    planned.run("approve", plan_file(planned), "--max", "first_assignments=1", "--reason", "x")
    store = open_store(planned.folder / "var" / "crmsync.db")
    with store.database.write() as db:
        text = db.execute(sa.select(approval.c.content)).scalar_one()
        assert '"value":"1"' in text
        changed = text.replace('"value":"1"', '"value":"900"')
        db.execute(sa.update(approval).values(content=changed))
    store.close()
    refused = planned.apply(ok=False)
    assert refused.code == 5
    assert "cannot be verified" in refused.err + refused.out
    assert planned.sandbox.field_writes() == ()


def test_what_cannot_be_approved(planned: World) -> None:
    file = plan_file(planned)
    wrong = planned.run("approve", file, "--max", "source_age=3", "--reason", "x", ok=False)
    assert wrong.code == 2
    assert planned.run("approve", file, "--reason", " ", ok=False).code == 2
    planned.apply()
    late = planned.run("approve", file, "--reason", "too late", ok=False)
    assert late.code == 5
    assert "applied as run 1" in late.err + late.out
