"""P1, P8 in one process: a crash at every point of a run, and at random points among faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.proofs.naive import naive_apply
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import HERE, Bench, fake_crm
from tests.unit.apply.fake import (
    FakeConnector,
    commits_late,
    half_committed,
    lost_after_commit,
    lost_before_commit,
)
from tests.unit.apply.test_apply_crashes import Countdown, Crash, carry_on
from tests.unit.plan.builders import opening, ref

from crmsync.connector import CreateOnce
from crmsync.errors import ConnectorError
from crmsync.model.run import OpState
from crmsync.model.text import Text
from crmsync.plan import PlanFile

CUSTOMERS, TASKS = 5, 3
FAULTS = [None, None, lost_after_commit, lost_before_commit, half_committed, commits_late]


@dataclass
class Tally:
    """What became of all trials together."""

    trials: int = 0
    crashes: int = 0
    duplicates: int = 0
    lost: int = 0
    repeats: int = 0
    unaccounted: int = 0
    points: Counter[str] = field(default_factory=Counter)

    def bad(self) -> dict[str, int]:
        return {
            "duplicate tasks": self.duplicates,
            "lost": self.lost,
            "repeats of done rows": self.repeats,
            "rows unaccounted": self.unaccounted,
        }

    def look(self, bench: Bench) -> None:
        """Count what stands in the CRM after the trial."""
        bench.clock.sleep(1000)
        bench.crm.settle()
        keys = Counter(str(task["Key"]) for task in bench.crm.tasks().values())
        wanted = {opening(n).key for n in range(1, TASKS + 1)}
        self.duplicates += sum(count - 1 for count in keys.values())
        self.lost += len(wanted - keys.keys())
        self.lost += sum(tier != "重要客户" for tier in bench.tiers(CUSTOMERS))


def prepared(bench: Bench, rung: CreateOnce) -> PlanFile:
    """Five customers, three of whom get a task, and the plan for them."""
    lag = timedelta(seconds=60) if rung is CreateOnce.C else timedelta()
    bench.anew(fake_crm(create_once=rung, index_lag=lag, write_batch=2))
    bench.seed(CUSTOMERS)
    items = [
        bench.item(n, opens=(opening(n),) if n <= TASKS else ()) for n in range(1, CUSTOMERS + 1)
    ]
    return bench.plan(items)


def done_rows(bench: Bench) -> dict[int, int]:
    """Seq → times sent, of the rows that are done."""
    rows = bench.store.journal.rows(1, states=[OpState.DONE])
    return {op.seq: op.record.attempt for op in rows}


def crash_and_resume(bench: Bench, plan: PlanFile, tally: Tally, points: list[int]) -> bool:
    """Crash at each of *points* in turn, then finish; false when no crash happened at all."""
    crashed = False
    for at in points:
        before = done_rows(bench)
        over = carry_on(bench, plan, Countdown(at))
        tally.repeats += sum(done_rows(bench)[seq] != sent for seq, sent in before.items())
        if over:
            break
        crashed = True
        tally.crashes += 1
    before = done_rows(bench)
    carry_on(bench, plan, Countdown(None))
    tally.repeats += sum(done_rows(bench)[seq] != sent for seq, sent in before.items())
    outcomes = bench.store.journal.outcomes(1)
    tally.unaccounted += CUSTOMERS + TASKS - outcomes.get(OpState.DONE, 0)
    episodes = bench.store.episodes.open_for(*HERE, [ref(n) for n in range(1, TASKS + 1)])
    tally.unaccounted += TASKS - sum(len(found) for found in episodes.values())
    return crashed


def sweep(scale: Scale, place: Path) -> Figure:
    """The 1st, 2nd, 3rd … checkpoint, until a run ends without reaching it."""
    tally = Tally()
    bench = Bench(place, keeps=True)
    rungs = [CreateOnce.A, CreateOnce.B, CreateOnce.C] if scale.full else [CreateOnce.C]
    for rung in rungs:
        at, crashed = 0, True
        while crashed:
            at += 1
            plan = prepared(bench, rung)
            crashed = crash_and_resume(bench, plan, tally, [at])
            tally.look(bench)
            tally.trials += crashed
    bench.store.close()
    return Figure(tally.trials, "crash points", tally.bad(), f"rungs {'+'.join(rungs)}")


def among_faults(scale: Scale, place: Path) -> Figure:
    """Up to four crashes a run, while the CRM loses replies and commits late."""
    tally, chance = Tally(), scale.chance("among-faults")
    bench = Bench(place, keeps=True)
    for _ in scale.trials(12, 300):
        rung = chance.choice([CreateOnce.A, CreateOnce.B, CreateOnce.C])
        plan = prepared(bench, rung)
        bench.crm.faults = [chance.choice(FAULTS) for _ in range(8)]
        points = [chance.randrange(1, 30) for _ in range(chance.randrange(1, 5))]
        crash_and_resume(bench, plan, tally, points)
        tally.look(bench)
        tally.trials += 1
    bench.store.close()
    return Figure(tally.trials, "runs", tally.bad(), f"{tally.crashes} crashes")


def naive_fails(scale: Scale, place: Path) -> Figure:
    """The same harness with write, retry, note afterwards: it must find duplicates."""
    tally, chance = Tally(), scale.chance("naive")
    bench = Bench(place, keeps=True)
    for trial in scale.trials(10, 100):
        plan = prepared(bench, CreateOnce.B)
        bench.crm.faults = [chance.choice(FAULTS) for _ in range(8)]
        notes = place / f"{trial}.json"
        until_done(lambda check, b=bench, p=plan, n=notes: naive(b, p, n, check), chance.randrange)
        tally.look(bench)
        tally.trials += 1
    bench.store.close()
    survived = int(tally.duplicates == 0)
    note = f"{tally.duplicates} duplicates, {tally.lost} lost of {tally.trials * TASKS} tasks"
    return Figure(tally.trials, "runs", {"harnesses that let it pass": survived}, note)


def naive(bench: Bench, plan: PlanFile, notes: Path, check: Callable[[str], None]) -> None:
    naive_apply(FakeConnector(bench.crm), plan, notes, checkpoint=check)


def until_done(
    run: Callable[[Callable[[str], None]], None], draw: Callable[[int, int], int]
) -> None:
    """Start again after every crash and every error, as a person would."""
    for crash in [draw(1, 12), draw(1, 12), None, None, None, None]:
        try:
            run(Countdown(crash))
        except (Crash, ConnectorError):
            continue
        return


ONCE = Text(
    zh="同一条规则对同一客户的任务最多创建一次，无论崩溃、超时还是重试",
    en="A task is created at most once, whatever crashes, times out or is retried",
)
RESUME = Text(
    zh="中断之后 `--resume` 做完其余部分，已完成的不再发送",
    en="After any interruption `--resume` finishes the rest and repeats nothing that is done",
)
PROOFS = (
    Proof(
        "P1",
        "crash-points",
        ONCE,
        Text(
            zh="在每个记账点和每次调用前后各崩溃一次，再续做（内存 CRM，创建阶梯 A、B、C）",
            en="a crash at every journal write and call, then resume (CRM in memory, rungs A–C)",
        ),
        sweep,
    ),
    Proof(
        "P1",
        "faults",
        ONCE,
        Text(
            zh="多次崩溃，同时 CRM 丢失回复、只提交一半、迟到提交",
            en="several crashes a run while the CRM loses replies, commits halves, commits late",
        ),
        among_faults,
    ),
    Proof(
        "P1",
        "control",
        ONCE,
        Text(
            zh="对照：“写、出错重试、事后记账”的脚本必须在同一装置中失败",
            en="control: write, retry, note afterwards must fail in the same harness",
        ),
        naive_fails,
    ),
)
