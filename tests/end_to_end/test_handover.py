"""Tasks that do more: one takes the customer to its owner, one is for every person below it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Capabilities
from crmsync.errors import ConfigError
from crmsync.project.ground import stand
from crmsync.testing import SandboxClock
from crmsync.testing.rows import Actor, Origin

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
TASK = """
  - id: handover
    title: 移交 {name} | Take over {name}
    event: enters first
    owner: role:lead
    due: 2 workdays
    may_reassign_owner: true
  - id: call
    title: 致电 {person}（{name}） | Call {person} of {name}
    event: enters first
    owner: account owner
    due: 2 workdays
    for_each: {related: people, where: role is Buyer}
    via: phone
"""
PEOPLE = """
  people: {object: Contacts, via: Account_Name, date: Created_Time, called: Last_Name,
           do_not_contact: Email_Opt_Out, fields: {role: Title}}
"""


def handing(world: World) -> None:
    """The ready rules with the task, nothing else."""
    (rules,) = (world.folder / "rulesets").glob("*/rules.yaml")
    head, _, _ = rules.read_text(encoding="utf-8").partition("\ntasks:\n")
    rules.write_text(f"{head}\ntasks:{TASK}", encoding="utf-8")
    (mapping,) = (world.folder / "rulesets").glob(f"*/mapping/{world.name}.yaml")
    text = mapping.read_text(encoding="utf-8").replace("\nrelated:\n", f"\nrelated:{PEOPLE}", 1)
    text = text.replace("tasks: {", "tasks: {person: Who_Id, via: Description, ", 1)
    mapping.write_text(text, encoding="utf-8")


def people_below(world: World) -> None:
    """For each account a buyer, one who wants peace, and somebody else."""
    store = world.sandbox.store
    for row in store.rows("Accounts"):
        for name, role, peace in (
            ("A", "Buyer", False),
            ("B", "Buyer", False),
            ("P", "Buyer", True),
            ("E", "Else", False),
        ):
            values = {"Last_Name": f"{name} of {row.get('Account_Name')}", "Title": role}
            values |= {"Account_Name": row.id, "Email_Opt_Out": peace}
            store.create("Contacts", values, Actor(row.created_by, Origin.LOADED))


def without_calls(world: World) -> Path:
    """A copy of the rules in which nobody is called."""
    (folder,) = (world.folder / "rulesets").iterdir()
    copy = Path(shutil.copytree(folder, world.folder / "before" / folder.name))
    text = (copy / "rules.yaml").read_text(encoding="utf-8")
    (copy / "rules.yaml").write_text(text.partition("  - id: call\n")[0], encoding="utf-8")
    return copy


def test_a_customer_goes_to_the_task_s_owner_and_back(tmp_path: Path) -> None:
    crm = "zoho"
    with practice(crm, tmp_path / "project", SandboxClock(START)) as world:
        people = customers(3)
        world.sandbox.load_over_http(people, orders(people, START.date()))
        people_below(world)
        world.init("retail-rfm")
        handing(world)
        world.create_fields()
        world.plan()
        owner, table = "Owner", world.header()["object"]
        assert owner in world.header()["owned_fields"]

        def owners() -> list[str]:
            return [str(row.get(owner)) for row in world.sandbox.store.rows(table)]

        before = owners()
        project = world.folder / "crmsync.yaml"
        text = project.read_text(encoding="utf-8")
        project.write_text(f'{text}\npeople: {{"role:lead": "{before[0]}"}}\n', encoding="utf-8")
        plan = world.plan()
        handed = [
            item
            for change in plan["changes"]
            for item in change.get("set", ())
            if item["field"] == owner
        ]
        assert [(item["before"], item["after"]) for item in handed] == [
            (was, before[0]) for was in before[1:]
        ]
        told = world.run("simulate", "--against", str(without_calls(world)), "--json").document
        openings = [c for c in plan["changes"] if c["is"] == "task" and c["task"] == "call"]
        assert len(openings) > 2
        assert told["tasks"] == {"call": len(openings)}
        assert world.apply().code == 0
        assert owners() == [before[0]] * 3
        assert world.plan()["changes"] == []
        world.check_invariants()
        buyers = {
            row.id: row
            for row in world.sandbox.store.rows("Contacts")
            if row.get("Title") == "Buyer"
        }
        calls = [row for row in world.sandbox.store.rows("Tasks") if row.get("Who_Id")]
        called = [buyers[str(row.get("Who_Id"))].get("Last_Name") for row in calls]
        newcomers = [
            change["name"]
            for change in plan["changes"]
            if change["is"] == "fields" and any(s["field"] == owner for s in change["set"])
        ]
        assert sorted(map(str, called)) == sorted(
            f"{buyer} of {name}" for name in newcomers for buyer in "AB"
        )
        world.run("undo", "1")
        assert world.apply("undo-1.json").code == 0
        assert owners() == before
        (folder,) = (world.folder / "rulesets").iterdir()
        stays = SimpleNamespace(capabilities=Capabilities(write_batch=1, reassigns=False))
        with pytest.raises(ConfigError) as told:
            stand(stays, folder, ConnectionConfig("practice", crm, {}))  # type: ignore[arg-type]
        assert told.value.code == "MAP059"
