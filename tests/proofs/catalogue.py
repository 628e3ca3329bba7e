"""Every proof there is, in the order of the promises."""

from __future__ import annotations

from tests.proofs import crash_points, kills, outcomes
from tests.proofs.proof import Proof

PROOFS: tuple[Proof, ...] = tuple(
    sorted(
        (proof for module in (crash_points, kills, outcomes) for proof in module.PROOFS),
        key=lambda proof: int(proof.promise[1:]),
    )
)
