"""The figures of the last run, kept beside the proofs so that the README quotes nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.proofs.proof import Figure, Proof

FILE = Path(__file__).with_name("figures.json")


@dataclass(frozen=True, slots=True)
class Kept:
    """One proof's figure with the day and the form it was run in."""

    proof: str
    trials: int
    unit: str
    bad: dict[str, int]
    note: str
    holds: bool
    seconds: float
    on: str

    @classmethod
    def of(cls, proof: Proof, figure: Figure, *, seconds: float) -> Kept:
        """What is kept of a figure."""
        today = datetime.now(UTC).date().isoformat()
        shape = figure.trials, figure.unit, figure.bad, figure.note, figure.holds
        return cls(proof.id, *shape, round(seconds, 1), today)

    def plus(self, earlier: Kept) -> Kept:
        """Both together: more trials of the same proof, with another seed."""
        bad = {name: count + earlier.bad.get(name, 0) for name, count in self.bad.items()}
        return replace(
            self,
            trials=self.trials + earlier.trials,
            bad=bad,
            holds=self.holds and earlier.holds,
            seconds=round(self.seconds + earlier.seconds, 1),
        )


def known() -> dict[str, Kept]:
    """Proof id → its last figure."""
    if not FILE.exists():
        return {}
    return {item["proof"]: Kept(**item) for item in json.loads(FILE.read_text(encoding="utf-8"))}


def keep(figure: Kept, *, more: bool) -> None:
    """Replace the figure of one proof, or add to it."""
    earlier = known()
    if more and figure.proof in earlier:
        figure = figure.plus(earlier[figure.proof])
    kept = {**earlier, figure.proof: figure}
    listed = [asdict(kept[name]) for name in sorted(kept)]
    FILE.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
