"""The score block: criteria, and how each gives its points."""

from __future__ import annotations

from decimal import Decimal

from crmsync.model.condition import Condition, Expression
from crmsync.model.diagnostic import Label
from crmsync.model.position import Span
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Combining,
    Criterion,
    Edges,
    MissingPoints,
    PointLine,
    Points,
    PointsTable,
    Scale,
    Scorecard,
    ScorePart,
)
from crmsync.model.text import Text
from crmsync.rules.bands import read_bands
from crmsync.rules.evidence import read_evidence
from crmsync.rules.language import Language, type_of
from crmsync.rules.score_table import Ceiling, below_ceiling, points_matrix
from crmsync.rules.shape import Block, Findings, Seen, identifier, items, number, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

OTHERWISE = frozenset({"otherwise", "其他", "否则"})
MAX_LINES = 500
"""Lines of one points table."""
_SINGLE = ("points", "scale", "table")
_WAYS = (*_SINGLE, *(item.value for item in Combining))
_COMBINING = frozenset(item.value for item in Combining)


def read_scorecards(root: Block, language: Language) -> tuple[Scorecard, ...]:
    """Read ``score:`` (one scorecard) or ``scorecards:`` (several, each with its condition)."""
    single, several = root.take("score"), root.take("scorecards")
    findings = language.findings
    if single is not None and several is not None:
        findings.add(
            "RULE020",
            root.place("scorecards"),
            Text(zh="score 和 scorecards 只能写一个", en="write either score or scorecards"),
            Text(zh="去掉其中一个", en="Drop one of them."),
            labels=(Label(root.place("score"), Text(zh="这里已写", en="written here")),),
        )
    if single is not None:
        return (Scorecard("score", _criteria(single, language), None, root.place("score")),)
    seen = Seen(findings)
    found = (_scorecard(entry, language, seen) for entry in items(several, findings))
    return tuple(card for card in found if card is not None)


