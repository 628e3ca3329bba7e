"""Every bench runs, in small, and prints what it promises; no time is judged here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.bench import figure as figures
from tests.bench.__main__ import TINY
from tests.bench.__main__ import figures as all_figures
from tests.bench.figure import alone, by_peer, in_one_process

from crmsync.evaluate import rete_status

KEYS = ["name", "value", "unit", "peer", "peer_value", "peak_mb", "ratio"]


def test_every_bench_prints_figures_beside_a_peer(tmp_path: Path) -> None:
    with in_one_process():
        found = [json.loads(figure.line()) for figure in all_figures(TINY, tmp_path)]

    kinds = {"start", "check", "test", "columnar", "compiled", "decide", "population", "rules"}
    kinds |= {"everyday", "pipeline"}
    if rete_status().usable:
        kinds.add("rete")
    assert {figure["name"].partition(".")[0] for figure in found} == kinds
    assert len({figure["name"] for figure in found}) == len(found)
    for figure in found:
        assert list(figure) == KEYS
        assert figure["value"] > 0
        assert figure["peer_value"] > 0
        assert figure["peak_mb"] > 1
        assert figure["peer"]
        assert figure["unit"] in {"s", "ms", "µs", "MB"}


def test_a_part_has_a_process_of_its_own() -> None:
    found = alone("single", "compiled", 10, 20)

    assert found["us"] > 0
    assert 1 < found["peak_mb"] < 1000


def test_a_peer_that_fails_is_not_left_out_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PEERS_PYTHON", Path(sys.executable))

    with pytest.raises(RuntimeError, match="pipeline_peers pandas: IndexError"):
        by_peer("pipeline_peers", "pandas")
    assert by_peer("pipeline_peers", "pandas", "nowhere", "2026-11-22") is None  # not installed
