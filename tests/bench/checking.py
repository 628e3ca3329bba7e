"""Part: `check` and `test` of a ruleset of 1,000 lines beyond start-up, beside the start-up itself.

``python -m tests.bench.checking TIMES``
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure, alone, tell

from crmsync.project.cases import run_cases
from crmsync.project.checking import check

LINES = 1000
CASES = 50
_START = "import crmsync.project.checking, crmsync.cli.main"
_HEAD = """\
ruleset: long
version: 1
title: Long
record: account
time_zone: UTC
workdays: CN
facts:
"""
_TIERS = """\
tier:
  levels:
    - {id: high, enter: 60, keep: 50}
    - {id: low}
"""


def figures(times: int) -> Iterator[Figure]:
    """Milliseconds beyond start-up, the median of so many."""
    found = alone("checking", times)
    for part in ("check", "test"):
        yield Figure(
            f"{part}.lines", found[part], "ms", "start-up", found["start"], found["peak_mb"]
        )


def long_rules() -> str:
    """Facts, criteria, exceptions and tasks, as many as make 1,000 lines."""
    count = (LINES - _HEAD.count("\n") - _TIERS.count("\n") - 3) // 16
    facts = [f"  f{n}: {{type: number, label: 事实{n} | Fact {n}}}" for n in range(count)]
    score = ["score:"]
    for n in range(count):
        score += [f"  - id: c{n}", f"    of: f{n}", "    max: 10", "    points:"]
        score += ["      ≥ 90: 10", "      ≥ 50: 5", "      otherwise: 0", "    missing: hold"]
    excepted = ["  exceptions:"]
    tasks = ["tasks:"]
    for n in range(count):
        excepted += [f"    - {{id: e{n}, when: [f{n} > {n}, f{n} < 9999], at_most: low}}"]
        tasks += [f"  - id: t{n}", f'    title: "{{name}} {n}"', "    event: rises"]
        tasks += [f"    when: f{n} between 1 and 5", "    owner: account owner", "    due: 2 days"]
    return (
        _HEAD + "\n".join([*facts, *score]) + "\n" + _TIERS + "\n".join([*excepted, *tasks]) + "\n"
    )


def long_cases() -> str:
    """Fifty cases that give every fact."""
    facts = ", ".join(f"f{n}: 95" for n in range(long_rules().count("of: f")))
    cases = [
        f"  - name: case {n}\n    facts: {{{facts}}}\n    expect: {{tier: low, tasks: []}}"
        for n in range(CASES)
    ]
    return "\n".join(["ruleset: long", "today: 2026-03-31", "cases:", *cases, ""])


def main(times: int) -> None:
    """All in turn."""
    ours, cases, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "rules.yaml").write_text(long_rules(), encoding="utf-8")
        (path / "rules.test.yaml").write_text(long_cases(), encoding="utf-8")
        for _ in range(times):
            start = time.perf_counter()
            report = check(path, [path])
            ours.append((time.perf_counter() - start) * 1000)
            assert not any(item.severity == "error" for item in report.diagnostics)
            start = time.perf_counter()
            (run,) = run_cases(path, [path])
            cases.append((time.perf_counter() - start) * 1000)
            assert len(run.outcomes) == CASES
            assert all(outcome.passed for outcome in run.outcomes)
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", _START], check=True)
            theirs.append((time.perf_counter() - start) * 1000)
    check_ms, test_ms, start_ms = map(statistics.median, (ours, cases, theirs))
    tell(check=check_ms, test=test_ms, start=start_ms)


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(int(words[0]))


if __name__ == "__main__":
    run(sys.argv[1:])
