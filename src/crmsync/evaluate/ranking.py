"""Cut lines across the scores of a population."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal

from crmsync.evaluate.compiled import Answers
from crmsync.evaluate.engine import Engine
from crmsync.model.cut import Cut, CutKind
from crmsync.model.fact import MatchedRow

_TENTHS = 10


def score_lines(
    engine: Engine, rows: Iterable[MatchedRow], cuts: Mapping[str, Cut], as_of: date
) -> tuple[dict[str, Decimal], int]:
    """The line of each cut over the total scores, and how many customers have a whole score.

    A score that is a range, or that no scorecard gives, is not counted. Eight bytes a customer are
    held, no more. A cut nobody is inside of has no line.
    """
    totals = array("q")
    for matched in rows:
        scored = engine.policy.sheet.score(Answers(engine, matched, as_of))
        total = None if scored.result is None else scored.result.total
        if total is not None:
            totals.append(int(total * _TENTHS))
    ranked = sorted(totals, reverse=True)
    lines = {}
    for name, cut in cuts.items():
        inside = min(_places(cut, len(ranked)), len(ranked))
        if inside:
            lines[name] = Decimal(ranked[inside - 1]) / _TENTHS
    return lines, len(ranked)


def _places(cut: Cut, people: int) -> int:
    if cut.kind is CutKind.TOP:
        return int(cut.amount)
    assert cut.kind is CutKind.SHARE, "an amount is covered by a fact, never by a score"
    return int((cut.amount * people).to_integral_value(ROUND_CEILING))
