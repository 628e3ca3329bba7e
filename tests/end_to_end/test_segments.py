"""Segments reach a multi-select field of the CRM, all of a customer's at once, and only once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors

SEGMENTS = """
segments:
  - {id: young, label: 新客户 | New customers, when: orders_total is 1}
  - {id: often, label: 常客 | Frequent, when: orders_12m ≥ 6}
  - {id: spender, label: 大客户 | Big spenders, when: revenue_12m ≥ 1}
"""
FIELDS = {
    "zoho": "  segments: Crmsync_Segments\n",
    "fxiaoke": "  segments: {label: 客户分群}\n",
}


def with_segments(world: World) -> None:
    folder = world.folder / "rulesets" / "retail-rfm"
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text("utf-8") + SEGMENTS, "utf-8")
    mapping = folder / "mapping" / f"{world.name}.yaml"
    text = mapping.read_text("utf-8")
    head, mark, rest = text.partition("\nwrite:")
    line, end, below = rest.partition("\n")
    mapping.write_text(f"{head}{mark}{line}{end}{FIELDS[world.name]}{below}", "utf-8")


@pytest.mark.parametrize("crm", [spec.name for spec in connectors() if spec.name in FIELDS])
def test_segments_are_written_to_a_multi_select_and_explained(tmp_path: Path, crm: str) -> None:
    with practice(crm, tmp_path / "project") as world:
        people = customers(14)
        world.sandbox.load_over_http(people, orders(people, date.today()))
        world.init("retail-rfm")
        with_segments(world)
        world.create_fields()
        plan = world.plan()
        changed = {
            row["id"]: field["after"]
            for row in plan["changes"]
            if row["is"] == "fields"
            for field in row["set"]
            if field["field"] == world.header()["owned"]["segments"]
        }
        assert any(len(value["set"]) == 2 for value in changed.values()), changed
        assert world.apply().code == 0
        again = world.plan()
        assert again["changes"] == []
        wanted = next(id for id, value in changed.items() if len(value["set"]) == 2)
        shown = json.loads(world.run("explain", wanted, "--json").out)
        assert len(shown["segments"]["after"]) == 2
        assert {item["id"] for item in shown["segments"]["conditions"]} == {
            "young",
            "often",
            "spender",
        }
        assert "segments" in world.run("explain", wanted, "--lang", "en").out
        world.check_invariants()
