"""New customers are protected for a while, and clocks stand still outside the season."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from tests.unit.rules.writing import codes, load_text, sound

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
)
from crmsync.model.decision import Because, Decision
from crmsync.model.fact import FactValue
from crmsync.model.newcomer import NEWCOMER
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.season import ALL_YEAR, Season
from crmsync.model.state import CustomerState, Standing
from crmsync.rules import check, rule_places, touched
from crmsync.rules.mutants import mutants

REF = RecordRef("Accounts", "A1")
BLOCK = """\
newcomer: {for: 90 days after last_order_on, at_least: key, no_demotion: true}
tasks:
"""
CHANGE = "    down: {demote_after: 30 days, hold: 90 days, max_step: 1}"


def rules(folder: Path, *changes: tuple[str, str]) -> Ruleset:
    ruleset, findings = load_text(folder, sound(*changes))
    assert ruleset is not None, [f"{item.code} {item.message.en}" for item in findings]
    assert findings == []
    return ruleset


def decided(
    engine: Engine, facts: Mapping[str, FactValue], state: CustomerState, day: date
) -> Decision:
    row = row_from_facts(engine, REF, facts, day)
    (matched,) = match_compiled((row,), engine, day)
    return decide(engine, matched, state, EvaluationContext(as_of=day))


def lived(
    ruleset: Ruleset, facts: Mapping[str, FactValue], start: CustomerState, days: range
) -> dict[date, Decision]:
    """Every day evaluated and written, from 2026-01-01 on."""
    engine, state, found = Engine(ruleset), start, {}
    for number in days:
        day = date(2026, 1, 1) + timedelta(days=number)
        found[day] = decision = decided(engine, facts, state, day)
        state = CustomerState(REF, decision.standing, decision.clocks, decision.known_facts)
    return found


# ── new customers ──────────────────────────────────────────────────────────────────────────────

ORDERED = date(2026, 3, 1)
POOR: Mapping[str, FactValue] = {"last_order_on": ORDERED, "potential": "低", "judged": 0.0}


@pytest.mark.parametrize(("after", "tier"), [(-1, "basic"), (0, "key"), (89, "key"), (90, "basic")])
def test_the_floor_holds_for_the_stated_days(tmp_path: Path, after: int, tier: str) -> None:
    engine = Engine(rules(tmp_path, ("tasks:\n", BLOCK)))
    day = ORDERED + timedelta(days=after)
    decision = decided(engine, POOR, CustomerState(REF), day)
    assert decision.tier is not None
    assert decision.tier.after == tier
    assert (decision.tier.because == NEWCOMER) is (tier == "key")


def test_the_computed_tier_returns_the_day_the_floor_ends(tmp_path: Path) -> None:
    days = lived(rules(tmp_path, ("tasks:\n", BLOCK)), POOR, CustomerState(REF), range(59, 160))
    tiers = {day: item.tier.after for day, item in days.items() if item.tier is not None}
    assert {tiers[ORDERED + timedelta(days=n)] for n in range(90)} == {"key"}
    assert tiers[ORDERED + timedelta(days=90)] == "basic"


def test_a_new_customer_is_not_demoted_until_the_period_ends(tmp_path: Path) -> None:
    ruleset = rules(
        tmp_path,
        ("tasks:\n", BLOCK.replace("at_least: key, ", "")),
        (CHANGE, "    down: {demote_after: 0 days}"),
    )
    vip = CustomerState(
        REF, Standing("vip", ORDERED, ORDERED), known_facts=frozenset(Engine(ruleset).facts)
    )
    days = lived(ruleset, POOR, vip, range(59, 160))
    tiers = {day: item.tier for day, item in days.items() if item.tier is not None}
    last = ORDERED + timedelta(days=89)
    assert tiers[last].after == "vip"
    assert tiers[last].because == Because.NEWCOMER
    assert tiers[last].due_on == ORDERED + timedelta(days=90)
    assert tiers[ORDERED + timedelta(days=90)].after == "basic"


def test_nobody_is_new_without_a_known_date(tmp_path: Path) -> None:
    engine = Engine(rules(tmp_path, ("tasks:\n", BLOCK)))
    facts = {**POOR, "last_order_on": None}
    decision = decided(engine, facts, CustomerState(REF), ORDERED)
    assert decision.tier is not None
    assert decision.tier.after == "basic"


def test_the_block_reads_in_chinese_and_is_explained(tmp_path: Path) -> None:
    english = rules(tmp_path, ("tasks:\n", BLOCK))
    chinese = rules(
        tmp_path,
        ("tasks:\n", BLOCK.replace("90 days after last_order_on", "最近下单日期后 90 天内")),
    )
    assert english.digest == chinese.digest
    engine = Engine(english)
    row = row_from_facts(engine, REF, POOR, ORDERED)
    shown = explain(engine, row, CustomerState(REF), EvaluationContext(as_of=ORDERED))
    assert NEWCOMER in {name for name, _ in shown.exceptions}


def test_coverage_digest_and_mutants_know_the_block(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, ("tasks:\n", BLOCK))
    assert ruleset.digest != rules(tmp_path).digest
    assert NEWCOMER in {place.id for place in rule_places(ruleset)}
    assert NEWCOMER in touched(ruleset, decided(Engine(ruleset), POOR, CustomerState(REF), ORDERED))
    changes = {item.change.after for item in mutants(ruleset) if item.place == NEWCOMER}
    assert {"", "for: 81 days", "at_least: vip", "at_least: basic"} <= changes


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("newcomer: {for: 90 days}\n", "RULE265"),
        ("newcomer: {for: 90 days after potential, at_least: key}\n", "RULE265"),
        ("newcomer: {for: 90 days after last_order_on}\n", "RULE002"),
        ("newcomer: {for: 90 days after last_order_on, at_least: blocked}\n", "RULE211"),
        ("newcomer: {for: 90 days after last_order_on, at_least: gold}\n", "RULE110"),
        ("active_months: 13..2\n", "RULE266"),
        ("active_months: 1..12\n", "RULE266"),
        ("active_months: summer\n", "RULE266"),
        ("overrides: {human_edits: conflict, adopt_for: 9 days}\n", "RULE020"),
        ("overrides: {human_edits: maybe}\n", "RULE004"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, block: str, code: str) -> None:
    ruleset, findings = load_text(tmp_path, sound(("tasks:\n", block + "tasks:\n")))
    assert ruleset is None
    assert code in codes(findings)


def test_an_exception_may_not_share_the_name(tmp_path: Path) -> None:
    text = sound(("tasks:\n", BLOCK), ("id: blacklist,", "id: newcomer,"))
    assert "RULE007" in codes(load_text(tmp_path, text)[1])


def test_a_floor_at_the_lowest_tier_is_idle(tmp_path: Path) -> None:
    ruleset, _ = load_text(
        tmp_path, sound(("tasks:\n", BLOCK.replace("at_least: key", "at_least: basic")))
    )
    assert ruleset is not None
    assert "RULE211" in codes(check(ruleset))


# ── seasons ────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_counts_days_of_the_season_alone() -> None:
    """Against counting one day at a time."""
    chance = Random(20261122)
    for _ in range(400):
        season = Season(chance.randint(1, 12), chance.randint(1, 12))
        start = date(2023, 1, 1) + timedelta(days=chance.randint(0, 2900))
        days = chance.randint(0, 500)
        day, counted = start, 0
        while counted < days or not season.active(day):
            counted += season.active(day)
            day += timedelta(days=1)
        assert season.after(start, days) == day, (season, start, days)


def test_a_season_may_cross_the_end_of_the_year() -> None:
    winter = Season(10, 2)
    assert [winter.active(date(2026, month, 15)) for month in (9, 10, 12, 1, 2, 3)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert winter.after(date(2026, 2, 20), 30) == date(2026, 10, 22)
    assert ALL_YEAR.after(date(2026, 2, 20), 30) == date(2026, 3, 22)


def test_low_days_out_of_season_do_not_count(tmp_path: Path) -> None:
    """Below the keep line from 15 September on: 16 days of it lie in March to September."""
    ruleset = rules(
        tmp_path,
        ("tasks:\n", "active_months: 3..9\ntasks:\n"),
        (CHANGE, "    down: {demote_after: 30 days}"),
    )
    engine = Engine(ruleset)
    low = date(2026, 9, 15)
    state = CustomerState(
        REF, Standing("vip", date(2026, 1, 1), date(2026, 1, 1)),
        known_facts=frozenset(engine.facts),
    )  # fmt: skip
    facts = {"orders_12m": 0, "potential": "低", "judged": 0.0}
    fell = None
    for number in range(400):
        day = low + timedelta(days=number)
        decision = decided(engine, facts, state, day)
        assert decision.tier is not None
        if decision.tier.after != "vip":
            fell = day
            break
        assert decision.tier.due_on == date(2027, 3, 15)
        state = CustomerState(REF, decision.standing, decision.clocks, decision.known_facts)
    assert fell == date(2027, 3, 15)


def test_a_lasting_move_waits_for_the_season(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, ("tasks:\n", "active_months: 3..9\ntasks:\n"))
    engine = Engine(ruleset)
    facts = {"last_order_on": date(2026, 6, 1), "orders_12m": 1}
    state = CustomerState(REF, Standing(lifecycle="active", lifecycle_since=date(2026, 6, 1)))
    quiet_from = date(2026, 9, 28)
    reached = None
    for number in range(400):
        day = quiet_from + timedelta(days=number)
        decision = decided(engine, facts, state, day)
        assert decision.lifecycle is not None
        if decision.lifecycle.after == "quiet":
            reached = day
            break
        state = CustomerState(REF, decision.standing, decision.clocks, decision.known_facts)
    assert reached == date(2027, 3, 5)


def test_digest_and_mutants_know_the_season(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, ("tasks:\n", "active_months: 3月..9月\ntasks:\n"))
    assert ruleset.season == Season(3, 9)
    assert ruleset.digest != rules(tmp_path).digest
    changed = [item for item in mutants(ruleset) if item.place == "active_months"]
    assert [item.ruleset.season for item in changed] == [ALL_YEAR, Season(4, 9), Season(3, 8)]


# ── what becomes of people's edits ─────────────────────────────────────────────────────────────


def test_the_ruleset_says_what_becomes_of_edits(tmp_path: Path) -> None:
    block = "overrides: {human_edits: adopt, adopt_for: 30 days}\ntasks:\n"
    ruleset = rules(tmp_path, ("tasks:\n", block))
    assert ruleset.human_edits is not None
    assert (ruleset.human_edits.adopt, ruleset.human_edits.days) == (True, 30)
    other = replace(ruleset, human_edits=None)
    assert other != ruleset
    assert ruleset.digest != rules(tmp_path).digest
