"""The score in an explanation: its sheet, and what a judge should look at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import clean, fact_text, table
from crmsync.model.decision import CriterionResult, Explanation, ScoreResult
from crmsync.model.fact import FactType
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion
from crmsync.model.text import Text

# Signs the score sheet uses where no line of a table was hit.
_HITS = {
    "otherwise": Text(zh="其余", en="otherwise"),
    "=": Text(zh="按评分", en="as given"),
}


def score_sheet(score: ScoreResult, rules: Ruleset) -> list[str]:
    """Criterion, value, the line it hit, points of the maximum, and where the rule stands."""
    head = (
        say("  评分项", "  criterion"),
        say("取值", "value"),
        say("命中", "hit"),
        say("得分", "points"),
        say("规则", "rule"),
    )
    known = {item.id: item for card in rules.scorecards for item in card.criteria}
    rows = [head, *(_criterion(item, known.get(item.id)) for item in score.criteria)]
    most = sum((item.maximum for item in score.criteria), Decimal(0))
    rows.append((say("  合计", "  total"), "", "", f"{total(score)}/{plain(most)}", ""))
    return table(rows, align="lrlrl")


def evidence(shown: Explanation, rules: Ruleset) -> Iterator[str]:
    """What a judge should look at, for criteria that say so."""
    labels = {item.id: item.label for card in rules.scorecards for item in card.criteria}
    rows = [
        (f"    {labels[id].to(LANG)}", clean(text.to(LANG))) for id, text in shown.evidence.items()
    ]
    if rows:
        yield f"  {say('评分时看', 'what to judge by')}"
        yield from table(rows, align="ll")


def total(score: ScoreResult) -> str:
    """The score, or the range it lies in."""
    return f"{score.low}" if score.low == score.high else f"{score.low}–{score.high}"


def _criterion(item: CriterionResult, rule: Criterion | None) -> tuple[str, ...]:
    points = f"{item.low}" if item.low == item.high else f"{item.low}–{item.high}"
    if item.maximum:
        points += f"/{plain(item.maximum)}"
    value = say("缺失", "missing") if item.missing else ""
    if item.value is not None and not item.missing:
        value = fact_text(item.value, _type(rule))
    hit = (
        say("不计入", "left out")
        if not item.weight
        else _HITS.get(item.hit, Text.same(item.hit)).to(LANG)
    )
    band = rule.band(item.low) if rule is not None and item.low == item.high else None
    if band is not None and item.weight:
        hit += say(f"（{band.name}）", f" ({band.name})")
    place = item.span.short if item.span.line else ""
    return f"  {item.label.to(LANG)}", value, clean(hit), points, place


def _type(rule: Criterion | None) -> FactType | None:
    operands = () if rule is None else [of for way in rule.ways for of in way.operands]
    return operands[0].type if len(operands) == 1 else None


def plain(number: Decimal) -> str:
    """A number without trailing zeros."""
    return f"{number.normalize():f}"
