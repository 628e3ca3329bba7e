"""All customers of the real data in the practice Zoho: pull, plan, apply, an empty plan.

Every verb runs as a process of its own, as a user runs it, so that its time and its memory can be
read; the figures are printed (``pytest -s``) and held to wide limits that only a wrong turn in the
way of the data would break. Needs the file that SOURCE.md names; skipped where it is not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, practice
from tests.real_data.online_retail import Ledger, find, read

from crmsync.project.sample import LAST_DAY, OWNERS
from crmsync.testing import PracticeCustomer, PracticeOrder, RequestKind

PROGRAM = """
import atexit, os
from pathlib import Path
from tests.peak import peak_mb
from crmsync.cli.main import main
atexit.register(lambda: Path(os.environ["PEAK_FILE"]).write_text(str(peak_mb())))
main()
"""
"""The command line; at its end the process notes its own peak, not what its parent held."""
MEMORY = 900
"""Megabytes one verb may take at its peak; it takes about a quarter of that."""
GUARDS = ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")


@dataclass(frozen=True)
class Done:
    """One verb that ran."""

    seconds: float
    peak: float
    document: Any


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    path = find()
    if path is None:
        pytest.skip("the UCI Online Retail file is not on this machine")
    return read(path)


@pytest.fixture
def world(ledger: Ledger, tmp_path: Path) -> Iterator[World]:
    with practice("zoho", tmp_path / "project") as made:
        load(made, ledger)
        made.init("retail-rfm")
        made.create_fields()
        yield made
        made.check_invariants()


def load(world: World, ledger: Ledger) -> None:
    """Everything, dated as the shipped sample is: whole weeks later, none after yesterday."""
    shift = timedelta(days=(date.today() - timedelta(days=1) - LAST_DAY).days // 7 * 7)
    people = [
        PracticeCustomer(
            key=item.id,
            name=f"Customer {item.id}",
            country=item.country,
            owner=OWNERS[place % len(OWNERS)],
        )
        for place, item in enumerate(ledger.customers)
    ]
    orders = [
        PracticeOrder(
            key=item.id,
            customer=item.customer,
            placed_on=item.ordered_on + shift,
            amount=item.amount,
        )
        for item in ledger.orders
    ]
    world.sandbox.load_over_http(people, orders)


def verb(world: World, *words: str) -> Done:
    """Run one verb as a process and measure it."""
    begun = time.monotonic()
    arguments = [words[0], "--project", str(world.folder), *words[1:], "--json"]
    peak = world.folder / "peak"
    around = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PEAK_FILE": str(peak)}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, **around},
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    done = Done(time.monotonic() - begun, float(peak.read_text()), json.loads(ended.stdout))
    print(f"{words[0]:8} {done.seconds:6.1f} s  {done.peak:5.0f} MiB")
    assert done.peak < MEMORY
    return done


def test_every_real_customer_is_tiered_and_the_next_plan_is_empty(
    world: World, ledger: Ledger
) -> None:
    customers, orders = len(ledger.customers), len(ledger.orders)
    assert customers > 4_300
    pulled = verb(world, "pull").document
    assert [item["rows"] for item in pulled["objects"]] == [customers, orders]
    with world.sandbox.read_only():
        plan = verb(world, "plan", "--no-pull").document
    assert world.sandbox.field_writes() == ()
    assert plan["summary"]["evaluated"] == customers
    assert plan["summary"]["first_assignments"] == customers
    allow = [word for guard in GUARDS for word in ("--allow", f"{guard}=100%")]
    report = verb(world, "apply", str(world.folder / "plan.json"), "--yes", *allow).document
    assert report["summary"]["outcomes"].keys() == {"done"}
    assert written(world) == planned(plan)
    assert verb(world, "plan").document["changes"] == []
    writes = world.sandbox.recorder.count(kind=RequestKind.WRITE)
    assert writes < customers / 100 + plan["summary"]["new_tasks"] + 20


def planned(plan: Any) -> set[tuple[str, str, str, str]]:
    return {
        (row["id"], item["field"], plain(item["before"]), plain(item["after"]))
        for row in plan["changes"]
        if row["is"] == "fields"
        for item in row["set"]
    }


def written(world: World) -> set[tuple[str, str, str, str]]:
    return {
        (item.id, item.field, str(item.old), str(item.new))
        for item in world.sandbox.field_writes()
        if item.object == "Accounts"
    }


def plain(value: Any) -> str:
    return str(next(iter(value.values())) if isinstance(value, dict) else value)
