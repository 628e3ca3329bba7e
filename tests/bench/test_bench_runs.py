"""Every bench runs, in small, and prints what it promises; no time is judged here."""

from __future__ import annotations

import json
import subprocess
import sys

from crmsync.evaluate import rete_status

KEYS = ["name", "value", "unit", "peer", "peer_value", "peak_mb", "ratio"]


def test_every_bench_prints_figures_beside_a_peer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--tiny"], check=True, capture_output=True, text=True
    )
    figures = [json.loads(line) for line in done.stdout.splitlines()]

    kinds = {"start", "check", "columnar", "compiled", "decide", "population", "rules", "everyday"}
    if rete_status().usable:
        kinds.add("rete")
    assert {figure["name"].partition(".")[0] for figure in figures} == kinds
    assert len({figure["name"] for figure in figures}) == len(figures)
    for figure in figures:
        assert list(figure) == KEYS
        assert figure["value"] > 0
        assert figure["peer_value"] > 0
        assert figure["peak_mb"] > 1
        assert figure["peer"]
        assert figure["unit"] in {"s", "ms", "µs", "MB"}
