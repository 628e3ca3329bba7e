"""Circles of three and more stages: what flaps does so when played, what is proved never does."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from tests.unit.evaluate.test_flapping import LONG_AGO, TODAY, Customer, claim

from crmsync.evaluate import Engine, circles_flap
from crmsync.model.fact import FactValue
from crmsync.model.flapping import FlapFinding, Proof
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Standing
from crmsync.project.proving import calm, calm_diagnostics
from crmsync.rules import load

HEAD = """\
ruleset: circles
version: 1
title: 圈 | Circles
record: account
languages: [zh, en]
time_zone: UTC
workdays: CN
facts:
  orders: {type: integer, label: 订单 | Orders}
  visits: {type: integer, label: 来访 | Visits}
lifecycle:
  start: a
  stages: {a: 甲 | Ay, b: 乙 | Bee, c: 丙 | Cee, d: 丁 | Dee}
  moves:
"""
AWAY = "{from: d, to: a, when: orders > 9000}"


def rules_of(folder: Path, *moves: str) -> Ruleset:
    text = HEAD + "".join(f"    - {move}\n" for move in moves)
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    rules, found = load(folder)
    assert rules is not None, found
    return rules


def three(folder: Path, last: str = "orders < 96", lasting: Sequence[int] = (0, 0, 0)) -> Ruleset:
    whens = ("orders ≥ 100", "orders between 96 and 99", last)
    ways = ("from: a, to: b", "from: b, to: c", "from: c, to: a")
    return rules_of(
        folder,
        *(
            f"{{{way}, when: {when}, lasting: {days} days}}"
            for way, when, days in zip(ways, whens, lasting, strict=True)
        ),
        AWAY,
    )


def found(rules: Ruleset, share: str = "0.1", stay: int = 30) -> list[FlapFinding]:
    return list(circles_flap(Engine(rules), claim(share, stay), TODAY))


def days_round(rules: Ruleset, finding: FlapFinding) -> int:
    """Days between leaving the first stage and being back in it, played with the facts shown."""
    stages = finding.place.split(">")
    customer = Customer(rules, Standing(lifecycle=stages[0], lifecycle_since=LONG_AGO))
    days = []
    for facts, wanted in zip(finding.facts, stages[1:], strict=True):
        for _ in range(100):
            stage = customer.live(facts).lifecycle
            if stage is not None and stage.after == wanted:
                break
        days.append(customer.day)
    return (days[-1] - days[0]).days


def test_three_stages_in_a_circle_flap_and_a_waiting_of_each_stops_it(tmp_path: Path) -> None:
    rules = three(tmp_path)
    (finding,) = found(rules)
    assert finding.proof is Proof.FLAPS
    assert finding.place == "a>b>c>a"
    assert [step.place for step in finding.steps] == ["b", "c", "a"]
    orders = [facts["orders"] for facts in finding.facts]
    low, high = min(orders), max(orders)  # type: ignore[type-var]
    assert Decimal(str(high)) * Decimal("0.9") <= Decimal(str(low)) * Decimal("1.1")
    assert days_round(rules, finding) == finding.gap == 2
    assert finding.by_clock is not None
    lasting = finding.by_clock.lasting
    assert lasting == 15
    calmer = three(tmp_path, lasting=(lasting,) * 3)
    assert days_round(calmer, finding) >= 30
    (proved,) = found(calmer)
    assert (proved.proof, proved.gap) == (Proof.SLOW, 30)
    (less,) = found(three(tmp_path, lasting=(lasting - 1,) * 3))
    assert less.proof in {Proof.OPEN, Proof.FLAPS}


@pytest.mark.parametrize(
    ("last", "lasting", "proof"),
    [
        ("orders < 50", (0, 0, 0), Proof.APART),
        ("orders < 96", (0, 0, 29), Proof.FLAPS),
        ("orders < 96", (30, 0, 0), Proof.FLAPS),
        ("orders < 96", (30, 30, 0), Proof.SLOW),
        ("lifecycle is b", (0, 0, 0), Proof.OPEN),
    ],
)
def test_distance_or_two_waitings_keep_a_circle_open(
    last: str, lasting: tuple[int, int, int], proof: Proof, tmp_path: Path
) -> None:
    (finding,) = found(three(tmp_path, last, lasting))
    assert finding.proof is proof


def test_a_clock_that_ran_in_an_earlier_stage_is_not_counted(tmp_path: Path) -> None:
    """The way home waits 40 days, but its clock may have begun two stages before."""
    rules = rules_of(
        tmp_path,
        "{from: a, to: b, when: orders ≥ 100, lasting: 20 days}",
        "{from: b, to: c, when: visits ≥ 100}",
        "{from: [b, c], to: a, when: visits > 0, lasting: 20 days}",
        AWAY,
    )
    circle = next(item for item in found(rules) if item.place.count(">") == 3)
    assert circle.proof is not Proof.SLOW


def test_every_circle_is_looked_at_once(tmp_path: Path) -> None:
    ways = [(one, other) for one in "abcd" for other in "abcd" if one != other]
    rules = rules_of(
        tmp_path,
        *(f"{{from: {x}, to: {y}, when: orders is {n * 1000}}}" for n, (x, y) in enumerate(ways)),
    )
    places = [item.place for item in found(rules)]
    assert len(places) == len(set(places)) == 8 + 6  # of three stages, of four
    many = rules_of(
        tmp_path,
        *(
            f"{{from: {x}, to: {y}, when: orders is {n * 1000}}}"
            for n, (x, y) in enumerate([way for way in ways for _ in range(4)])
        ),
    )
    last = found(many)[-1]
    assert (last.place, last.proof) == ("…", Proof.OPEN)


def test_check_says_it_with_the_stages_and_the_mend(tmp_path: Path) -> None:
    rules = three(tmp_path)
    proof = calm(rules, claim("0.1"), TODAY)
    assert proof is not None
    (finding,) = calm_diagnostics(rules, proof)
    assert finding.code == "RULE232"
    assert "“Ay → Bee → Cee → Ay” flaps" in finding.message.en
    assert "“甲 → 乙 → 丙 → 甲”" in finding.message.zh
    assert finding.mend is not None
    assert finding.mend.en == "Write lasting: 15 days or more at every move of the circle."
    assert "longer circles of moves 1 flapping" in proof.summary().en


@pytest.mark.parametrize("seed", range(5))
def test_nobody_goes_round_a_circle_that_is_proved(seed: int, tmp_path: Path) -> None:
    made = Random(seed)
    moves = []
    for one in "abcd":
        for other in made.sample([stage for stage in "abcd" if stage != one], 2):
            fact, line = made.choice(("orders", "visits")), made.choice((80, 90, 96, 100, 104, 130))
            sign, more = made.choice(("≥", "<")), made.choice(("", f", {made.choice('abcd')}"))
            sources = f"[{one}{more}]" if more and more[2] not in {one, other} else one
            days = made.choice((0, 0, 3, 8))
            when = f"{fact} {sign} {line}, lasting: {days} days"
            moves.append(f"{{from: {sources}, to: {other}, when: {when}}}")
    rules = rules_of(tmp_path, *moves)
    findings = found(rules, stay=10)
    open_ = {_circle(f.place.split(">")[:-1]) for f in findings if not _proved(f)}
    proved = {_circle(f.place.split(">")[:-1]) for f in findings if _proved(f)} - open_
    assert proved | open_
    for _ in range(2):
        centre = {"orders": made.choice((86, 95, 100, 108)), "visits": made.choice((86, 95, 100))}
        customer = Customer(rules, Standing(lifecycle="a", lifecycle_since=LONG_AGO))
        way = [("a", customer.day)]
        for _ in range(60):
            facts: dict[str, FactValue] = {
                name: round(value * (1 + made.choice((-10, 0, 10)) / 100))
                for name, value in centre.items()
            }
            stage = customer.live(facts).lifecycle
            assert stage is not None
            way += [(move.to, customer.day) for move in stage.moves]
        for start, (stage, _) in enumerate(way):
            round_ = [name for name, _ in way[start + 1 :]]
            if stage in round_ and (length := round_.index(stage) + 1) > 2:
                names = [stage, *round_[: length - 1]]
                left, back = way[start + 1][1], way[start + length][1]
                if len(set(names)) == length and _circle(names) in proved:
                    assert (back - left).days >= 10, (moves, names)


def _proved(finding: FlapFinding) -> bool:
    return finding.proof in {Proof.APART, Proof.SLOW}


def _circle(stages: Sequence[str]) -> tuple[str, ...]:
    """The same circle begun at its first letter."""
    place = stages.index(min(stages))
    return (*stages[place:], *stages[:place])
