"""The facts of the rfm block as formulas over cut points: one tree for Python and for SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from crmsync.condition.shape import names
from crmsync.model.condition import (
    Arithmetic,
    Call,
    Choose,
    Compare,
    Comparison,
    Expression,
    Function,
    Literal,
    Name,
    Operator,
)
from crmsync.model.fact import FactType
from crmsync.model.frozen import FrozenLines
from crmsync.model.rfm import RFM_CODE, RFM_SEGMENT, CutPoints, Part, RfmRules
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text

LINES = "rfm"
"""The name of frozen cut points."""

_LABELS = {
    Part.RECENCY: Text(zh="R 值", en="R class"),
    Part.FREQUENCY: Text(zh="F 值", en="F class"),
    Part.MONETARY: Text(zh="M 值", en="M class"),
}


def rfm_facts(
    rules: RfmRules, facts: Mapping[str, FactDefinition], cuts: CutPoints | None
) -> Iterator[FactDefinition]:
    """``rfm_r``, ``rfm_f``, ``rfm_m``, ``rfm_code`` and, with segments, ``rfm_segment``.

    Without *cuts* the three classes have no formula: they stay unknown unless they are given. The
    code is the three classes as one number, 545; it and the segment follow from the classes.
    """
    for part in Part:
        best = rules.most(part)
        yield FactDefinition(
            id=part.fact,
            label=_LABELS[part],
            type=FactType.INTEGER,
            between=(Decimal(1), Decimal(best)),
            formula=None if cuts is None else _class(rules, part, facts, cuts),
            model=LINES,
            span=rules.span,
        )
    yield FactDefinition(
        id=RFM_CODE,
        label=Text(zh="RFM 代码", en="RFM code"),
        type=FactType.INTEGER,
        formula=_code(),
        model=LINES,
        span=rules.span,
    )
    if rules.segments:
        yield FactDefinition(
            id=RFM_SEGMENT,
            label=Text(zh="RFM 分群", en="RFM segment"),
            type=FactType.CHOICE,
            choices=tuple(segment.id for segment in rules.segments),
            choice_labels=tuple(segment.label for segment in rules.segments),
            formula=_segment(rules),
            model=LINES,
            span=rules.span,
        )


def cuts_of(lines: FrozenLines) -> CutPoints:
    """Frozen lines as cut points."""
    return {part: lines.lines[part.value] for part in Part}


def value_of(part: Part, fact: FactDefinition) -> Expression:
    """The number that is cut: days since a date, else the fact itself."""
    name = Name(fact.id, fact.type)
    if part is Part.RECENCY and fact.type is FactType.DATE:
        return Call(Function.DAYS_SINCE, (name,))
    return name


def _class(
    rules: RfmRules, part: Part, facts: Mapping[str, FactDefinition], cuts: CutPoints
) -> Expression:
    fact = facts[rules.reads[part]]
    value = value_of(part, fact)
    spans = rules.cut_spans.get(part, ())
    points = list(enumerate(cuts[part]))
    recency = part is Part.RECENCY
    comparison = comparison_of(rules, part)
    chain: Expression = _number(1)
    # the innermost test is the last one asked, so the trees are built from the worst class up
    for step, (place, cut) in enumerate(reversed(points) if recency else points):
        span = spans[place] if place < len(spans) else rules.span
        limit = Literal(cut, FactType.NUMBER, span)
        test = Compare(comparison, value, limit, span)
        chain = Choose(test, _number(step + 2), chain, FactType.INTEGER, span)
    return chain


def comparison_of(rules: RfmRules, part: Part) -> Comparison:
    """How a value must compare with a cut point to be in the better class beyond it.

    Fixed points are lines to reach (≥). Drawn ones are the largest value of the class below, so
    that equal values share a class, and the lower one: half the buyers with one order are all 1.
    """
    if part is Part.RECENCY:
        return Comparison.LE
    return Comparison.GT if rules.cuts is None else Comparison.GE


def _code() -> Expression:
    total: Expression = Name(Part.RECENCY.fact, FactType.INTEGER)
    for part in (Part.FREQUENCY, Part.MONETARY):
        shifted = Arithmetic(Operator.MULTIPLY, total, _number(10))
        total = Arithmetic(Operator.ADD, shifted, Name(part.fact, FactType.INTEGER))
    return total


def _segment(rules: RfmRules) -> Expression:
    chain: Expression = Literal(None, FactType.CHOICE)
    for segment in reversed(rules.segments):
        name = Literal(segment.id, FactType.CHOICE, segment.span)
        if segment.when is None:
            chain = name
        else:
            chain = Choose(segment.when, name, chain, FactType.CHOICE, segment.span)
    return chain


def _number(value: int) -> Literal:
    return Literal(value, FactType.INTEGER)


def rfm_inputs(rules: RfmRules) -> frozenset[str]:
    """The facts the model reads."""
    return frozenset(rules.reads.values())


def segments_read(rules: RfmRules) -> frozenset[str]:
    """The classes the segments look at."""
    return frozenset(
        name for item in rules.segments if item.when is not None for name in names(item.when)
    )
