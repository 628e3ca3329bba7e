"""``python -m tests.proofs``: runs the proofs and prints one line per promise; exits 1 on a fail.

    python -m tests.proofs [--short] [--save] [--more] [--seed N] [--minutes M] [NAME …]

Without ``--short`` the full form runs (an hour and more). NAME picks a promise, ``P1``, or proofs
by their beginning, ``P8-kills``. ``--minutes`` bounds each proof that consists of trials;
``--save`` keeps the figures for the README, ``--more`` adds them to those kept (take another seed).
"""

from __future__ import annotations

import math
import sys
import time
from argparse import ArgumentParser

from tests.proofs.catalogue import PROOFS
from tests.proofs.figures import Kept, keep
from tests.proofs.kill_bench import close_benches
from tests.proofs.proof import Figure, Proof, Scale, folder


def main(words: list[str]) -> int:
    """Run what was asked for; 0 when every promise held."""
    parser = ArgumentParser(prog="make proofs")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--seed", type=int, default=Scale().seed)
    parser.add_argument("--minutes", type=float, default=math.inf)
    asked = parser.parse_args(words)
    chosen = [proof for proof in PROOFS if meant(proof, asked.names)]
    failed = 0
    print(f"{'promise':24} {'trials':>22}  {'':4}  {'s':>6}  must be 0", flush=True)
    for proof in chosen:
        began = time.monotonic()
        scale = Scale(not asked.short, asked.seed, began + 60 * asked.minutes)
        with folder() as place:
            figure = proof.run(scale, place)
        seconds = time.monotonic() - began
        failed += not figure.holds
        print(line(proof, figure, seconds), flush=True)
        if asked.save:
            keep(Kept.of(proof, figure, seconds=seconds), more=asked.more)
    print(f"{len(chosen) - failed} of {len(chosen)} hold", flush=True)
    return 1 if failed or not chosen else 0


def meant(proof: Proof, names: list[str]) -> bool:
    """``P1`` means that promise alone, never P10; anything longer is the beginning of a proof."""
    return not names or any(
        proof.promise == name or ("-" in name and proof.id.startswith(name)) for name in names
    )


def line(proof: Proof, figure: Figure, seconds: float) -> str:
    """Name, trials, verdict, seconds, figure."""
    tried = f"{figure.trials} {figure.unit}"
    verdict = "pass" if figure.holds else "FAIL"
    return f"{proof.id:24} {tried:>22}  {verdict}  {seconds:6.1f}  {figure.text}"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    finally:
        close_benches()
