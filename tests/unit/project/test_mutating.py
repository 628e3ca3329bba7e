"""Cases are held against changed rules; boundary cases notice what no case noticed before."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from crmsync.errors import UsageError
from crmsync.evaluate import Engine
from crmsync.model.case import Case
from crmsync.project.boundaries import boundary_cases
from crmsync.project.case_files import add_cases
from crmsync.project.cases import cases_of, run_cases
from crmsync.project.deciding import fails
from crmsync.project.generating import generate
from crmsync.project.loading import load_rules
from crmsync.project.mutating import Deadline, noticing, tried
from crmsync.rules import Mutant, mutants

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted(path.parent for path in (ROOT / "rulesets").glob("*/rules.yaml"))
LONG = "CRMSYNC_PROOFS" in os.environ
TODAY = date(2026, 11, 22)
PROMISED = 0.95


def never() -> Deadline:
    return Deadline(lambda: 0.0, 1)


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_cases_notice_what_is_promised(folder: Path) -> None:
    """The short form holds every fifth mutant against the cases; the long one every mutant."""
    rules = load_rules(folder)
    cases = list(cases_of(folder, rules).cases)
    sample = list(mutants(rules))[:: 1 if LONG else 5]
    unnoticed = [m for m in sample if noticing(m, cases) is None]
    assert 1 - len(unnoticed) / len(sample) >= PROMISED, [m.change for m in unnoticed]


def test_survivors_are_named_with_their_place() -> None:
    folder = ROOT / "rulesets" / "real-estate"
    rules = load_rules(folder)
    report = tried(rules, cases_of(folder, rules).cases[:2], never())
    assert report.tried == len(list(mutants(rules)))
    assert report.left == 0
    survivor = report.survivors[0]
    assert survivor.change.span.file.endswith("rules.yaml")
    assert survivor.change.span.line > 1
    assert 0 < report.share < 1


def test_the_time_is_bounded() -> None:
    folder = ROOT / "rulesets" / "real-estate"
    rules = load_rules(folder)
    ticks = iter(range(1000))
    report = tried(rules, cases_of(folder, rules).cases, Deadline(lambda: float(next(ticks)), 11))
    assert report.tried == 10
    assert report.left == len(list(mutants(rules))) - 10


def test_without_cases_everything_survives() -> None:
    rules = load_rules(ROOT / "rulesets" / "real-estate")
    report = tried(rules, (), never())
    assert len(report.survivors) == report.tried


def test_a_case_about_a_task_that_is_gone_fails() -> None:
    folder = ROOT / "rulesets" / "b2b-standard"
    rules = load_rules(folder)
    asks = next(c for c in cases_of(folder, rules).cases if c.episodes)
    gone = next(m for m in mutants(rules) if m.place == f"tasks.{asks.episodes[0].task_id}")
    assert fails(Engine(gone.ruleset), asks)
    assert not fails(Engine(rules), asks)


# ── boundary cases ─────────────────────────────────────────────────────────────────────────────

SMALL_RULES = """\
ruleset: tiny
version: 1
title: 小 | Tiny
record: account
languages: [zh, en]
time_zone: Asia/Shanghai
workdays: CN
facts:
  orders: {type: integer, label: 订单 | Orders, missing: 0}
  seen_on: {type: date, label: 最近 | Seen on}
  gap: {type: number, label: 间隔 | Gap}
  days: {type: number, label: 天数 | Days, formula: days_since(seen_on)}
  ratio: {type: number, label: 倍数 | Ratio, formula: days / gap}
score:
  - id: orders
    of: orders
    max: 60
    points: {≥ 10: 60, ≥ 3: 30, otherwise: 0}
  - id: days
    of: days
    max: 40
    points: {≤ 30: 40, otherwise: 10}
tier:
  levels:
    - {id: high, label: 高 | High, enter: 70, keep: 60}
    - {id: low, label: 低 | Low}
  change: {down: {demote_after: 14 days, hold: 40 days}}
  exceptions:
    - {id: slow, reason: 慢 | Slow, when: ratio > 2, at_most: low}
service:
  high: {manager: dedicated}
  low: {manager: none}
