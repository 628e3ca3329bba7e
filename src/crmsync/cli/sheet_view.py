"""The score sheet of one customer, to print and to sign: Markdown or one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from html import escape

import click

from crmsync.cli.face import Face
from crmsync.cli.judgement_view import told
from crmsync.cli.language import LANG, say
from crmsync.cli.layout import clean, fact_text
from crmsync.model.decision import CriterionResult
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Combining,
    Criterion,
    PointsTable,
    Scale,
    SinglePoints,
)
from crmsync.project.explaining import Explained

_HOW = {
    Combining.SUM: ("各项相加", "the sum of"),
    Combining.BEST: ("取最高", "the best of"),
    Combining.AVERAGE: ("取平均", "the average of"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the sheet: what is judged, by which standard, what was found, points, remark."""

    criterion: str
    standard: str
    actual: str
    points: str
    remark: str = ""


def show(face: Face, found: Explained, shape: str) -> None:
    """Print the sheet of one customer, or its lines as a document."""
    if face.json or shape == "json":
        lines = [asdict(row) for row in rows(found)]
        face.document("crmsync.sheet/1", {"about": dict(_head(found)), "lines": lines})
        return
    click.echo(sheet(found, shape), nl=False)


def sheet(found: Explained, kind: str) -> str:
    """The whole sheet as ``md`` or ``html``; a customer without a score has no lines."""
    return _html(found) if kind == "html" else _markdown(found)


def rows(found: Explained) -> list[Row]:
    """Every criterion of the scorecard that applied, then the total: the points add up to it."""
    score = found.explanation.decision.score
    if score is None:
        return []
    known = {item.id: item for card in found.ruleset.scorecards for item in card.criteria}
    lines = [_row(item, known.get(item.id), _beside(found, item.id)) for item in score.criteria]
    most = sum((item.maximum for item in score.criteria), Decimal(0))
    total = _range(score.low, score.high)
    lines.append(Row(say("合计", "Total"), "", "", f"{total} / {_plain(most)}"))
    return lines


def _row(item: CriterionResult, rule: Criterion | None, judged: Sequence[str]) -> Row:
    points = _range(item.low, item.high)
    if item.maximum:
        points += f" / {_plain(item.maximum)}"
    if rule is None:
        return Row(item.label.to(LANG), item.hit, "", points)
    actual = say("缺失", "missing")
    if not item.missing:
        operands = [of for way in rule.ways for of in way.operands]
        kind = operands[0].type if len(operands) == 1 else None
        actual = "–" if item.value is None else fact_text(item.value, kind)
    remark = say("；", "; ").join((*judged, *_remark(item, rule)))
    return Row(item.label.to(LANG), _standard(rule), actual, points, remark)


def _beside(found: Explained, criterion: str) -> list[str]:
    """What a judge should look at, who judged, and what they remarked."""
    evidence = found.explanation.evidence.get(criterion)
    looked = [] if evidence is None else [say(f"看：{evidence.zh}", f"look at: {evidence.en}")]
    return looked + [told(item, fact.type) for fact, item in found.judgements(criterion)]


def _remark(item: CriterionResult, rule: Criterion) -> list[str]:
    parts = []
    if item.missing:
        parts.append(say("未知，按范围计", "unknown: counted as a range"))
    elif item.hit not in {"", "=", "otherwise"}:
        parts.append(item.hit)
    band = rule.band(item.low) if item.low == item.high else None
    if band is not None:
        parts.append(band.name)
    if rule.note is not None:
        parts.append(rule.note.to(LANG))
    return parts


def _standard(rule: Criterion) -> str:
    """How points are given, in one line."""
    points = rule.points
    if isinstance(points, Combined):
        zh, en = _HOW[points.how]
        parts = " | ".join(_single(part.points, part.maximum) for part in points.parts)
        return f"{say(zh, en)} {parts}"
    if isinstance(points, PointsTable | Scale | AsGiven):
        return _single(points, rule.maximum)
    return say("按表格", "by a table")


def _single(points: SinglePoints, most: Decimal) -> str:
    match points:
        case PointsTable():
            lines = (
                f"{say('其余', 'otherwise') if line.when is None else line.text}:"
                f" {_plain(line.points)}"
                for line in points.lines
            )
            return say("；", "; ").join(lines)
        case Scale():
            anchors = (f"{_plain(at)} → {_plain(given)}" for at, given in points.anchors)
            return say("；", "; ").join(anchors)
        case AsGiven():
            return say(f"按评分，最高 {_plain(most)}", f"as given, at most {_plain(most)}")
        case _:
            return say("按表格", "by a table")


def _range(low: Decimal, high: Decimal) -> str:
    return _plain(low) if low == high else f"{_plain(low)}–{_plain(high)}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _head(found: Explained) -> list[tuple[str, str]]:
    decision, rules = found.explanation.decision, found.ruleset
    tier = None if decision.tier is None else decision.tier.after
    levels = () if rules.tier is None else rules.tier.levels
    label = next((item.label.to(LANG) for item in levels if item.id == tier), say("无", "none"))
    why = "" if decision.tier is None else decision.tier.text.to(LANG)
    return [
        (say("客户", "Customer"), f"{decision.name} ({decision.ref.id})"),
        (say("评定日期", "Day"), decision.as_of.isoformat()),
        (say("规则", "Rules"), f"{rules.title.to(LANG)} ({rules.id} v{rules.version})"),
        (say("等级", "Tier"), f"{label}  {why}".rstrip()),
    ]


def _titles() -> tuple[str, ...]:
    return (
        say("评分项", "Criterion"),
        say("标准", "Standard"),
        say("实际", "Actual"),
        say("得分", "Points"),
        say("备注", "Remark"),
    )


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(map(clean, (row.criterion, row.standard, row.actual, row.points, row.remark)))


def _signed() -> tuple[str, str]:
    return say("评定人", "Judged by"), say("日期", "Date")


def _markdown(found: Explained) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def lines() -> Iterator[str]:
        yield f"# {say('评分表', 'Score sheet')}"
        yield ""
        yield from (f"- {name}: {clean(value)}" for name, value in _head(found))
        yield ""
        yield line(_titles())
        yield "|---|---|---|---:|---|"
        yield from (line(_cells(row)) for row in rows(found))
        yield ""
        yield "　　".join(f"{name}: ____________" for name in _signed())

    return "\n".join(lines()) + "\n"


def _html(found: Explained) -> str:
    def line(cells: Sequence[str], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(clean(value))}</dd>" for name, value in _head(found)
    )
    body = "\n".join(line(_cells(row)) for row in rows(found))
    signed = "".join(f"<span>{escape(name)}: ____________</span>" for name in _signed())
    title = escape(say("评分表", "Score sheet"))
    return f"""<!doctype html>
<html lang="{LANG.value}"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 11pt sans-serif; margin: 2cm; }}
dl {{ display: grid; grid-template-columns: max-content auto; gap: 2pt 12pt; }}
dd {{ margin: 0; }}
table {{ border-collapse: collapse; width: 100%; margin: 12pt 0; }}
th, td {{ border: 1px solid #888; padding: 4pt 6pt; text-align: left; vertical-align: top; }}
tr:last-child {{ font-weight: bold; }}
span {{ margin-right: 3em; }}
</style></head><body>
<h1>{title}</h1><dl>{head}</dl>
<table>{line(_titles(), "th")}
{body}
</table><p>{signed}</p></body></html>
"""
