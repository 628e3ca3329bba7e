"""What a company sees whose CRM lacks the fields that facts are read from."""

import json
from pathlib import Path

import pytest
from tests.end_to_end.world import customers, practice

SOURCES = 6 + 3 * 3
"""Facts of the real-estate ruleset that neither practice CRM holds a field for, and what stands
beside the three scores people give: who, when and why."""


@pytest.mark.parametrize("name", ["zoho", "fxiaoke"])
def test_connect_and_doctor_name_the_fields_facts_come_from(name: str, tmp_path: Path) -> None:
    with practice(name, tmp_path) as world:
        world.init("real-estate")
        looked = world.run("connect", "--json", ok=False)
        assert looked.code == 1
        sources = looked.document["sources"]
        assert len(sources) == SOURCES
        assert {item["type"] for item in sources} == {
            *("picklist", "decimal", "percent", "text", "date")
        }
        doctor = world.run("doctor", "--json", ok=False)
        assert doctor.code == 1
        (finding,) = [f for f in doctor.document["findings"] if f["about"] == "real-estate sources"]
        assert finding["level"] == "problem"


def test_connect_makes_them_only_when_asked_to(tmp_path: Path) -> None:
    with practice("zoho", tmp_path) as world:
        world.init("real-estate")
        first = world.run("connect", "--yes", ok=False)
        assert first.code == 1
        assert "Strength_Score" in first.out
        assert "--facts" in first.err
        refused = world.run("plan", ok=False)
        assert refused.code == 1
        assert refused.err.count("error[MAP052]") == SOURCES
        made = world.run("connect", "--yes", "--facts", "--json")
        assert made.document["created"] == SOURCES
        world.sandbox.load_over_http(customers(3), [])
        assert json.loads(world.run("plan", "--json").out)["summary"]["evaluated"] == 3


def test_before_connect_a_plan_names_every_missing_field_once(tmp_path: Path) -> None:
    with practice("zoho", tmp_path) as world:
        world.init("retail-rfm")
        refused = world.run("plan", ok=False)
    assert refused.code == 1
    assert refused.err.count("error[MAP052]") == 2  # one for accounts, one for tasks
    assert refused.err.count("Crmsync_Tier,") == 1
    assert "crmsync connect" in refused.err
