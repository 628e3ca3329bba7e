"""The ready rulesets, each on every CRM: fields made, read, planned, written, explained, empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, practice

from crmsync.connector import connectors
from crmsync.model.mapping import FieldSource
from crmsync.project.connecting import look
from crmsync.project.ground import Ground, stand
from crmsync.project.opening import open_project
from crmsync.testing import PracticeCustomer, PracticeOrder

NAMES = [spec.name for spec in connectors() if spec.sandbox]
RUNS = [(ruleset, name) for ruleset in ("b2b-standard", "real-estate") for name in NAMES]
RUNS.append(("saas-health", NAMES[-1]))
"""The first two on every CRM; the mappings of all four are held against both CRMs elsewhere."""
TIERS = {
    "b2b-standard": {"VIP客户", "重要客户", "普通客户", "小客户", "黑名单"},
    "real-estate": {"A类(VIP)客户", "B类（中端）客户", "C类（普通）客户", "D类客户", "黑名单"},
    "saas-health": {"健康", "平稳", "欠佳", "危险", "已退订"},
}


def people(count: int) -> list[PracticeCustomer]:
    """From the best to the worst; one is blacklisted, one overdue, one has no figures at all."""
    return [
        PracticeCustomer(
            key=f"c{place:02}",
            name=f"Invented Company {place:02}",
            owner=f"Invented Seller {place % 2}",
            margin=None if place == 3 else Decimal(40 - 3 * place),
            overdue_days=90 if place == 1 else 0,
            potential=None if place == 3 else ("High", "Medium", "Low")[place * 3 // count],
            blacklisted=place == 2,
        )
        for place in range(count)
    ]


def orders(customers: list[PracticeCustomer], today: date) -> Iterator[PracticeOrder]:
    for place, customer in enumerate(customers):
        for number in range(max(0, 12 - 2 * place)):
            yield PracticeOrder(
                key=f"{customer.key}-{number}",
                customer=customer.key,
                placed_on=today - timedelta(days=4 + 6 * place + 25 * number),
                amount=Decimal(900_000 // (1 + place)),
            )


Columns = dict[str, tuple[object, ...]]
JUDGED: Columns = {
    "客户性质": ("股份公司", "政府", "国有企业", "民营企业"),
    "客户实力评分": (Decimal(14), Decimal(11), Decimal(6), None),
    "成长率_3年": (Decimal(25), None, Decimal(10), Decimal(-5)),
    "土地开发增长": (None, Decimal(12), None, None),
    "客户关系评分": (Decimal(18), Decimal(12), Decimal(9), Decimal(3)),
    "战略重要性评分": (Decimal(19), Decimal(14), Decimal(8), Decimal(2)),
}
USED: Columns = {
    "seats_bought": (Decimal(50), Decimal(50), Decimal(50), Decimal(50), None),
    "seats_active": (Decimal(45), Decimal(30), Decimal(20), Decimal(5), None),
    "seen_on": tuple(date.today() - timedelta(days=days) for days in (1, 6, 13, 60, 2)),
    "features_used": (Decimal(9), Decimal(5), Decimal(3), Decimal(1), Decimal(8)),
    "nps": (None, Decimal(8), Decimal(7), Decimal(3), Decimal(9)),
    "tickets_open": (Decimal(0), Decimal(0), Decimal(2), Decimal(5), Decimal(0)),
    "relation": (Decimal(9), Decimal(6), Decimal(5), Decimal(1), Decimal(10)),
    "cancelled": (False, False, False, False, True),
}
BESIDE = ("Invented Seller 1", date.today() - timedelta(days=9), "grows with us")
"""Who judged, when and why, where the mapping has fields for it."""
TYPED = {"real-estate": JUDGED, "saas-health": USED}
"""What people or another program put into fields, by fact; customers take the columns in turn."""


def prepare(world: World, ruleset: str) -> None:
    if hasattr(world.sandbox, "order_module"):
        world.sandbox.order_module = "Deals"  # what these rulesets count as revenue
    world.init(ruleset)
    world.run("connect", "--yes", "--facts", ok=False)
    project = open_project(world.folder, now=world.sandbox.clock.now)
    connection = project.connection(None)
    found = look(project, connection, project.ruleset_folder(None))
    if found.worksheet is not None:
        for object, field in found.missing:
            world.sandbox.make_fields_by_hand(object, [field])
        for item in found.sources:
            world.sandbox.make_fields_by_hand(item.object, [item.field])
    lacking = world.run("connect", "--json").document
    assert [*lacking["missing"], *lacking["choices"], *lacking["sources"]] == []
    customers = people(12)
    made = world.sandbox.load_over_http(customers, list(orders(customers, date.today())))
    with project.reader(connection) as reader:
        ground = stand(reader, project.ruleset_folder(None), connection)
    type_in(world, ground, list(made.customers.values()), TYPED.get(ruleset, {}))


def type_in(world: World, ground: Ground, ids: list[str], columns: Columns) -> None:
    object = ground.mapping.object
    for place, id in enumerate(ids):
        values: dict[str, Any] = {}
        for fact, column in columns.items():
            source = ground.mapping.read[fact]
            assert isinstance(source, FieldSource)
            field = ground.schemas[object].field(str(source.field.name))
            assert field is not None
            shown = column[place % len(column)]
            stored = {choice.label: choice.value for choice in field.choices}
            values[field.name] = stored.get(str(shown), shown)
            if source.judged is not None:
                beside = (pick.name for pick in source.judged.picks())
                values |= dict(zip(map(str, beside), BESIDE, strict=True))
        world.sandbox.edit_as_person(object, id, values)


@pytest.mark.parametrize(("ruleset", "name"), RUNS)
def test_a_ready_ruleset_runs_from_connect_to_an_empty_plan(
    ruleset: str, name: str, tmp_path: Path
) -> None:
    with practice(name, tmp_path) as world:
        prepare(world, ruleset)
        assert world.run("doctor", "--json").document
        world.run("pull")
        with world.sandbox.read_only():
            plan = world.plan("--no-pull")
        summary = plan["summary"]
        assert summary["evaluated"] == 12
        assert summary["first_assignments"] >= 10
        tier = world.tier_field()
        labels = given(plan, tier, world)
        assert len(labels & TIERS[ruleset]) >= 4, labels
        assert labels & {"黑名单", "已退订"} or ruleset == "real-estate"
        world.apply()
        assert world.plan()["changes"] == []
        first = next(row["id"] for row in plan["changes"] if row["is"] == "fields")
        explained = world.run("explain", first, "--json").document
        score = explained["score"]
        for end in ("low", "high"):
            parts = (Decimal(line[end]) for line in score["criteria"])
            assert sum(parts) == Decimal(score[end])
        if ruleset == "real-estate":
            author, on, remark = BESIDE
            judged = [{"author": author, "on": str(on), "remark": remark, "expired": None}] * 3
            assert list(explained["judged"].values()) == judged
            assert remark in world.run("report", "--sheet", first).out
        world.check_invariants()
        undo = world.run("undo", "1", "--json").document
        assert undo["summary"]["evaluated"] >= 10


def given(plan: Any, field: str, world: World) -> set[str]:
    """The labels of the tiers a plan assigns."""
    object = next(row["object"] for row in plan["changes"] if row["is"] == "fields")
    project = open_project(world.folder, now=world.sandbox.clock.now)
    with project.reader(project.connection(None)) as reader:
        schema = reader.describe(object).field(field)
    assert schema is not None
    names = {choice.value: choice.label for choice in schema.choices}
    return {
        names[item["after"]]
        for row in plan["changes"]
        if row["is"] == "fields"
        for item in row["set"]
        if item["field"] == field
    }
