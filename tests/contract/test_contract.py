"""Every connector keeps the twelve promises against its own sandbox, over real sockets."""

from __future__ import annotations

import pytest
from tests.contract.installed import CONNECTORS, harnesses

from crmsync.testing.contract import CONTRACT, cases
from crmsync.testing.mutant import MutantHarness
from crmsync.testing.mutants import MUTANTS

HARNESSES = harnesses()


@pytest.mark.parametrize("case", cases(HARNESSES, CONTRACT), ids=lambda case: case.id)
def test_a_connector_keeps_its_promise(case) -> None:
    case.run()


def test_every_connector_has_a_harness() -> None:
    assert set(HARNESSES) == set(CONNECTORS)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.number}-{mutant.name}")
@pytest.mark.parametrize("name", HARNESSES)
def test_a_broken_connector_is_caught_over_sockets_too(name: str, mutant) -> None:
    with HARNESSES[name]() as harness:
        connector = harness.open()
        capabilities = connector.capabilities
        connector.close()
        if not mutant.needs(capabilities):
            return
        check = next(check for check in CONTRACT if check.number == mutant.number)
        with pytest.raises(AssertionError):
            check.run(MutantHarness(harness, mutant))
