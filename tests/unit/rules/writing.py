"""Builds small rule files for tests: a sound one, and the same with one thing changed."""

from __future__ import annotations

from pathlib import Path

from crmsync.model.case import CaseFile
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.ruleset import Ruleset
from crmsync.rules import load, load_cases

ROOT = Path(__file__).resolve().parents[3]
RULESETS = ROOT / "rulesets"

SOUND = """\
ruleset: small
version: 1
title: 小规则集 | Small ruleset
record: account
languages: [zh, en]
time_zone: Asia/Shanghai
currency: CNY
workdays: CN

facts:
  last_order_on: {type: date, label: 最近下单日期 | Last order on}
  orders_12m: {type: integer, label: 订单数 | Orders, missing: 0}
  revenue: {type: money, label: 成交额 | Revenue, missing: 0}
  potential: {type: choice, label: 潜力 | Potential, choices: [高, 中, 低]}
  judged: {type: number, label: 评分 | Judgement, between: 0..40, judged_by: account owner}
  blacklisted: {type: yes_no, label: 黑名单 | Blacklisted, missing: false}
  days: {type: number, label: 未下单天数 | Days since, formula: days_since(last_order_on)}

score:
  - id: frequency
    label: 频次 | Frequency
    of: orders_12m
    max: 20
    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}
  - id: money
    of: revenue
    max: 20
    scale: {0: 0, 10万: 10, 50万: 20}
  - id: potential
    of: potential
    max: 20
    points: {高: 20, 中: 10, 低: 2}
    missing: hold
  - id: judged
    of: judged
    max: 40
    points: as given
    bands: {strong: 20..40, weak: 0..20}
    edges: lower
    missing: ask

tier:
  levels:
    - {id: vip, label: 贵宾 | VIP, enter: 80, keep: 72}
    - {id: key, label: 重要 | Key, enter: 50, keep: 45}
    - {id: basic, label: 普通 | Basic}
    - {id: blocked, label: 封禁 | Blocked, by_exception_only: true}
  change:
    up: {hold: 0 days}
    down: {demote_after: 30 days, hold: 90 days, max_step: 1}
  exceptions:
    - {id: blacklist, reason: 黑名单 | Blacklisted, when: blacklisted, set: blocked}

lifecycle:
  start: prospect
  stages:
    prospect: 潜在 | Prospect
    active: 活跃 | Active
    quiet: 沉默 | Quiet
  moves:
    - {from: prospect, to: active, when: orders_12m ≥ 1}
    - {from: active, to: quiet, when: days > 90, lasting: 7 days}
    - {from: quiet, to: active, when: days ≤ 30}

service:
  vip: {manager: dedicated, answer_within: 20 s, answer_target: 90%, visit_every: 1 month}
  key: {manager: shared, queue: normal, callback_within: 24 hours}
  basic: {manager: none, queue: normal}
  blocked: {manager: none, queue: last}

tasks:
  - id: call
    title: "【预警】{name}：{days} 天 | [Quiet] {name}: {days} days"
    event: enters quiet
    when: tier in vip, key
    owner: account owner
    due: 2 workdays
    once_per: customer, lifecycle spell
    close_when: lifecycle is not quiet
  - id: ask
    title: 请评分 {name} {missing_scores} | Please score {name} {missing_scores}
    event: score missing
    owner: judge
    due: 5 workdays
    once_per: customer, quarter
  - id: visit
    title: 回访 {name} | Visit {name}
    event: every service.visit_every
    owner: account owner
    due: 10 days
    once_per: customer, period

guards:
  tier_changes: 10%
  new_tasks: 200
"""


def sound(*changes: tuple[str, str]) -> str:
    """The sound file with every ``(old, new)`` replaced; *old* must stand there exactly once."""
    text = SOUND
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def load_text(folder: Path, text: str) -> tuple[Ruleset | None, list[Diagnostic]]:
    """Load a ruleset written as *text*."""
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return load(folder, name="rules.yaml")


def typed(folder: Path, *changes: tuple[str, str]) -> Ruleset:
    """The sound ruleset with changes, which must read without findings."""
    ruleset, findings = load_text(folder, sound(*changes))
    assert ruleset is not None, [f"{item.code} {item.span} {item.message.en}" for item in findings]
    assert findings == []
    return ruleset


def cases_text(
    folder: Path, ruleset: Ruleset, text: str
) -> tuple[CaseFile | None, list[Diagnostic]]:
    """Load cases written as *text*."""
    (folder / "rules.test.yaml").write_text(text, encoding="utf-8")
    return load_cases(folder, ruleset, name="rules.test.yaml")


def codes(findings: list[Diagnostic]) -> list[str]:
    """The codes, in order of their places."""
    return [
        item.code for item in sorted(findings, key=lambda item: (item.span.line, item.span.column))
    ]


def only(findings: list[Diagnostic], code: str) -> Diagnostic:
    """The single finding, which must have that code."""
    assert [item.code for item in findings] == [code], [
        f"{item.code} {item.span} {item.message.en}" for item in findings
    ]
    return findings[0]
