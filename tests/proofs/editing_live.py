"""P4 over HTTP: people edit from a thread of their own, all the time ``crmsync apply`` writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.proofs.editing import STAYS
from tests.proofs.kill_bench import KillBench, shared_bench
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.errors import ExitCode
from crmsync.model.text import Text
from crmsync.testing import Actor, Origin, RequestKind, RequestRecord, Row

ENDED = {ExitCode.DONE, ExitCode.PARTIAL}


@dataclass
class Watched:
    """What happened at one CRM, in the order it happened there.

    ``looked`` numbers the last request that reads; an edit is inside the window when it came after
    the last look before the write that took it away. The program looks at a batch, then writes it.
    """

    on: bool = False
    looked: int = 0
    arrived: int = 0
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    edits: int = 0
    outside: int = 0
    inside: int = 0
    lost: set[tuple[str, str, str]] = field(default_factory=set)
    """Record, field and value of every edit that a write of ours took away."""

    def request(self, record: RequestRecord) -> None:
        """On the server's thread, as a request arrives."""
        self.arrived += 1
        if record.kind is RequestKind.READ:
            self.looked = self.arrived

    def change(self, before: Row | None, after: Row, by: Actor) -> None:
        """Under the store's lock: a person's value, or one of ours in its place."""
        if not self.on or before is None:
            return
        changed = {
            (after.id, name)
            for name in {*before.values, *after.values}
            if before.get(name) != after.get(name)
        }
        if by.origin is Origin.PERSON:
            self.edits += 1
            self.held.update((place, self.arrived) for place in changed)
        elif by.origin is Origin.API:
            for place in changed & self.held.keys():
                inside = self.held.pop(place) >= self.looked
                self.inside += inside
                self.outside += not inside
                self.lost.add((*place, str(before.get(place[1]))))


class People(threading.Thread):
    """Colleagues who change customers as fast as they can: half of the time fields of ours."""

    def __init__(self, bench: KillBench, chance: Random) -> None:
        super().__init__(name="people", daemon=True)
        self._sandbox, self._chance = bench.world.sandbox, chance
        header = bench.world.header()
        self._object, self._reason = header["object"], header["owned"]["reason"]
        self._customers: Sequence[str] = sorted(
            item["id"] for item in bench.plan["changes"] if item["is"] == "fields"
        )
        self._over = threading.Event()
        self._count = 0

    def run(self) -> None:
        """One edit after the other until told to stop."""
        while not self._over.is_set():
            self._count += 1
            id, text = self._chance.choice(self._customers), f"by hand {self._count}"
            name = self._chance.choice(["remark_of_people", self._reason])
            self._sandbox.edit_as_person(self._object, id, {name: text})
            time.sleep(self._chance.uniform(0.0, 0.02))

    def stop(self) -> None:
        """No further edit."""
        self._over.set()
        self.join()


def live(name: str, *, strict: bool) -> Callable[[Scale, Path], Figure]:
    """One CRM, one way of writing."""

    def run(scale: Scale, place: Path) -> Figure:
        chance, bench = scale.chance(f"live-{name}-{strict}"), shared_bench(name)
        trials = unfinished = conflicts = untold = invented = told = 0
        with watching(bench) as seen:
            for _ in scale.trials(2, 250):
                bench.reset()
                if strict:
                    ask_for_conditions(bench)
                trials += 1
                people = People(bench, chance)
                seen.on = True
                people.start()
                result = bench.world.apply(ok=False)
                people.stop()
                seen.on = False
                seen.held.clear()
                reported = set() if strict else told_of(bench)
                untold += len(seen.lost - reported)
                invented += len(reported - seen.lost)
                told += len(reported & seen.lost)
                seen.lost.clear()
                unfinished += result.code not in ENDED
                conflicts += sum(row.state == "conflict" for row in bench.rows())
        lost = seen.outside + (seen.inside if strict else 0)
        note = f"{seen.edits} edits, {conflicts} conflicts"
        bad = {"clobbered edits": lost, "rows unaccounted": unfinished}
        if not strict:
            bad |= {"overwritten edits not reported": untold, "edits reported wrongly": invented}
            note += f"; {seen.inside} between our look and our write were overwritten"
            note += f", {told} of them reported"
        return Figure(trials, "runs", bad, note)

    return run


@contextmanager
def watching(bench: KillBench) -> Iterator[Watched]:
    """From here to the end of the proof."""
    seen, sandbox = Watched(), bench.world.sandbox
    sandbox.on_request(seen.request)
    sandbox.store.watch(seen.change)
    yield seen


def told_of(bench: KillBench) -> set[tuple[str, str, str]]:
    """The overwritten edits the last run tells of: record, field, the person's value."""
    world = bench.world
    run = world.run("runs", "--json").document["runs"][0]["id"]
    rows = world.run("runs", str(run), "--json").document["rows"]
    return {
        (row["id"], item["field"], str(item["theirs"]))
        for row in rows
        for item in row["overwritten"]
    }


def ask_for_conditions(bench: KillBench) -> None:
    """``write_mode: strict`` in the project's settings."""
    settings = bench.world.folder / "crmsync.yaml"
    line = f"    connector: {bench.world.name}\n"
    text = settings.read_text()
    assert line in text
    settings.write_text(text.replace(line, line + "    write_mode: strict\n"))


def _proof(name: str, label: str, *, strict: bool) -> Proof:
    mode = "strict" if strict else "reread"
    how = Text(
        zh=f"{label} 沙箱：`crmsync apply` 写入的同时，另一个线程里的人不停地改"
        + (
            "；`write_mode: strict`"
            if strict
            else "；默认方式，只可能丢掉写前重读之后的修改，而且逐条连同两个值报告"
        ),
        en=f"{label} sandbox: people edit from a thread of their own while `crmsync apply` writes"
        + (
            "; `write_mode: strict`"
            if strict
            else "; the default, which can lose only what came after the look before the write, and"
            " reports each such edit with both values"
        ),
    )
    return Proof("P4", f"live-{name}-{mode}", STAYS, how, live(name, strict=strict))


PROOFS = (
    _proof("zoho", "Zoho", strict=True),
    _proof("zoho", "Zoho", strict=False),
    _proof("fxiaoke", "纷享销客", strict=False),
)
