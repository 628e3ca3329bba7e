"""Guards: figures of a plan against limits, each with its own name and its own consent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from crmsync.model.decision import Cause
from crmsync.model.guard import GuardLimit
from crmsync.model.plan import (
    Direction,
    GuardResult,
    PlanCounts,
    PlanLine,
    RecordChange,
    TaskCreate,
)

FEWEST = 10
"""Default shares say nothing about a handful of customers; limits a file declares always count."""

DEFAULTS = (
    GuardLimit("records_changed", Decimal("0.30"), share=True),
    GuardLimit("records_changed", Decimal(5000), share=False),
    GuardLimit("first_assignments", Decimal("0.30"), share=True),
    GuardLimit("first_assignments", Decimal(5000), share=False),
    GuardLimit("tier_shift", Decimal("0.25"), share=True),
    GuardLimit("new_tasks", Decimal(200), share=False),
    GuardLimit("tasks_per_owner", Decimal(5), share=False),
    GuardLimit("population_shrink", Decimal("0.20"), share=True),
    GuardLimit("missing_rise", Decimal("0.20"), share=True),
    GuardLimit("rule_edit", Decimal("0.25"), share=True),
)
"""In force for every name the ruleset is silent about."""


@dataclass(slots=True)
class Tally:
    """What the guards count while a plan is made; first assignments count in their own guard."""

    changed: int = 0
    rises: int = 0
    falls: int = 0
    firsts: int = 0
    by_rule: int = 0
    pairs: Counter[str] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)
    """Tier → customers that came less those that left."""
    tasks: int = 0
    owners: Counter[str] = field(default_factory=Counter)

    def add(self, line: PlanLine) -> None:
        """Count one line."""
        if isinstance(line, TaskCreate):
            self.tasks += 1
            self.owners[line.owner or "–"] += 1
        if not isinstance(line, RecordChange) or not line.fields:
            return
        if line.direction is Direction.FIRST:
            self.firsts += 1
            return
        self.changed += 1
        if line.direction in {Direction.RISE, Direction.FALL}:
            self.gained[line.tier_after or "–"] += 1
            self.gained[line.tier_before or "–"] -= 1
            self.by_rule += line.cause is Cause.RULE
        self.rises += line.direction is Direction.RISE
        if line.direction is Direction.FALL:
            self.falls += 1
            self.pairs[f"{line.tier_before}→{line.tier_after}"] += 1


@dataclass(frozen=True, slots=True)
class _Figure:
    """What a guard measures at one place: so many of so many."""

    count: int
    of: int
    place: str = ""


def judge(
    tally: Tally,
    counts: PlanCounts,
    limits: Iterable[GuardLimit],
    *,
    previous: PlanCounts | None,
    source_ages: Mapping[str, int],
) -> tuple[GuardResult, ...]:
    """Every guard's figure against its limit.

    A guard measured at several places (pairs of tiers, owners, facts, sources) reports the places
    beyond the limit, or its highest one.
    """
    declared = tuple(limits)
    named = {limit.name for limit in declared}
    silent = tuple(limit for limit in DEFAULTS if limit.name not in named)
    figures = _figures(tally, counts, previous, source_ages)
    results: list[GuardResult] = []
    for limit in (*declared, *silent):
        small = limit in silent and limit.share and counts.evaluated < FEWEST
        at = figures.get(limit.name, ())
        if limit.place:
            at = _only(at, limit.place, counts.evaluated)
        found = [_result(limit, figure, small=small) for figure in at]
        tripped = [result for result in found if result.tripped]
        highest = sorted(found, key=lambda result: (-result.figure, result.place))[:1]
        results += tripped or highest
    return tuple(results)


def _only(figures: tuple[_Figure, ...], place: str, of: int) -> tuple[_Figure, ...]:
    """The figure of one place; nothing was counted at a place that is not among them."""
    found = tuple(figure for figure in figures if figure.place == place)
    return found or (_Figure(0, of, place),)


def _result(limit: GuardLimit, figure: _Figure, *, small: bool) -> GuardResult:
    ratio = Decimal(figure.count) / Decimal(figure.of) if figure.of else Decimal(0)
    value = ratio if limit.share else Decimal(figure.count)
    # rounded up, so that the consent shown always covers the figure
    enough = f"{int((ratio * 100).to_integral_value(ROUND_CEILING))}%"
    return GuardResult(
        name=limit.name,
        count=figure.count,
        of=figure.of,
        limit=limit.limit,
        share=limit.share,
        tripped=value > limit.limit and not small,
        allow=f"{limit.name}={enough if limit.share else figure.count}",
        place=figure.place,
    )


def _figures(
    tally: Tally,
    counts: PlanCounts,
    previous: PlanCounts | None,
    source_ages: Mapping[str, int],
) -> dict[str, tuple[_Figure, ...]]:
    every = counts.evaluated

    def share(count: int) -> tuple[_Figure, ...]:
        return (_Figure(count, every),)

    return {
        "records_changed": share(tally.changed),
        "tier_changes": share(tally.rises + tally.falls),
        "tier_shift": _places({tier: abs(net) for tier, net in tally.gained.items()}, every),
        "demotions": share(tally.falls),
        "demotions_by_pair": _places(tally.pairs, every),
        "first_assignments": share(tally.firsts),
        "new_tasks": share(tally.tasks),
        "tasks_per_owner": _places(tally.owners, every),
        "rule_edit": share(tally.by_rule),
        "population_shrink": tuple(_shrink(counts, previous)),
        "missing_rise": tuple(_missing(counts, previous)),
        "source_age": _places(source_ages, every),
    }


def _places(counted: Mapping[str, int], of: int) -> tuple[_Figure, ...]:
    return tuple(_Figure(counted[place], of, place) for place in sorted(counted))


def _shrink(counts: PlanCounts, previous: PlanCounts | None) -> Iterator[_Figure]:
    if previous is not None and previous.evaluated:
        lost = max(0, previous.evaluated - counts.evaluated)
        yield _Figure(lost, previous.evaluated)


def _missing(counts: PlanCounts, previous: PlanCounts | None) -> Iterator[_Figure]:
    """By how many customers the unknown values of a fact rose above the share they had before."""
    if previous is None or not previous.evaluated:
        return
    for fact in sorted(counts.missing_facts):
        before = Decimal(previous.missing_facts.get(fact, 0)) / previous.evaluated
        rise = counts.missing_facts[fact] - before * counts.evaluated
        yield _Figure(max(0, int(rise.to_integral_value(ROUND_CEILING))), counts.evaluated, fact)
