"""Cases run through the very policy: open episodes and notices as the nightly job has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crmsync.errors import RulesetError
from crmsync.project.cases import CaseOutcome, run_cases

SHIPPED = Path(__file__).resolve().parents[3] / "rulesets" / "b2b-standard"
RISING = """\
ruleset: b2b-standard
today: 2026-11-22
cases:
  - name: rises
    facts: {{last_order_on: 2026-11-15, orders_total: 20, orders_12m: 12, revenue_12m: 520万, \
margin_12m: 30%, potential: 中}}
    before: {{tier: key, tier_since: 2026-01-01, lifecycle: loyal, episodes: {episodes}}}
    expect: {{tier: vip, tasks: {tasks}}}
"""
GOES_QUIET = """\
ruleset: b2b-standard
today: 2026-11-22
cases:
  - name: quiet
    facts: {{last_order_on: 2026-08-01, orders_total: 9, orders_12m: 6, revenue_12m: 130万, \
margin_12m: 30%, potential: 高, usual_gap: 40}}
    before: {{tier: key, tier_since: 2026-11-01, lifecycle: repeat, \
lifecycle_pending: {{at_risk: 2026-11-10}}, episodes: {episodes}}}
    expect: {{lifecycle: at_risk, tasks: {tasks}}}
"""
FALLS_SOON = """\
ruleset: b2b-standard
today: 2026-11-22
cases:
  - name: soon
    facts: {{last_order_on: 2026-10-01, orders_total: 20, orders_12m: 7, revenue_12m: 90万, \
margin_12m: 20%, potential: 低}}
    before: {{tier: vip, tier_since: 2026-01-05, below_keep_since: {below}, lifecycle: loyal}}
    expect: {{tier: vip, notice: {notice}}}
"""


def outcome(folder: Path, text: str) -> CaseOutcome:
    place = folder / "rulesets" / "b2b-standard"
    shutil.copytree(SHIPPED, place)
    (place / "rules.test.yaml").write_text(text, encoding="utf-8")
    (report,) = run_cases(folder, [place])
    (found,) = report.outcomes
    return found


def missed(found: CaseOutcome) -> list[tuple[str, str]]:
    return [(item.key, item.got) for item in found.mismatches]


@pytest.mark.parametrize(
    ("episodes", "tasks"),
    [
        ("[]", "[welcome-vip]"),
        ("[welcome-vip]", "[]"),
        ("{welcome-vip: 2026-10-01}", "[]"),
        ("{welcome-vip: 2026-09-30}", "[welcome-vip]"),  # the quarter before
        ("[regular-visit]", "[welcome-vip]"),
    ],
)
def test_an_open_episode_keeps_its_task_from_opening_again(
    tmp_path: Path, episodes: str, tasks: str
) -> None:
    found = outcome(tmp_path, RISING.format(episodes=episodes, tasks=tasks))

    assert missed(found) == []


@pytest.mark.parametrize(
    ("episodes", "tasks"),
    [
        ("{win-back-call: 2026-11-22}", "[]"),  # this very spell, an earlier evaluation today
        ("{win-back-call: 2026-05-01}", "[win-back-call]"),  # another spell
    ],
)
def test_an_episode_of_another_spell_does_not_hold_back_a_new_one(
    tmp_path: Path, episodes: str, tasks: str
) -> None:
    found = outcome(tmp_path, GOES_QUIET.format(episodes=episodes, tasks=tasks))

    assert missed(found) == []


@pytest.mark.parametrize(("below", "notice"), [("2026-11-01", "key"), ("2026-11-10", "none")])
def test_a_case_may_expect_a_notice(tmp_path: Path, below: str, notice: str) -> None:
    assert missed(outcome(tmp_path, FALLS_SOON.format(below=below, notice=notice))) == []


def test_a_notice_that_does_not_come_is_a_mismatch(tmp_path: Path) -> None:
    found = outcome(tmp_path, FALLS_SOON.format(below="2026-11-10", notice="key"))

    assert missed(found) == [("notice", "none")]


def test_a_notice_for_a_tier_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesetError):
        outcome(tmp_path, FALLS_SOON.format(below="2026-11-10", notice="gold"))
