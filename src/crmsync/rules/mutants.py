"""Rulesets that differ from the one written in a single spot: what cases should notice.

Mutated are thresholds (a tenth down and up), edges (≥ and >), operators, parts of lists, points,
anchors, missing policies, tier lines and policy numbers, exceptions, moves, waiting times, tasks
and the values and formulas of facts. Not mutated, for no case looks at them: titles, labels,
owners, due dates, priorities, guards, the people of ``for_each``, and service values that drive no
task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from crmsync.condition import names
from crmsync.condition.binding import bind
from crmsync.model.fact import FactType, FactValue
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.scorecard import Criterion
from crmsync.model.segment import Segment
from crmsync.model.service import ServiceLevel
from crmsync.model.task import EveryPeriod
from crmsync.rules.language import state_scope
from crmsync.rules.mutant_models import model_changes
from crmsync.rules.mutant_points import criterion_changes, plain
from crmsync.rules.mutant_population import group_changes, newcomer_changes, season_changes
from crmsync.rules.mutant_sentences import WITHOUT, Change, Sentences, maybe, nearby
from crmsync.rules.mutant_tasks import length, longer, task_changes
from crmsync.rules.mutant_tier import tier_changes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A ruleset with one spot changed; ``place`` is the part of the rules it belongs to."""

    place: str
    change: Change
    ruleset: Ruleset


def mutants(ruleset: Ruleset) -> Iterator[Mutant]:
    """Every single-point mutant, in the order of the blocks; the same ones every time."""
    levels = () if ruleset.tier is None else ruleset.tier.levels
    stages = () if ruleset.lifecycle is None else ruleset.lifecycle.stages
    sentences = Sentences(state_scope(ruleset.facts, levels, stages))
    yield from _facts(ruleset, sentences)
    for place, models, change in model_changes(ruleset):
        yield Mutant(place, change, bind(models))
    yield from _scorecards(ruleset, sentences)
    if ruleset.tier is not None:
        for place, tier, change in tier_changes(ruleset.tier, sentences):
            yield Mutant(f"tier.{place}", change, replace(ruleset, tier=tier))
    if ruleset.lifecycle is not None:
        for place, cycle, change in _lifecycle(ruleset.lifecycle, sentences):
            yield Mutant(f"lifecycle.{place}", change, replace(ruleset, lifecycle=cycle))
    yield from _service(ruleset)
    for newcomer, change in newcomer_changes(ruleset):
        yield Mutant("newcomer", change, replace(ruleset, newcomer=newcomer))
    if ruleset.applies_to is not None:
        for condition, change in maybe(ruleset.applies_to, sentences):
            yield Mutant("applies_to", change, replace(ruleset, applies_to=condition))
    for group, change in group_changes(ruleset):
        yield Mutant("group", change, replace(ruleset, group=group))
    for season, change in season_changes(ruleset):
        yield Mutant("active_months", change, replace(ruleset, season=season))
    for number, segment in enumerate(ruleset.segments):
        for other, change in _segment(segment, sentences):
            segments = exchanged(ruleset.segments, number, other)
            yield Mutant(f"segments.{segment.id}", change, replace(ruleset, segments=segments))
    for number, task in enumerate(ruleset.tasks):
        for changed, change in task_changes(task, sentences):
            tasks = exchanged(ruleset.tasks, number, changed)
            yield Mutant(f"tasks.{task.id}", change, replace(ruleset, tasks=tasks))


def exchanged(items: tuple[T, ...], number: int, item: T | None) -> tuple[T, ...]:
    """*items* with another one in that place, or with none."""
    middle = () if item is None else (item,)
    return (*items[:number], *middle, *items[number + 1 :])


# ── facts and scores ───────────────────────────────────────────────────────────────────────────


def _facts(ruleset: Ruleset, sentences: Sentences) -> Iterator[Mutant]:
    for number, fact in enumerate(ruleset.facts):
        if fact.model:
            continue
        for changed, change in _fact(fact, sentences):
            facts = exchanged(ruleset.facts, number, changed)
            yield Mutant(f"facts.{fact.id}", change, replace(ruleset, facts=facts))


def _fact(fact: FactDefinition, sentences: Sentences) -> Iterator[tuple[FactDefinition, Change]]:
    if fact.formula is not None:
        for formula, change in sentences.of_expression(fact.formula):
            yield replace(fact, formula=formula), change
    if fact.missing is not None:
        text = f"missing: {_value(fact.missing)}"
        if fact.missing is not False:  # a condition that is unknown does no more than a false one
            yield replace(fact, missing=None), Change(text, WITHOUT, fact.span)
        other = _other(fact.missing)
        # one unit of money more is nothing anybody could see
        if other is not None and fact.type is not FactType.MONEY:
            change = Change(text, f"missing: {_value(other)}", fact.span)
            yield replace(fact, missing=other), change
    if fact.valid_for is not None:
        text, other_period = f"valid_for: {length(fact.valid_for)}", longer(fact.valid_for)
        yield replace(fact, valid_for=None), Change(text, WITHOUT, fact.span)
        change = Change(text, f"valid_for: {length(other_period)}", fact.span)
        yield replace(fact, valid_for=other_period), change
    if fact.between is not None:
        low, high = fact.between
        whole = fact.type is FactType.INTEGER
        for ends in (
            (low, nearby(high, whole=whole)[0]),
            (nearby(low, whole=whole)[1], high),
        ):
            if ends[0] <= ends[1]:
                change = Change(
                    f"between: {plain(low)}..{plain(high)}",
                    f"between: {plain(ends[0])}..{plain(ends[1])}",
                    fact.span,
                )
                yield replace(fact, between=ends), change


