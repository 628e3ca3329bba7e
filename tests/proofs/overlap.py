"""P10: two applies of one account never overlap, killed, paused or cut off from the database.

Holders take the connection's lock and write one thing after the other, each write preceded by its
intent as in an apply. A write that begins after a newer holder's first one is an overlap; one per
change of holder may already be on its way and is counted apart.
"""

from __future__ import annotations

import itertools
import random
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from tests.postgres import driver, postgres_database, postgres_server
from tests.proofs.forked import Forked, Log
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.errors import CrmSyncError
from crmsync.model.text import Text
from crmsync.store import Intent, open_store

CALL = 0.002
"""Seconds a write is on its way."""


@dataclass
class Arena:
    """One database, holders that come and go, and a log of what they wrote."""

    place: Path | str
    folder: Path
    log: Log = field(init=False)
    number: int = 0
    taken: list[float] = field(default_factory=list)
    living: list[Forked] = field(default_factory=list)
    fenced: bool = True
    """False for the control: writes go out without an intent before them."""

    def __post_init__(self) -> None:
        self.log = Log(self.folder / "writes")

    def holder(self, locks: str) -> Forked:
        """A process that wants the lock; *locks* names the folder, one for each machine."""
        self.number += 1
        name = f"h{self.number}"
        made = Forked(lambda: self._hold(name, self.folder / locks))
        self.living.append(made)
        return made

    def _hold(self, name: str, locks: Path) -> None:
        store = open_store(self.place)
        while True:
            try:
                with store.connection_lock(locks, "crm", by=name, now=_now) as lock:
                    for count in itertools.count():
                        if self.fenced:
                            until = _now() + timedelta(minutes=1)
                            store.journal.intend([], Intent(_now(), until, lock))
                        self.log.add(f"begin {lock.fence} {name} {time.monotonic()}")
                        time.sleep(CALL)
                        self.log.add(f"end {lock.fence} {count}")
            except CrmSyncError as lost:
                self.log.add(f"lost {name} {lost.code}")
                if lost.code == "STORE":
                    return  # this process cannot write any more
            time.sleep(CALL)

    def writing(self, name: str, after: float = 0.0, seconds: float = 30) -> bool:
        """Wait until a holder has written, at least once after a moment."""
        return self.log.wait(
            lambda lines: any(
                line[0] == "begin" and line[2] == name and float(line[3]) > after
                for line in lines[-400:]
            ),
            seconds,
        )

    def note_taken(self, name: str, since: float) -> None:
        """How long the newcomer needed for its first write."""
        moments = [
            float(line[3])
            for line in self.log.lines()
            if line[0] == "begin" and line[2] == name and float(line[3]) > since
        ]
        self.taken.append(min(moments) - since)

    def judge(self) -> tuple[int, int]:
        """Overlapping writes beyond the one on its way, and how many of those there were."""
        newest, stale, flying, overlapping = 0, 0, 0, 0
        for line in self.log.lines():
            if line[0] != "begin":
                continue
            fence = int(line[1])
            if fence > newest:
                newest, stale = fence, 0
            elif fence < newest:
                stale += 1
                flying += stale == 1
                overlapping += stale > 1
        return overlapping, flying


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def arena(folder: Path, *, postgres: bool) -> Iterator[Arena]:
    """An arena on SQLite, or on a PostgreSQL database of its own; everybody is gone at the end."""
    with ExitStack() as kept:
        place: Path | str = folder / "crmsync.db"
        if postgres:
            place = kept.enter_context(postgres_database())
        folder.mkdir(parents=True, exist_ok=True)
        open_store(place).close()
        made = Arena(place, folder)
        try:
            yield made
        finally:
            for one in made.living:
                one.signal(signal.SIGCONT)
                one.kill()


def hit(made: Arena, chance: random.Random, trials: Iterator[int], strike: Strike) -> int:
    """A newcomer for every trial; *strike* hits the present holder, and the newcomer takes over."""
    done = 0
    present = made.holder("m0")
    assert made.writing(f"h{made.number}")
    name = f"h{made.number}"
    for trial in trials:
        # machines that share PostgreSQL share no file lock; SQLite lives on one machine
        newcomer = made.holder(f"m{(trial + 1) % 2}" if isinstance(made.place, str) else "m0")
        time.sleep(chance.uniform(0, 0.02))
        since = time.monotonic()
        strike(made, present)
        heir = f"h{made.number}"
        assert made.writing(heir, since), "nobody took over"
        made.note_taken(heir, since)
        present.signal(signal.SIGCONT)
        if trial % 4 == 0:
            time.sleep(chance.uniform(0, 0.02))  # let a woken holder try to write
        elif not present.ended:
            made.log.wait(
                lambda lines, name=name: ["lost", name] in [x[:2] for x in lines[-200:]], 5
            )
        present.kill()
        present, name = newcomer, heir
        done += 1
    return done


Strike = Callable[[Arena, Forked], None]


def killed(made: Arena, holder: Forked) -> None:
    """SIGKILL."""
    holder.kill()


def paused(made: Arena, holder: Forked) -> None:
    """SIGSTOP, as a closed lid; on PostgreSQL the server then gives the connection up."""
    holder.signal(signal.SIGSTOP)
    if isinstance(made.place, str):
        terminate(made)


