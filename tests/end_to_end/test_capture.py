"""A real decision becomes a case: it passes as it stands, and no name is in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.end_to_end.world import customers, orders, practice

from crmsync.connector import connectors

PEOPLE = 5


def test_a_captured_case_passes_and_names_nobody(tmp_path: Path) -> None:
    crm = next(spec.name for spec in connectors() if spec.sandbox)
    with practice(crm, tmp_path / "project") as world:
        people = customers(PEOPLE)
        world.sandbox.load_over_http(people, orders(people, date.today()))
        world.init("retail-rfm")
        world.create_fields()
        plan = world.plan()
        rows = [change for change in plan["changes"] if change["is"] == "fields"]
        wanted = rows[0]
        text = world.run("test", "capture", wanted["id"]).out
        assert "orders_12m:" in text
        for row in rows:
            assert row["name"] not in text
            assert row["id"] not in text
        file = world.folder / "rulesets" / "retail-rfm" / "rules.test.yaml"
        before = file.read_text(encoding="utf-8")
        world.run("test", "capture", wanted["id"], "--write")
        world.run("test", "capture", wanted["id"], "--write")
        added = file.read_text(encoding="utf-8").removeprefix(before)
        assert added.count("a real decision of") == 2
        assert world.run("test").code == 0
