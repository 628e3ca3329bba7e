"""Plans over judgements that grow old: the same with and without the filter, and told as time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench.world import AS_OF
from tests.unit.project.two_days import DAYS, World

from crmsync.model.decision import Cause
from crmsync.model.mapping import FieldPick, FieldSource, JudgedFields
from crmsync.model.period import Period
from crmsync.model.plan import Observation, RecordChange

JUDGED = "potential"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The potential of a customer is judged; the day it was is the day the tier began."""
    made = World(tmp_path, customers=60, orders=400)
    facts = tuple(
        replace(fact, judged_by="account owner") if fact.id == JUDGED else fact
        for fact in made.rules.facts
    )
    made.rules = replace(made.rules, facts=facts)
    source = made.mapping.read[JUDGED]
    assert isinstance(source, FieldSource)
    beside = JudgedFields(date=FieldPick("Crmsync_Tier_Since"), valid_for=Period(days=20))
    read = {**made.mapping.read, JUDGED: replace(source, judged=beside)}
    made.mapping = replace(made.mapping, read=read)
    yield made
    made.close()


def known(world: World, day: object) -> int:
    with world.opened(day) as opened:  # type: ignore[arg-type]
        return sum(item.row.facts[JUDGED] is not None for item in opened.evaluated())


def test_an_old_judgement_moves_nobody_down_and_the_plan_is_the_same_either_way(
    world: World,
) -> None:
    assert known(world, AS_OF) == 0  # nothing says yet on which day anybody was judged
    _, lines = world.plan(AS_OF)
    world.apply(lines, AS_OF)
    assert known(world, DAYS[0]) > 20
    _, lines = world.plan(DAYS[0])
    world.apply(lines, DAYS[0])

    assert known(world, DAYS[2]) == 0
    made, lines = world.plan(DAYS[2])
    whole, _ = world.plan(DAYS[2], filtered=False)
    assert made.same == whole.same
    changes = [line for line in lines if isinstance(line, RecordChange)]
    assert {line.cause for line in changes} <= {Cause.TIME, Cause.FIRST}
    assert any(isinstance(line, Observation) for line in lines)
