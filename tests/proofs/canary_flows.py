"""P19: secrets never show outside the secret store, in whole command lines among faults."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end import hands
from tests.end_to_end.books import with_customers
from tests.end_to_end.world import Result, World
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.model.text import Text
from crmsync.testing import (
    Drop,
    Reply,
    Truncate,
    canaries_in,
    files_with_canaries,
    processes_with_canaries,
    throttled,
)

FAULTS = (
    Drop(commit=True),
    Drop(commit=False),
    Truncate(20),
    Reply(500, b"<html>oops</html>"),
    Reply(200, b"<html><title>Sign in</title></html>"),
    Reply(401, b"{}"),
    throttled(1),
)
VERBS = (
    ("doctor",),
    ("connect",),
    ("pull", "--full"),
    ("plan", "--json"),
    ("sync", "nightly"),
    ("serve", "--once"),
    ("undo", "1"),
)
"""What signs in to the CRM."""
BY_ITSELF = (
    ("show", "--all"),
    ("simulate", "--against", "rulesets/retail-rfm"),
    ("runs", "--json"),
    ("report", "1", "--format", "csv"),
    ("backup",),
    ("explain", "k003"),
)
"""What asks no CRM: the same whether its sign-in lives or not."""


def flows(name: str) -> Callable[[Scale, Path], Figure]:
    """Every verb, undisturbed and with each fault in its way; sign-in lost, taken away, a bug.

    The short form goes through all verbs once among faults, and once more through those that sign
    in when the access is taken away.
    """

    def run(scale: Scale, place: Path) -> Figure:
        chance, trials, said = scale.chance(f"canaries-{name}"), 0, 0
        with with_customers(name, place / "project") as world, reports_in(place / "reports"):
            world.on_sandbox_time()
            world.plan()
            world.apply()
            for _ in scale.trials(1, 12):
                for verb in VERBS + BY_ITSELF:
                    trials += 1
                    for _ in range(chance.randrange(3)):
                        world.sandbox.faults.next("*", "*", chance.choice(FAULTS))
                    if chance.random() < 0.2:
                        hands.end_tokens(world.sandbox)
                    said += shows(world, *verb)
                    world.sandbox.faults.clear()
                    world.sandbox.clock.advance(120)
            said += with_debug(world)
            hands.revoke_access(world.sandbox)
            said += sum(shows(world, *verb) for verb in VERBS)
            files = list(files_with_canaries([place]))
            running = list(processes_with_canaries())
            stored = sum(map(canaries_in, stored_secrets(world)))
        limit = resource.getrlimit(resource.RLIMIT_CORE)[0]
        bad = {"secrets found": said + len(files) + len(running) + (limit != 0)}
        bad["harnesses that let it pass"] = int(stored == 0)
        return Figure(trials, "runs", bad, f"{stored} files of the secret store hold them")

    return run


def shows(world: World, *words: str) -> bool:
    """Whether a run shows a secret on a stream."""
    done = attempt(world, *words)
    return canaries_in(done.out + done.err)


def attempt(world: World, *words: str) -> Result:
    """A run that may end in any way but a traceback."""
    done = world.run(*words, ok=False)
    assert "Traceback" not in done.err or "CRMSYNC_DEBUG" in os.environ
    return done


def with_debug(world: World) -> bool:
    """A bug whose message holds the secret, with the traceback a person asked for."""
    key = world.folder / "var" / "plan.key"
    held, secret = key.read_bytes(), next(stored_secrets(world)).decode().strip()
    os.environ["CRMSYNC_DEBUG"] = "1"
    try:
        key.write_text(secret)  # no hexadecimal number: the error quotes it
        return shows(world, "show")
    finally:
        del os.environ["CRMSYNC_DEBUG"]
        key.write_bytes(held)


def stored_secrets(world: World) -> Iterator[bytes]:
    """What the secret store holds: without these the search would prove nothing."""
    for folder in ("secrets", "tokens"):
        for path in sorted((world.folder / "var" / folder).rglob("*")):
            if path.is_file() and path.stat().st_size:
                yield path.read_bytes()


@contextmanager
def reports_in(folder: Path) -> Iterator[None]:
    """Reports of bugs and other temporary files go where they are searched."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _proof(name: str, label: str) -> Proof:
    return Proof(
        "P19",
        f"canaries-{name}",
        Text(
            zh="密钥从不出现在密钥存放处以外",
            en="Secrets never appear outside the secret store",
        ),
        Text(
            zh=f"{label}：每个命令遇到各种故障、登录失效、程序缺陷；搜输出、日志、状态、计划、"
            "临时文件、ps、core",
            en=f"{label}: every verb among faults, lost sign-in, a bug; streams, state, plans,"
            " temporary files, ps and core files searched",
        ),
        flows(name),
    )


PROOFS = (_proof("zoho", "Zoho"), _proof("fxiaoke", "纷享销客"))
