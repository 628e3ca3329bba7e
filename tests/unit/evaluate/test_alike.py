"""Customers who are alike are placed by one of them, and each would have been placed just so.

Everybody has a sibling who differs in a fact or two. What must be shared is left out part by part:
each time somebody is placed where the policy would not put them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from tests.unit.evaluate.build import BEST, criteria, exceptions, moves, when, with_tier
from tests.unit.evaluate.steady_world import (
    DAYS,
    Customer,
    customer,
    drawn,
    opened,
    replace_missing,
    rulesets,
)

from crmsync.evaluate import (
    Asked,
    Engine,
    EvaluatedPopulation,
    Placing,
    decide,
    opened_tasks,
    row_from_facts,
)
from crmsync.evaluate import alike as module
from crmsync.model.condition import All
from crmsync.model.lifecycle import Move
from crmsync.model.record import RecordRef
from crmsync.model.scorecard import Scorecard
from crmsync.model.state import Clocks, Snapshot, Standing, StoredState
from crmsync.model.tier import DownChange, Patience

MANY = 60
NAMES = [
    "crossed",
    "scored",
    "whole",
    "skip",
    "two cards",
    "table",
    "table of score",
    "visits",
    "days",
    "segments",
    "state",
]


def rules_of(name):
    """The rules of that name; "crossed" holds facts beside state, "scored" moves by the score."""
    whole = rulesets()["whole"]
    if name == "crossed":
        crossed = All((when("usual_gap > 20"), when("tier in key, standard, basic")))
        since = when("last_order_on > lifecycle_since")
        first = Move("since", ("repeat", "first"), "won_back", since)
        whole = replace(
            whole,
            tier=replace(whole.tier, exceptions=(replace(exceptions()[0], when=crossed),)),
        )
    elif name == "scored":
        sources = ("repeat", "first", "loyal", "at_risk", "churned")
        first = Move("high", sources, "won_back", when("score ≥ 50"))
    else:
        return rulesets()[name]
    return replace(whole, lifecycle=replace(whole.lifecycle, moves=(first, *moves())))


VARIED = {"crossed": ["usual_gap"], "scored": ["margin_12m"]}


def sibling(engine, item, source, as_of, number, varied):
    """The same customer under another id, some facts drawn anew."""
    ref = RecordRef(item.row.ref.object, f"s{number:05d}")
    facts, other = dict(item.row.facts), drawn(source, as_of)
    for name in varied or source.sample(sorted(other), source.randrange(3)):
        facts[name] = other[name]
    row = replace(row_from_facts(engine, ref, facts, as_of), name="Sibling", owner="u1")
    stored = None if item.stored is None else replace(item.stored, ref=ref)
    return replace(item, row=row, stored=stored, episodes=(), override=None)


@cache
def people(name, seed):
    engine, source = Engine(rules_of(name)), random.Random(f"{name}/{seed}")
    as_of = DAYS[seed % len(DAYS)]
    first = [customer(engine, number, source, as_of) for number in range(MANY)]
    others = [
        sibling(engine, item, source, as_of, number, VARIED.get(name))
        for number, item in enumerate(first)
    ]
    return engine, as_of, [*first, *others]


@cache
def expected(name, seed, folder):
    return decisions(folder, people(name, seed))


def decisions(folder, world):
    """Where the policy puts everybody."""
    engine, as_of, customers = world
    with opened(customers, engine, as_of, folder) as (connection, relation, told):
        population = EvaluatedPopulation(connection, relation, engine, as_of, Asked())
        matched = {row.row.ref: row for row in population.matched()}
        return {
            item.row.ref.id: decide(engine, matched[item.row.ref], *known)
            for item, known in zip(customers, told, strict=True)
        }


def look(folder, name, seed):
    """Who is placed wrongly, and about how many the policy was asked."""
    return compare(folder, people(name, seed), expected(name, seed, folder))


def compare(folder, world, decided):
    engine, as_of, customers = world
    with opened(customers, engine, as_of, folder) as (connection, relation, told):
        state = dict(zip((item.row.ref for item in customers), told, strict=True))
        asked = Asked(alike=True)
        placing = Placing(EvaluatedPopulation(connection, relation, engine, as_of, asked))
        count = 0
        for piece in placing.wanted():
            count += len(piece)
            placing.answer(decide(engine, row, *state[row.row.ref]) for row in piece)
        placing.place("places")
        query = "SELECT id, tier, stage, score, opens FROM places ORDER BY id"
        placed = connection.execute(query).fetchall()
    assert [row[0] for row in placed] == sorted(decided)
    return [row[0] for row in placed if row[1:] != told_of(decided[row[0]], row[4])], count


def told_of(decision, opens):
    tier, stage, score = decision.tier, decision.lifecycle, decision.score
    total = None if score is None or score.total is None else int(score.total * Decimal(10))
    tasks = [(task.task_id, task.owner[0] if task.owner else None) for task in decision.opens]
    same = opens if opened_tasks(opens or "[]") == tasks else tasks
    return tier and tier.after, stage and stage.after, total, same


@pytest.mark.parametrize("name", NAMES)
def test_everybody_is_placed_where_the_policy_would_put_them(tmp_path, name):
    wrong, asked = look(tmp_path, name, 0)

    assert wrong == []
    assert 0 < asked < MANY * 2


PARTS = {
    "_of_facts": ("whole",),
    "early": ("crossed",),
    "late": ("scored",),
    "_lines": ("scored",),
    "_state": ("whole",),
    "_due": ("days",),
}


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_must_be_shared_can_be_left_out(tmp_path, monkeypatch, part):
    monkeypatch.setattr(module.Likeness, part, lambda self, *_: [])

    assert any(look(tmp_path, name, seed)[0] for seed in range(3) for name in PARTS[part])


def low_in_key(policy, given):
    """Three of tier key who no longer earn it: margin known, never known, and lost."""
    lines = (*criteria()[:3], criteria()[4], criteria()[3])
    profit = replace_missing(lines[4], policy, given)
    engine = Engine(
        replace(
            with_tier(down=DownChange(Patience(days=0)), exceptions=()),
            scorecards=(Scorecard("c", (*lines[:4], profit)),),
        )
    )
    day, facts = DAYS[0], {**BEST, "orders_12m": 3, "revenue_12m": Decimal(0)}
    standing = Standing("key", date(2025, 1, 1), date(2025, 1, 1), "repeat", date(2025, 1, 1))
    clocks = Clocks(first_seen=date(2025, 1, 1), evaluated=day - timedelta(days=1))

    def one(id, margin, known):
        ref = RecordRef("Accounts", id)
        row = row_from_facts(engine, ref, {**facts, "margin_12m": margin}, day)
        known = frozenset(set(row.facts) - {"margin_12m"} | known)
        snapshot = Snapshot(standing, clocks, known)
        return Customer(row, StoredState(ref, snapshot, Snapshot(), clocks.evaluated))

    lost = {"margin_12m"}
    return engine, day, [one("a", 0.1, lost), one("b", None, set()), one("c", None, lost)]


@pytest.mark.parametrize(
    ("policy", "given", "part"), [("skip", None, "_lacking"), ("given", "5", "_unsure")]
)
def test_who_lacks_or_lost_a_fact_is_not_like_who_has_it(
    tmp_path, monkeypatch, policy, given, part
):
    world = low_in_key(policy, given)
    decided = decisions(tmp_path, world)
    assert len({decision.tier.after for decision in decided.values()}) == 2
    assert compare(tmp_path, world, decided)[0] == []

    monkeypatch.setattr(module.Likeness, part, lambda self: [])
    assert compare(tmp_path, world, decided)[0] != []


def test_whom_an_override_or_an_open_task_is_about_is_asked_for_alone(tmp_path):
    engine, as_of, customers = people("whole", 0)
    with opened(customers, engine, as_of, tmp_path) as (connection, relation, _):
        population = EvaluatedPopulation(connection, relation, engine, as_of, Asked(alike=True))
        Placing(population)
        alone = "SELECT id FROM evaluated WHERE alone AND NOT steady"
        found = {id for (id,) in connection.execute(alone).fetchall()}
        steady = "SELECT id FROM evaluated WHERE steady"
        found |= {id for (id,) in connection.execute(steady).fetchall()}

    told = {item.row.ref.id for item in customers if item.override or item.episodes}
    assert told
    assert told <= found
