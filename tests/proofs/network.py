"""P5, P14, P15 and P24 on the wire: fields, pauses, rates, budgets, deadlines, reading only."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.http_catalogue.line import NAMES, Line, line
from tests.proofs.kill_bench import shared_bench
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import WriteOptions
from crmsync.connector.meter import Meter
from crmsync.errors import CrmSyncError, OutcomeUnknown, QuotaExhausted, Unavailable, UsageError
from crmsync.model.change import SetFields
from crmsync.model.text import Text
from crmsync.project.expiring import expiry_finding
from crmsync.store import open_store
from crmsync.testing import RequestKind, throttled
from crmsync.testing.bad_wire import Behaviour, drip, silence, slowly
from crmsync.testing.faults import Reply

ROOT = Path(__file__).resolve().parents[2]
PAUSES: tuple[int | str | None, ...] = (1, 7, 30, 299, "1.5", "-1", "abc", "nan", "3, 4", None)


def early(scale: Scale, place: Path) -> Figure:
    """Random pauses in both forms; three connectors on one meter; who comes too early?"""
    chance = scale.chance("early")
    requests = too_early = trials = 0
    for trial in scale.trials(2, 60):
        for name in NAMES:
            with line(name) as wire, open_store(place / f"{name}{trial}.db") as store:
                meters: list[Meter] = [store.meter("crm"), store.meter("crm"), store.meter("crm")]
                connectors = [wire.open(meter=meter) for meter in meters]
                for _ in range(25):
                    if chance.random() < 0.4:
                        wire.sandbox.faults.next_of(
                            chance.choice([RequestKind.READ, RequestKind.WRITE]),
                            pause(wire, chance),
                        )
                    attempt(wire, chance.choice(connectors), chance)
                    wire.sandbox.clock.advance(chance.choice([0, 0.5, 2, 20]))
                seen = wire.sandbox.recorder.all()
                requests += len(seen)
                too_early += sum(record.early_by is not None for record in seen)
            trials += 1
    note = f"{requests} requests, Retry-After as seconds, as a date and odd"
    return Figure(trials, "histories", {"requests before their time": too_early}, note)


def pause(wire: Line, chance: Random) -> Reply:
    """A refusal with a pause; every third as a date."""
    seconds = chance.choice(PAUSES)
    if isinstance(seconds, int) and chance.random() < 0.33:
        from email.utils import format_datetime

        moment = wire.sandbox.clock.now() + timedelta(seconds=seconds)
        seconds = format_datetime(moment, usegmt=True)
    return throttled(seconds, status=chance.choice([429, 503]))


def attempt(wire: Line, connector: Any, chance: Random) -> None:
    """One read or write, whatever comes of it."""
    with suppress(CrmSyncError):
        if chance.random() < 0.5:
            wire.read(connector)
        else:
            wire.write(connector, f"text {chance.randrange(10**6)}")


ADMITTING = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from crmsync.model.metering import Admission
from crmsync.store import open_store

calls, window, ceiling, asks = map(int, sys.argv[2:])
meter = open_store(sys.argv[1]).meter("crm")
starts, spent_up = [], 0
for _ in range(asks):
    now = datetime.now(UTC)
    found = meter.admit(Admission(now=now, price=1, since=now - timedelta(hours=24),
        ceiling=ceiling, lane="query", calls=calls, window=float(window)))
    if found.spent_up:
        spent_up += 1
    else:
        starts.append(now.timestamp() + found.wait)
print(json.dumps({"starts": starts, "spent_up": spent_up}))
"""


def processes(scale: Scale, place: Path) -> Figure:
    """Processes that ask for places and units at once: no window too full, no unit too many."""
    calls, window, ceiling, each = 10, 20, 90, 40
    crowded = overspent = trials = 0
    for trial in scale.trials(1, 12):
        path = place / f"shared{trial}.db"
        open_store(path).close()
        words = [sys.executable, "-c", ADMITTING, str(path)]
        words += [str(number) for number in (calls, window, ceiling, each)]
        path_of = {"PYTHONPATH": ":".join([str(ROOT / "src"), *sys.path])}
        running = [subprocess.Popen(words, stdout=subprocess.PIPE, env=path_of) for _ in range(4)]
        told = [json.loads(process.communicate(timeout=120)[0]) for process in running]
        starts = sorted(start for found in told for start in found["starts"])
        overspent += max(0, len(starts) - ceiling)
        crowded += sum(
            starts[n + calls] - starts[n] < window - 0.01 for n in range(len(starts) - calls)
        )
        trials += 4
    bad = {"windows too full": crowded, "units too many": overspent}
    return Figure(trials, "processes", bad, f"{calls} calls per {window} s, {ceiling} units a day")


