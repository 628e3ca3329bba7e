"""Every proof in its short form, with fixed seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.proofs.catalogue import PROOFS
from tests.proofs.proof import Proof, Scale, folder
from tests.proofs.table import language, written

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.id)
def test_the_promise_holds(proof: Proof) -> None:
    with folder() as place:
        figure = proof.run(Scale(), place)
    assert figure.holds, figure.text


def test_every_proof_has_a_name_of_its_own() -> None:
    assert len({proof.id for proof in PROOFS}) == len(PROOFS)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_quotes_the_kept_figures(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert written(text, language(ROOT / name)) == text
