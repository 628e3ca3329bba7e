"""P11 and P12: a slot runs once among several schedulers, and a missed one is never silent."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.postgres import postgres_database, postgres_server
from tests.proofs.forked import Forked, Log
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.config.jobs import JobConfig
from crmsync.errors import ExitCode
from crmsync.model.text import Text
from crmsync.project.opening import Project, open_project
from crmsync.project.syncing import SyncOutcome
from crmsync.schedule.ticker import Pace, Ticker
from crmsync.store import Store

START = datetime(2026, 11, 22, tzinfo=UTC)
SPEED = 60
"""A slot of a minute passes in a second."""
PACE = Pace(beat=timedelta(seconds=0.3), silent=timedelta(seconds=6) * SPEED)
PATIENCE = 60
"""Seconds everything that was begun has to be finished in."""
SETTINGS = """\
version: 1
connections: {{practice: {{connector: zoho}}}}
jobs:
  nightly:
    ruleset: any
    connection: practice
    cron: "{cron}"
    time_zone: UTC
    catch_up: {policy}
{store}
"""
WORK = 0.15
"""Seconds one run takes."""
ABSENT = "no PostgreSQL answers: not run"


@contextmanager
def project_folder(place: Path, *, cron: str, policy: str, postgres: bool) -> Iterator[Path]:
    """A project with one job, on SQLite or on a PostgreSQL database of its own."""
    with ExitStack() as kept:
        store = f"store: {kept.enter_context(postgres_database())}" if postgres else ""
        place.mkdir(parents=True)
        settings = SETTINGS.format(cron=cron, policy=policy, store=store)
        (place / "crmsync.yaml").write_text(settings)
        yield place


@dataclass(frozen=True)
class Race:
    """Schedulers in processes of their own, on one fast clock; each run leaves two lines."""

    folder: Path
    log: Log
    began: float

    def scheduler(self) -> Forked:
        """One more scheduler."""
        return Forked(self._serve)

    def _serve(self) -> None:
        project = open_project(self.folder, now=self.now)
        ticker = Racer(project, self.log)
        while True:
            ticker.tick(threading.Event())
            time.sleep(0.05)

    def now(self) -> datetime:
        """The clock all of them share."""
        return START + timedelta(seconds=(time.monotonic() - self.began) * SPEED)


class Racer(Ticker):
    """A scheduler whose work is to leave two lines that name the slot."""

    def __init__(self, project: Project, log: Log) -> None:
        super().__init__(project, lambda text: None, self._leave_lines, pace=PACE)
        self._log = log
        self._moment = ""

    def _carry_out(
        self, store: Store, job: JobConfig, waiting: list[datetime], stop: threading.Event
    ) -> None:
        self._moment = waiting[0].isoformat()
        super()._carry_out(store, job, waiting, stop)

    def _leave_lines(self, project: Project, job: str, stop: threading.Event) -> SyncOutcome:
        self._log.add(f"begin {self._moment} {os.getpid()}")
        time.sleep(WORK)
        self._log.add(f"end {self._moment} {os.getpid()}")
        return SyncOutcome(ExitCode.DONE, Text.same("done"))


def race(
    place: Path, *, count: int, slots: int, kills: random.Random | None, postgres: bool
) -> Figure:
    """*count* schedulers for so many slots; with *kills*, one is killed now and then, most often
    in the middle of a run, and another one starts."""
    killed = 0
    with project_folder(place, cron="* * * * *", policy="all", postgres=postgres) as folder:
        run = Race(folder, Log(place / "runs"), time.monotonic())
        # the schema is made once, before anybody races
        with open_project(folder, now=run.now).store():
            pass
        crowd = [run.scheduler() for _ in range(count)]
        run.log.wait(bool, PATIENCE)  # on a busy machine the first tick can be late
        until = time.monotonic() + slots * 60 / SPEED
        while time.monotonic() < until:
            if kills is not None and kills.random() < 0.1:
                killed += strike(run, crowd, kills)
            time.sleep(0.4)
        last = run.now()
        wanted = {
            (START + timedelta(minutes=n)).isoformat()
            for n in range(1, int((last - START).total_seconds() // 60) - 1)
        }
        began = {line[1] for line in run.log.lines()}
        wanted = {moment for moment in wanted if moment >= min(began)}
        run.log.wait(lambda lines: wanted <= {x[1] for x in lines if x[0] == "end"}, PATIENCE)
        for one in crowd:
            one.kill()
        ended = Counter(line[1] for line in run.log.lines() if line[0] == "end")
        resumed = sum(
            count > 1
            for count in Counter(x[1] for x in run.log.lines() if x[0] == "begin").values()
        )
    bad = {
        "slots run twice": sum(ended[moment] > 1 for moment in ended),
        "slots missing": len(wanted - ended.keys()),
    }
    note = f"{killed} kills, {resumed} slots finished by another" if kills is not None else ""
    return Figure(len(wanted), "slots", bad, note)


def strike(run: Race, crowd: list[Forked], chance: random.Random) -> bool:
    """SIGKILL for whoever is in the middle of a run, and a new scheduler in its place."""
    place = chance.randrange(len(crowd))
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        busy = running(run)
        hit = [index for index, one in enumerate(crowd) if one.pid in busy]
        if hit:
            place = hit[0]
            break
        time.sleep(0.005)
    crowd[place].kill()
    crowd[place] = run.scheduler()
    return True


def running(run: Race) -> set[int]:
    """Processes in the middle of a run."""
    busy: set[int] = set()
    for word, _, pid in run.log.lines()[-20:]:
        if word == "begin":
            busy.add(int(pid))
        else:
            busy.discard(int(pid))
    return busy


def once(count: int, *, postgres: bool, kills: bool) -> Callable[[Scale, Path], Figure]:
    """P11 with so many schedulers on one kind of database: ten minutes of slots of a second, fewer
    where less time is given."""

    def run(scale: Scale, place: Path) -> Figure:
        if postgres and postgres_server() is None:
            return Figure(1, "slots", {"slots run twice": 0, "slots missing": 0}, ABSENT)
        slots = int(min(scale.of(5, 600), max(5.0, scale.until - time.monotonic())))
        chance = scale.chance(f"slots-{count}-{postgres}") if kills else None
        return race(place / "project", count=count, slots=slots, kills=chance, postgres=postgres)

    return run


def outages(scale: Scale, place: Path) -> Figure:
    """Off over three slots, alone or among other schedulers that come back at the same moment,
    killed in the middle of a run or not: one run, one notice with the three names."""
    chance, trials, wrong = scale.chance("outages"), 0, Counter[str]()
    for trial in scale.trials(4, 60):
        trials += 1
        postgres = trial % 3 == 2 and postgres_server() is not None
        with project_folder(
            place / str(trial), cron="0 * * * *", policy="once", postgres=postgres
        ) as folder:
            wrong += outage(folder, chance)
    names = ("runs too many or too few", "notices too many or too few", "slots not named")
    return Figure(trials, "outages", {name: wrong[name] for name in names})


def outage(folder: Path, chance: random.Random) -> Counter[str]:
    """One machine's outage."""
    clock, ran, said = [START], [0], list[str]()

    def work(project: Project, job: str, stop: threading.Event) -> SyncOutcome:
        ran[0] += 1
        return SyncOutcome(ExitCode.DONE, Text.same("done"))

    project = open_project(folder, now=lambda: clock[0])
    crowd = [
        Ticker(project, lambda text: said.append(text.en), work)
        for _ in range(chance.randrange(1, 4))
    ]
    crowd[0].tick(threading.Event())
    ran[0] = 0
    said.clear()
    clock[0] += timedelta(hours=3, minutes=chance.randrange(10, 50))
    threads = [threading.Thread(target=item.tick, args=(threading.Event(),)) for item in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for item in crowd:
        item.tick(threading.Event())
    told = [text for text in said if "missed" in text]
    named = all(f"{START + timedelta(hours=n):%H:%M}" in text for text in told for n in (1, 2, 3))
    return Counter(
        {
            "runs too many or too few": abs(ran[0] - 1),
            "notices too many or too few": abs(len(told) - 1),
            "slots not named": int(not named),
        }
    )


ONE = Text(
    zh="计划时段只执行一次，哪怕有几个调度器同时在跑",
    en="A scheduled slot runs once, even with several schedulers",
)


def _race(count: int, *, postgres: bool, kills: bool) -> Proof:
    where = "PostgreSQL" if postgres else "SQLite"
    hit = ("，运行中 kill -9", ", kill -9 in the middle of runs") if kills else ("", "")
    how = Text(
        zh=f"{where}：{count} 个调度器进程{hit[0]}",
        en=f"{where}: {count} scheduler processes{hit[1]}",
    )
    name = f"{count}-{where.lower()}{'-kills' if kills else ''}"
    return Proof("P11", name, ONE, how, once(count, postgres=postgres, kills=kills))


PROOFS = (
    _race(2, postgres=False, kills=False),
    _race(3, postgres=False, kills=True),
    _race(2, postgres=True, kills=False),
    _race(3, postgres=True, kills=True),
    Proof(
        "P12",
        "outages",
        Text(zh="错过的时段从不悄悄过去", en="A missed run is never silent"),
        Text(
            zh="停机跨过三个时段，1–3 个调度器同时恢复，两种数据库",
            en="off over three slots, one to three schedulers come back at once, both databases",
        ),
        outages,
    ),
)
