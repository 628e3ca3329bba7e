"""A plan is the same, byte for byte, whether the policy was asked about everybody or not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlglot import exp
from tests.bench.world import AS_OF
from tests.unit.project.two_days import DAYS, World

from crmsync.condition import parse_condition
from crmsync.evaluate import matching, opened_tasks, population
from crmsync.model.position import NOWHERE
from crmsync.model.table import HitPolicy
from crmsync.model.tier import TierRow, TierTable
from crmsync.project import evaluating
from crmsync.rules.language import state_scope

CUSTOMERS = 160


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, customers=CUSTOMERS, orders=1500)
    yield made
    made.close()


def both(world, day):
    filtered, lines = world.plan(day)
    whole, _ = world.plan(day, filtered=False)
    assert filtered.same == whole.same
    assert whole.dropped == 0
    return filtered, lines


def test_the_plan_is_the_same_with_and_without_the_filter(world):
    first, lines = both(world, AS_OF)
    assert first.dropped == 0
    world.apply(lines, AS_OF)
    again, _ = both(world, AS_OF)
    assert again.raw == b""
    for number, day in enumerate(DAYS):
        world.disturb(
            'UPDATE "Accounts" SET "Max_Overdue_Days" = 99, "Demand_Potential" = \'Low\' '
            f"WHERE CAST(id AS INTEGER) % 50 = {number}"
        )
        world.disturb(
            'UPDATE "Accounts" SET "Crmsync_Tier" = NULL, "Crmsync_Score" = "Crmsync_Score" + 2 '
            f"WHERE CAST(id AS INTEGER) % 40 = {number}"
        )
        made, lines = both(world, day)
        assert made.dropped > 0
        assert made.raw.count(b'"is":"Observation"') >= made.dropped
        if number != 1:
            world.apply(lines, day)
            again, _ = both(world, day)
            assert again.dropped > CUSTOMERS / 8


def tabled(rules):
    """The rules with tiers from a table over facts and the score."""

    def row(number, text, level, keep=None):
        when, found = parse_condition(text, NOWHERE, scope)
        assert when is not None, found
        return TierRow(when, level, keep or level, number, text)

    scope = state_scope(rules.facts, rules.tier.levels, ())
    rows = (
        row(2, "all(score ≥ 70, potential is 高)", "vip"),
        row(3, "revenue_12m ≥ 300000", "key", "vip"),
        row(4, "orders_12m ≥ 3", "standard", "key"),
        row(5, "overdue_days < 90", "basic"),
    )
    bare = tuple(replace(level, enter=None, keep=None) for level in rules.tier.levels)
    table = TierTable("tables/tier.csv", HitPolicy.FIRST, rows)
    return replace(rules, tier=replace(rules.tier, levels=bare, table=table))


def test_the_plan_is_the_same_where_tiers_come_from_a_table(tmp_path):
    world = World(tmp_path, customers=60, orders=500)
    try:
        world.rules = tabled(world.rules)
        _, lines = both(world, AS_OF)
        world.apply(lines, AS_OF)
        again, _ = both(world, AS_OF)
        assert again.raw == b""
        world.disturb(
            'UPDATE "Accounts" SET "Max_Overdue_Days" = 99, "Demand_Potential" = NULL '
            "WHERE CAST(id AS INTEGER) % 7 = 0"
        )
        made, lines = both(world, DAYS[0])
        assert 0 < made.dropped < 60
        assert any(item.kind == "fact_lost" for item in made.withheld)
    finally:
        world.close()


def test_the_filter_must_look_at_what_stands_in_the_fields(world, monkeypatch):
    _, lines = world.plan(AS_OF)
    world.apply(lines, AS_OF)
    world.disturb('UPDATE "Accounts" SET "Crmsync_Tier" = NULL WHERE CAST(id AS INTEGER) % 3 = 0')
    both(world, DAYS[0])
    monkeypatch.setattr(evaluating, "unmoved_sql", lambda *_: exp.true())

    careless, _ = world.plan(DAYS[0])
    whole, _ = world.plan(DAYS[0], filtered=False)

    assert careless.same != whole.same


def test_everybody_is_seen_however_many_rows_are_fetched_at_once(world, monkeypatch):
    monkeypatch.setattr(matching, "BATCH", 50)
    monkeypatch.setattr(population, "BATCH", 50)
    _, lines = world.plan(AS_OF)
    world.apply(lines, AS_OF)

    with world.opened(DAYS[0]) as opened:
        assert len(list(opened.evaluated())) == CUSTOMERS


@pytest.mark.parametrize("adopted", [False, True])
def test_customers_stand_where_the_policy_would_put_them(world, adopted):
    _, lines = world.plan(AS_OF)
    world.apply(lines, AS_OF)
    if adopted:  # what stands in the CRM's fields is all that is known
        world.store.states.forget(*world.scope, [line.ref for line in lines])
    with world.opened(DAYS[0]) as opened:
        decided = {item.row.ref.id: item.decision for item in opened.evaluated()}
    with world.opened(DAYS[0]) as opened:
        opened.place("places")
        mirror, _ = opened.mirrored
        placed = mirror.execute("SELECT id, tier, stage, score, opens FROM places").fetchall()
        (asked,) = mirror.execute("SELECT count(*) FROM wanted").fetchall()[0]

    assert {row[0] for row in placed} == set(decided)
    for id, tier, stage, tenths, opens in placed:
        decision = decided[id]
        total = decision.score.total if decision.score else None
        tasks = [(task.task_id, task.owner[0]) for task in decision.opens]
        stood = decision.tier.after, decision.lifecycle.after, total
        assert (tier, stage, None if tenths is None else Decimal(tenths) / 10) == stood
        assert opened_tasks(opens or "[]") == tasks
    assert asked <= CUSTOMERS * (1 if adopted else 0.4)


def test_what_the_project_allows_is_what_evaluating_may_hold(world):
    world.project.config.memory = "512 MB"

    with world.opened(DAYS[0]) as opened:
        (limit,) = opened.mirrored[0].execute("SELECT current_setting('memory_limit')").fetchone()

    assert limit == "488.2 MiB"
