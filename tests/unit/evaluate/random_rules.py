"""Rulesets and customers nobody thought of: written as files, the same for every seed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from crmsync.model.fact import FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.rules import load

TODAY = date(2026, 3, 10)
HEAD = """\
ruleset: made-up
version: 1
title: 随机 | Random
record: account
languages: [zh, en]
time_zone: Asia/Shanghai
currency: CNY
workdays: CN

facts:
  seen_on: {type: date, label: 日期 | Day}
  count: {type: integer, label: 次数 | Count, missing: 0}
  money: {type: money, label: 金额 | Money}
  share: {type: percent, label: 比例 | Share}
  rate: {type: number, label: 指数 | Rate}
  kind: {type: choice, label: 类型 | Kind, choices: [甲, 乙, 丙]}
  flag: {type: yes_no, label: 标记 | Flag}
  mark: {type: number, label: 评分 | Mark, between: 0..20, judged_by: account owner}
  days: {type: number, label: 天数 | Days, formula: days_since(seen_on)}
  each: {type: number, label: 均额 | Each, formula: money / count}
"""
NUMERIC = {
    "count": (1, 40),
    "money": (100, 500_000),
    "share": (1, 90),
    "rate": (1, 50),
    "days": (5, 300),
    "each": (10, 5000),
}


@cache
def random_rules(seed: int) -> Ruleset:
    """The ruleset of one seed."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "rules.yaml").write_text(rules_text(seed), encoding="utf-8")
        rules, found = load(path)
    assert rules is not None, (rules_text(seed), found)
    return rules


def rules_text(seed: int) -> str:
    made = Random(seed)
    criteria = made.sample([*NUMERIC, "kind", "mark"], made.randint(2, 5))
    maxima = [made.choice([10, 15, 20, 25, 30, 40]) for _ in criteria]
    lines = [HEAD, "score:"]
    for name, most in zip(criteria, maxima, strict=True):
        lines += _criterion(made, name, most)
    lines += ["tier:", "  levels:", *_levels(made, sum(maxima))]
    lines += ["  change:", *_change(made)]
    if made.random() < 0.6:
        lines += ["  exceptions:", *_exceptions(made)]
    return "\n".join(lines) + "\n"


def _criterion(made: Random, name: str, most: int) -> list[str]:
    head = [f"  - id: by_{name}", f"    of: {name}", f"    max: {most}"]
    missing = made.choice(["hold", "ask", "skip", str(made.randint(0, most))])
    if name == "mark":
        return [f"  - id: by_{name}", f"    of: {name}", "    max: 20", "    points: as given"]
    if name == "kind":
        a, b = made.randint(0, most), made.randint(0, most)
        points = f"    points: {{甲: {most}, 乙: {a}, 丙: {b}}}"
    else:
        points = _points(made, name, most)
    return [*head, points, f"    missing: {missing}"]


def _points(made: Random, name: str, most: int) -> str:
    low, high = NUMERIC[name]
    cuts = sorted(made.sample(range(low, high + 1), made.randint(2, 4)))
    unit = "%" if name == "share" else ""
    if made.random() < 0.4:
        given = sorted(made.sample(range(most + 1), len(cuts)))
        given = given if made.random() < 0.8 else given[::-1]
        pairs = ", ".join(f"{cut}{unit}: {p}" for cut, p in zip(cuts, given, strict=True))
        return f"    scale: {{{pairs}}}"
    given = sorted(made.sample(range(1, most + 1), len(cuts)), reverse=True)
    sign = made.choice([("≥", True), (">", True), ("≤", False), ("<", False)])
    ordered = cuts[::-1] if sign[1] else cuts
    lines = zip(ordered, given, strict=True)
    pairs = ", ".join(f'"{sign[0]} {cut}{unit}": {points}' for cut, points in lines)
    return f"    points: {{{pairs}, otherwise: 0}}"


def _levels(made: Random, total: int) -> list[str]:
    enters = sorted(made.sample(range(3, total), made.randint(1, 3)), reverse=True)
    lines = []
    for number, enter in enumerate(enters):
        keep = max(0, enter - made.choice([0, 1, 3, 6, 12]))
        lines.append(
            f"    - {{id: t{number}, label: 级{number} | T{number}, enter: {enter}, keep: {keep}}}"
        )
    return [*lines, f"    - {{id: t{len(enters)}, label: 末级 | Last}}"]


def _change(made: Random) -> list[str]:
    up = [f"hold: {made.choice([0, 0, 10, 40])} days"]
    if made.random() < 0.4:
        up.append("max_step: 1")
    down = [
        f"demote_after: {made.choice(['0 days', '15 days', '30 days', '3 evaluations'])}",
        f"hold: {made.choice([0, 0, 20, 90])} days",
        f"grace: {made.choice([0, 0, 100])} days",
    ]
    if made.random() < 0.4:
        down.append("max_step: 1")
    return [f"    up: {{{', '.join(up)}}}", f"    down: {{{', '.join(down)}}}"]


def _exceptions(made: Random) -> list[str]:
    lines = []
    for number in range(made.randint(1, 2)):
        name = made.choice(["flag", "kind is 甲", "count > 12", "rate < 9", "days > 120"])
        action = made.choice(["at_least: t0", "at_most: t1", "set: t1"])
        lines.append(f'    - {{id: e{number}, reason: 例外 | Exception, when: "{name}", {action}}}')
    return lines


def random_facts(seed: int, *, unknown: float = 0.1) -> dict[str, FactValue]:
    """A customer; each fact is left out with that likelihood."""
    made = Random(seed)
    facts: dict[str, FactValue] = {
        "seen_on": TODAY - timedelta(days=made.randint(0, 320)),
        "count": made.randint(0, 45),
        "money": Decimal(made.randint(0, 52_000_000)) / 100,
        "share": made.randint(0, 1000) / 1000,
        "rate": made.randint(0, 600) / 10,
        "kind": made.choice("甲乙丙"),
        "flag": made.random() < 0.3,
        "mark": made.randint(0, 40) / 2,
    }
    return {name: value for name, value in facts.items() if made.random() >= unknown}
