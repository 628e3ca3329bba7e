"""Nobody the filter drops would have been changed by the policy, and the figures of those are true.

The filter's parts are left out one by one: each time somebody is dropped who should not have been.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import pytest
from tests.unit.evaluate.steady_world import DAYS, complaints, customer, opened, rulesets

from crmsync.evaluate import Asked, Engine, EvaluatedPopulation, decide
from crmsync.evaluate import steady as module
from crmsync.evaluate.population import TABLE
from crmsync.model.fact import MatchedRow
from crmsync.model.tier import Level

MANY = 120


@dataclass
class Seen:
    """What became of one population."""

    wrong: dict[str, list[str]]
    dropped: int
    figures: object
    expected: object


@cache
def people(name, seed):
    engine, source = Engine(rulesets()[name]), random.Random(f"{name}/{seed}")
    return engine, [customer(engine, n, source, DAYS[seed % len(DAYS)]) for n in range(MANY)]


def look(folder, name, seed) -> Seen:
    """One population under the rules of that name: every dropped row put to the policy."""
    engine, customers = people(name, seed)
    as_of = DAYS[seed % len(DAYS)]
    with opened(customers, engine, as_of, folder) as (connection, relation, told):
        population = EvaluatedPopulation(connection, relation, engine, as_of, Asked())
        matched = {row.row.ref: row for row in population.matched()}
        kept = {row.row.ref for row in population.rows() if isinstance(row, MatchedRow)}
        figures = population.steady()
        scores = dict(_scores(connection))
    wrong, places, incomplete, missing = {}, Counter(), 0, Counter()
    for item, (state, context) in zip(customers, told, strict=True):
        ref = item.row.ref
        assert matched[ref].row.facts == item.row.facts
        decision = decide(engine, matched[ref], state, context)
        if ref.id in scores and decision.score is not None:
            assert scores[ref.id] == (decision.score.low * 10, decision.score.high * 10)
        if ref in kept:
            continue
        found = complaints(decision, item.row, state, as_of)
        if found:
            wrong[ref.id] = found
        places[state.standing.tier, state.standing.lifecycle] += 1
        lacking = decision.score.missing if decision.score else ()
        incomplete += bool(decision.unknown or lacking)
        missing.update(name for name, value in item.row.facts.items() if value is None)
    expected = (incomplete, dict(places), dict(missing))
    given = (figures.incomplete, dict(figures.places), dict(figures.missing))
    return Seen(wrong, len(customers) - len(kept), given, expected)


def _scores(connection):
    """Id and the range in tenths, where the statement is certain of it."""
    query = f"SELECT id, s_low, s_high FROM {TABLE} WHERE NOT s_doubt"
    return ((id, (low, high)) for id, low, high in connection.execute(query).fetchall())


@pytest.mark.parametrize("name", rulesets())
def test_nothing_changes_for_a_row_that_is_dropped(tmp_path, name):
    dropped = 0
    for seed in range(4):
        seen = look(tmp_path, name, seed)

        assert seen.wrong == {}
        assert seen.figures == seen.expected
        dropped += seen.dropped
    assert dropped > MANY / 10


PARTS = [
    "state",
    "values",
    "tier",
    "exceptions",
    "lifecycle",
    "task",
    "close",
    "segments",
    "watched",
]


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_the_filter_can_be_left_out(tmp_path, monkeypatch, part):
    whole = module.Steady.conditions

    def without(self):
        return {name: test for name, test in whole(self).items() if name.split()[0] != part}

    monkeypatch.setattr(module.Steady, "conditions", without)

    def caught(name, seed):
        seen = look(tmp_path, name, seed)
        return bool(seen.wrong) or seen.figures != seen.expected

    assert any(caught(name, seed) for seed in range(4) for name in rulesets())


def test_rules_with_a_key_the_filter_does_not_know_drop_nobody(tmp_path, monkeypatch):
    keys = module.KNOWN[Level] - {"keep"}
    monkeypatch.setattr(module, "KNOWN", {**module.KNOWN, Level: keys})

    assert look(tmp_path, "whole", 0).dropped == 0


def test_without_filtering_everybody_is_kept(tmp_path):
    engine, source = Engine(rulesets()["whole"]), random.Random(1)
    customers = [customer(engine, n, source, DAYS[0]) for n in range(20)]
    with opened(customers, engine, DAYS[0], tmp_path) as (connection, relation, _):
        population = EvaluatedPopulation(
            connection, relation, engine, DAYS[0], replace(Asked(), filtered=False)
        )

        assert len(list(population.rows())) == 20
        assert population.steady().rows == 0
