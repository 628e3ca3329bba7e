"""The value a gap is shown with really lies in it: no line fits, so it gives nothing."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState
from crmsync.rules import check, load

TODAY = date(2026, 3, 10)
REF = RecordRef("Accounts", "1")
HEAD = """\
ruleset: gaps
version: 1
record: account
time_zone: UTC
workdays: CN
facts:
  size: {type: number}
score:
  - id: size
    of: size
    max: 20
    points: {POINTS}
tier:
  levels:
    - {id: high, enter: 10, keep: 8}
    - {id: low}
"""


def lines(made: Random) -> list[str]:
    """A few stretches that may leave something out, in any order."""
    found = []
    for points in range(20, 20 - made.randint(1, 4), -1):
        low = made.randint(-20, 20)
        high = low + made.randint(1, 15)
        shape = made.choice(
            [f'"≥ {low}"', f'"> {low}"', f'"≤ {low}"', f'"< {low}"', f'"{low}..{high}"']
        )
        found.append(f"{shape}: {points}")
    return list(dict.fromkeys(found))


def decided(engine: Engine, value: Decimal) -> str:
    row = row_from_facts(engine, REF, {"size": float(value)}, TODAY)
    (matched,) = match_compiled([row], engine, TODAY)
    decision = decide(engine, matched, CustomerState(REF), EvaluationContext(TODAY))
    assert decision.score is not None
    return decision.score.criteria[0].hit


@pytest.mark.parametrize("seed", range(60))
def test_the_counter_example_of_a_gap_fits_no_line(seed: int, tmp_path: Path) -> None:
    made = Random(seed)
    text = HEAD.replace("{POINTS}", "{" + ", ".join(lines(made)) + "}")
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    rules, found = load(tmp_path)
    if rules is None:  # the same test twice, or lines of the same meaning
        assert found
        return
    engine = Engine(rules)
    gaps = [item for item in check(rules) if item.code == "RULE219"]
    if gaps:
        shown = re.search(r"no line fits (\S+): it gives 0 points", gaps[0].message.en)
        assert shown is not None
        assert decided(engine, Decimal(shown[1])) == "–"
    else:  # said to be whole: whatever comes, a line fits
        tried = [Decimal(n) / 4 for n in range(-200, 200)]
        assert all(decided(engine, value) != "–" for value in tried)
