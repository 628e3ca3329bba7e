"""``write_mode: strict``: alone and conditional where the CRM can, an error where it cannot."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice


def strict_world(world: World) -> None:
    people = customers(4)
    world.sandbox.load_over_http(people, orders(people, date.today()))
    world.init("retail-rfm")
    world.create_fields()
    settings = world.folder / "crmsync.yaml"
    text = settings.read_text()
    line = f"    connector: {world.name}\n"
    assert line in text
    settings.write_text(text.replace(line, line + "    write_mode: strict\n"))
    world.plan()


def test_each_customer_is_written_with_a_condition(tmp_path: Path) -> None:
    with practice("zoho", tmp_path / "project") as world:
        strict_world(world)
        world.apply()
        updates = world.sandbox.recorder.all(method="PUT", path="*/Accounts*")
        assert len(updates) == 4
        assert all("if-unmodified-since" in request.headers for request in updates)
        assert world.plan()["changes"] == []


@pytest.mark.parametrize("name", ["fxiaoke"])
def test_a_crm_without_conditional_writes_says_so(name: str, tmp_path: Path) -> None:
    with practice(name, tmp_path / "project") as world:
        strict_world(world)
        refused = world.apply(ok=False)
        assert refused.code == 1
        assert "no conditional write" in refused.err + refused.out
        assert world.sandbox.field_writes() == ()