def reserve(scale: Scale, place: Path) -> Figure:
    """A budget is spent until it stops: a tenth is left, and it says when there is room again."""
    starved = silent = trials = 0
    for trial in scale.trials(1, 20):
        for name in NAMES:
            limit = scale.chance(f"{name}{trial}").randrange(30, 90)
            keys = {"zoho": {"credits_per_day": limit}, "fxiaoke": {"calls_per_day": limit}}[name]
            with line(name) as wire, open_store(place / f"{name}{trial}.db") as store:
                before = len(wire.proxy.requests)
                stopped: QuotaExhausted | None = None
                for _ in range(4):
                    connector = wire.open(prime=False, meter=store.meter("crm"), keys=keys)
                    try:
                        for _ in range(limit):
                            wire.read(connector)
                    except QuotaExhausted as problem:
                        stopped = problem
                sent = len(wire.proxy.requests) - before - wire.sent(RequestKind.AUTH)
                starved += sent > limit * 90 // 100
                silent += stopped is None or stopped.resets_at is None
            trials += 1
    bad = {"budgets without their reserve": starved, "stops without a time": silent}
    return Figure(trials, "budgets", bad)


HEAD = b"HTTP/1.1 200 OK\r\n"
SLOW: dict[str, Behaviour] = {
    "slow headers": drip(HEAD, b"X-Slow: 1\r\n"),
    "slow body": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"),
    "slow answer": slowly(0.02),
    "silence": silence,
}
DEADLINE = 0.5


def deadlines(scale: Scale, place: Path) -> Figure:
    """Every slow server, every kind of call; then many deadlines, and the pool must still work."""
    late = trials = stuck = 0
    longest = 0.0
    for _ in scale.trials(1, 10):
        for name in NAMES:
            with line(name) as wire:
                connector = wire.open(write_seconds=DEADLINE, read_seconds=DEADLINE)
                for behaviour in SLOW.values():
                    wire.next(behaviour, RequestKind.WRITE)
                    began = time.monotonic()
                    with suppress(OutcomeUnknown, Unavailable):
                        wire.write(connector)
                    took = time.monotonic() - began
                    longest = max(longest, took)
                    late += took > DEADLINE + 1
                    trials += 1
    for name in NAMES:
        hits, unusable = many_deadlines(name, scale.of(40, 1000))
        trials, stuck = trials + hits, stuck + unusable
    bad = {"calls past their deadline": late, "connectors unusable": stuck}
    return Figure(trials, "deadlines", bad, f"longest {longest:.1f} s for {DEADLINE} s")


