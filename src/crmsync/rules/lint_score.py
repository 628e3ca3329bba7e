"""Lints of scorecards: totals, lines that are never reached, values no line fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from crmsync.condition.reach import Numbers, Values, Words, everything, nothing, values_of
from crmsync.model.condition import Expression, Name
from crmsync.model.diagnostic import Diagnostic, Label, Severity
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Criterion,
    PointLine,
    PointsMatrix,
    PointsTable,
    Scale,
    Scorecard,
    ScorePart,
)
from crmsync.model.text import Text
from crmsync.rules.lint_bands import lint_bands
from crmsync.source import error, warning


@dataclass(frozen=True, slots=True)
class _Lines:
    """A points table with what is known of its operand."""

    owner: Criterion | ScorePart
    table: PointsTable
    universe: Values
    whole: bool
    type: FactType


def lint_score(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Everything that is odd in the scorecards."""
    facts = {fact.id: fact for fact in ruleset.facts}
    for card in ruleset.scorecards:
        yield from _total(card)
        for criterion in card.criteria:
            yield from _criterion(criterion, facts)
            yield from lint_bands(criterion, facts)


def _total(card: Scorecard) -> Iterator[Diagnostic]:
    total = sum((criterion.maximum for criterion in card.criteria), Decimal(0))
    if card.criteria and total != 100:
        yield warning(
            "RULE201",
            card.span,
            Text(
                zh=f"各项满分合计 {total}，不是 100",
                en=f"the maxima add up to {total}, not 100",
            ),
            Text(
                zh="若有意如此，等级线要按这个总分来定",
                en="If that is meant, set the tier lines for this total.",
            ),
        )


def _criterion(criterion: Criterion, facts: dict[str, FactDefinition]) -> Iterator[Diagnostic]:
    parts: tuple[Criterion | ScorePart, ...] = (criterion,)
    if isinstance(criterion.points, Combined):
        parts = criterion.points.parts
    for part in parts:
        points = part.points
        if isinstance(points, PointsTable):
            yield from _table(part, points, facts)
        elif isinstance(points, PointsMatrix):
            if not points.hit.gathers:
                yield from _best(part, max(line.points for line in points.lines))
        elif isinstance(points, Scale):
            yield from _best(part, max(value for _, value in points.anchors))
        elif isinstance(points, AsGiven):
            yield from _as_given(part, points, facts)


# ── tables ─────────────────────────────────────────────────────────────────────────────────────


def _table(
    owner: Criterion | ScorePart, table: PointsTable, facts: dict[str, FactDefinition]
) -> Iterator[Diagnostic]:
    fact = _fact_of(table.of, facts)
    kind = fact.type if fact is not None else FactType.NUMBER
    whole = kind is FactType.INTEGER
    lines = _Lines(owner, table, _universe(fact, whole=whole), whole, kind)
    covered: Values = (
        nothing(whole=whole) if isinstance(lines.universe, Numbers) else Words(frozenset())
    )
    before: list[tuple[PointLine, Values]] = []
    readable = True
    for line in table.lines:
        if line.when is None:
            yield from _otherwise(line, lines, covered)
            covered = lines.universe
            before.append((line, lines.universe))
            continue
        fits = values_of(line.when, table.of, whole=whole)
        if fits is None or type_differs(fits, covered):
            readable = False
            continue
        yield from _reached(line, fits, lines, covered, before)
        covered = _join(covered, fits)
        before.append((line, fits))
    if readable and table.lines:
        yield from _left_over(lines, covered)
        yield from _best(owner, max(line.points for line in table.lines))


def type_differs(one: Values, other: Values) -> bool:
    """Whether one is about numbers and the other about words."""
    return isinstance(one, Numbers) is not isinstance(other, Numbers)


def _join(one: Values, other: Values) -> Values:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one.join(other)
    if isinstance(one, Words) and isinstance(other, Words):
        return one.join(other)
    return one


def _inside(one: Values, other: Values) -> bool:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one.inside(other)
    if isinstance(one, Words) and isinstance(other, Words):
        return one.inside(other)
    return False


def _outside(one: Values, universe: Values) -> bool:
    """Whether nothing of *one* can ever occur."""
    if isinstance(one, Numbers) and isinstance(universe, Numbers):
        return not one.empty and one.inside(universe.rest())
    if isinstance(one, Words) and isinstance(universe, Words) and not universe.others:
        return not one.others and not one.words & universe.words
    return False


def _reached(
    line: PointLine,
    fits: Values,
    lines: _Lines,
    covered: Values,
    before: list[tuple[PointLine, Values]],
) -> Iterator[Diagnostic]:
    if fits.empty or _outside(fits, lines.universe):
        yield error(
            "RULE203",
            line.span,
            Text(
                zh=f"“{line.text}”永远不会命中：没有这样的值",
                en=f"“{line.text}” can never be reached: no such value occurs",
            ),
            Text(
                zh="检查数值，或事实的 between 与 choices",
                en="Check the value, or the fact's between and choices.",
            ),
        )
        return
    if not _inside(fits, covered):
        return
    winner = next((other for other, values in before if _inside(fits, values)), None)
    if winner is None:
        zh, en = "上面各行合起来", "the lines above together already fit"
        labels: tuple[Label, ...] = ()
    else:
        zh, en = f"上面的“{winner.text}”", f"“{winner.text}” above it already fits"
        labels = (Label(winner.span, Text(zh="这一行先命中", en="this line wins")),)
    yield error(
        "RULE203",
        line.span,
        Text(
            zh=f"“{line.text}”永远不会命中：{zh}已经包含它",
            en=f"“{line.text}” can never be reached: {en}",
        ),
        _order_mend(line, winner),
        labels=labels,
    )


