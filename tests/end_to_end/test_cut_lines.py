"""Lines across the population are drawn once a period, kept by apply, and stand until it ends."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.end_to_end.world import World, customers, orders, practice

from crmsync.connector import connectors
from crmsync.testing import SandboxClock

PEOPLE = 12
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def ranked_by_orders(world: World) -> None:
    """The first tier of the ruleset goes to the three customers with the most revenue."""
    path = world.folder / "rulesets" / "retail-rfm" / "rules.yaml"
    text = path.read_text("utf-8")
    head, mark, rest = text.partition("\ntier:\n")
    rest = re.sub(r"(enter: )[0-9.]+(, *keep: )[0-9.]+", r"\1top 3\2top 4", rest, count=1)
    path.write_text(head + mark + "  freeze: month\n" + rest, "utf-8")


def frozen(plan_header: Any) -> Any:
    (lines,) = plan_header["frozen"]
    return lines


def test_lines_stand_for_the_period(tmp_path: Path) -> None:
    crm = next(spec.name for spec in connectors() if spec.name == "zoho")
    clock = SandboxClock(START)
    with practice(crm, tmp_path / "project", clock) as world:
        people = customers(PEOPLE)
        world.sandbox.load_over_http(people, orders(people, START.date()))
        world.init("retail-rfm")
        ranked_by_orders(world)
        world.create_fields()
        world.plan()
        first = frozen(world.header())
        assert first["period"] == "2026-11"
        world.plan("--no-pull")
        assert frozen(world.header()) == first
        assert world.apply().code == 0
        # a month in which nobody buys: scores sink, the line of the month does not
        clock.set(START + timedelta(days=20))
        world.plan()
        assert frozen(world.header()) == first
        shown = world.run("explain", people[0].name, "--json").document
        assert shown["tier"]["cut_lines"]["period"] == "2026-11"
        clock.set(START + timedelta(days=40))
        world.plan()
        later = frozen(world.header())
        assert (later["period"], later["version"]) == ("2026-12", 2)
        assert date.fromisoformat(later["drawn_on"]) > date.fromisoformat(first["drawn_on"])
        assert "2026-12" in world.run("plan", "--no-pull", "--lang", "en").out