def _scorecard(node: Node, language: Language, seen: Seen) -> Scorecard | None:
    block = Block.of(node, language.findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    when = block.take("when")
    condition = None if when is None else language.condition(when)
    score = block.need("score")
    criteria = () if score is None else _criteria(score, language)
    block.finish()
    if name is None:
        return None
    seen.add(identifier(name, language.findings), name.span)
    return Scorecard(name.text, criteria, condition, block.span)


def _criteria(node: Node, language: Language) -> tuple[Criterion, ...]:
    seen = Seen(language.findings)
    found = (_criterion(entry, language, seen) for entry in items(node, language.findings))
    return tuple(item for item in found if item is not None)


def _criterion(node: Node, language: Language, seen: Seen) -> Criterion | None:
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    label = block.label("label", default=None if name is None else name.text)
    ceiling = _ceiling(block)
    points = _points(block, ceiling, language, parts=True)
    missing, given = _missing(block, ceiling)
    edges = block.one_of("edges", [item.value for item in Edges])
    bands = read_bands(block, language, edges=edges is not None)
    note = block.label("note", default="")
    evidence = read_evidence(block.take("evidence"), language)
    block.finish()
    if name is None:
        return None
    seen.add(identifier(name, findings), name.span)
    if points is None:
        return None
    return Criterion(
        id=name.text,
        label=label or Text.same(name.text),
        maximum=ceiling.points,
        points=points,
        missing=missing,
        missing_points=given,
        bands=bands,
        note=note if note is not None and note.en else None,
        edges=Edges.LOWER if edges is None else Edges(edges),
        evidence=evidence,
        span=block.span,
    )


def _ceiling(block: Block) -> Ceiling:
    found = block.number("max", required=True)
    if found is not None and found <= 0:
        block.findings.add(
            "RULE005",
            block.place("max"),
            Text(zh="max 应大于 0", en="max must be above 0"),
            Text(zh="写 20 这样的分数", en="Write points such as 20."),
        )
    node = block.node.get("max")
    return Ceiling(
        Decimal(1000) if found is None else found, block.span if node is None else node.span
    )


def _missing(block: Block, ceiling: Ceiling) -> tuple[MissingPoints, Decimal | None]:
    found = block.scalar("missing")
    if found is None:
        return MissingPoints.HOLD, None
    for policy in (MissingPoints.HOLD, MissingPoints.ASK, MissingPoints.SKIP):
        if found.text == policy.value:
            return policy, None
    if isinstance(found.value, int | Decimal) and not isinstance(found.value, bool):
        given = Decimal(found.value)
        below_ceiling(given, found.span, ceiling, block.findings)
        return MissingPoints.GIVEN, given
    block.findings.unknown(
        "RULE004",
        found.span,
        Text(
            zh=f"missing 应是 hold、ask、skip 或一个分数，不是“{found.text}”",
            en=f"missing is hold, ask, skip or a number of points, not “{found.text}”",
        ),
        found.text,
        ("hold", "ask", "skip"),
    )
    return MissingPoints.HOLD, None


# ── ways to give points ────────────────────────────────────────────────────────────────────────


def _points(block: Block, ceiling: Ceiling, language: Language, *, parts: bool) -> Points | None:
    written = [way for way in (_WAYS if parts else _SINGLE) if block.take(way) is not None]
    if len(written) != 1:
        block.findings.add(
            "RULE020" if written else "RULE002",
            block.place(written[-1]) if written else block.span,
            Text(
                zh="评分方式只写一种：points、scale、table、sum_of、best_of 或 average_of",
                en="points are given in exactly one way: points, scale, table, sum_of, best_of "
                "or average_of",
            ),
            Text(zh="只留一种", en="Keep one of them."),
        )
        if not written:
            block.take("of")
            return None
    way = written[0]
    node = block.take(way)
    assert node is not None
    if way in _COMBINING:
        return _combined(Combining(way), node, ceiling, language)
    if way == "table":
        return points_matrix(block, ceiling, language)
    of = block.scalar("of", required=True)
    operand = None if of is None else language.expression(of)
    if operand is None:
        return None
    if way == "scale":
        return _scale(node, operand, ceiling, language)
    if isinstance(node, Scalar):
        return _as_given(node, operand, of, language)
    return _table(node, operand, ceiling, language)


def _as_given(
    node: Scalar, operand: Expression, of: Scalar | None, language: Language
) -> Points | None:
    if node.text not in {"as given", "按评分"}:
        language.findings.add(
            "RULE003",
            node.span,
            Text(
                zh="points 应是“条件: 分数”的列表，或 as given",
                en="points is a table of “test: points” lines, or “as given”",
            ),
            Text(
                zh="例如 points: {≥ 12: 20, otherwise: 0}",
                en="Such as points: {≥ 12: 20, otherwise: 0}.",
            ),
        )
        return None
    if not type_of(operand).numeric and of is not None:
        _not_numeric(of.span, language.findings)
        return None
    return AsGiven(operand)


def _table(
    node: Node, operand: Expression, ceiling: Ceiling, language: Language
) -> PointsTable | None:
    findings = language.findings
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return None
    if len(node.entries) > MAX_LINES:
        findings.add(
            "RULE021",
            node.span,
            Text(
                zh=f"分值表有 {len(node.entries)} 行，上限 {MAX_LINES}",
                en=f"{len(node.entries)} points lines; the limit is {MAX_LINES}",
            ),
            Text(zh="合并几行，或改用 scale 或表", en="Join lines, or use a scale or a table."),
        )
        return None
    lines = []
    for key, value in node.entries:
        single = scalar(value, findings)
        points = None if single is None else number(single, findings)
        if points is not None and single is not None:
            below_ceiling(points, single.span, ceiling, findings)
        if key.text in OTHERWISE:
            when: Condition | None = None
        else:
            when = language.test(key, operand)
            if when is None:
                continue
        if points is not None:
            lines.append(PointLine(when, points, key.text, key.span))
    return PointsTable(operand, tuple(lines))


def _scale(node: Node, operand: Expression, ceiling: Ceiling, language: Language) -> Scale | None:
    findings = language.findings
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return None
    wanted = type_of(operand)
    if not wanted.numeric:
        _not_numeric(node.span, findings)
        return None
    anchors: list[tuple[Decimal, Decimal]] = []
    for key, value in node.entries:
        at = language.number(key, wanted)
        single = scalar(value, findings)
        points = None if single is None else number(single, findings)
        if at is None or points is None or single is None:
            continue
        below_ceiling(points, single.span, ceiling, findings)
        if anchors and at <= anchors[-1][0]:
            findings.add(
                "RULE022",
                key.span,
                Text(zh="数值应从小到大排列", en="the values must rise from line to line"),
                Text(zh="把这一点移到它的位置", en="Move it to its place."),
            )
        anchors.append((at, points))
    if len(anchors) < 2:
        findings.add(
            "RULE022",
            node.span,
            Text(zh="scale 至少要有两个点", en="a scale needs at least two points"),
            Text(zh="例如 scale: {0: 0, 100: 20}", en="Such as scale: {0: 0, 100: 20}."),
        )
        return None
    return Scale(operand, tuple(anchors))


def _combined(how: Combining, node: Node, ceiling: Ceiling, language: Language) -> Combined | None:
    findings = language.findings
    parts: list[ScorePart] = []
    for entry in items(node, findings):
        inner = Block.of(entry, findings)
        if inner is None:
            continue
        top = _ceiling(inner)
        points = _points(inner, top, language, parts=False)
        inner.finish()
        if points is not None and not isinstance(points, Combined):
            parts.append(ScorePart(top.points, points, inner.span))
    if parts:
        _reaches(how, [part.maximum for part in parts], ceiling, findings)
    return Combined(tuple(parts), how) if parts else None


def _reaches(how: Combining, maxima: list[Decimal], ceiling: Ceiling, findings: Findings) -> None:
    """The parts' maxima must make up the criterion's own, or it could not be reached."""
    most = {
        Combining.SUM: sum(maxima, Decimal(0)),
        Combining.BEST: max(maxima),
        Combining.AVERAGE: sum(maxima, Decimal(0)) / len(maxima),
    }[how]
    if most == ceiling.points:
        return
    zh, en = {
        Combining.SUM: ("合计", "add up to"),
        Combining.BEST: ("最高", "are at most"),
        Combining.AVERAGE: ("平均", "average"),
    }[how]
    shown = f"{round(most, 2).normalize():f}"
    findings.add(
        "RULE202",
        ceiling.span,
        Text(
            zh=f"各部分满分{zh} {shown}，与 max {ceiling.points} 不符",
            en=f"the parts' maxima {en} {shown}, but max is {ceiling.points}",
        ),
        Text(zh=f"改为 max: {shown} 或调整各部分", en=f"Write max: {shown} or mend the parts."),
    )


def _not_numeric(span: Span, findings: Findings) -> None:
    findings.add(
        "RULE005",
        span,
        Text(zh="这里要用数值类的事实", en="a numeric fact is needed here"),
        Text(
            zh="换一个数值、金额或百分比类的事实",
            en="Name a fact that is a number, money or a percent.",
        ),
    )
