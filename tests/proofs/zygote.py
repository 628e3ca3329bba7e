"""Real processes that run ``crmsync``, forked from one that has imported it: quick to start, kill.

``python -m tests.proofs.zygote`` reads one JSON order per line, forks, answers with the process id,
waits, and answers with the exit code, or the signal as a negative number.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LOADED = (
    "crmsync.cli.main",
    "crmsync.cli.run",
    "crmsync.cli.history",
    "crmsync.project.applying",
    "crmsync.project.planning",
    "crmsync.project.syncing",
    "crmsync_zoho.connector",
    "crmsync_fxiaoke.connector",
    "tests.proofs.orders",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process ended."""

    code: int | None
    """The exit code; ``None`` when a signal ended it."""
    signal: int | None
    out: str
    err: str


class Zygote:
    """Starts one process at a time; ``order`` names a function of `tests.proofs.orders`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=Path(__file__).parents[2],
            text=True,
        )

    def start(self, order: str, **keys: Any) -> int:
        """Fork a process that carries out the order; its id."""
        self._count += 1
        self._last = self._folder / f"process-{self._count}"
        for path in self._streams():  # a process may be dead before it has opened them
            path.touch(0o600)
        line = {"order": order, "keys": keys, "out": str(self._last)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def wait(self) -> Ended:
        """How the process started last ended."""
        status = int(self._answer())
        out, err = self._streams()
        told = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        out.unlink()
        err.unlink()
        return Ended(None, -status, *told) if status < 0 else Ended(status, None, *told)

    def _streams(self) -> tuple[Path, Path]:
        """Where the process started last writes its two streams."""
        return Path(f"{self._last}.out"), Path(f"{self._last}.err")

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, "the zygote is gone"
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def serve() -> None:
    """Carry out orders until the input ends."""
    for name in LOADED:
        importlib.import_module(name)
    child = 0
    for line in sys.stdin:
        if child:
            os.waitpid(child, 0)
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _carry_out(order)
        print(child, flush=True)
        # it stays a zombie until the next order, so a late signal cannot meet another process
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        print(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status, flush=True)


def _carry_out(order: dict[str, Any]) -> None:
    """In the child: never returns."""
    for number, name in ((1, "out"), (2, "err")):
        handle = os.open(f"{order['out']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
    code = 70
    try:
        function = getattr(importlib.import_module("tests.proofs.orders"), order["order"])
        code = int(function(**order["keys"]) or 0)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
