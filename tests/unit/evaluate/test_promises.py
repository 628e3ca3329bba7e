"""What an explanation promises holds for rulesets and customers nobody thought of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from tests.unit.evaluate.random_rules import TODAY, random_facts, random_rules

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
)
from crmsync.model.decision import Because, Decision, Explanation, WhatIf
from crmsync.model.fact import FactType, FactValue
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState, Standing

REF = RecordRef("Accounts", "1")
WAITING = {Because.PATIENCE, Because.GRACE, Because.REVIEW, Because.FACT_LOST}
SEEDS = (*range(8), 15, 22, 26, 27, 37, 58)
Facts = Mapping[str, FactValue]


@cache
def engine_of(seed: int) -> Engine:
    return Engine(random_rules(seed))


def customers(seed: int) -> list[tuple[Facts, CustomerState]]:
    """Three customers of one ruleset: placed in any tier, known before, for any time."""
    made, engine = Random(seed), engine_of(seed)
    assert engine.ruleset.tier is not None
    tiers = [level.id for level in engine.ruleset.tier.levels]
    found = []
    for number in range(3):
        facts = random_facts(1000 * seed + number)
        since = TODAY - timedelta(days=made.randint(1, 300))
        standing = Standing(made.choice(tiers), since, since)
        state = CustomerState(REF, standing, known_facts=frozenset(facts))
        found.append((facts, state))
    return found


def decided(engine: Engine, facts: Facts, state: CustomerState, day: date) -> Decision:
    row = row_from_facts(engine, REF, facts, day)
    (matched,) = match_compiled([row], engine, day)
    return decide(engine, matched, state, EvaluationContext(day))


def explained(seed: int) -> list[tuple[Engine, Facts, CustomerState, Explanation]]:
    engine = engine_of(seed)
    found = []
    for facts, state in customers(seed):
        row = row_from_facts(engine, REF, facts, TODAY)
        shown = explain(engine, row, state, EvaluationContext(TODAY))
        found.append((engine, facts, state, shown))
    return found


def lived(
    engine: Engine, facts: Facts, state: CustomerState, until: date
) -> tuple[str | None, str | None]:
    """The tier on that day, and on the one before, when every day is evaluated and written."""
    day, decision, before = TODAY, decided(engine, facts, state, TODAY), None
    while day < until:
        day += timedelta(days=1)
        assert decision.tier is not None
        before = decision.tier.after
        state = CustomerState(REF, decision.standing, decision.clocks, decision.known_facts)
        decision = decided(engine, facts, state, day)
    assert decision.tier is not None
    return decision.tier.after, before


def uneasy(decision: Decision) -> bool:
    """Whether something only holds the tier up for now."""
    assert decision.tier is not None
    low = decision.clocks.below_keep_since is not None
    return decision.tier.because in WAITING or (low and decision.tier.because == Because.HOLD)


def nearer(engine: Engine, item: WhatIf, facts: Facts) -> FactValue:
    """The promised value, one unit of the fact back towards where it stands."""
    assert item.fact is not None
    fact, now = engine.ruleset.fact(item.fact), facts.get(item.fact)
    if fact.type is FactType.DATE:
        assert isinstance(item.value, date)
        start = now if isinstance(now, date) else TODAY
        return item.value + timedelta(days=1 if start > item.value else -1)
    unit = Decimal(1)
    if fact.type is FactType.PERCENT:
        unit = Decimal("0.001")
    elif fact.type is FactType.NUMBER and abs(Decimal(str(now or 0))) < 100:
        unit = Decimal("0.1")
    value, start = Decimal(str(item.value)), Decimal(str(now or 0))
    step = value + (unit if start > value else -unit)
    past = (start > value) is not (start > step)
    found = start if past else step
    if fact.type is FactType.INTEGER:
        return int(found)
    return found if fact.type is FactType.MONEY else float(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_points_add_up_and_changes_do_what_is_said(seed: int) -> None:
    for engine, facts, state, shown in explained(seed):
        now = shown.decision
        assert now.tier is not None
        if now.score is not None:
            assert sum(line.low for line in now.score.criteria) == now.score.low
            assert sum(line.high for line in now.score.criteria) == now.score.high
        for item in shown.what_if:
            changed = facts if item.fact is None else {**facts, item.fact: item.value}
            on, before = lived(engine, changed, state, item.on or TODAY)
            assert on == item.tier, item
            if item.on is not None:
                assert before != item.tier, item
            if item.fact is None or engine.ruleset.fact(item.fact).type in {
                FactType.CHOICE,
                FactType.YES_NO,
            }:
                continue
            if facts.get(item.fact) is None and item.value in {TODAY, 0}:
                continue  # unknown before: the first value there is does it
            short = {**facts, item.fact: nearer(engine, item, facts)}
            less = decided(engine, short, state, TODAY)
            assert less.tier is not None
            if item.on is not None:  # it was to begin a fall: one unit less begins none
                assert less.tier.after == now.tier.after, item
                assert not uneasy(less), item
            elif item.tier == now.tier.after:  # it was to secure the tier
                assert uneasy(less) or less.tier.after != item.tier, item
            else:
                assert less.tier.after != item.tier, item


def test_there_are_promises_of_every_kind() -> None:
    kinds = {
        (item.fact is not None, item.on is not None)
        for seed in SEEDS
        for *_, shown in explained(seed)
        for item in shown.what_if
    }
    assert kinds == {(True, False), (True, True), (False, True)}
