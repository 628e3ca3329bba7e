"""Single-point changes of the model blocks: cut points, segments, rates and spans of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from crmsync.condition.numbers import number_text
from crmsync.model.clv import ClvRules
from crmsync.model.condition import Expression
from crmsync.model.period import Period
from crmsync.model.rfm import Part, RfmRules
from crmsync.model.ruleset import Ruleset
from crmsync.rules.mutant_sentences import Change, Sentences, nearby
from crmsync.rules.rfm_segments import class_scope


def model_changes(ruleset: Ruleset) -> Iterator[tuple[str, Ruleset, Change]]:
    """Each change of a model block: its place, the ruleset with it (facts not yet bound anew).

    How many classes the population is cut into is not changed: a case has no population.
    """
    if ruleset.rfm is not None:
        for place, rfm, change in _rfm(ruleset.rfm):
            yield place, replace(ruleset, rfm=rfm), change
    if ruleset.clv is not None:
        for place, clv, change in _clv(ruleset.clv):
            yield place, replace(ruleset, clv=clv), change


def _rfm(rules: RfmRules) -> Iterator[tuple[str, RfmRules, Change]]:
    for part in Part if rules.cuts is not None else ():
        assert rules.cuts is not None
        points = rules.cuts[part]
        for number, point in enumerate(points):
            for other in nearby(point, whole=part is Part.RECENCY):
                changed = (*points[:number], other, *points[number + 1 :])
                if all(low < high for low, high in pairwise(changed)):
                    spans = rules.cut_spans.get(part, ())
                    span = spans[number] if number < len(spans) else rules.span
                    text = Change(number_text(point), number_text(other), span)
                    yield (
                        f"rfm.cut.{part}",
                        replace(rules, cuts={**rules.cuts, part: changed}),
                        text,
                    )
    sentences = Sentences(class_scope())
    for number, segment in enumerate(rules.segments):
        if segment.when is None:
            continue
        for when, change in sentences.of(segment.when):
            other_one = replace(segment, when=when)
            segments = (*rules.segments[:number], other_one, *rules.segments[number + 1 :])
            yield f"rfm.segments.{segment.id}", replace(rules, segments=segments), change


def _clv(rules: ClvRules) -> Iterator[tuple[str, ClvRules, Change]]:
    if rules.window is None:
        return  # BG/NBD is bound to a fit, which a case does not have
    for rate, change in _rates(rules.margin):
        yield "clv.margin", replace(rules, margin=rate), change
    for rate, change in _rates(rules.retention):
        yield "clv.retention", replace(rules, retention=rate), change
    for period, change in _periods(rules.horizon, rules):
        yield "clv.horizon", replace(rules, horizon=period), change
    for period, change in _periods(rules.window, rules):
        yield "clv.window", replace(rules, window=period), change


def _rates(rate: Expression | None) -> Iterator[tuple[Expression, Change]]:
    if rate is not None:
        yield from Sentences(class_scope()).of_expression(rate)


def _periods(period: Period, rules: ClvRules) -> Iterator[tuple[Period, Change]]:
    unit, size = ("months", period.months) if period.months else ("days", period.days)
    for other in nearby(Decimal(size), whole=True):
        if other > 0:
            changed = Period(months=int(other)) if period.months else Period(days=int(other))
            yield changed, Change(f"{size} {unit}", f"{other} {unit}", rules.span)
