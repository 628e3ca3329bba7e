"""The printed score sheet: each criterion with its standard, value and points, which add up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tests.unit.cli import made

from crmsync.cli.sheet_view import rows, sheet
from crmsync.cli.why_view import explanation
from crmsync.model.fact import Judgement
from crmsync.project.explaining import Explained


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


def told(**parts: Any) -> Explained:
    found = made.explained(*made.WAITING)
    judged = {"strength": Judgement(**parts)}
    decision = replace(found.explanation.decision, judged=judged)
    return replace(found, explanation=replace(found.explanation, decision=decision))


def test_a_judgement_stands_with_who_when_and_why() -> None:
    given = told(author="张敏", on=date(2026, 10, 3), remark="长期\x1b[2J合作")
    (line,) = [row for row in rows(given) if "张敏" in row.remark]
    assert line.remark.startswith("张敏 2026-10-03")
    assert "“长期" in line.remark
    assert "\x1b" not in line.remark
    page = "\n".join(explanation(given, full=False))
    assert "张敏 2026-10-03" in page
    assert given.as_document()["judged"]["strength"]["author"] == "张敏"


def test_a_judgement_that_is_too_old_says_what_it_was() -> None:
    old = told(on=date(2024, 1, 1), expired=14.0)
    assert any("14 " in row.remark and "2024-01-01" in row.remark for row in rows(old))
    undated = told(expired=14.0)
    assert any("14 " in row.remark for row in rows(undated))


def test_both_forms_hold_every_criterion_once() -> None:
    found = made.explained(*made.WAITING)
    decision = found.explanation.decision
    for text in (sheet(found, "md"), sheet(found, "html")):
        assert decision.ref.id in text
        for row in rows(found):
            assert row.criterion in text
    assert len(re.findall(r"<tr>", sheet(found, "html"))) == len(rows(found)) + 1
    assert "<script" not in sheet(found, "html")
