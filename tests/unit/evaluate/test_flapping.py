"""Calm is proved or refuted: what flaps does so when played, what is proved never does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from tests.unit.evaluate.build import ruleset as built
from tests.unit.evaluate.build import tabled
from tests.unit.evaluate.random_rules import TODAY, random_rules
from tests.unit.rules.writing import RULESETS

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    exceptions_flap,
    match_compiled,
    row_from_facts,
    stages_flap,
    tiers_flap,
)
from crmsync.model.decision import Decision
from crmsync.model.fact import FactType, FactValue
from crmsync.model.flapping import Claim, FlapFinding, Proof
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState, Standing
from crmsync.model.tier import DownChange, Patience, UpChange
from crmsync.model.wobble import Wobble
from crmsync.rules import load

REF = RecordRef("Accounts", "1")
LONG_AGO = date(2010, 1, 1)
SHIPPED = ("b2b-standard", "real-estate", "retail-rfm")


def shipped(name: str) -> Ruleset:
    rules, _ = load(RULESETS / name)
    assert rules is not None
    return rules


def claim(share: str, stay: int = 30) -> Claim:
    return Claim(everywhere=Wobble(Decimal(share)), stay=stay)


class Customer:
    """Evaluated on every single day; shares nothing with the search but the policy."""

    def __init__(self, rules: Ruleset, standing: Standing) -> None:
        self.engine = Engine(rules)
        self.day = TODAY
        self.state = CustomerState(REF, standing, known_facts=frozenset(self.engine.facts))

    def live(self, facts: Mapping[str, FactValue]) -> Decision:
        later = self.day - TODAY
        seen = {k: v + later if isinstance(v, date) else v for k, v in facts.items()}
        row = row_from_facts(self.engine, REF, seen, self.day)
        (matched,) = match_compiled([row], self.engine, self.day)
        context = EvaluationContext(self.day, released=True)
        decision = decide(self.engine, matched, self.state, context)
        self.state = CustomerState(REF, decision.standing, decision.clocks, decision.known_facts)
        self.day += timedelta(days=1)
        return decision


def ranks(rules: Ruleset) -> dict[str | None, int]:
    assert rules.tier is not None
    return {level.id: rank for rank, level in enumerate(rules.tier.ranked)}


def shortest_return(rules: Ruleset, finding: FlapFinding) -> int | None:
    """Days between a change and the one that takes it back, as the shown customer lives on."""
    order = ranks(rules)
    assert rules.tier is not None
    below = rules.tier.ranked[order[finding.place] + 1].id
    customer = Customer(rules, Standing(below, LONG_AGO, LONG_AGO))
    high, low = finding.facts
    changes: list[tuple[date, int]] = []
    facts, wants_up = high, True
    for _ in range(260):
        tier = customer.live(facts).tier
        assert tier is not None
        if tier.after != tier.before:
            changes.append((customer.day, order[tier.before] - order[tier.after]))
        up = order[tier.after] <= order[finding.place]
        if up is wants_up:
            facts, wants_up = (low, False) if wants_up else (high, True)
    gaps = [
        (later - earlier).days
        for (earlier, one), (later, other) in pairwise(changes)
        if (one > 0) is not (other > 0)
    ]
    return min(gaps, default=None)


def with_settings(rules: Ruleset, finding: FlapFinding, way: str) -> Ruleset | None:
    settings = finding.by_line if way == "line" else finding.by_clock
    if settings is None:
        return None
    assert rules.tier is not None
    tier = rules.tier
    if settings.keep is not None:
        levels = tuple(
            replace(it, keep=settings.keep) if it.id == finding.place else it for it in tier.levels
        )
        tier = replace(tier, levels=levels)
    if settings.demote_after is not None:
        tier = replace(tier, down=replace(tier.down, demote_after=Patience(settings.demote_after)))
    if settings.hold_up is not None:
        tier = replace(tier, up=replace(tier.up, hold=settings.hold_up))
    return replace(rules, tier=tier)


def one_wobble(rules: Ruleset, facts: tuple[Mapping[str, FactValue], ...], share: Decimal) -> None:
    """Both sides lie within one window: neither is further from the other than both its ends."""
    for fact in rules.facts:
        one, other = (side.get(fact.id) for side in facts)
        if one == other:
            continue
        assert fact.type.numeric
        assert fact.judged_by is None
        low, high = sorted(abs(Decimal(str(value))) for value in (one, other))
        cent = Decimal("0.02") if fact.type is FactType.MONEY else Decimal("1e-9")
        assert high * (1 - share) <= low * (1 + share) + cent, fact.id


@cache
def found_flaps() -> list[tuple[str, Ruleset, FlapFinding, Decimal]]:
    found = []
    for name in SHIPPED[::2]:
        for share in ("0.05",):
            rules = shipped(name)
            for item in tiers_flap(Engine(rules), claim(share), TODAY):
                if item.proof is Proof.FLAPS:
                    found.append((f"{name}-{item.place}-{share}", rules, item, Decimal(share)))
    for seed in range(14):
        rules = random_rules(seed)
        for item in tiers_flap(Engine(rules), claim("0.1"), TODAY):
            if item.proof is Proof.FLAPS:
                found.append((f"seed{seed}-{item.place}", rules, item, Decimal("0.1")))
    return found


def test_there_is_enough_to_look_at() -> None:
    flaps = found_flaps()
    assert len(flaps) >= 12
    assert sum(item.by_line is not None for _, _, item, _ in flaps) >= 6
    assert sum(item.by_clock is not None for _, _, item, _ in flaps) >= 6


def test_what_is_shown_to_flap_does_and_each_setting_stops_it() -> None:
    for name, rules, finding, share in found_flaps():
        one_wobble(rules, finding.facts, share)
        assert shortest_return(rules, finding) == finding.gap, name
        assert finding.gap is not None
        assert finding.gap < 30
        for way in ("line", "clock"):
            calmer = with_settings(rules, finding, way)
            if calmer is not None:
                gap = shortest_return(calmer, finding)
                assert gap is None or gap >= 30, (name, way)


def test_no_smaller_waiting_stops_it() -> None:
    for name, rules, finding, _ in found_flaps():
        for key in ("demote_after", "hold_up"):
            settings = finding.by_clock
            days = None if settings is None else getattr(settings, key)
            if settings is None or days is None:
                continue
            less = replace(finding, by_clock=replace(settings, **{key: days - 1}))
            calmer = with_settings(rules, less, "clock")
            assert calmer is not None
            gap = shortest_return(calmer, finding)
            assert gap is not None, (name, key)
            assert gap < 30, (name, key)


@pytest.mark.parametrize("seed", range(14))
def test_what_is_proved_never_flaps_for_any_wobbling_customer(seed: int) -> None:
    """A customer who does its worst at random around a centre stays calm at every proved level."""
    rules, share = random_rules(seed), Decimal("0.1")
    assert rules.tier is not None
    rules = replace(rules, tier=replace(rules.tier, exceptions=()))
    order = ranks(rules)
    findings = list(tiers_flap(Engine(rules), claim("0.1", stay=10), TODAY))
    proved = {order[f.place] for f in findings if f.proof in {Proof.APART, Proof.SLOW}}
    if not proved:
        return
    made = Random(seed)
    for _ in range(4):
        centre = a_centre(rules, made)
        customer = Customer(rules, Standing(rules.tier.ranked[-1].id, LONG_AGO, LONG_AGO))
        changes: list[tuple[date, int, int]] = []
        facts = centre
        for day in range(90):
            if day % made.choice([1, 2, 7, 20, 40]) == 0:
                facts = wobbled(rules, centre, share, made)
            tier = customer.live(facts).tier
            assert tier is not None
            if tier.after != tier.before:
                changes.append((customer.day, order[tier.before], order[tier.after]))
        for (earlier, left, reached), (later, _, now) in pairwise(changes):
            rose, rises = left > reached, reached > now
            level = reached if rose else max(left, now)
            if rose is not rises and level in proved:
                assert (later - earlier).days >= 10


def a_centre(rules: Ruleset, made: Random) -> dict[str, FactValue]:
    return {
        "seen_on": TODAY - timedelta(days=made.randint(0, 300)),
        "count": made.randint(1, 40),
        "money": Decimal(made.randint(100, 500_000)),
        "share": made.randint(1, 90) / 100,
        "rate": float(made.randint(1, 50)),
        "kind": made.choice("甲乙丙"),
        "flag": False,
        "mark": float(made.randint(0, 20)),
    }


def wobbled(
    rules: Ruleset, centre: Mapping[str, FactValue], share: Decimal, made: Random
) -> dict[str, FactValue]:
    facts = dict(centre)
    for name in ("count", "money", "share", "rate"):
        value = Decimal(str(centre[name])) * (1 + share * made.choice([-1, 0, 1]))
        facts[name] = int(value) if name == "count" else value if name == "money" else float(value)
    return facts


def test_a_rise_in_steps_is_no_flapping() -> None:
    """b2b-standard is proved calm once every keep line lies below its swing."""
    rules = shipped("b2b-standard")
    assert rules.tier is not None
    keeps = {"vip": Decimal(60), "key": Decimal(40), "standard": Decimal(15)}
    levels = tuple(replace(it, keep=keeps.get(it.id, it.keep)) for it in rules.tier.levels)
    calm = replace(rules, tier=replace(rules.tier, levels=levels))

    findings = list(tiers_flap(Engine(calm), claim("0.05"), TODAY))

    assert [item.proof for item in findings] == [Proof.APART] * 3


# ── tiers from a table ─────────────────────────────────────────────────────────────────────────


def tabled_rules(*rows: tuple[str, ...], days: int = 0) -> Ruleset:
    tier = replace(
        tabled(*rows), exceptions=(), down=DownChange(Patience(days=days)), up=UpChange(hold=days)
    )  # type: ignore[arg-type]
    whole = built(tier=tier, lifecycle=None, scorecards=(), tasks=())
    return replace(whole, service={})


def proofs(rules: Ruleset, share: str = "0.1") -> dict[str, FlapFinding]:
    return {item.place: item for item in tiers_flap(Engine(rules), claim(share), TODAY)}


def test_rows_that_lie_close_flap_and_a_waiting_stops_it() -> None:
    rules = tabled_rules(
        ("revenue_12m ≥ 1000; potential is 高", "vip"), ("revenue_12m ≥ 100", "key"), ("", "basic")
    )
    found = proofs(rules)
    assert list(found) == ["vip", "key", "standard"]
    for place in ("vip", "key"):
        finding = found[place]
        assert finding.proof is Proof.FLAPS
        one_wobble(rules, finding.facts, Decimal("0.1"))
        assert shortest_return(rules, finding) == finding.gap
        calmer = with_settings(rules, finding, "clock")
        assert calmer is not None
        gap = shortest_return(calmer, finding)
        assert gap is None or gap >= 30


def test_a_tier_that_is_kept_beyond_the_wobble_is_proved_calm() -> None:
    rules = tabled_rules(
        ("revenue_12m ≥ 1000", "vip"),
        ("revenue_12m ≥ 800", "key", "vip"),
        ("revenue_12m ≥ 100", "key"),
        ("revenue_12m ≥ 95", "basic", "key"),
        ("", "basic"),
    )
    found = proofs(rules)
    assert found["vip"].proof is Proof.APART
    assert found["key"].proof is Proof.FLAPS
    assert proofs(rules, "0.01")["key"].proof is Proof.APART
    assert proofs(rules, "0.3")["vip"].proof is Proof.FLAPS


def test_rows_that_wait_long_enough_are_slow_and_of_scores_nothing_is_claimed() -> None:
    lines = (("revenue_12m ≥ 1000", "vip"), ("", "basic"))
    assert proofs(tabled_rules(*lines, days=40))["vip"].proof is Proof.SLOW
    scored = replace(
        tabled_rules(("score ≥ 60", "vip"), ("", "basic")), scorecards=built().scorecards
    )
    assert proofs(scored)["vip"].proof is Proof.OPEN


def test_an_exception_near_its_threshold_comes_and_goes() -> None:
    rules = shipped("b2b-standard")

    found = {item.place: item for item in exceptions_flap(Engine(rules), claim("0.05"), TODAY)}

    assert {name: item.proof for name, item in found.items()} == {
        "blacklist": Proof.APART,
        "overdue": Proof.FLAPS,
        "strategic": Proof.APART,
    }
    on, off = found["overdue"].facts
    customer = Customer(rules, Standing("vip", LONG_AGO, LONG_AGO))
    tiers = [customer.live(side).tier for side in (on, off, on, off)]
    assert [tier and tier.after for tier in tiers] == ["standard", "vip", "standard", "vip"]


def test_a_stage_left_as_easily_as_entered_flaps_until_it_must_last() -> None:
    rules = shipped("b2b-standard")
    assert rules.lifecycle is not None
    found = {
        item.place: item
        for item in stages_flap(Engine(rules), claim("0.2"), TODAY)
        if item.proof is Proof.FLAPS
    }
    finding = found["repeat>loyal"]
    assert finding.by_clock is not None

    def gap(lasting: int) -> int:
        assert rules.lifecycle is not None
        moves = tuple(
            replace(move, lasting=lasting) if move.id == finding.place else move
            for move in rules.lifecycle.moves
        )
        changed = replace(rules, lifecycle=replace(rules.lifecycle, moves=moves))
        customer = Customer(changed, Standing(lifecycle="loyal", lifecycle_since=LONG_AGO))
        days = []
        for facts, wanted in zip(finding.facts, ("repeat", "loyal"), strict=True):
            for _ in range(100):
                stage = customer.live(facts).lifecycle
                if stage is not None and stage.after == wanted:
                    break
            days.append(customer.day)
        return (days[1] - days[0]).days

    lasting = finding.by_clock.lasting
    assert lasting is not None
    assert gap(0) == finding.gap == 1
    assert gap(lasting) >= 30 > gap(lasting - 1)
