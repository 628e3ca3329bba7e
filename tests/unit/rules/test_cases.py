"""Cases are typed strictly, hold decisions against what was expected, and count what they touch."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.writing import RULESETS, cases_text, codes, only, typed

from crmsync.evaluate import Engine
from crmsync.model.case import Case
from crmsync.model.decision import Decision
from crmsync.model.ruleset import Ruleset
from crmsync.project.deciding import decide_case
from crmsync.rules import compare, load, load_cases, rule_places, touched, untouched

CASES = """\
ruleset: small
today: 2026-11-22
cases:
  - name: 一个 / one
    facts: {订单数: 12, 成交额: 10万, 潜力: 高, judged: 20, last_order_on: 2026-11-20}
    before:
      tier: 贵宾
      tier_since: 2026-01-05
      below_keep_since: 2026-11-20
      lifecycle: active
      lifecycle_since: 2026-02-01
      lifecycle_pending: {quiet: 2026-11-18}
      episodes: [call]
    expect: {score: 70, tier: vip, tier_because: demote_after, lifecycle: 活跃, tasks: []}
"""


def one(folder: Path, *changes: tuple[str, str]) -> Case:
    text = CASES
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file, findings = cases_text(folder, typed(folder), text)
    assert file is not None, [str(item) for item in findings]
    assert findings == []
    return file.cases[0]


def decision_of(ruleset: Ruleset, case: Case) -> Decision:
    return decide_case(Engine(ruleset), case)


def test_a_case_is_typed(tmp_path: Path) -> None:
    case = one(tmp_path)
    assert case.facts == {
        "orders_12m": 12,
        "revenue": Decimal(100_000),
        "potential": "高",
        "judged": 20.0,
        "last_order_on": date(2026, 11, 20),
    }
    standing, clocks = case.before.standing, case.before.clocks
    assert (standing.tier, standing.tier_since) == ("vip", date(2026, 1, 5))
    assert (standing.lifecycle, standing.lifecycle_since) == ("active", date(2026, 2, 1))
    assert clocks.evaluated == date(2026, 11, 21)
    assert (clocks.below_keep_since, clocks.below_keep_evaluations) == (date(2026, 11, 20), 2)
    assert clocks.pending == {"active>quiet": date(2026, 11, 18)}
    assert [item.task_id for item in case.episodes] == ["call"]
    assert case.expect.score == (Decimal(70), Decimal(70))
    assert case.expect.lifecycle == "active"
    assert case.expect.tasks == frozenset()


def test_a_case_that_comes_true_has_no_mismatch(tmp_path: Path) -> None:
    case = one(tmp_path)
    assert compare(case, decision_of(typed(tmp_path), case)) == ()


@pytest.mark.parametrize(
    ("old", "new", "miss"),
    [
        ("score: 70", "score: 71", ("score", "71", "70")),
        ("score: 70", "score: 60..70", ("score", "60..70", "70")),
        ("expect: {score: 70, tier: vip", "expect: {tier: key", ("tier", "key", "vip")),
        ("expect: {score: 70, tier: vip", "expect: {tier: none", ("tier", "none", "vip")),
        (
            "tier_because: demote_after",
            "tier_because: hold",
            ("tier_because", "hold", "demote_after"),
        ),
        ("lifecycle: 活跃", "lifecycle: quiet", ("lifecycle", "quiet", "active")),
        ("tasks: []", "tasks: [visit, call]", ("tasks", "[call, visit]", "[]")),
        ("tasks: []", "service: key", ("service", "key", "vip")),
    ],
)
def test_what_does_not_come_true_is_shown_at_its_place(
    tmp_path: Path, old: str, new: str, miss: tuple[str, str, str]
) -> None:
    case = one(tmp_path, (old, new))
    (found,) = compare(case, decision_of(typed(tmp_path), case))
    assert (found.key, found.expected, found.got) == miss
    assert found.span.file == "rules.test.yaml"
    assert found.span.line == 14


def test_a_waiting_move_says_until_when(tmp_path: Path) -> None:
    case = one(
        tmp_path,
        ("last_order_on: 2026-11-20", "last_order_on: 2026-08-01"),
        ("lifecycle: 活跃", "lifecycle: quiet"),
    )
    misses = {item.key: item for item in compare(case, decision_of(typed(tmp_path), case))}
    why = misses["lifecycle"].why
    assert why is not None
    assert "2026-11-25" in why.en


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("name:", "nmae: x\n    name:", "TEST001"),
        ("tasks: []", "task: []", "TEST001"),
        ("tier_since:", "tier_sinse:", "TEST001"),
        ("today: 2026-11-22\n", "", "TEST002"),
        ("    facts: {订单数: 12,", "    fact: {订单数: 12,", "TEST001"),
        ("episodes: [call]", "episodes: [cal]", "TEST012"),
        ("tasks: []", "tasks: [vist]", "TEST012"),
        ("expect: {score: 70", "expect: {score: high", "TEST005"),
        ("{订单数: 12,", "{单数: 12,", "TEST010"),
        ("{订单数: 12,", "{days: 12, 订单数: 12,", "TEST011"),
        ("tier: 贵宾", "tier: 贵客", "TEST012"),
        ("lifecycle: 活跃", "lifecycle: 活泼", "TEST012"),
        ("tier_because: demote_after", "tier_because: demoted", "TEST012"),
        ("ruleset: small", "ruleset: large", "TEST013"),
        ("{quiet: 2026-11-18}", "{prospect: 2026-11-18}", "TEST015"),
        ("潜力: 高", "潜力: 很高", "RULE103"),
        ("2026-02-01", "01/02/2026", "RULE068"),
        ("订单数: 12", "订单数: 12.5", "RULE068"),
    ],
)
def test_a_wrong_case_is_an_error_at_its_place(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert CASES.count(old) == 1
    file, findings = cases_text(tmp_path, typed(tmp_path), CASES.replace(old, new))
    assert file is None
    assert code in codes(findings)


def test_two_cases_of_one_name(tmp_path: Path) -> None:
    body = CASES.split("cases:\n")[1]
    _, findings = cases_text(tmp_path, typed(tmp_path), CASES + body)
    assert only(findings, "TEST007").labels


def test_a_fact_may_be_said_to_be_missing(tmp_path: Path) -> None:
    case = one(tmp_path, ("潜力: 高", "潜力: missing"))
    assert case.facts["potential"] is None


def test_a_customer_never_seen_has_an_empty_state(tmp_path: Path) -> None:
    head, _, rest = CASES.partition("    before:\n")
    file, _ = cases_text(tmp_path, typed(tmp_path), head + rest[rest.index("    expect") :])
    assert file is not None
    assert file.cases[0].before.standing.tier is None
    assert file.cases[0].before.clocks.evaluated is None


def test_no_case_file_is_no_finding(tmp_path: Path) -> None:
    assert load_cases(tmp_path, typed(tmp_path)) == (None, [])


@pytest.mark.parametrize("name", ["b2b-standard", "real-estate", "retail-rfm", "saas-health"])
def test_shipped_cases_come_true_and_touch_every_rule(name: str) -> None:
    ruleset, _ = load(RULESETS / name)
    assert ruleset is not None
    file, findings = load_cases(RULESETS / name, ruleset)
    assert findings == []
    assert file is not None
    seen: frozenset[str] = frozenset()
    engine = Engine(ruleset)
    for case in file.cases:
        decision = decide_case(engine, case)
        assert compare(case, decision) == (), case.name
        seen |= touched(ruleset, decision)
    assert [place.id for place in untouched(ruleset, seen)] == []


def test_untouched_rules_are_named_with_their_place(tmp_path: Path) -> None:
    ruleset = typed(tmp_path)
    seen = touched(ruleset, decision_of(ruleset, one(tmp_path)))
    assert "score.frequency.≥ 12" in seen
    missed = {place.id: place for place in untouched(ruleset, seen)}
    assert missed["tier.exceptions.blacklist"].span.line > 1
    assert len(seen) + len(missed) == len(rule_places(ruleset))


def test_a_case_may_expect_what_closes_and_release_a_review(tmp_path: Path) -> None:
    closing = one(
        tmp_path,
        ("tasks: []}", "tasks: [], closes: [call]}"),
        ("    expect:", "    review: released\n    expect:"),
    )
    assert closing.released
    assert closing.expect.closes == frozenset({"call"})
    assert compare(closing, decision_of(typed(tmp_path), closing)) == ()
    other = one(tmp_path, ("tasks: []}", "closes: []}"))
    (miss,) = compare(other, decision_of(typed(tmp_path), other))
    assert (miss.key, miss.expected, miss.got) == ("closes", "[]", "[call]")
