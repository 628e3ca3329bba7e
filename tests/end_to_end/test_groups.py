"""Company groups end to end: a daughter follows its parent, and a circle of parents is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.end_to_end.world import World, customers, orders, practice

from crmsync.testing import Actor, Origin, SandboxClock

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
GROUP = """
group: {by: parent, tier: at_least_parent}
"""


def with_groups(world: World) -> None:
    folder = world.folder / "rulesets" / "retail-rfm"
    rules = folder / "rules.yaml"
    text = rules.read_text("utf-8")
    head, mark, rest = text.partition("\nfacts:\n")
    fact = "  parent: {type: text, label: 上级客户 | Parent account}\n"
    rules.write_text(head + mark + fact + rest + GROUP, "utf-8")
    mapping = folder / "mapping" / "zoho.yaml"
    text = mapping.read_text("utf-8")
    head, mark, rest = text.partition("\nread:\n")
    mapping.write_text(head + mark + "  parent: Parent_Account\n" + rest, "utf-8")


def test_daughters_follow_their_parent_and_circles_are_refused(tmp_path: Path) -> None:
    with practice("zoho", tmp_path / "project", SandboxClock(START)) as world:
        people = customers(8)
        people[5] = replace(people[5], parent=people[0].key)
        people[6] = replace(people[6], parent=people[5].key)
        world.sandbox.load_over_http(people, orders(people[:5], START.date()))
        world.init("retail-rfm")
        with_groups(world)
        world.create_fields()
        world.plan()

        def tier(place: int) -> dict[str, object]:
            shown = world.run("explain", people[place].name, "--json").document
            return {"tier": shown["tier"]["after"], "why": shown["tier"]["because"]}

        mother = tier(0)
        assert mother["why"] != "group"
        assert tier(5) == {"tier": mother["tier"], "why": "group"}
        assert tier(6) == {"tier": mother["tier"], "why": "group"}
        assert tier(7)["tier"] != mother["tier"]
        assert world.apply().code == 0
        assert world.plan()["changes"] == []
        shown = world.run("explain", people[6].name, "--json").document
        assert shown["parent"] == {"name": people[5].name, "tier": mother["tier"]}

        rows = {row.values["Account_Name"]: row for row in world.sandbox.store.rows("Accounts")}
        first, last = rows[people[0].name], rows[people[6].name]
        hand = Actor("administrator", Origin.PERSON)
        world.sandbox.store.update("Accounts", first.id, {"Parent_Account": last.id}, hand)
        refused = world.run("plan", "--lang", "en", ok=False)
        assert refused.code == 1, refused
        for place in (0, 5, 6):
            assert people[place].name in refused.err
        assert people[7].name not in refused.err
