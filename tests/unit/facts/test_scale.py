"""Many orders: the facts stay right and memory does not grow with the number of orders."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.facts.scale_program import COUNT, FIRST_DAY

FIRST = date.fromisoformat(FIRST_DAY)


def run(path: Path, orders: int) -> tuple[int, dict[str, list[str]]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.facts.scale_program", str(path), str(orders)],
        env={"PYTHONPATH": ":".join(sys.path)},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    return told["peak"], told["found"]


def expected(orders: int) -> dict[str, list[str]]:
    as_of, after = date(2026, 3, 31), date(2025, 3, 31)
    own: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for number in range(orders):
        customer = number % COUNT
        if customer % 100 == 0 and number % 7:
            own[customer].append((FIRST + timedelta(days=number % 600), number % 1000))
    found = {}
    for customer in range(0, COUNT, 100):
        bought = own[customer]
        days = sorted({day for day, _ in bought})
        gaps = sorted((b - a).days for a, b in itertools.pairwise(days))
        middle = len(gaps) // 2
        gap = (gaps[middle] + gaps[(len(gaps) - 1) // 2]) / 2 if gaps else None
        total = sum(quarters for _, quarters in bought) * Decimal("0.25")
        found[f"{customer:05d}"] = [
            str(len(bought) or None),
            str(sum(after < day <= as_of for day, _ in bought)),
            str(Decimal(total).quantize(Decimal("0.000001"))) if bought else "None",
            str(days[-1]) if days else "None",
            str(gap),
        ]
    return found


def test_twenty_times_the_orders_are_right_and_cost_little_more_memory(tmp_path: Path) -> None:
    few, few_found = run(tmp_path / "few.duckdb", 20_000)
    many, many_found = run(tmp_path / "many.duckdb", 400_000)
    assert few_found == expected(20_000)
    assert many_found == expected(400_000)
    assert many < 2.5 * few


@pytest.mark.slow
def test_two_million_orders_fit_the_same_memory(tmp_path: Path) -> None:
    few, _ = run(tmp_path / "few.duckdb", 20_000)
    many, found = run(tmp_path / "many.duckdb", 2_000_000)
    assert found == expected(2_000_000)
    assert many < 3 * few
