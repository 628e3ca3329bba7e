"""The Fxiaoke connector keeps the ten promises, and each broken copy of it is caught."""

from __future__ import annotations

import pytest

from crmsync.testing.contract import CONTRACT, cases
from crmsync.testing.mutants import MUTANTS, Mutant, MutantHarness
from tests.contract.harness_fxiaoke import FxiaokeHarness


def _capabilities():
    with FxiaokeHarness() as harness:
        connector = harness.open()
        connector.close()
        return connector.capabilities


FITTING = [mutant for mutant in MUTANTS if mutant.needs(_capabilities())]


@pytest.mark.parametrize("case", cases({"fxiaoke": FxiaokeHarness}, CONTRACT), ids=lambda c: c.id)
def test_the_promise_is_kept(case) -> None:
    case.run()


@pytest.mark.parametrize("mutant", FITTING, ids=lambda m: f"{m.number}-{m.name}")
def test_its_mutant_is_caught(mutant: Mutant) -> None:
    check = next(check for check in CONTRACT if check.number == mutant.number)
    with FxiaokeHarness() as inner, pytest.raises(AssertionError):
        check.run(MutantHarness(inner, mutant))
