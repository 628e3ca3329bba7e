"""Part: one customer decided, on the second day of a population that was placed the day before.

The peer is a function written by hand for this one ruleset: score, tier and stage, with no reasons,
traces, clocks, tasks, exceptions, overrides or missing data. It must come to the same three.

``python -m tests.bench.deciding ours|peer MIRROR``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure, alone, best, tell
from tests.bench.world import AS_OF, SCHEMAS, mapping, rules

from crmsync.evaluate import Engine, EvaluationContext, decide, match_columnar, match_compiled
from crmsync.facts import relation
from crmsync.model.decision import Decision
from crmsync.model.fact import MatchedRow
from crmsync.model.state import CustomerState
from crmsync.store.mirror import open_mirror

NEXT_DAY = AS_OF + timedelta(days=1)


def figures(folder: Path, customers: int, orders: int) -> Iterator[Figure]:
    """Microseconds a customer."""
    mirror = folder / "deciding.duckdb"
    alone("population", "fill", mirror, customers, orders)
    ours, theirs = (alone("deciding", side, mirror) for side in ("ours", "peer"))
    peer = "by hand: score, tier and stage alone"
    yield Figure("decide.customer", ours["us"], "µs", peer, theirs["us"], ours["peak_mb"])


@dataclass(frozen=True)
class _Day:
    """The second day: everybody matched, with the state in which the day opens."""

    engine: Engine
    matched: list[MatchedRow]
    states: list[CustomerState]


def main(side: str, path: Path) -> None:
    opened = _second_day(path)
    work = _ours if side == "ours" else _by_hand
    if side == "peer":
        _check(opened)
    seconds, _ = best(lambda: work(opened), times=5)
    tell(us=seconds / len(opened.matched) * 1e6)


def _second_day(path: Path) -> _Day:
    ruleset = rules()
    engine = Engine(ruleset)
    mirror = open_mirror(path)
    try:
        built = relation(ruleset, mapping(ruleset), SCHEMAS, AS_OF)
        first = list(match_columnar(mirror, built, engine, AS_OF))
    finally:
        mirror.close()
    context, states = EvaluationContext(AS_OF), []
    for item in first:
        decision = decide(engine, item, CustomerState(item.row.ref), context)
        states.append(
            CustomerState(decision.ref, decision.standing, decision.clocks, decision.known_facts)
        )
    matched = list(match_compiled([item.row for item in first], engine, NEXT_DAY))
    return _Day(engine, matched, states)


def _ours(opened: _Day) -> list[Decision]:
    context = EvaluationContext(NEXT_DAY)
    return [
        decide(opened.engine, matched, state, context)
        for matched, state in zip(opened.matched, opened.states, strict=True)
    ]


def _check(opened: _Day) -> None:
    compared = 0
    for ours, (score, tier, stage) in zip(_ours(opened), _by_hand(opened), strict=True):
        assert ours.tier is not None
        assert ours.lifecycle is not None
        if ours.score is None or ours.score.total is None or ours.exceptions:
            continue
        compared += 1
        found = (ours.score.total, ours.tier.after, ours.lifecycle.after)
        assert found == (score, tier, stage), (found, score, tier, stage)
    assert compared > len(opened.matched) / 3


# ── by hand ────────────────────────────────────────────────────────────────────────────────────


def _by_hand(opened: _Day) -> list[tuple[Decimal, str | None, str | None]]:
    return [
        _decided(matched.row.facts, state)
        for matched, state in zip(opened.matched, opened.states, strict=True)
    ]


_LEVELS = (("vip", 80, 72), ("key", 60, 54), ("standard", 35, 30), ("basic", 0, 0))


def _decided(facts: Any, state: CustomerState) -> tuple[Decimal, str | None, str | None]:
    tenths = sum(
        (
            _first(facts["days_since_order"], ((30, 200), (60, 160), (90, 100), (180, 40))),
            _least(facts["orders_12m"], ((12, 200), (6, 150), (3, 100), (1, 50))),
            _least(facts["revenue_12m"], ((5e6, 300), (1e6, 240), (3e5, 160), (5e4, 80))),
            _scaled(facts["margin_12m"]),
            {"高": 150, "中": 80, "低": 20}.get(facts["potential"], 0),
        )
    )
    score, now = tenths / 10, state.standing.tier
    entered = next(name for name, enter, _ in _LEVELS if score >= enter)
    names = [name for name, _, _ in _LEVELS]
    tier = entered if now not in names or names.index(entered) < names.index(now) else now
    return Decimal(tenths) / 10, tier, _stage(facts, state)


def _first(value: float | None, steps: tuple[tuple[float, int], ...]) -> int:
    return next((points for line, points in steps if value is not None and value <= line), 0)


def _least(value: Any, steps: tuple[tuple[float, int], ...]) -> int:
    return next((points for line, points in steps if value is not None and value >= line), 0)


def _scaled(margin: float | None) -> int:
    if margin is None:
        return 0
    for (left, low), (right, high) in (
        ((0, 0), (0.1, 5)),
        ((0.1, 5), (0.25, 12)),
        ((0.25, 12), (0.4, 15)),
    ):
        if margin < right:
            share = max(0.0, (margin - left) / (right - left))
            return int(round(low + share * (high - low), 9) * 10 + 0.5)
    return 150


def _stage(facts: Any, state: CustomerState) -> str | None:
    stage, days, gap = state.standing.lifecycle, facts["days_since_order"], facts["gap_ratio"]
    quiet = (days is not None and days > 90) or (gap is not None and gap > 2)
    if stage == "prospect" and facts["orders_total"] >= 1:
        stage = "first"
    if stage == "first" and facts["orders_total"] >= 2:
        stage = "repeat"
    if stage == "repeat" and facts["orders_12m"] >= 6 and days is not None and days <= 60:
        return "loyal"
    if quiet and _waited(state.clocks.pending, 7):
        return "at_risk"
    return stage


def _waited(pending: Any, days: int) -> bool:
    return any(
        (NEXT_DAY - since).days >= days for since in pending.values() if isinstance(since, date)
    )


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(words[0], Path(words[1]))


if __name__ == "__main__":
    run(sys.argv[1:])
