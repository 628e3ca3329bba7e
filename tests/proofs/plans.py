"""P6, P7: a plan that is not exactly what was made, or is too much, leads to no write at all."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.proofs.kill_bench import KillBench, shared_bench
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import KEY

from crmsync.cli.face import Clock
from crmsync.errors import ExitCode, PlanRefused
from crmsync.model.schema import FieldType
from crmsync.model.text import Text
from crmsync.plan import build, read_plan, write_plan
from crmsync_zoho.sandbox import ZohoSandbox


def flips(scale: Scale, place: Path) -> Figure:
    """One bit anywhere in the file."""
    from tests.unit.plan.builders import customer, inputs, opening

    path, chance = place / "plan.json", scale.chance("flips")
    with build(inputs(), [customer(n, opens=(opening(n),)) for n in range(1, 9)]) as draft:
        write_plan(path, draft, KEY)
    whole = path.read_bytes()
    trials = accepted = 0
    for _ in scale.trials(300, 5000):
        broken = bytearray(whole)
        broken[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        trials += 1
        try:
            for _line in read_plan(path, KEY).lines():
                pass
        except PlanRefused:
            continue
        accepted += 1
    return Figure(trials, "flipped bits", {"accepted": accepted})


@dataclass(frozen=True)
class Mutation:
    """One thing that is not as it was when the plan was made."""

    name: str
    make: Callable[[KillBench], object]
    words: tuple[str, ...] = ()


def mutated(scale: Scale, place: Path) -> Figure:
    """Each mutation alone, through the command line: exit 5 and no write request."""
    bench, accepted, sent, names = shared_bench("zoho"), 0, 0, []
    for mutation in MUTATIONS:
        bench.reset()
        undo = mutation.make(bench)
        before = bench.write_requests()
        result = bench.world.apply("plan.json", *mutation.words, ok=False)
        sent += bench.write_requests() - before
        if result.code != ExitCode.PLAN_REFUSED:
            accepted += 1
            names.append(f"{mutation.name}: exit {result.code}")
        if callable(undo):
            undo()
    bench.world.on_sandbox_time()
    bad = {"accepted": accepted, "write requests": sent}
    return Figure(len(MUTATIONS), "mutations", bad, "; ".join(names))


def _later(bench: KillBench) -> Callable[[], None]:
    """A day goes by for everybody; a clock that alone is so far off would be refused as such."""
    clock = bench.world.sandbox.clock
    clock.advance(timedelta(hours=25))
    return lambda: clock.advance(timedelta(hours=-25))


def _earlier(bench: KillBench) -> None:
    now = bench.world.sandbox.clock.now
    bench.world.clock = Clock(lambda: now() - timedelta(hours=23))


def _file(edit: Callable[[list[str]], list[str]]) -> Callable[[KillBench], None]:
    def change(bench: KillBench) -> None:
        path = bench.world.folder / "plan.json"
        path.write_text("".join(edit(path.read_text().splitlines(keepends=True))))

    return change


def _value(lines: list[str]) -> list[str]:
    place = next(n for n, line in enumerate(lines[1:], 1) if '"fields"' in line)
    changed = re.sub(r'"after":"[^"]*"', '"after":"x"', lines[place], count=1)
    assert changed != lines[place]
    return [*lines[:place], changed, *lines[place + 1 :]]


def _header(name: str, value: object) -> Callable[[list[str]], list[str]]:
    def edit(lines: list[str]) -> list[str]:
        head = json.loads(lines[0])
        target = head if name in head else head["header"]
        assert name in target
        target[name] = value
        return [json.dumps(head, ensure_ascii=False, separators=(",", ":")) + "\n", *lines[1:]]

    return edit


def _rules(bench: KillBench) -> None:
    (path,) = (bench.world.folder / "rulesets").glob("*/rules.yaml")
    text = path.read_text()
    assert "days_since_order > 120" in text
    path.write_text(text.replace("days_since_order > 120", "days_since_order > 121"))


def _mapping(bench: KillBench) -> None:
    (path,) = (bench.world.folder / "rulesets").glob("*/mapping/zoho.yaml")
    text = path.read_text()
    changed = re.sub(r"^  score: .*\n", "", text, count=1, flags=re.MULTILINE)
    assert changed != text
    path.write_text(changed)


def _account(bench: KillBench) -> Callable[[], None]:
    sandbox = bench.world.sandbox
    assert isinstance(sandbox, ZohoSandbox)
    before = sandbox.org.id
    sandbox.org.id = str(int(before) + 1)

    def undo() -> None:
        sandbox.org.id = before

    return undo


def _schema(bench: KillBench) -> Callable[[], None]:
    sandbox = bench.world.sandbox
    assert isinstance(sandbox, ZohoSandbox)
    field = sandbox.org.modules["Accounts"].fields[bench.world.tier_field()]
    assert field.data_type == FieldType.PICKLIST.value
    removed = field.choices.pop()

    def undo() -> None:
        field.choices.append(removed)

    return undo


def _state(bench: KillBench) -> None:
    for path in (bench.world.folder / "var").glob("crmsync.db*"):
        path.unlink()


def _registered(bench: KillBench) -> None:
    with closing(sqlite3.connect(bench.world.folder / "var" / "crmsync.db")) as raw:
        raw.execute("UPDATE plan SET digest = ?", ("0" * 64,))
        raw.commit()


def _newer_run(bench: KillBench) -> None:
    bench.world.plan("--out", str(bench.world.folder / "second.json"), "--no-pull")
    bench.world.apply("second.json")


def _key(bench: KillBench) -> None:
    from crmsync.project.starting import KEY_FILE

    path = bench.world.folder / KEY_FILE
    path.write_text("ab" * (len(path.read_text().strip()) // 2))


MUTATIONS = (
    Mutation("expired", _later),
    Mutation("made in the future", _earlier),
    Mutation("rules edited", _rules),
    Mutation("mapping edited", _mapping),
    Mutation("another account", _account),
    Mutation("CRM field changed", _schema),
    Mutation("another state", _state),
    Mutation("registered otherwise", _registered),
    Mutation("applied since", _newer_run),
    Mutation("another key", _key),
    Mutation("approved another", lambda bench: None, ("--approve", "0123456789ab")),
    Mutation("row removed", _file(lambda lines: lines[:2] + lines[3:])),
    Mutation("row added", _file(lambda lines: [*lines[:3], lines[2], *lines[3:]])),
    Mutation("rows swapped", _file(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])),
    Mutation("value changed", _file(_value)),
    Mutation("truncated", _file(lambda lines: lines[:-1])),
    Mutation("cut inside the last line", _file(lambda lines: [*lines[:-1], lines[-1][:-9]])),
    Mutation("newer format", _file(_header("version", 2))),
    Mutation("expiry moved", _file(_header("expires_at", "2099-01-01T00:00:00+00:00"))),
    Mutation("account rewritten", _file(_header("account_id", "1"))),
    Mutation("owned fields widened", _file(_header("owned_fields", ["Phone"]))),
    Mutation("guards emptied", _file(_header("guards", []))),
)


REFUSED = Text(
    zh="过期的、被改过的、别的账户的、别的规则做出的计划，一律拒绝",
    en="A plan is refused if it is old, edited, for another account, or made from other rules",
)
PROOFS = (
    Proof(
        "P6",
        "mutations",
        REFUSED,
        Text(
            zh=f"{len(MUTATIONS)} 种单独的改动，经命令行：退出码 5，没有写请求",
            en=f"{len(MUTATIONS)} single mutations through the command line: exit 5, no write sent",
        ),
        mutated,
    ),
    Proof(
        "P6",
        "flips",
        REFUSED,
        Text(zh="计划文件里任意一位翻转", en="any one bit of the plan file flipped"),
        flips,
    ),
)