def many_deadlines(name: str, count: int) -> tuple[int, int]:
    """So many deadline hits in four threads; 1 when the connector cannot be used afterwards."""
    with line(name) as wire:
        connector = wire.open(write_seconds=0.03)
        wire.next(silence, RequestKind.WRITE, times=count)
        missed: list[int] = []

        def work() -> None:
            for _ in range(count // 4):
                try:
                    wire.write(connector)
                except (OutcomeUnknown, Unavailable):
                    missed.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wire.proxy.clear()
        try:
            whole = all(len(wire.read(connector)) == len(wire.refs) for _ in range(6))
        except CrmSyncError:
            whole = False
        return len(missed), int(not whole)


def foreign(scale: Scale, place: Path) -> Figure:
    """Changes at random, some with fields that are not ours: what arrives at the CRM?"""
    chance = scale.chance("foreign")
    arrived = lost = trials = 0
    for _ in scale.trials(1, 30):
        for name in NAMES:
            with line(name) as wire:
                samples = wire.harness.samples()
                fields = sorted({sample.field for sample in samples})
                ours = frozenset(chance.sample(fields, len(fields) // 2))
                connector = wire.open(allowed={wire.harness.object: ours})
                for sample in samples:
                    field, value = sample.field, sample.value
                    change = SetFields("c", wire.refs[0], {field: None}, {field: value})
                    sent = wire.sent(RequestKind.WRITE)
                    try:
                        connector.write([change], WriteOptions())
                        lost += field not in ours and wire.sent(RequestKind.WRITE) > sent
                    except UsageError:
                        lost += field in ours
                    trials += 1
                arrived += sum(write.field not in ours for write in wire.sandbox.field_writes())
    bad = {"foreign fields": arrived, "wrong verdicts": lost}
    return Figure(trials, "changes", bad, "refused by the transport, below every connector's code")


def dry_words(world: Any, *, every: bool) -> Iterator[tuple[str, ...]]:
    """Every verb that must not write, as a person types it: those that ask the CRM, or *every*."""
    customer = world.sandbox.store.rows(world.header()["object"])[0].id
    ruleset = next((world.folder / "rulesets").iterdir()).name
    yield ("pull",)
    yield ("pull", "--full")
    yield ("plan", "--json")
    yield ("doctor",)
    if not every:
        return
    yield ("plan", "--no-pull")
    yield ("show", "plan.json")
    yield ("explain", customer)
    yield ("simulate", ruleset)
    yield ("check",)
    yield ("test", ruleset)
    yield ("runs",)


def dry(scale: Scale, place: Path) -> Figure:
    """Every verb that only looks, on both CRMs; and writes through connections for reading.

    In the short form the verbs that ask no CRM run on the first one alone.
    """
    written = refused_too_late = trials = 0
    for _ in scale.trials(1, 5):
        for name in NAMES:
            bench = shared_bench(name)
            bench.reset()
            before = bench.write_requests()
            for words in dry_words(bench.world, every=scale.full or name == NAMES[0]):
                bench.world.run(*words, ok=False)
                trials += 1
            written += bench.write_requests() - before
            with line(name) as wire:
                connector = wire.open(read_only=True)
                for number in range(10):
                    trials += 1
                    try:
                        wire.write(connector, f"text {number}")
                        refused_too_late += 1
                    except UsageError:
                        pass
                written += wire.sent(RequestKind.WRITE)
    bad = {"write requests": written, "accepted": refused_too_late}
    return Figure(trials, "dry runs", bad)


def expiries(scale: Scale, place: Path) -> Figure:
    """Every day from a month before the end to a week after: told when, and how loudly?"""
    ends, wrong, trials = date(2026, 12, 31), 0, 0
    connection = ConnectionConfig("crm", "zoho", {}, expires=ends)
    for left in range(-7, 32):
        found = expiry_finding(connection, ends - timedelta(days=left))
        level = None if found is None else found.level
        wrong += level != (None if left > 14 else "warning" if left > 1 else "problem")
        wrong += found is not None and "2026-12-31" not in found.text.zh + found.text.en
        trials += 1
    wrong += expiry_finding(ConnectionConfig("crm", "zoho", {}), ends) is not None
    return Figure(trials, "days", {"wrong verdicts": wrong}, "told from 14 days, near from 7")


LIMITS = Text(zh="遵守 CRM 的限额", en="The CRM's limits are respected")
RUN: dict[str, tuple[str, Callable[[Scale, Path], Figure], Text, Text]] = {
    "foreign": (
        "P5",
        foreign,
        Text(zh="crmsync 只写归它的字段", en="crmsync writes only the fields it owns"),
        Text(
            zh="随机改动，一半字段不归我们；由传输层拦下",
            en="changes at random, half of the fields not ours, stopped by the transport",
        ),
    ),
    "early": (
        "P14",
        early,
        LIMITS,
        Text(
            zh="随机暂停（秒、日期、怪值），三个连接器共用状态库里的计量",
            en="pauses at random (seconds, dates, odd ones), three connectors on one meter",
        ),
    ),
    "processes": (
        "P14",
        processes,
        LIMITS,
        Text(
            zh="多个进程同时申请调用位与额度",
            en="processes that ask for places and units at the same time",
        ),
    ),
    "reserve": (
        "P14",
        reserve,
        LIMITS,
        Text(
            zh="把预算花到停下为止，几个进程接力",
            en="a budget spent until it stops, by one connector after another",
        ),
    ),
    "deadlines": (
        "P15",
        deadlines,
        Text(zh="每个请求都有总时限", en="Every request has a total deadline"),
        Text(
            zh="慢头、慢体、沉默；之后连接池仍可用",
            en="slow headers, slow bodies, silence; afterwards the pool is usable",
        ),
    ),
    "expiry": (
        "P26",
        expiries,
        Text(zh="到期之前一定先说", en="Nothing expires by surprise"),
        Text(
            zh="到期前一个月到到期后一周的每一天",
            en="every day from a month before the end to a week after it",
        ),
    ),
    "dry": (
        "P24",
        dry,
        Text(zh="演练不发送任何写请求", en="A dry run sends no write"),
        Text(
            zh="所有只看不写的命令，两个 CRM；只读连接上的写入",
            en="every verb that only looks, on both CRMs; writes through connections for reading",
        ),
    ),
}
PROOFS = tuple(
    Proof(promise, name, says, how, run) for name, (promise, run, says, how) in RUN.items()
)