def cut_off(made: Arena, holder: Forked) -> None:
    """The server ends the holder's connection while it writes."""
    terminate(made)


def terminate(made: Arena) -> None:
    """``pg_terminate_backend`` for whoever holds the connection's lock."""
    assert isinstance(made.place, str)
    engine = sa.create_engine(driver(made.place), isolation_level="AUTOCOMMIT")
    # the writers' own lock has a small number, so its upper half is 0
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND classid <> 0 AND database = (SELECT oid FROM pg_database WHERE datname ="
        " current_database())"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(query).all()
    engine.dispose()


def excluded(strike: Strike, *, postgres: bool, short: int, full: int) -> Callable[..., Figure]:
    """One kind of blow on one kind of database."""

    def run(scale: Scale, place: Path) -> Figure:
        if postgres and postgres_server() is None:
            return Figure(1, "trials", {"overlapping writes": 0}, "no PostgreSQL answers: not run")
        chance = scale.chance(f"overlap-{strike.__name__}-{postgres}")
        with arena(place / "arena", postgres=postgres) as made:
            if strike is paused and not postgres:
                trials = by_fence_alone(made, chance, scale.trials(short, full))
            else:
                trials = hit(made, chance, scale.trials(short, full), strike)
            overlapping, flying = made.judge()
        if not made.taken:
            return Figure(trials, "trials", {"overlapping writes": overlapping})
        middle, longest = statistics.median(made.taken), max(made.taken)
        note = f"{flying} on their way; take-over {middle:.3f} s, at most {longest:.3f} s"
        return Figure(trials, "trials", {"overlapping writes": overlapping}, note)

    return run


def by_fence_alone(made: Arena, chance: random.Random, trials: Iterator[int]) -> int:
    """SIGSTOP on SQLite: a paused holder keeps the file lock, so half of the newcomers wait for it.

    The others look in another folder, as on a machine that never saw the file: the fence decides.
    """
    done = 0
    for trial in trials:
        old = made.holder("m0")
        name = f"h{made.number}"
        assert made.writing(name)
        time.sleep(chance.uniform(0, 0.02))
        old.signal(signal.SIGSTOP)
        elsewhere = trial % 2
        newcomer = made.holder("m1" if elsewhere else "m0")
        heir, since = f"h{made.number}", time.monotonic()
        # a holder that was paused inside a transaction blocks the file until it wakes: that is safe
        if not elsewhere:
            time.sleep(0.05)
        elif made.writing(heir, since, seconds=0.5):
            made.note_taken(heir, since)
        old.signal(signal.SIGCONT)
        time.sleep(chance.uniform(0.01, 0.04))
        old.kill()
        assert made.writing(heir, since)
        newcomer.kill()
        done += 1
    return done


def control(scale: Scale, place: Path) -> Figure:
    """The same harness on holders that write without asking the fence."""
    with arena(place / "arena", postgres=False) as made:
        made.fenced = False
        trials = by_fence_alone(made, scale.chance("overlap-control"), scale.trials(2, 20))
        overlapping, _ = made.judge()
    bad = {"harnesses that let it pass": int(not overlapping)}
    return Figure(trials, "trials", bad, f"{overlapping} overlapping writes without the fence")


ALONE = Text(
    zh="同一账户不会有两次写入重叠，无论被杀、被暂停还是与数据库断开",
    en="Two applies against one account never overlap: killed, paused or cut off",
)


def _proof(name: str, how: Text, run: Callable[..., Figure]) -> Proof:
    return Proof("P10", name, ALONE, how, run)


PROOFS = (
    _proof(
        "control",
        Text(
            "对照：不看栅栏号的写入者，同一装置必须失败",
            "control: writers that ignore the fence must fail the same harness",
        ),
        control,
    ),
    _proof(
        "killed-sqlite",
        Text(
            "SQLite：SIGKILL 持锁进程，另一进程接手",
            "SQLite: SIGKILL of the holder; another one takes over",
        ),
        excluded(killed, postgres=False, short=3, full=100),
    ),
    _proof(
        "paused-sqlite",
        Text(
            "SQLite：SIGSTOP/SIGCONT；一半只靠栅栏号，不靠文件锁",
            "SQLite: SIGSTOP and SIGCONT, half of them with the fence alone, without the file lock",
        ),
        excluded(paused, postgres=False, short=4, full=100),
    ),
    _proof(
        "killed-postgres",
        Text("PostgreSQL：SIGKILL 持锁进程", "PostgreSQL: SIGKILL of the holder"),
        excluded(killed, postgres=True, short=2, full=100),
    ),
    _proof(
        "paused-postgres",
        Text(
            "PostgreSQL：SIGSTOP，服务器断开它的连接，接手之后再 SIGCONT",
            "PostgreSQL: SIGSTOP, the server ends its connection, SIGCONT after the take-over",
        ),
        excluded(paused, postgres=True, short=2, full=100),
    ),
    _proof(
        "cut-off-postgres",
        Text(
            "PostgreSQL：写入途中对持锁连接执行 pg_terminate_backend",
            "PostgreSQL: pg_terminate_backend of the holder's connection while it writes",
        ),
        excluded(cut_off, postgres=True, short=2, full=20),
    ),
)
