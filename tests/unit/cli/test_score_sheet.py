"""The printed score sheet: each criterion with its standard, value and points, which add up."""

from __future__ import annotations

import re
from decimal import Decimal

from tests.unit.cli import made

from crmsync.cli.sheet_view import rows, sheet


def test_points_add_up_to_the_total() -> None:
    found = made.explained(*made.WAITING)
    *lines, total = rows(found)
    points = [Decimal(row.points.split(" / ")[0]) for row in lines]
    score = found.explanation.decision.score
    assert score is not None
    assert sum(points, Decimal(0)) == score.total == Decimal(total.points.split(" / ")[0])
    assert len(lines) == len(score.criteria)
    assert all(row.standard for row in lines)


def test_a_missing_criterion_is_a_range_and_says_so() -> None:
    found = made.explained(*made.LACKING)
    missing = [row for row in rows(found) if "–" in row.points]
    assert missing
    assert "–" in rows(found)[-1].points


def test_both_forms_hold_every_criterion_once() -> None:
    found = made.explained(*made.WAITING)
    decision = found.explanation.decision
    for text in (sheet(found, "md"), sheet(found, "html")):
        assert decision.ref.id in text
        for row in rows(found):
            assert row.criterion in text
    assert len(re.findall(r"<tr>", sheet(found, "html"))) == len(rows(found)) + 1
    assert "<script" not in sheet(found, "html")
