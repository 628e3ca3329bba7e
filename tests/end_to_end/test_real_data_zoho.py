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

PROGRAM = "from crmsync.cli.main import main; main()"
MEMORY = 900 * 1024**2
"""Bytes one verb may take at its peak; it takes about a third of that."""
GUARDS = ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")


@dataclass(frozen=True)
class Done:
    """One verb that ran."""

    seconds: float
    peak: int
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
    with (world.folder / "out.json").open("w+") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=out,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    assert process.returncode == 0, text
    done = Done(time.monotonic() - begun, usage.ru_maxrss * 1024, json.loads(text))
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{words[0]:8} {done.seconds:6.1f} s  cpu {cpu:5.1f} s  {done.peak / 1024**2:5.0f} MiB")
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
