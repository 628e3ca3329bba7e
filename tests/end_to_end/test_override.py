"""``override``: a person's word decides, is listed with its author, ends, and can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.end_to_end.world import customers, orders, practice

from crmsync.connector import connectors
from crmsync.project.opening import open_project
from crmsync.testing import SandboxClock

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_an_override_is_given_obeyed_listed_and_taken_back(tmp_path: Path) -> None:
    crm = next(spec.name for spec in connectors() if spec.sandbox)
    clock = SandboxClock(START)
    with practice(crm, tmp_path / "project", clock) as world:
        people = customers(4)
        world.sandbox.load_over_http(people, orders(people, START.date()))
        world.init("retail-rfm")
        world.create_fields()
        world.plan()
        assert world.apply("plan.json", "--allow", "tier_changes=100%").code == 0
        name = people[3].name
        before = world.run("explain", name, "--json").document["tier"]["after"]
        assert before != "core"
        reason = "签了框架协议"
        given = world.run(
            "override",
            name,
            "--tier",
            "core",
            "--until",
            "2026-11-20",
            "--reason",
            reason,
            "--json",
        ).document
        assert (given["kind"], given["tier"], given["until"]) == ("pin", "core", "2026-11-20")
        plan = world.plan()
        (row,) = [change for change in plan["changes"] if change["is"] == "fields"]
        assert row["name"] == name
        tier_field = world.header()["owned"]["tier"]
        assert any(item["field"] == tier_field for item in row["set"])
        assert world.apply("plan.json", "--allow", "tier_changes=100%").code == 0
        assert world.plan()["changes"] == []
        shown = world.run("explain", name, "--json").document
        assert (shown["tier"]["after"], shown["tier"]["because"]) == ("core", "override")
        (standing,) = shown["overrides"]
        assert (standing["reason"], standing["number"]) == (reason, given["number"])
        listed = world.run("override", "--list", "--json").document["overrides"]
        assert [item["id"] for item in listed] == [given["id"]]
        assert reason in world.run("override", "--list", "--lang", "zh").out
        # another pin takes its place
        again = world.run(
            "override", given["id"], "--tier", "core", "--reason", "longer", "--json"
        ).document
        assert again["replaced"] == [given["number"]]
        world.run("override", "--remove", str(again["number"]), "--reason", "mistake")
        assert world.run("override", "--list", "--json").document["overrides"] == []
        assert len(world.run("override", "--list", "--all", "--json").document["overrides"]) == 2
        world.plan()
        shown = world.run("explain", name, "--json").document
        assert shown["tier"]["after"] == before
        with open_project(world.folder, now=clock.now).store() as store:
            told = [item for item in store.audit.entries() if item.what.startswith("override")]
        assert [item.what for item in told] == ["override lifted", "override", "override"]
        assert told[-1].detail["reason"] == reason
        assert told[-1].detail["until"] == "2026-11-20"
        assert told[-1].who


def test_an_override_ends_by_itself(tmp_path: Path) -> None:
    crm = next(spec.name for spec in connectors() if spec.sandbox)
    clock = SandboxClock(START)
    with practice(crm, tmp_path / "project", clock) as world:
        people = customers(3)
        world.sandbox.load_over_http(people, orders(people, START.date()))
        world.init("retail-rfm")
        world.create_fields()
        world.plan()
        assert world.apply("plan.json", "--allow", "tier_changes=100%").code == 0
        name = people[2].name
        before = world.run("explain", name, "--json").document["tier"]["after"]
        world.run(
            "override", name, "--at-least", "core", "--until", "2026-11-03", "--reason", "fair"
        )
        world.plan()
        assert world.apply("plan.json", "--allow", "tier_changes=100%").code == 0
        clock.set(START + timedelta(days=1))
        assert world.run("explain", name, "--json").document["tier"]["after"] == "core"
        clock.set(START + timedelta(days=2))
        assert world.run("explain", name, "--json").document["tier"]["after"] == before


def test_a_wrong_override_says_what_to_do(tmp_path: Path) -> None:
    crm = next(spec.name for spec in connectors() if spec.sandbox)
    with practice(crm, tmp_path / "project", SandboxClock(START)) as world:
        people = customers(2)
        world.sandbox.load_over_http(people, orders(people, START.date()))
        world.init("retail-rfm")
        world.create_fields()
        world.run("pull")
        name = people[0].name
        for words, told in (
            ((name, "--tier", "gold", "--reason", "x"), "gold"),
            ((name, "--tier", "core"), "--reason"),
            ((name, "--tier", "core", "--at-most", "core", "--reason", "x"), "--at-most"),
            ((name, "--tier", "core", "--until", "2026-11-01", "--reason", "x"), "past"),
            (("nobody at all", "--tier", "core", "--reason", "x"), "nobody at all"),
            (("--remove", "7"), "7"),
        ):
            refused = world.run("override", *words, "--lang", "en", ok=False)
            assert refused.code == 2, refused
            assert told in refused.err
