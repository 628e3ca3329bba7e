"""P1, P8, P25 with real processes: SIGKILL and SIGTERM anywhere in ``crmsync apply``, over HTTP."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.proofs.kill_bench import Hit, KillBench, Row, shared_bench
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.model.text import Text
from crmsync.testing import CommitLate, Drop, RequestKind

LONGEST_STOP = 20.0
FAULTS = (Drop(commit=True), Drop(commit=False), CommitLate(60.0), CommitLate(100.0, answer=None))
GENTLE = {0, 7, 130, 143}
"""Exit codes of a run that ended by itself or was asked to stop."""


@dataclass
class Tally:
    """What became of all trials on one CRM."""

    kills: int = 0
    duplicates: int = 0
    lost: int = 0
    repeats: int = 0
    too_many_in_doubt: int = 0
    unfinished: int = 0
    clobbered: int = 0

    @property
    def once(self) -> dict[str, int]:
        return {"duplicate tasks": self.duplicates, "lost": self.lost}

    @property
    def resumed(self) -> dict[str, int]:
        return {
            "repeats of done rows": self.repeats,
            "rows in doubt beyond one batch": self.too_many_in_doubt,
            "rows unaccounted": self.unfinished,
            "wrong values": self.clobbered,
        }

    def look(self, bench: KillBench) -> None:
        """Count tasks and values in the CRM, and rows in the journal, after the last resume."""
        held = bench.held()
        self.duplicates += sum(count - 1 for count in held.values())
        self.lost += len(bench.tasks - held.keys())
        self.clobbered += bench.wrong_fields()
        rows = bench.rows()
        self.unfinished += len(bench.plan["changes"]) - sum(row.state == "done" for row in rows)


def kill_and_resume(bench: KillBench, chance: Random, tally: Tally, span: float) -> None:
    """Up to four kills in one run, one trial in three among faults, then a run to the end."""
    bench.reset()
    if chance.random() < 0.33:
        bench.world.sandbox.faults.next_of(RequestKind.WRITE, chance.choice(FAULTS))
    for _ in range(chance.randrange(2, 5)):
        ended = watched(bench, tally, a_hit(chance, span))
        tally.kills += ended == -signal.SIGKILL
        if ended in GENTLE:
            break
    for _ in range(5):
        if watched(bench, tally, None) == 0:
            break
    tally.look(bench)


def watched(bench: KillBench, tally: Tally, hit: Hit | None) -> int:
    """One process; whatever was done before it must not be sent by it."""
    done = [row for row in bench.rows() if row.state == "done"]
    before = bench.revisions(done)
    ended = bench.apply(hit)
    after = {row.seq: row for row in bench.rows()}
    tally.repeats += sum(after[row.seq].attempts != row.attempts for row in done)
    again = bench.revisions(done)
    tally.repeats += sum(again[target] != count for target, count in before.items())
    batch = 1 if bench.world.name == "fxiaoke" else 100
    open_rows = sum(row.state == "intent" for row in after.values())
    tally.too_many_in_doubt += open_rows > batch
    return -ended.signal if ended.signal else ended.code or 0


def a_hit(chance: Random, span: float, number: int = signal.SIGKILL) -> Hit:
    """Half of them at any time of the run, half while one of the first writes is on the way."""
    if chance.random() < 0.5:
        return Hit(seconds=chance.uniform(0.1, 1.0) * span, signal=number)
    return Hit(write=chance.randrange(1, 9), lose=chance.random() < 0.4, signal=number)


def span_of(bench: KillBench) -> float:
    """How long an undisturbed run takes."""
    bench.reset()
    began = time.monotonic()
    assert bench.apply().code == 0
    return time.monotonic() - began


def once(name: str) -> Callable[[Scale, Path], Figure]:
    """P1 and P8 with one connector: at least so many kills."""

    def run(scale: Scale, place: Path) -> Figure:
        tally, chance = Tally(), scale.chance(f"kills-{name}")
        wanted = scale.of(4, 500)
        bench = shared_bench(name)
        span = span_of(bench)
        while tally.kills < wanted and (not tally.kills or time.monotonic() < scale.until):
            kill_and_resume(bench, chance, tally, span)
        return Figure(tally.kills, "kills", {**tally.once, **tally.resumed})

    return run


def naive_fails(scale: Scale, place: Path) -> Figure:
    """The naive strategy among the same kills."""
    chance = scale.chance("naive-kills")
    kills = duplicates = 0
    bench = shared_bench("zoho")
    for _ in scale.trials(2, 40):
        bench.reset()
        for hit in (Hit(write=chance.randrange(17, 21)), a_hit(chance, 0.5), None):
            ended = bench.naive(hit)
            kills += ended.signal is not None
            if ended.code == 0:
                break
        duplicates += sum(count - 1 for count in bench.held().values())
    note = f"{duplicates} duplicates in {kills} kills"
    return Figure(kills, "kills", {"harnesses that let it pass": int(not duplicates)}, note)


def stops(scale: Scale, place: Path) -> Figure:
    """SIGTERM anywhere; the CRM takes its time with every write."""
    chance, slowest = scale.chance("stops"), 0.0
    unaccounted = late = unfinished = 0
    trials = 0
    bench = shared_bench("fxiaoke")
    span = span_of(bench)
    for _ in scale.trials(3, 200):
        trials += 1
        bench.reset()
        bench.apply(a_hit(chance, span, signal.SIGTERM))
        slowest = max(slowest, bench.stopped_within)
        late += bench.stopped_within > LONGEST_STOP
        unaccounted += lost_rows(bench, bench.rows())
        for _ in range(3):
            if bench.apply().code == 0:
                break
        tally = Tally()
        tally.look(bench)
        unfinished += sum({**tally.once, **tally.resumed}.values())
    bad = {"rows unaccounted": unaccounted + unfinished, "exits after 20 s": late}
    return Figure(trials, "SIGTERMs", bad, f"slowest exit {slowest:.1f} s")


def lost_rows(bench: KillBench, rows: list[Row]) -> int:
    """After a stop nothing is left mid-call, and every row of a begun run is in the journal."""
    if not rows:
        return 0
    mid_call = sum(row.state == "intent" for row in rows)
    return mid_call + abs(len(rows) - len(bench.plan["changes"]))


ONCE = Text(
    zh="同一条规则对同一客户的任务最多创建一次，无论崩溃、超时还是重试",
    en="A task is created at most once, whatever crashes, times out or is retried",
)
RESUME = Text(
    zh="中断之后 `--resume` 做完其余部分，已完成的行不再发送",
    en="After any interruption `--resume` finishes the rest and sends nothing again that is done",
)


def _kills(name: str, label: str) -> Proof:
    how = Text(
        zh=f"对 {label} 沙箱的真实 `crmsync apply` 进程在任意时刻 SIGKILL，再续做",
        en=f"SIGKILL of a real `crmsync apply` at any time, against the {label} sandbox; resume",
    )
    return Proof("P8", f"kills-{name}", RESUME, how, once(name))


PROOFS = (
    Proof(
        "P1",
        "control-kills",
        ONCE,
        Text(
            zh="同一对照脚本，用 SIGKILL 和 HTTP 沙箱，也必须失败",
            en="the same control with SIGKILL over HTTP must fail too",
        ),
        naive_fails,
    ),
    _kills("zoho", "Zoho"),
    _kills("fxiaoke", "纷享销客"),
    Proof(
        "P25",
        "stops",
        Text(
            zh="叫停就停：SIGTERM 后 20 秒内退出，每一行都有着落",
            en="Stop means stop: SIGTERM ends the run within 20 s with every row accounted for",
        ),
        Text(
            zh="任意时刻 SIGTERM 真实的 `crmsync apply`，再续做并核对",
            en="SIGTERM of a real `crmsync apply` at any time, then resume and compare",
        ),
        stops,
    ),
)
