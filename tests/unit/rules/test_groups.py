"""The group block: read, held by cases, and how a parent's tier bears on those below."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.writing import cases_text, codes, load_text, sound

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
)
from crmsync.model.decision import Decision
from crmsync.model.group import GROUP, Group, GroupTier, ParentTier
from crmsync.model.override import Override, OverrideKind
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.project.deciding import decide_case
from crmsync.rules import case_text, compare, rule_places, touched
from crmsync.rules.mutants import mutants

DAY = date(2026, 11, 22)
REF = RecordRef("Accounts", "A1")
FACT = "  parent: {type: text, label: 上级公司 | Parent}\n  blacklisted:"
POOR = {"potential": "低", "judged": 0.0}


def rules(folder: Path, tier: str = "at_least_parent", *, sums: str = "[revenue]") -> Ruleset:
    block = f"group: {{by: parent, sum: {sums}, tier: {tier}}}\ntasks:\n"
    text = sound(("  blacklisted:", FACT), ("tasks:\n", block))
    ruleset, findings = load_text(folder, text)
    assert ruleset is not None, [f"{item.code} {item.message.en}" for item in findings]
    assert findings == []
    return ruleset


def decided(
    ruleset: Ruleset,
    parent: str | None,
    facts: dict[str, object] | None = None,
    overrides: tuple[Override, ...] = (),
) -> Decision:
    engine = Engine(ruleset)
    row = row_from_facts(engine, REF, {**POOR, **(facts or {})}, DAY)  # type: ignore[dict-item]
    (matched,) = match_compiled((row,), engine, DAY)
    parents = {} if parent is None else {REF: ParentTier("Parent Ltd", parent)}
    context = EvaluationContext(as_of=DAY, parents=parents, overrides={REF: overrides})
    return decide(engine, matched, CustomerState(REF), context)


def test_the_block_is_typed(tmp_path: Path) -> None:
    assert rules(tmp_path).group == Group("parent", ("revenue",), GroupTier.AT_LEAST_PARENT)
    assert len({rules(tmp_path, tier).digest for tier in GroupTier}) == 3


@pytest.mark.parametrize(
    ("tier", "parent", "after"),
    [
        ("at_least_parent", "vip", "vip"),
        ("at_least_parent", "basic", "basic"),
        ("at_least_parent", "blocked", "basic"),
        ("at_least_parent", None, "basic"),
        ("shared", "vip", "vip"),
        ("shared", "blocked", "blocked"),
        ("own", "vip", "basic"),
    ],
)
def test_a_parent_bears_on_those_below(
    tmp_path: Path, tier: str, parent: str | None, after: str
) -> None:
    decision = decided(rules(tmp_path, tier), parent)
    assert decision.tier is not None
    assert decision.tier.after == after
    if after == "vip":
        assert decision.tier.because == GROUP
        assert "Parent Ltd" in decision.tier.text.en


def test_at_least_never_lowers_and_shared_does(tmp_path: Path) -> None:
    rich = {"orders_12m": 12, "revenue": Decimal(500_000), "potential": "高", "judged": 40.0}
    floor, shared = rules(tmp_path), rules(tmp_path, "shared")
    assert [decided(item, "key", rich).tier.after for item in (floor, shared)] == [  # type: ignore[union-attr]
        "vip",
        "key",
    ]


def test_an_own_exception_and_a_person_stand_above_the_group(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, "shared")
    black = decided(ruleset, "vip", {"blacklisted": True})
    assert black.tier is not None
    assert (black.tier.after, black.tier.because) == ("blocked", "blacklist")
    pin = Override(REF, OverrideKind.PIN, "key", "someone", "why", DAY)
    pinned = decided(ruleset, "vip", overrides=(pin,))
    assert pinned.tier is not None
    assert (pinned.tier.after, pinned.tier.because) == ("key", "override")


def test_cases_coverage_mutants_and_explanations_know_groups(tmp_path: Path) -> None:
    ruleset = rules(tmp_path)
    text = """\
today: 2026-11-22
cases:
  - name: daughter
    facts: {潜力: 低, judged: 0}
    parent_tier: 贵宾
    expect: {tier: vip, tier_because: group}
"""
    file, findings = cases_text(tmp_path, ruleset, text)
    assert file is not None, [str(item) for item in findings]
    decision = decide_case(Engine(ruleset), file.cases[0])
    assert compare(file.cases[0], decision) == ()
    assert GROUP in touched(ruleset, decision)
    assert GROUP in {place.id for place in rule_places(ruleset)}
    changed = [item.ruleset.group for item in mutants(ruleset) if item.place == GROUP]
    assert {item.tier for item in changed if item} == {GroupTier.SHARED, GroupTier.OWN}
    written = "today: 2026-11-22\ncases:\n" + case_text(file.cases[0], ruleset, today=DAY)
    again, _ = cases_text(tmp_path, ruleset, written)
    assert again is not None
    assert again.cases[0].parent_tier == "vip"
    engine = Engine(ruleset)
    row = row_from_facts(engine, REF, POOR, DAY)  # type: ignore[arg-type]
    context = EvaluationContext(as_of=DAY, parents={REF: ParentTier("Parent Ltd", "vip")})
    assert explain(engine, row, CustomerState(REF), context).parent == ParentTier(
        "Parent Ltd", "vip"
    )


def test_a_parent_in_a_case_needs_a_group(tmp_path: Path) -> None:
    ruleset = replace(rules(tmp_path), group=None)
    text = "today: 2026-11-22\ncases:\n  - {name: a, facts: {}, parent_tier: vip, expect: {}}\n"
    file, findings = cases_text(tmp_path, ruleset, text)
    assert file is None
    assert "TEST019" in codes(findings)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("group: {by: revenue, sum: [revenue]}", "RULE267"),
        ("group: {by: parent, sum: [potential]}", "RULE267"),
        ("group: {by: parent, sum: [days]}", "RULE267"),
        ("group: {by: parent, sum: [nothing]}", "RULE101"),
        ("group: {by: parent}", "RULE002"),
        ("group: {by: parent, tier: best}", "RULE004"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, block: str, code: str) -> None:
    text = sound(("  blacklisted:", FACT), ("tasks:\n", f"{block}\ntasks:\n"))
    ruleset, findings = load_text(tmp_path, text)
    assert ruleset is None
    assert code in codes(findings)