def _other(value: FactValue) -> FactValue:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float | Decimal):
        return type(value)(value + 1)
    return None


def _value(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _scorecards(ruleset: Ruleset, sentences: Sentences) -> Iterator[Mutant]:
    for at, card in enumerate(ruleset.scorecards):
        if card.when is not None:
            for condition, change in maybe(card.when, sentences):
                cards = exchanged(ruleset.scorecards, at, replace(card, when=condition))
                yield Mutant(f"{card.id}.when", change, replace(ruleset, scorecards=cards))
        for number, criterion in enumerate(card.criteria):
            can_miss = bool(_unsure(criterion, ruleset))
            for changed, change in criterion_changes(criterion, sentences, can_miss=can_miss):
                criteria = exchanged(card.criteria, number, changed)
                cards = exchanged(ruleset.scorecards, at, replace(card, criteria=criteria))
                place = f"{card.id}.{criterion.id}"
                yield Mutant(place, change, replace(ruleset, scorecards=cards))


def _unsure(criterion: Criterion, ruleset: Ruleset) -> frozenset[str]:
    """The facts below a criterion that may be unknown; formulas may always be."""
    read = frozenset(name for way in criterion.ways for of in way.operands for name in names(of))
    sure = {fact.id for fact in ruleset.facts if fact.missing is not None}
    return read - sure


# ── lifecycle ──────────────────────────────────────────────────────────────────────────────────


def _lifecycle(
    rules: LifecycleRules, sentences: Sentences
) -> Iterator[tuple[str, LifecycleRules, Change]]:
    for number, move in enumerate(rules.moves):
        for changed, change in _move(move, sentences):
            moves = exchanged(rules.moves, number, changed)
            yield f"moves.{move.id}", replace(rules, moves=moves), change


def _move(move: Move, sentences: Sentences) -> Iterator[tuple[Move | None, Change]]:
    yield None, Change(f"{' '.join(move.sources)} → {move.to}", WITHOUT, move.span)
    if len(move.sources) > 1:
        for source in move.sources:
            rest = tuple(item for item in move.sources if item != source)
            change = Change(
                f"from: {', '.join(move.sources)}", f"from: {', '.join(rest)}", move.span
            )
            yield replace(move, sources=rest), change
    for condition, change in sentences.of(move.when):
        yield replace(move, when=condition), change
    for days in days_near(move.lasting):
        change = Change(f"lasting: {move.lasting}", f"lasting: {days}", move.span)
        yield replace(move, lasting=days), change


def days_near(days: int) -> tuple[int, ...]:
    """Other numbers of days: a tenth fewer and more; where there is no waiting, a week."""
    if not days:
        return (7,)
    return tuple(int(end) for end in nearby(Decimal(days), whole=True) if end >= 0)


# ── service and tasks ──────────────────────────────────────────────────────────────────────────


def _service(ruleset: Ruleset) -> Iterator[Mutant]:
    driving = {
        task.event.service_value for task in ruleset.tasks if isinstance(task.event, EveryPeriod)
    }
    for tier, level in ruleset.service.items():
        rest = {key: value for key, value in ruleset.service.items() if key != tier}
        change = Change(f"{tier}: …", WITHOUT, level.span)
        yield Mutant(f"service.{tier}", change, replace(ruleset, service=rest))
        for changed, change in _driving(level, driving):
            service = {**ruleset.service, tier: changed}
            yield Mutant(f"service.{tier}", change, replace(ruleset, service=service))


def _driving(
    level: ServiceLevel, driving: Iterable[str | None]
) -> Iterator[tuple[ServiceLevel, Change]]:
    """Changes of the periods that tasks go by."""
    for number, value in enumerate(level.values):
        if value.name not in driving or value.period is None:
            continue
        other = longer(value.period)
        values = exchanged(level.values, number, replace(value, period=other))
        change = Change(length(value.period), length(other), value.span)
        yield replace(level, values=values), change


def _segment(segment: Segment, sentences: Sentences) -> Iterator[tuple[Segment | None, Change]]:
    yield None, Change(segment.id, WITHOUT, segment.span)
    for condition, change in sentences.of(segment.when):
        yield replace(segment, when=condition), change
