"""A practice CRM over HTTP, a project beside it, and processes that are killed while they write."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from tests.end_to_end.world import World, customers, orders, practice
from tests.proofs.proof import folder
from tests.proofs.shared_clock import SharedClock
from tests.proofs.zygote import Ended, Zygote

from crmsync.testing import Drop, RequestKind, RequestRecord
from crmsync_fxiaoke.sandbox import FxiaokeSandbox
from crmsync_zoho.sandbox import ZohoSandbox

PEOPLE = 16
GUARDS = ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")
ALLOW = [word for name in GUARDS for word in ("--allow", f"{name}=100%")]


@dataclass(frozen=True)
class Hit:
    """When a process gets its signal: seconds after its start, or as its n-th write arrives.

    ``lose``: that write is not carried out.
    """

    seconds: float | None = None
    write: int | None = None
    lose: bool = False
    signal: int = signal.SIGKILL


@dataclass(frozen=True)
class Row:
    """One journal row as it stands in the file."""

    seq: int
    state: str
    attempts: int
    target: str


class KillBench:
    """The same run again and again: `reset`, then processes, then look."""

    def __init__(self, world: World, zygote: Zygote, place: Path) -> None:
        self.world, self.zygote = world, zygote
        self.clock = place / "clock"
        self._pristine = place / "pristine"
        self._victim: int | None = None
        self._hit: Hit | None = None
        self._writes = 0
        self._hit_at = 0.0
        self.stopped_within = 0.0
        """Seconds from the last signal to the end of the process."""
        world.sandbox.on_request(self._arrived)

    def prepare(self) -> None:
        """Everything up to a plan with changes and tasks; `reset` comes back to here."""
        self.plan: Any = self.world.plan()
        self.tasks = {item["key"] for item in self.plan["changes"] if item["is"] == "task"}
        assert self.tasks, "a plan without tasks proves nothing"
        shutil.copytree(self.world.folder, self._pristine)
        self._store = self.world.sandbox.store.snapshot()

    def reset(self) -> None:
        """The CRM and the project as they stood after planning."""
        sandbox = self.world.sandbox
        sandbox.faults.clear()
        sandbox.clock.advance(1000)
        sandbox.settle()
        shutil.rmtree(self.world.folder)
        shutil.copytree(self._pristine, self.world.folder)
        sandbox.store.restore(self._store)
        sandbox.recorder.clear()

    def start(self, order: str, hit: Hit | None, **keys: Any) -> Ended:
        """One process, signalled as *hit* says, to its end; the CRM has calmed down by then."""
        self._hit, self._writes, self._hit_at = hit, 0, 0.0
        began = time.monotonic()
        self._victim = self.zygote.start(order, **keys)
        if hit is not None and hit.seconds is not None:
            time.sleep(max(0.0, hit.seconds - (time.monotonic() - began)))
            self._signal(hit)
        ended = self.zygote.wait()
        self._victim = None
        self.stopped_within = time.monotonic() - self._hit_at if self._hit_at else 0.0
        self._calm()
        return ended

    def apply(self, hit: Hit | None = None) -> Ended:
        """Apply the plan, or go on with its run."""
        run = self.run_id()
        what = ["--resume", str(run)] if run else [str(self.world.folder / "plan.json")]
        words = ["apply", "--project", str(self.world.folder), *what, "--yes", "--json", *ALLOW]
        return self.start("crmsync", hit, words=words, clock=str(self.clock))

    def naive(self, hit: Hit | None = None) -> Ended:
        """Write by the naive strategy."""
        keys = {"project": str(self.world.folder), "clock": str(self.clock)}
        return self.start("naive", hit, **keys)

    def run_id(self) -> int | None:
        """The run that used the plan, once there is one."""
        found = self._ask("SELECT run_id FROM plan WHERE id = ?", self.plan["plan"])
        return found[0][0] if found else None

    def rows(self) -> list[Row]:
        """The journal of the run."""
        asked = "SELECT seq, state, attempts, record_id FROM attempt WHERE run_id = ? ORDER BY seq"
        return [Row(*row) for row in self._ask(asked, self.run_id() or 0)]

    def held(self) -> Counter[str]:
        """Task key → how many tasks carry it."""
        return Counter(key for key, _ in self.world.tasks())

    def wrong_fields(self) -> int:
        """Planned values that do not stand in the CRM."""
        wrong = 0
        for change in self.plan["changes"]:
            if change["is"] != "fields":
                continue
            stored = self.world.sandbox.store.get(change["object"], change["id"])
            for item in change["set"]:
                wrong += str(stored.get(item["field"])) != str(_plain(item["after"]))
        return wrong

    def revisions(self, rows: list[Row]) -> dict[str, int]:
        """Customer → how often the CRM has written it; a write of the same values counts too."""
        store, object = self.world.sandbox.store, self.world.header()["object"]
        found = {row.target: store.find(object, row.target) for row in rows}
        return {target: row.revision for target, row in found.items() if row is not None}

    def _ask(self, query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.world.folder / "var" / "crmsync.db")) as raw:
            return raw.execute(query, values).fetchall()

    def _arrived(self, request: RequestRecord) -> None:
        """On the server's thread: the process is hit while its write is on the way."""
        hit = self._hit
        if request.kind is not RequestKind.WRITE or hit is None or hit.write is None:
            return
        self._writes += 1
        if self._writes == hit.write:
            if hit.lose:
                self.world.sandbox.faults.next("*", "*", Drop(commit=False))
            self._signal(hit)

    def _signal(self, hit: Hit) -> None:
        if self._victim is not None:
            self._hit_at = time.monotonic()
            os.kill(self._victim, hit.signal)

    def _calm(self) -> None:
        """Wait until the CRM has finished what a dead process asked for."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if all(request.ended for request in self.world.sandbox.recorder.all()):
                return
            time.sleep(0.005)


@contextmanager
def kill_bench(name: str, place: Path) -> Iterator[KillBench]:
    """A bench for one connector, planned and ready."""
    clock = SharedClock(place / "clock")
    with (
        practice(name, place / "project", clock) as world,
        Zygote(place) as zygote,
    ):
        crowd = customers(PEOPLE)
        world.sandbox.load_over_http(crowd, orders(crowd, date.today()))
        world.init("retail-rfm")
        world.create_fields()
        forget_unique(world)
        bench = KillBench(world, zygote, place)
        bench.prepare()
        yield bench


_open: dict[str, KillBench] = {}
_kept = ExitStack()


def shared_bench(name: str) -> KillBench:
    """One bench per connector for all proofs, until `close_benches`."""
    if name not in _open:
        place = _kept.enter_context(folder())
        _open[name] = _kept.enter_context(kill_bench(name, place))
    return _open[name]


def close_benches() -> None:
    """Stop every shared sandbox and process."""
    _open.clear()
    _kept.close()


def forget_unique(world: World) -> None:
    """Whoever made the key field did not tick "unique": the CRM itself prevents nothing."""
    tasks = world.mapping()["tasks"]
    object, key, sandbox = tasks["object"], tasks["key"], world.sandbox
    if isinstance(sandbox, ZohoSandbox):
        sandbox.org.modules[object].fields[key].unique = False
    elif isinstance(sandbox, FxiaokeSandbox):
        fields = sandbox.tenant.objects[object].fields
        fields[key] = replace(fields[key], unique=False)
    else:
        raise TypeError(f"how does {world.name} forget that a field is unique?")


def _plain(value: object) -> object:
    return next(iter(value.values())) if isinstance(value, dict) else value
