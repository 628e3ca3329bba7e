"""Mutants differ from their ruleset in one spot, can run, and are the same every time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.writing import RULESETS, typed

from crmsync.condition import Scope
from crmsync.evaluate import Engine
from crmsync.model.condition import Compare, Comparison, Literal, Name
from crmsync.model.fact import FactType
from crmsync.model.ruleset import Ruleset
from crmsync.rules import load, mutants
from crmsync.rules.digest import digest_of
from crmsync.rules.mutant_sentences import Sentences, nearby

SHIPPED = sorted(path.parent for path in RULESETS.glob("*/rules.yaml"))


def loaded(folder: Path) -> Ruleset:
    ruleset, _ = load(folder)
    assert ruleset is not None
    return ruleset


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_every_mutant_decides_by_other_rules_and_can_run(folder: Path) -> None:
    ruleset = loaded(folder)
    found = list(mutants(ruleset))
    assert len(found) > 100
    own = digest_of(ruleset)
    digests = [digest_of(mutant.ruleset) for mutant in found]
    assert own not in digests
    for mutant in found[::7]:
        Engine(mutant.ruleset)


def test_the_same_mutants_come_every_time(tmp_path: Path) -> None:
    ruleset = typed(tmp_path)
    one, other = ([m.change for m in mutants(ruleset)] for _ in range(2))
    assert one == other


def changes(ruleset: Ruleset, place: str) -> set[tuple[str, str]]:
    return {(m.change.before, m.change.after) for m in mutants(ruleset) if m.place == place}


def test_each_kind_of_change_is_there(tmp_path: Path) -> None:
    ruleset = typed(tmp_path)
    assert {
        ("orders_12m ≥ 12", "orders_12m > 12"),
        ("orders_12m ≥ 12", "orders_12m < 12"),
        ("orders_12m ≥ 12", "orders_12m ≥ 11"),
        ("orders_12m ≥ 12", "orders_12m ≥ 13"),
        ("≥ 12: 20", "≥ 12: 19"),
        ("≥ 6: 15", ""),
        ("frequency", ""),
    } <= changes(ruleset, "score.frequency")
    assert ("missing: hold", "missing: 0") in changes(ruleset, "score.potential")
    assert ("100000: 10", "100000: 9") in changes(ruleset, "score.money")
    assert ("100000: 10", "90000: 10") in changes(ruleset, "score.money")
    assert ("enter: 80", "enter: 84") in changes(ruleset, "tier.levels.vip")
    assert ("keep: 72", "keep: 68") in changes(ruleset, "tier.levels.vip")
    assert ("demote_after: 30 days", "demote_after: 27 days") in changes(
        ruleset, "tier.change.down"
    )
    assert ("hold: 90", "hold: 99") in changes(ruleset, "tier.change.down")
    assert ("lasting: 7", "lasting: 6") in changes(ruleset, "lifecycle.moves.active>quiet")
    assert ("tier in vip, key", "tier in key") in changes(ruleset, "tasks.call")
    assert ("between: 0..40", "between: 0..36") in changes(ruleset, "facts.judged")


def test_lines_stay_in_order(tmp_path: Path) -> None:
    for mutant in mutants(typed(tmp_path)):
        tier = mutant.ruleset.tier
        assert tier is not None
        enters = [level.enter for level in tier.ranked if level.enter is not None]
        assert enters == sorted(enters, reverse=True)
        assert all(
            level.keep is None or level.enter is None or level.keep <= level.enter
            for level in tier.ranked
        )


def test_a_policy_nothing_hangs_on_is_left_alone(tmp_path: Path) -> None:
    # orders_12m is 0 when nothing is known, so the criterion is never missing
    assert ("missing: hold", "missing: 0") not in changes(typed(tmp_path), "score.frequency")


@pytest.mark.parametrize(
    ("value", "whole", "ends"),
    [
        ("30", False, ("27", "33")),
        ("6", True, ("5", "7")),
        ("2", False, ("1", "3")),
        ("0.3", False, ("0.27", "0.33")),
        ("0", False, ("-1", "1")),
        ("7.5", False, ("6.75", "8.25")),
    ],
)
def test_nearby_values(value: str, whole: bool, ends: tuple[str, str]) -> None:
    assert nearby(Decimal(value), whole=whole) == tuple(Decimal(end) for end in ends)


def test_a_change_is_told_as_the_whole_comparison() -> None:
    node = Compare(Comparison.GT, Name("margin", FactType.PERCENT), Literal(0.2, FactType.PERCENT))
    told = {(c.before, c.after) for _, c in Sentences(Scope()).of(node)}
    assert ("margin > 20%", "margin > 22%") in told
    assert ("margin > 20%", "margin ≥ 20%") in told
