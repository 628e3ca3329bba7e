"""Two files that decide alike have one digest; any change of a decision changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.rules.writing import load_text, sound, typed


def digest(folder: Path, *changes: tuple[str, str]) -> str:
    return typed(folder, *changes).digest


@pytest.mark.parametrize(
    "changes",
    [
        (("label: 频次 | Frequency", "label: 次数 | How often"),),
        (("title: 小规则集", "title: 小小规则集"),),
        (("label: 贵宾 | VIP", "label: 大客户 | VIP"),),
        (("when: blacklisted", "when: 黑名单"),),
        (("when: days > 90", "when: 未下单天数 大于 90"),),
        (("tier in vip, key", "tier in 贵宾, Key"),),
        (("scale: {0: 0, 10万: 10,", "scale: {0: 0, 100000: 10.0,"),),
        (("hold: 90 days", "hold: 90"),),
        (("edges: lower", "edges: upper"),),
        (("ruleset: small", "# 注释 / a comment\nruleset: small"),),
        (("\nscore:", "\n\n\nscore:"),),
        (("points: {≥ 12: 20,", "points: {≥12: 20,"),),
    ],
)
def test_layout_labels_and_spellings_do_not_count(
    tmp_path: Path, changes: tuple[tuple[str, str], ...]
) -> None:
    assert digest(tmp_path, *changes) == digest(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        ("version: 1", "version: 2"),
        ("≥ 12: 20,", "≥ 13: 20,"),
        ("≥ 12: 20,", "≥ 12: 19,"),
        ("enter: 80", "enter: 81"),
        ("keep: 72", "keep: 71"),
        ("demote_after: 30 days", "demote_after: 31 days"),
        ("days > 90", "days ≥ 90"),
        ("lasting: 7 days", "lasting: 8 days"),
        ("missing: hold", "missing: skip"),
        ("max: 40", "max: 41"),
        ("time_zone: Asia/Shanghai", "time_zone: Asia/Tokyo"),
        ("answer_target: 90%", "answer_target: 91%"),
        ("tier_changes: 10%", "tier_changes: 11%"),
        ("【预警】{name}", "【注意】{name}"),
        ("reason: 黑名单", "reason: 在黑名单上"),
        ("owner: judge", "owner: account owner"),
        ("choices: [高, 中, 低]", "choices: [高, 中, 低, 无]"),
        ("formula: days_since(last_order_on)", "formula: days_since(last_order_on) + 0"),
    ],
)
def test_every_change_of_a_decision_counts(tmp_path: Path, change: tuple[str, str]) -> None:
    changed, _ = load_text(tmp_path, sound(change))
    assert changed is not None
    assert changed.digest != digest(tmp_path)


def test_the_digest_is_the_same_on_every_machine(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    assert digest(tmp_path) == digest(other)
    assert len(digest(tmp_path)) == 64
