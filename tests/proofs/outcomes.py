"""P2 and P16: a large plan among every fault adds up; one poison row costs a few calls."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import Bench, fake_crm
from tests.unit.apply.fake import (
    FakeCrm,
    commits_late,
    half_committed,
    lost_after_commit,
    lost_before_commit,
    throttled,
    unavailable,
)
from tests.unit.plan.builders import opening, ref

from crmsync.connector import CreateOnce
from crmsync.model.run import ApplyReport, OpRecord, OpState
from crmsync.model.text import Text

CALL_FAULTS = [
    lost_after_commit,
    lost_before_commit,
    half_committed,
    commits_late,
    throttled(2.0),
    throttled(None),
    unavailable,
]
FREE = ("tasks_per_owner=100000", "new_tasks=100000", "records_changed=100%")


def adds_up(scale: Scale, place: Path) -> Figure:
    """1 % of the rows refused, edited, deleted or there already; 1 % of the calls per fault."""
    customers, tasks = scale.of(900, 9000), scale.of(100, 1000)
    chance = scale.chance("adds-up")
    bench = Bench(place, fake_crm(write_batch=10, create_once=CreateOnce.B))
    bench.seed(customers)
    plan = bench.plan(
        bench.item(n, opens=(opening(n),) if n <= tasks else ()) for n in range(1, customers + 1)
    )
    meddle(bench, chance, customers)
    bench.crm.faults = faults(chance, calls=customers // 4)
    report = bench.apply(plan, *FREE)
    while report.resumable:
        bench.clock.sleep(1000)
        report = bench.resume(report.run.id)
    bench.clock.sleep(1000)
    bench.crm.settle()
    bad = judged(bench, report, customers + tasks)
    outcomes = ", ".join(f"{count} {state}" for state, count in sorted(report.outcomes.items()))
    bench.store.close()
    return Figure(customers + tasks, "rows", bad, outcomes)


def meddle(bench: Bench, chance: Random, customers: int) -> None:
    """Between plan and apply people edit, delete and do our work for us; the CRM refuses rows."""
    share = max(1, customers // 100)
    several = chance.sample(range(1, customers + 1), 3 * share)
    for n in several[:share]:
        bench.crm.put(ref(n), Tier="VIP客户")
    for n in several[share : 2 * share]:
        bench.crm.delete(ref(n))
    refused = {ref(n) for n in several[2 * share :]}

    def mark(crm: FakeCrm) -> None:
        crm.before_write = lambda crm: None
        for op in bench.store.journal.each(1):
            if op.effect.about in refused:
                crm.refused.add(op.record.op_key)

    bench.crm.before_write = mark


def faults(chance: Random, calls: int) -> list[object]:
    """A script for many calls: one in a hundred per kind of fault."""
    script: list[object] = [None] * calls
    for fault in CALL_FAULTS:
        for place in chance.sample(range(calls), max(1, calls // 100)):
            script[place] = fault
    return script


def judged(bench: Bench, report: ApplyReport, rows: int) -> dict[str, int]:
    """Counts in the journal against the plan's size, and each outcome against the CRM."""
    wrong = duplicates = 0
    held: dict[str, int] = {}
    for task in bench.crm.tasks().values():
        held[str(task["Key"])] = held.get(str(task["Key"]), 0) + 1
        duplicates += held[str(task["Key"])] > 1
    for op in bench.store.journal.each(report.run.id):
        row = op.record
        there = row.ref.id in held if row.ref.object == "Tasks" else stands(bench, row)
        wrong += there is not (row.state is OpState.DONE)
    open_rows = sum(
        count
        for state, count in report.outcomes.items()
        if state in {OpState.PLANNED, OpState.INTENT, OpState.IN_DOUBT}
    )
    return {
        "rows unaccounted": abs(rows - sum(report.outcomes.values())) + open_rows,
        "outcomes the CRM contradicts": wrong,
        "duplicate tasks": duplicates,
    }


def stands(bench: Bench, row: OpRecord) -> bool:
    stored = bench.crm.objects["Accounts"].get(row.ref.id)
    return stored is not None and all(stored.fields.get(k) == v for k, v in row.want.items())


ROWS = 560
SHAPES = {
    "rolled back whole": (100, True, ROWS),
    "one result per record, as Zoho": (100, False, ROWS),
    "one record a call, as Fxiaoke": (1, False, 60),
}
"""Calls take so many records; are they rolled back whole; rows of the short form, fewer where no
batch can hold anybody up."""


def poison(scale: Scale, place: Path) -> Figure:
    """560 rows and one the CRM never takes, in every shape of batch; the short form tries 60 rows
    where a call takes one record."""
    chance, bad, most = scale.chance("poison"), 0, 0
    trials = 0
    for trial in scale.trials(1, 20):
        for name, (batch, atomic, rows) in SHAPES.items():
            trials += 1
            bench = Bench(
                place / f"{name}{trial}", fake_crm(write_batch=batch, atomic_batch=atomic)
            )
            extra, whole = poisoned(bench, chance, scale.of(rows, ROWS))
            most = max(most, extra)
            bad += not whole or extra > 2 * math.log2(batch) + 1
    limit = 2 * math.log2(100) + 1
    note = f"at most {most} extra calls of {limit:.1f} allowed; all rows but the one written"
    return Figure(trials, "poisoned plans", {"runs over the limit": bad}, note)


def poisoned(bench: Bench, chance: Random, rows: int) -> tuple[int, bool]:
    """The calls beyond those of a clean plan, and whether all but the one row were written."""
    bench.seed(rows)
    plan = bench.plan(bench.item(n) for n in range(1, rows + 1))
    culprit = ref(chance.randrange(1, rows + 1))

    def mark(crm: FakeCrm) -> None:
        crm.before_write = lambda crm: None
        for op in bench.store.journal.each(1):
            if op.effect.about == culprit:
                crm.refused.add(op.record.op_key)

    bench.crm.before_write = mark
    report = bench.apply(plan, *FREE)
    extra = len(bench.crm.calls) - math.ceil(rows / bench.crm.capabilities.write_batch)
    bench.store.close()
    return extra, report.outcomes == {OpState.DONE: rows - 1, OpState.REJECTED: 1}


PROOFS = (
    Proof(
        "P2",
        "adds-up",
        Text(
            zh="计划里的每一行都以恰好一个有名字的结果告终",
            en="Every planned change ends in exactly one named outcome",
        ),
        Text(
            zh="大计划，每种故障 1%，再与 CRM 里的实际内容逐行核对",
            en="a large plan with 1 % of each fault, each outcome checked against the CRM",
        ),
        adds_up,
    ),
    Proof(
        "P16",
        "poison",
        Text(
            zh="一条坏记录不会挡住其他记录",
            en="One bad record never blocks the others",
        ),
        Text(
            zh="560 行里一行总被拒绝；整批回滚、逐条结果、每次一条三种形态；数额外调用",
            en="one of 560 rows is always refused: batches rolled back whole, one result per "
            "record, one record a call",
        ),
        poison,
    ),
)
