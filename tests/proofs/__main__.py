"""``python -m tests.proofs``: runs the proofs and prints one line per promise; exits 1 on a fail.

    python -m tests.proofs [--short] [--save] [NAME …]

Without ``--short`` the full form runs (many minutes). NAME picks proofs by their beginning, such as
``P1`` or ``P1-kills``. ``--save`` keeps the figures for the README.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser

from tests.proofs.catalogue import PROOFS
from tests.proofs.figures import Kept, keep
from tests.proofs.proof import Figure, Proof, Scale, folder


def main(words: list[str]) -> int:
    """Run what was asked for; 0 when every promise held."""
    parser = ArgumentParser(prog="make proofs")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--save", action="store_true")
    asked = parser.parse_args(words)
    scale = Scale(full=not asked.short)
    chosen = [p for p in PROOFS if not asked.names or p.id.startswith(tuple(asked.names))]
    failed = 0
    print(f"{'promise':24} {'trials':>22}  {'':4}  {'s':>6}  must be 0", flush=True)
    for proof in chosen:
        began = time.monotonic()
        with folder() as place:
            figure = proof.run(scale, place)
        seconds = time.monotonic() - began
        failed += not figure.holds
        print(line(proof, figure, seconds), flush=True)
        if asked.save:
            keep(Kept.of(proof, figure, full=scale.full, seconds=seconds))
    print(f"{len(chosen) - failed} of {len(chosen)} hold", flush=True)
    return 1 if failed or not chosen else 0


def line(proof: Proof, figure: Figure, seconds: float) -> str:
    """Name, trials, verdict, seconds, figure."""
    tried = f"{figure.trials} {figure.unit}"
    verdict = "pass" if figure.holds else "FAIL"
    return f"{proof.id:24} {tried:>22}  {verdict}  {seconds:6.1f}  {figure.text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
