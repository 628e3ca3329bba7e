"""Compiled Python, one SQL statement and the rete networks give the same verdicts.

The short form runs always; ``CRMSYNC_PROOFS=1`` makes it more than a million verdicts of each.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from tests.unit.condition_execution import agreement, trees
from tests.unit.rete.extension import PROOFS, needed

from crmsync.evaluate.rete import ReteNetworks
from crmsync.evaluate.rete_native import Network
from crmsync.evaluate.rete_paths import FactTest
from crmsync.model.condition import Comparison

pytestmark = needed

BATCHES, ROWS = (220, 320) if PROOFS else (25, 20)
MILLION = 1_000_000
PATIENT = settings(
    max_examples=BATCHES,
    deadline=None,
    derandomize=not PROOFS,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate] if PROOFS else list(Phase),
)
WIDTH = 16


def drawn(seed: int, count: int) -> list[tuple[object, ...]]:
    """Rows of awkward values, one in six of them unknown."""
    source = random.Random(seed)
    kinds = [trees.VALUES[kind] for kind, _ in trees.COLUMNS.values()]
    return [
        tuple(None if source.random() < 1 / 6 else source.choice(values) for values in kinds)
        for _ in range(count)
    ]


class Tally:
    verdicts = 0


@pytest.mark.slow
def test_three_matchers_agree_over_generated_conditions_and_awkward_records():
    @PATIENT
    @given(st.lists(trees.conditions(), min_size=WIDTH, max_size=WIDTH), st.integers(0, 2**32))
    def agree(conditions, seed):
        rows = drawn(seed, ROWS)
        expected = agreement.by_python(conditions, rows)

        assert agreement.by_rete(conditions, rows) == expected
        assert agreement.by_sql(conditions, rows) == expected
        Tally.verdicts += len(conditions) * len(rows)

    Tally.verdicts = 0
    agree()
    if PROOFS:
        assert Tally.verdicts > MILLION


class TakesLessForAtMost(ReteNetworks):
    def paths(self, condition):
        return tuple(tuple(map(self.wrong, path)) for path in super().paths(condition))

    @staticmethod
    def wrong(test):
        if isinstance(test, FactTest) and test.comparison is Comparison.LE:
            return test._replace(comparison=Comparison.LT)
        return test


class KnowsOnlyTheFirstWay(ReteNetworks):
    def paths(self, condition):
        return super().paths(condition)[:1]


class ForgetsTheLastTest(ReteNetworks):
    def paths(self, condition):
        return tuple(path[:-1] if len(path) > 1 else path for path in super().paths(condition))


class TakesUnknownForLeast(ReteNetworks):
    unknown = "-1"


class MeetsEveryConstantBetween(ReteNetworks):
    def place(self, constants, kind):
        exact = super().place(constants, kind)
        return lambda value: exact(value) | 1


class ComparesLettersWithoutCase(ReteNetworks):
    def place(self, constants, kind):
        exact = super().place(constants, kind)
        folded = {str(item).lower(): item for item in constants}
        return lambda value: exact(folded.get(str(value).lower(), value))


class LosesFirings(Network):
    def match(self, line):
        return super().match(line)[:1]


class HearsOnlyOnce(ReteNetworks):
    def network(self, rules):
        return LosesFirings(rules)


MUTANTS = [
    TakesLessForAtMost,
    KnowsOnlyTheFirstWay,
    ForgetsTheLastTest,
    TakesUnknownForLeast,
    MeetsEveryConstantBetween,
    ComparesLettersWithoutCase,
    HearsOnlyOnce,
]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_network_is_caught(mutant):
    def differs(sample):
        conditions, seed = sample
        rows = drawn(seed, ROWS)
        try:
            said = agreement.by_rete(conditions, rows, mutant)
        except AssertionError:
            return True
        return said != agreement.by_python(conditions, rows)

    samples = st.tuples(
        st.lists(trees.conditions(), min_size=WIDTH, max_size=WIDTH), st.integers(0, 2**32)
    )
    search = settings(
        max_examples=400,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    assert find(samples, differs, settings=search) is not None
