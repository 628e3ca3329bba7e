"""Every check fails for the connector that breaks its promise, and passes for the honest one."""

from __future__ import annotations

import pytest

from crmsync.testing.contract import CONTRACT, cases
from crmsync.testing.memory_harness import SHAPES, MemoryHarness
from crmsync.testing.mutant import Mutant, MutantHarness
from crmsync.testing.mutants import MUTANTS

HONEST = cases(
    {name: lambda quirks=quirks: MemoryHarness(quirks) for name, quirks in SHAPES.items()}, CONTRACT
)
BROKEN = [
    pytest.param(mutant, shape, id=f"{mutant.number}-{mutant.name}-{shape}")
    for mutant in MUTANTS
    for shape, quirks in SHAPES.items()
    if mutant.needs(quirks.capabilities())
]


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.id)
def test_the_honest_connector_keeps_every_promise_in_every_shape(case) -> None:
    case.run()


@pytest.mark.parametrize(("mutant", "shape"), BROKEN)
def test_a_check_catches_its_mutant(mutant: Mutant, shape: str) -> None:
    harness = MutantHarness(MemoryHarness(SHAPES[shape]), mutant)
    check = next(check for check in CONTRACT if check.number == mutant.number)
    with pytest.raises(AssertionError):
        check.run(harness)


def test_every_promise_has_a_check_and_every_check_a_mutant() -> None:
    assert [check.number for check in CONTRACT] == list(range(1, 13))
    assert {mutant.number for mutant in MUTANTS} == set(range(1, 13))
    assert all(check.promise for check in CONTRACT)