"""
SMALL_CASES = """\
ruleset: tiny
today: 2026-11-22
cases:
  - name: one
    facts: {orders: 12, seen_on: 2026-11-20, gap: 10}
    expect: {score: 100, tier: high}
"""


def tiny(folder: Path, cases: str | None = SMALL_CASES) -> Path:
    home = folder / "tiny"
    home.mkdir()
    (home / "rules.yaml").write_text(SMALL_RULES, encoding="utf-8")
    if cases is not None:
        (home / "rules.test.yaml").write_text(cases, encoding="utf-8")
    return home


def found_around(folder: Path) -> list[Case]:
    rules = load_rules(folder)
    bases = cases_of(folder, rules).cases
    return [item.case for item in boundary_cases(Engine(rules), bases)]


def test_borders_are_found_behind_formulas(tmp_path: Path) -> None:
    cases = found_around(tiny(tmp_path))
    orders = {case.facts.get("orders") for case in cases}
    assert {2, 3, 9, 10} <= orders
    seen = {
        (TODAY - day).days for case in cases if isinstance(day := case.facts.get("seen_on"), date)
    }
    assert {20, 21} <= seen, "days / gap > 2 turns between 20 and 21 days"


def test_borders_of_waiting_are_found(tmp_path: Path) -> None:
    home = tiny(tmp_path)
    made = generate(home, TODAY, never())
    left = {id(m) for m in made.unnoticed}
    noticed = {m.change.before for m in made.before.survivors if id(m) not in left}
    assert {"demote_after: 14 days", "hold: 40"} <= noticed


def test_new_cases_pass_and_notice_what_they_are_said_to(tmp_path: Path) -> None:
    home = tiny(tmp_path)
    made = generate(home, TODAY, never())
    assert made.cases
    rules = load_rules(home)
    assert not any(fails(Engine(rules), case) for case in made.cases)
    left = {id(m) for m in made.unnoticed}
    for mutant in made.before.survivors:
        assert (noticing(mutant, made.cases) is None) == (id(mutant) in left)
    assert all(idle_without(case, made.cases, made.before.survivors) for case in made.cases)


def idle_without(case: Case, cases: tuple[Case, ...], survivors: tuple[Mutant, ...]) -> bool:
    """Whether some mutant is noticed by *case* alone."""
    others = [item for item in cases if item is not case]
    return any(noticing(m, [case]) is not None and noticing(m, others) is None for m in survivors)


def test_written_cases_run_and_raise_the_share(tmp_path: Path) -> None:
    home = tiny(tmp_path)
    made = generate(home, TODAY, never())
    add_cases(home, made.ruleset, made.text, TODAY)
    (report,) = run_cases(tmp_path, [home])
    assert report.passed
    assert len(report.outcomes) == 1 + len(made.cases)
    rules = load_rules(home)
    after = tried(rules, cases_of(home, rules).cases, never())
    assert len(after.survivors) == len(made.unnoticed)


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    home = tiny(tmp_path, cases=None)
    made = generate(home, TODAY, never())
    add_cases(home, made.ruleset, made.text, TODAY)
    (report,) = run_cases(tmp_path, [home])
    assert report.passed
    assert report.outcomes


def test_a_file_that_does_not_end_with_cases_is_left_alone(tmp_path: Path) -> None:
    text = SMALL_CASES.replace("today: 2026-11-22\n", "") + "today: 2026-11-22\n"
    home = tiny(tmp_path, text)
    made = generate(home, TODAY, never())
    with pytest.raises(UsageError, match="not last"):
        add_cases(home, made.ruleset, made.text, TODAY)
    assert (home / "rules.test.yaml").read_text(encoding="utf-8") == text
    assert [path.name for path in home.iterdir()] == ["rules.yaml", "rules.test.yaml"] or len(
        list(home.iterdir())
    ) == 2


def test_cases_that_would_not_read_are_not_written(tmp_path: Path) -> None:
    home = tiny(tmp_path)
    rules = load_rules(home)
    with pytest.raises(UsageError, match="would not read"):
        add_cases(home, rules, "- name: two\n  facts: {nothing: 1}\n  expect: {}\n", TODAY)
    assert (home / "rules.test.yaml").read_text(encoding="utf-8") == SMALL_CASES
    shutil.rmtree(home)
