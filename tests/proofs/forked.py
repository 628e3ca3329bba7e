"""Forked processes of one proof that can be killed, paused and waited for."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path


class Forked:
    """One child that runs *work* until it ends or is ended; it shares nothing but files."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.ended = False
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                work()
                code = 0
            except BaseException:
                traceback.print_exc(file=sys.stderr)
            finally:
                os._exit(code)

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Its exit code, or the signal as a negative number."""
        if self.ended:
            return self.code
        _, status = os.waitpid(self.pid, 0)
        self.ended, self.code = True, os.waitstatus_to_exitcode(status)
        return self.code

    def over(self) -> bool:
        """Whether it has ended, without waiting."""
        if not self.ended:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended, self.code = True, os.waitstatus_to_exitcode(status)
        return self.ended


class Log:
    """A file that several processes append whole lines to, in the order things happened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._handle: tuple[int, int] | None = None

    def add(self, line: str) -> None:
        """One line, in one write."""
        if self._handle is None or self._handle[0] != os.getpid():
            self._handle = os.getpid(), os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(self._handle[1], f"{line}\n".encode())

    def lines(self) -> list[list[str]]:
        """Every whole line so far, split into words."""
        return [line.split() for line in self.path.read_text().split("\n")[:-1]]

    def wait(self, seen: Callable[[list[list[str]]], bool], seconds: float = 30) -> bool:
        """Wait until the log shows something; says whether it did."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if seen(self.lines()):
                return True
            time.sleep(0.002)
        return False
