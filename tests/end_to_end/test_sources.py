"""Sources that went quiet or lost records hold falls and churn moves; rises and the rest go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.testing import SandboxClock

PEOPLE = 14
ORDERS = {"zoho": "Sales_Orders", "fxiaoke": "SalesOrderObj"}


@pytest.fixture(params=ORDERS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    clock = SandboxClock()
    with practice(request.param, tmp_path / "project", clock) as made:
        people = customers(PEOPLE)
        made.sandbox.load_over_http(people, orders(people, clock.now().date()))
        made.init("retail-rfm")
        made.create_fields()
        terms(made, "{fresh_within: 3 days, whole_from: 80%}")
        made.plan()
        made.apply()
        yield made
        made.check_invariants()


def terms(world: World, written: str) -> None:
    (path,) = (world.folder / "rulesets").glob(f"*/mapping/{world.name}.yaml")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("sources:")]
    path.write_text("\n".join([*lines, f"sources: {{{ORDERS[world.name]}: {written}}}", ""]))


def pass_days(world: World, days: int) -> None:
    """Time goes by and nobody enters an order."""
    assert world.clock is not None
    world.sandbox.clock.advance(timedelta(days=days))


def held(plan: Any) -> list[Any]:
    return [row for row in plan["withheld"] if row["kind"] == "stale_source"]


def down(plan: Any) -> list[Any]:
    moved = [row for row in plan["changes"] if row["is"] == "fields"]
    return [row for row in moved if row["direction"] in {"fall", "stage"}]


def test_a_quiet_source_holds_falls_and_moves_until_a_person_releases_them(world: World) -> None:
    pass_days(world, 400)
    plan = world.plan()
    waiting = len(held(plan))
    assert waiting > 0
    assert down(plan) == []
    assert "has changed for 4" in plan["unfresh"][0]["text"]
    assert plan["unfresh"][0]["released"] is False
    assert "last_order_on" in plan["unfresh"][0]["facts"]
    page = world.run("show", str(world.folder / "plan.json"), "--lang", "en").out
    assert f"crmsync plan --release {waiting}" in page
    assert down(world.plan("--release", str(waiting - 1))) == []
    released = world.plan("--release", str(waiting))
    assert held(released) == []
    assert down(released) != []
    assert released["unfresh"][0]["released"] is True


def test_what_is_withheld_shows_in_the_exit_code(world: World) -> None:
    pass_days(world, 400)
    world.plan()
    result = world.apply("plan.json", "--allow", "missing_rise=100%", ok=False)
    assert result.code == 6, result.err
    assert result.document["summary"]["withheld"] > 0


def test_a_source_that_lost_records_stays_suspect_the_night_after(world: World) -> None:
    rows = world.sandbox.store.rows(ORDERS[world.name])
    for row in rows[: len(rows) // 2]:
        world.sandbox.delete_as_person(ORDERS[world.name], row.id)
    world.run("pull", "--full")  # not every CRM tells of deletions
    for _ in range(2):
        pass_days(world, 1)
        plan = world.plan()
        assert down(plan) == []
        assert "52 records, 104 last time" in plan["unfresh"][0]["text"]
        world.apply("plan.json", "--allow", "missing_rise=100%", ok=False)


def test_a_fresh_and_whole_source_holds_nothing(world: World) -> None:
    terms(world, "{fresh_within: 500 days, whole_from: 80%}")
    pass_days(world, 400)
    plan = world.plan()
    assert held(plan) == []
    assert plan["unfresh"] == []
    assert down(plan) != []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{fresh_within: 3 dys}", "days"),
        ("{whole_from: 0.8}", "80%"),
        ("{fresh: 3 days}", "fresh_within"),
    ],
)
def test_wrong_terms_are_found_by_check(world: World, written: str, told: str) -> None:
    terms(world, written)
    result = world.run("check", "--lang", "en", ok=False)
    assert result.code == 1
    assert told in result.out + result.err


def test_an_object_the_mapping_does_not_read_is_found(world: World) -> None:
    (path,) = (world.folder / "rulesets").glob(f"*/mapping/{world.name}.yaml")
    text = path.read_text()
    text = text.replace(f"sources: {{{ORDERS[world.name]}:", f"sources: {{{ORDERS[world.name]}x:")
    path.write_text(text)
    result = world.run("check", "--lang", "en", ok=False)
    assert result.code == 1
    assert f"Did you mean “{ORDERS[world.name]}”" in result.out + result.err