def _order_mend(line: PointLine, winner: PointLine | None) -> Text:
    if winner is not None and winner.text.lstrip()[:1] in {"≥", ">"}:
        return Text(zh="把最大的值放在最前面", en="Put the highest line first.")
    if winner is not None and winner.text.lstrip()[:1] in {"≤", "<"}:
        return Text(zh="把最小的值放在最前面", en="Put the lowest line first.")
    return Text(
        zh=f"调整顺序，或去掉“{line.text}”", en=f"Change the order or remove “{line.text}”."
    )


def _otherwise(line: PointLine, lines: _Lines, covered: Values) -> Iterator[Diagnostic]:
    if _inside(lines.universe, covered):
        yield warning(
            "RULE203",
            line.span,
            Text(
                zh="“otherwise”永远不会命中：上面各行已包含所有的值",
                en="“otherwise” is never reached: the lines above fit every value",
            ),
            Text(
                zh="缺失的值不归 otherwise，由 missing 决定；可以去掉这一行",
                en="A missing value is not “otherwise”; missing decides it. Remove this line.",
            ),
        )


def _left_over(lines: _Lines, covered: Values) -> Iterator[Diagnostic]:
    shown: str | None = None
    if isinstance(covered, Numbers) and isinstance(lines.universe, Numbers):
        bounds = (lines.universe.stretches[0][0], lines.universe.stretches[-1][1])
        example = covered.rest(bounds).example()
        shown = None if example is None else _shown(example, lines.type)
    elif isinstance(covered, Words) and isinstance(lines.universe, Words):
        left = lines.universe.words - covered.words
        if left and not lines.universe.others and not covered.others:
            shown = "、".join(sorted(_YES_NO.get(word, word) for word in left))
    if shown is not None:
        yield warning(
            "RULE219",
            lines.owner.span,
            Text(
                zh=f"没有一行适用于 {shown}，会得 0 分",
                en=f"no line fits {shown}: it gives 0 points",
            ),
            Text(zh="补上一行，或写 otherwise: 0", en="Add a line, or write otherwise: 0."),
        )


_YES_NO = {"True": "yes", "False": "no"}


def _shown(number: Decimal, type: FactType) -> str:
    if type is FactType.PERCENT:
        return f"{(number * 100).normalize():f}%"
    return f"{number.normalize():f}"


def _universe(fact: FactDefinition | None, *, whole: bool) -> Values:
    if fact is None:
        return everything(whole=whole)
    if fact.type is FactType.CHOICE:
        return Words(frozenset(fact.choices))
    if fact.type is FactType.YES_NO:
        return Words(frozenset({"True", "False"}))
    if fact.type is FactType.TEXT:
        return Words(frozenset(), others=True)
    if fact.between is not None:
        low, high = fact.between
        return Numbers((((low, 0), (high, 1)),), whole)
    return everything(whole=whole)


def _fact_of(of: Expression, facts: dict[str, FactDefinition]) -> FactDefinition | None:
    return facts.get(of.id) if isinstance(of, Name) else None


# ── maxima ─────────────────────────────────────────────────────────────────────────────────────


def _best(owner: Criterion | ScorePart, best: Decimal) -> Iterator[Diagnostic]:
    if best < owner.maximum:
        yield _maximum(
            owner.span,
            Text(
                zh=f"最多只能得 {best} 分，到不了满分 {owner.maximum}",
                en=f"at most {best} points can be had; max {owner.maximum} is never reached",
            ),
        )


def _as_given(
    owner: Criterion | ScorePart, points: AsGiven, facts: dict[str, FactDefinition]
) -> Iterator[Diagnostic]:
    fact = _fact_of(points.of, facts)
    if fact is None:
        return
    if fact.between is None:
        yield _maximum(
            owner.span,
            Text(
                zh=f"事实“{fact.id}”没有写 between，超过 {owner.maximum} 的评分会被当作 "
                f"{owner.maximum}",
                en=f"the fact “{fact.id}” has no between: a score above {owner.maximum} counts "
                f"as {owner.maximum}",
            ),
        )
        return
    if fact.between[1] != owner.maximum or fact.between[0] < 0:
        low, high = fact.between
        yield _maximum(
            owner.span,
            Text(
                zh=f"事实“{fact.id}”的范围 {low}..{high} 与满分 {owner.maximum} 不符",
                en=f"the fact “{fact.id}” runs {low}..{high}, which does not fit max "
                f"{owner.maximum}",
            ),
        )


def _maximum(span: Span, message: Text) -> Diagnostic:
    mend = Text(zh="让范围与满分一致", en="Make the range and the max agree.")
    return Diagnostic("RULE220", Severity.WARNING, span, message, mend)
