"""One measured figure beside its peer, and the way parts are run: each in a process of its own."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.peak import peak_mb

T = TypeVar("T")

CANNOT = 3
"""The exit code of a peer that is there and cannot do what is asked."""

PEERS_PYTHON = Path(".venv-bench/bin/python")
"""Where other engines are installed; `make bench` makes it."""


@dataclass(frozen=True)
class Figure:
    """A figure and what it is held against; ``ratio`` is value / peer_value, so less is better.

    ``peak_mb`` is the most memory the process that made the value ever held.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    peak_mb: float

    def line(self) -> str:
        """One JSON line."""
        shown = asdict(self)
        shown |= {"value": round(self.value, 4), "peer_value": round(self.peer_value, 4)}
        shown["ratio"] = round(self.value / self.peer_value, 3)
        return json.dumps(shown, ensure_ascii=False)


def megabytes(maxrss: int) -> float:
    """What getrusage calls ``ru_maxrss`` in megabytes; Linux counts kilobytes, macOS bytes."""
    return round(maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def best(work: Callable[[], T], times: int = 3) -> tuple[float, T]:
    """The shortest of several runs in seconds, and what the last one gave."""
    shortest, result = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result  # type: ignore[return-value]


def alone(module: str, *arguments: object) -> dict[str, Any]:
    """Run ``tests.bench.MODULE`` in a process of its own and give the JSON it prints last."""
    words = list(map(str, arguments))
    text = _RUNNER.get()(module, words)
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def by_peer(program: str, *arguments: object) -> dict[str, Any] | None:
    """Run ``tests.bench.PROGRAM`` with the peers' Python and give the JSON it prints last; ``None``
    where the peer is not installed or cannot hold the rules (it ends with `CANNOT`).

    Raises RuntimeError when it ends in any other way: a peer must not be left out unseen.
    """
    words = [str(PEERS_PYTHON), "-m", f"tests.bench.{program}", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    last = "".join(done.stderr.strip().splitlines()[-1:])
    if done.returncode == CANNOT or last.startswith("ModuleNotFoundError"):
        print(f"{arguments[0]}: {last}", file=sys.stderr)
        return None
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {last}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _apart(module: str, words: list[str]) -> str:
    command = [sys.executable, "-m", f"tests.bench.{module}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _here(module: str, words: list[str]) -> str:
    with redirect_stdout(io.StringIO()) as told:
        importlib.import_module(f"tests.bench.{module}").run(words)
    return told.getvalue()


_RUNNER: ContextVar[Callable[[str, list[str]], str]] = ContextVar("runner", default=_apart)


@contextmanager
def in_one_process() -> Iterator[None]:
    """Until the block ends parts run here: quick, but times and peaks are worth nothing."""
    token = _RUNNER.set(_here)
    try:
        yield
    finally:
        _RUNNER.reset(token)


def tell(**found: object) -> None:
    """Print what a part found, with the process's peak, for `alone` to read."""
    print(json.dumps({**found, "peak_mb": round(peak_mb(), 1)}, ensure_ascii=False))
