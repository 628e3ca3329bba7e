"""What a forked process can be ordered to do."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.proofs.naive import naive_apply
from tests.proofs.shared_clock import SharedClock

from crmsync.cli.face import Clock
from crmsync.cli.main import main
from crmsync.errors import ConnectorError
from crmsync.plan import read_plan
from crmsync.project.opening import open_project


def crmsync(words: list[str], clock: str | None = None) -> int:
    """The command line, through its entry point."""
    sys.argv = ["crmsync", *words]
    shared = SharedClock(Path(clock)) if clock else None
    main(Clock(shared.now, shared.sleep) if shared else None)
    return 0


def naive(project: str, clock: str) -> int:
    """The naive strategy with the real connector."""
    shared = SharedClock(Path(clock))
    opened = open_project(Path(project), now=shared.now, sleep=shared.sleep)
    plan = read_plan(Path(project) / "plan.json", opened.key())
    with opened.connect(opened.connection(None)) as connector:
        try:
            naive_apply(connector, plan, Path(project) / "naive.json")
        except ConnectorError:
            return 1
    return 0
