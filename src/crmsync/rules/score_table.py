"""Points from a decision table, over one or more facts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from crmsync.model.condition import Name
from crmsync.model.diagnostic import Label, Severity
from crmsync.model.position import Span
from crmsync.model.scorecard import PointLine, PointsMatrix
from crmsync.model.table import GATHERING, SINGLE, HitPolicy
from crmsync.model.text import Text
from crmsync.rules.hits import ordered
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings, number
from crmsync.rules.table_columns import Output
from crmsync.rules.table_lints import lint_table
from crmsync.rules.tables import DecisionTable, Row, Wanted, read_table

_POINTS = Output("points", Text(zh="分数", en="points"), also=("分值", "得分", "score"))
_WANTED = Wanted(
    of=Text(zh="评分", en="a criterion"),
    outputs=(_POINTS,),
    policies=tuple(item for item in HitPolicy if item in SINGLE | GATHERING),
    why_not=Text(zh="一项评分要一个数，而它给出一列", en="it gives a list where one number is due"),
)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most points a criterion or part may give, and where that is written."""

    points: Decimal
    span: Span


def points_matrix(block: Block, ceiling: Ceiling, language: Language) -> PointsMatrix | None:
    """The ``table:`` of a criterion; its inputs may be any facts."""
    table = read_table(block, language, _WANTED)
    if table is None:
        return None
    findings = language.findings
    points = [_points(row, table, ceiling, findings) for row in table.rows]
    if None in points:
        return None
    known = [item for item in points if item is not None]
    order = ordered(table.hit, len(known), lambda row: -int(known[row] * 1000))
    gaps = None if table.hit in {HitPolicy.COLLECT_SUM, HitPolicy.COLLECT_COUNT} else _GAP
    findings.extend(lint_table(table, language, gaps=gaps, order=order))
    lines = tuple(_line(table.rows[row], known[row]) for row in order)
    inputs = tuple(Name(name.id, name.type) for name in table.inputs)
    return PointsMatrix(inputs, table.hit, lines)


_GAP = Severity.WARNING


def _line(row: Row, points: Decimal) -> PointLine:
    return PointLine(None if row.anything else row.when, points, row.text, row.span)


def _points(row: Row, table: DecisionTable, ceiling: Ceiling, findings: Findings) -> Decimal | None:
    found = row.outputs.get("points")
    if found is None and table.hit is HitPolicy.COLLECT_COUNT:
        return Decimal(1)
    if found is None:
        findings.add(
            "TABLE008",
            row.span,
            Text(zh="这一行没有写分数", en="this row gives no points"),
            Text(zh="加一列“分数”（points）", en="Write them in a column “points”."),
        )
        return None
    points = number(found, findings)
    if points is not None:
        below_ceiling(points, found.span, ceiling, findings)
    return points


def below_ceiling(points: Decimal, span: Span, ceiling: Ceiling, findings: Findings) -> None:
    """Note points above the maximum, or below 0."""
    if points > ceiling.points:
        findings.add(
            "RULE202",
            span,
            Text(
                zh=f"{points} 分超过本项满分（{ceiling.points}）",
                en=f"{points} points is more than this line's max ({ceiling.points})",
            ),
            Text(zh="降低分数，或提高 max", en="Lower the points, or raise max."),
            labels=(Label(ceiling.span, Text(zh="满分在这里设定", en="max is set here")),),
        )
    if points < 0:
        findings.add(
            "RULE005",
            span,
            Text(zh="分数不能小于 0", en="points cannot be below 0"),
            Text(zh="写 0 或更大的分数", en="Write 0 or more."),
        )
