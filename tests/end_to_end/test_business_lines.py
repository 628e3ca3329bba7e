"""Two rulesets on one CRM: each has its business line, and customers of both stop a plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.end_to_end.world import World, customers, orders, practice

from crmsync.testing import SandboxClock

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def of_country(world: World, folder: str, id: str, block: str) -> None:
    root = world.folder / "rulesets"
    if folder != "retail-rfm":
        shutil.copytree(root / "retail-rfm", root / folder)
    path = root / folder / "rules.yaml"
    text = path.read_text("utf-8")
    text = text.replace("ruleset: retail-rfm", f"ruleset: {id}")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("scope:"))
    path.write_text(f"{text}\n{block}\n", "utf-8")
    cases = root / folder / "rules.test.yaml"
    cases.write_text(cases.read_text("utf-8").replace("ruleset: retail-rfm", f"ruleset: {id}"))


def test_each_line_has_its_own_customers(tmp_path: Path) -> None:
    with practice("zoho", tmp_path / "project", SandboxClock(START)) as world:
        people = [
            replace(person, country="France" if number < 4 else "Spain")
            for number, person in enumerate(customers(7))
        ]
        world.sandbox.load_over_http(people, orders(people, START.date()))
        world.init("retail-rfm")
        of_country(world, "spain", "spain", "scope: {country: Spain}")
        of_country(world, "retail-rfm", "retail-rfm", "scope: {country: France}")
        found = world.run("check", ok=False)
        assert "RULE269" not in found.out + found.err
        world.run("connect", "--yes", "--ruleset", "retail-rfm")
        french = world.plan("retail-rfm")
        assert french["summary"]["evaluated"] == 4
        assert french["summary"]["excluded"] == 3
        spanish = world.plan("spain")
        assert spanish["summary"]["evaluated"] == 3
        # the same customers in both: check says so, and a plan is refused by name
        of_country(world, "retail-rfm", "retail-rfm", "scope: {country: Spain}")
        found = world.run("check", ok=False)
        assert "RULE269" in found.out + found.err
        refused = world.run("plan", "retail-rfm", "--lang", "en", ok=False)
        assert refused.code == 5, refused
        assert people[5].name in refused.err
        assert people[0].name not in refused.err
        # a copy whose name nobody changed would take over what is kept of the first one
        of_country(world, "copy", "retail-rfm", "scope: {country: Spain}")
        found = world.run("check", ok=False)
        assert "RULE270" in found.out + found.err
        refused = world.run("plan", "rulesets/retail-rfm", "--no-pull", "--lang", "en", ok=False)
        assert refused.code == 5, refused
        assert "two rulesets are called “retail-rfm”" in refused.err
