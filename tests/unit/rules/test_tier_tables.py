"""Tiers straight from a table: what a sound one means, and what is said of one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.rules.table_writing import put
from tests.unit.rules.writing import codes, load_text, sound

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.ruleset import Ruleset
from crmsync.model.table import HitPolicy
from crmsync.model.tier import TierTable
from crmsync.rules import check, load
from crmsync.rules.comparing import rule_places
from crmsync.rules.differences import differences
from crmsync.rules.lint_facts import read_by_rules
from crmsync.rules.mutants import mutants

VIP = ("{id: vip, label: 贵宾 | VIP, enter: 80, keep: 72}", "{id: vip, label: 贵宾 | VIP}")
KEY = ("{id: key, label: 重要 | Key, enter: 50, keep: 45}", "{id: key, label: 重要 | Key}")
TABLE = """\
成交额,潜力,等级,保级,备注
>= 50万,-,贵宾,,大客户
>= 40万,高,重要,贵宾,
>= 10万,-,key,,
-,-,basic,,
"""


def with_tiers(
    folder: Path, table: str | bytes = TABLE, more: str = "", *changes: tuple[str, str]
) -> tuple[Ruleset | None, list[Diagnostic]]:
    put(folder, "tier.csv", table)
    text = sound(*(changes or (VIP, KEY)))
    return load_text(folder, text.replace("tier:\n", f"tier:\n  table: tables/tier.csv\n{more}"))


def table_of(folder: Path, table: str = TABLE, more: str = "") -> TierTable:
    ruleset, findings = with_tiers(folder, table, more)
    assert ruleset is not None, [f"{item.code} {item.message.en}" for item in findings]
    assert ruleset.tier is not None
    assert ruleset.tier.table is not None
    return ruleset.tier.table


def test_rows_give_tiers_by_id_or_label_and_may_keep_a_better_one(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    assert [(row.level, row.keep) for row in table.rows] == [
        ("vip", "vip"),
        ("key", "vip"),
        ("key", "key"),
        ("basic", "basic"),
    ]
    assert [row.span.short for row in table.rows[:2]] == ["tier.csv:2:A2", "tier.csv:3:A3"]
    assert table.hit is HitPolicy.FIRST


@pytest.mark.parametrize(
    ("hit", "order"),
    [
        ("first", ["basic", "vip", "key"]),
        ("priority", ["vip", "key", "basic"]),
        ("collect max", ["vip", "key", "basic"]),
        ("collect min", ["basic", "key", "vip"]),
    ],
)
def test_the_hit_policy_says_which_row_decides(tmp_path: Path, hit: str, order: list[str]) -> None:
    rows = "成交额,订单数,等级\n<= 10万,-,basic\n>= 5万,>= 5,vip\n>= 1万,>= 3,key\n"
    assert [row.level for row in table_of(tmp_path, rows, f"  hit: {hit}\n").rows] == order


@pytest.mark.parametrize(
    ("table", "more", "code"),
    [
        ("成交额,等级\n>= 1,nobody\n-,key\n", "", "RULE110"),
        ("成交额,等级\n>= 1,blocked\n-,key\n", "", "TABLE015"),
        ("成交额,等级,保级\n>= 1,vip,key\n-,key,\n", "", "TABLE015"),
        ("成交额,等级\n>= 1,\n-,key\n", "", "TABLE008"),
        ("成交额,保级\n>= 1,key\n", "", "TABLE008"),
        ("成交额,等级\n>= 1,vip\n>= 2,key\n-,basic\n", "", "TABLE012"),
        ("成交额,等级\n>= 1,vip\n>= 2,key\n", "  hit: unique\n", "TABLE010"),
        ("成交额,等级\n>= 1,vip\n-,key\n", "  hit: collect sum\n", "TABLE007"),
        ("成交额,等级\n>= 1,vip\n-,key\n", "  of: revenue\n", "RULE205"),
        ("阶段,等级\nfirst,vip\n-,key\n", "", "TABLE005"),
    ],
)
def test_mistakes_in_the_table_are_named(tmp_path: Path, table: str, more: str, code: str) -> None:
    ruleset, findings = with_tiers(tmp_path, table, more)
    assert ruleset is None
    assert code in codes(findings)


def test_a_level_has_no_line_beside_the_table(tmp_path: Path) -> None:
    ruleset, findings = with_tiers(tmp_path, TABLE, "", KEY)
    assert ruleset is None
    (found,) = [item for item in findings if item.code == "RULE205"]
    assert "“vip” has no enter or keep line" in found.message.en


def test_values_no_row_fits_are_told_with_an_example(tmp_path: Path) -> None:
    ruleset, findings = with_tiers(
        tmp_path, "成交额,等级\n>= 10万,vip\n< 5万,key\n< 0,basic\n", "  hit: collect min\n"
    )
    assert ruleset is not None
    (gap,) = [item for item in findings if item.code == "TABLE011"]
    assert gap.message.en == "no row fits Revenue is 50000"


def test_a_tier_no_row_gives_cannot_be_reached(tmp_path: Path) -> None:
    ruleset, _ = with_tiers(tmp_path, "成交额,等级\n>= 10万,vip\n-,basic\n")
    assert ruleset is not None
    assert "RULE206" in codes(check(ruleset))
    assert "RULE206" not in codes(check(_sound(tmp_path)))


def test_a_table_that_keeps_nothing_and_waits_for_nothing_flaps(tmp_path: Path) -> None:
    quick, _ = load_text(
        tmp_path, _quick("成交额,等级\n>= 10万,vip\n>= 1,key\n-,basic\n", tmp_path)
    )
    assert quick is not None
    assert "RULE218" in codes(check(quick))
    kept, _ = load_text(tmp_path, _quick(TABLE, tmp_path))
    assert kept is not None
    assert "RULE218" not in codes(check(kept))


def _quick(table: str, folder: Path) -> str:
    put(folder, "tier.csv", table)
    text = sound(VIP, KEY).replace("demote_after: 30 days", "demote_after: 0 days")
    text = text.replace("hold: 90 days", "hold: 0 days")
    return text.replace("tier:\n", "tier:\n  table: tables/tier.csv\n")


def _sound(folder: Path) -> Ruleset:
    ruleset, findings = with_tiers(folder)
    assert ruleset is not None, findings
    return ruleset


def test_facts_of_the_table_are_read_and_its_rows_are_rules_to_cover(tmp_path: Path) -> None:
    ruleset = _sound(tmp_path)
    assert {"revenue", "potential"} <= read_by_rules(ruleset)
    places = {place.id for place in rule_places(ruleset)}
    assert {f"tier.table.{number}" for number in (2, 3, 4, 5)} <= places


def test_mutants_change_what_a_row_gives_keeps_and_asks(tmp_path: Path) -> None:
    changes = {
        (item.change.before, item.change.after)
        for item in mutants(_sound(tmp_path))
        if item.place == "tier.table.3"
    }
    assert {
        (">= 40万 · 高: key", ""),
        ("tier: key", "tier: vip"),
        ("tier: key", "tier: basic"),
        ("keep: vip", "keep: key"),
    } <= changes
    assert any(
        "400000" in before or "40万" in before
        for before, _ in changes - {(">= 40万 · 高: key", "")}
    )


def test_two_tables_are_compared_in_meaning(tmp_path: Path) -> None:
    before = _sound(tmp_path)
    after = with_tiers(tmp_path, TABLE.replace(">= 10万,-,key", ">= 10万,-,贵宾"))[0]
    assert after is not None
    assert before.digest != after.digest
    (said,) = differences(before, after)
    assert said.en == "tier: Revenue at least 100000 gives Key → VIP"


def test_notes_and_layout_of_a_table_do_not_change_the_digest(tmp_path: Path) -> None:
    before = _sound(tmp_path)
    after = with_tiers(tmp_path, TABLE.replace("大客户", "老客户").replace(">= 50万", ">=500000"))[
        0
    ]
    assert after is not None
    assert before.digest == after.digest


def test_reasons_name_the_table_as_the_rules_do_wherever_the_folder_lies(tmp_path: Path) -> None:
    with_tiers(tmp_path)
    ruleset, findings = load(tmp_path)
    assert ruleset is not None, findings
    assert ruleset.tier is not None
    assert ruleset.tier.table is not None
    assert ruleset.tier.table.file == "tables/tier.csv"


def test_a_workbook_gives_the_same_tiers(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in TABLE.splitlines():
        book.active.append(line.split(","))
    (tmp_path / "tables").mkdir()
    book.save(tmp_path / "tables" / "tier.xlsx")
    text = sound(VIP, KEY).replace("tier:\n", "tier:\n  table: tables/tier.xlsx\n")
    ruleset, findings = load_text(tmp_path, text)
    assert ruleset is not None, findings
    assert ruleset.tier is not None
    assert ruleset.tier.table is not None
    assert [row.level for row in ruleset.tier.table.rows] == ["vip", "key", "key", "basic"]
    assert ruleset.tier.table.rows[1].span.short.endswith("!A3")
