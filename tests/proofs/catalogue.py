"""Every proof there is, in the order of the promises."""

from __future__ import annotations

from itertools import chain

from tests.proofs import (
    attacking,
    boundaries,
    canary_flows,
    canary_suite,
    crash_points,
    durable,
    editing,
    editing_live,
    fuzzing,
    kills,
    matchers,
    network,
    outcomes,
    overlap,
    plans,
    private,
    reading,
    repeating,
    sameness,
    slots,
)
from tests.proofs.proof import Proof

MODULES = (
    attacking,
    boundaries,
    canary_flows,
    canary_suite,
    crash_points,
    durable,
    editing,
    editing_live,
    fuzzing,
    kills,
    network,
    matchers,
    outcomes,
    overlap,
    plans,
    private,
    reading,
    repeating,
    sameness,
    slots,
)
PROOFS: tuple[Proof, ...] = tuple(
    sorted(
        chain.from_iterable(module.PROOFS for module in MODULES),
        key=lambda proof: int(proof.promise[1:]),
    )
)
