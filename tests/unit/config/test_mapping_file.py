"""Mapping files: what they become, and every mistake with its place."""

# ruff: noqa: E501 - tables of mistakes read best in one line
from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.config.rules_in_small import MAPPING, good, read

from crmsync.condition import to_text
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    FieldPick,
    FieldSource,
    JudgedFields,
    MoneyTerms,
    Rate,
)
from crmsync.model.period import Period, RollingWindow
from crmsync.source import apply_fixes


def test_a_mapping_file_becomes_a_mapping(tmp_path: Path) -> None:
    mapping = good(MAPPING, tmp_path)
    assert (mapping.connector, mapping.object) == ("zett", "Accounts")
    assert mapping.applies_to is not None
    assert to_text(mapping.applies_to) == "Account_Type is “Customer”"
    assert mapping.identity_name == FieldPick(name="Account_Name")
    assert mapping.identity_owner == FieldPick(name="Owner")
    orders = mapping.related["orders"]
    assert (orders.object, orders.via, orders.date) == ("Deals", "Account_Name", "Closing_Date")
    assert orders.where is not None
    assert to_text(orders.where) == "Stage is “Closed Won”"
    assert mapping.read["last_order_on"] == AggregateSource(
        "orders", Aggregate.MAX, FieldPick(name="Closing_Date")
    )
    assert mapping.read["orders_12m"] == AggregateSource(
        "orders", Aggregate.COUNT, within=RollingWindow(Period(months=12))
    )
    revenue = mapping.read["revenue_12m"]
    assert isinstance(revenue, AggregateSource)
    assert revenue.where is not None
    assert to_text(revenue.where) == "Amount > 0"
    assert mapping.read["usual_gap"] == AggregateSource("orders", Aggregate.GAP)
    assert mapping.read["potential"] == FieldSource(
        FieldPick(label="需求潜力"), {"High": "高", "Low": "低"}
    )
    assert mapping.read["blacklisted"] == FieldSource(FieldPick(name="Blacklisted"))
    assert mapping.write["tier"].values == {"vip": "VIP"}
    assert mapping.write["tier_since"].field == FieldPick(label="等级起始日")
    assert mapping.lock_field == FieldPick(name="C_Lock")
    assert mapping.tasks is not None
    assert (mapping.tasks.open, mapping.tasks.closed) == ("Not Started", "Completed")
    assert mapping.file == "mapping/zett.yaml"


def test_places_are_kept_for_later_findings(tmp_path: Path) -> None:
    mapping = good(MAPPING, tmp_path)
    pick = mapping.write["tier"].field
    assert (pick.span.file, pick.span.line) == ("mapping/zett.yaml", 15)
    assert mapping.related["orders"].span.line == 6


def test_the_digest_is_of_what_it_means(tmp_path: Path) -> None:
    first = good(MAPPING, tmp_path)
    commented = MAPPING.replace("lock_field:", "# hands off\n\nlock_field:")
    spelled = commented.replace("Account_Type is Customer", "Account_Type = “Customer”")
    assert good(spelled, tmp_path).digest == first.digest
    for old, new in (
        ("12 months, where", "11 months, where"),
        ("Closed Won", "Paid"),
        ("C_Lock", "C_Hold"),
        ("High: 高", "High: 中"),
        ("gap: median", "gap: mean"),
    ):
        assert good(MAPPING.replace(old, new), tmp_path).digest != first.digest, old


def test_a_relation_may_stand_inside_its_source(tmp_path: Path) -> None:
    text = MAPPING.replace(
        "{related: orders, gap: median}",
        "{related: {object: Deals, via: Account_Name, date: Closing_Date}, gap: mean}",
    )
    mapping = good(text, tmp_path)
    source = mapping.read["usual_gap"]
    assert source == AggregateSource("usual_gap", Aggregate.GAP_MEAN)
    assert mapping.related["usual_gap"].object == "Deals"


def test_a_source_may_count_by_another_date(tmp_path: Path) -> None:
    text = MAPPING.replace("count: all, within", "count: all, on: Paid_Date, within")
    mapping = good(text, tmp_path)
    source = mapping.read["orders_12m"]
    assert isinstance(source, AggregateSource)
    assert mapping.related[source.related].date == "Paid_Date"
    assert mapping.related[source.related].where == mapping.related["orders"].where


JUDGED = (
    "  strength: {field: Strength, author: Strength_By, date: {field: Strength_On},"
    " remark: {label: 评分说明}, valid_for: 6 个月}"
)


def test_a_judgement_is_mapped_with_author_day_and_remark(tmp_path: Path) -> None:
    mapping = good(MAPPING.replace("  blacklisted:   Blacklisted", JUDGED), tmp_path)
    assert mapping.read["strength"] == FieldSource(
        FieldPick("Strength"),
        judged=JudgedFields(
            FieldPick("Strength_By"),
            FieldPick("Strength_On"),
            FieldPick(label="评分说明"),
            Period(months=6),
        ),
    )
    other = good(
        MAPPING.replace("  blacklisted:   Blacklisted", JUDGED.replace("6", "7")), tmp_path
    )
    assert other.digest != mapping.digest


def test_rates_are_read_by_day_the_latest_first(tmp_path: Path) -> None:
    text = MAPPING.replace("sum: Amount,", "sum: Amount, currency: {label: 币种},").replace(
        "lock_field:",
        "currency: CNY\ncurrencies: {美元: USD}\n"
        "rates: {USD: {2026-01-01: 7.05, 2026-07-01: 7.1}, JPY: 0.048}\nlock_field:",
    )
    mapping = good(text, tmp_path)
    assert mapping.money == MoneyTerms(
        "CNY",
        {"美元": "USD"},
        {
            "USD": (
                Rate(date(2026, 7, 1), Decimal("7.1")),
                Rate(date(2026, 1, 1), Decimal("7.05")),
            ),
            "JPY": (Rate(None, Decimal("0.048")),),
        },
    )
    source = mapping.read["revenue_12m"]
    assert source.currency == FieldPick(label="币种")
    other = good(text.replace("7.05", "7.06"), tmp_path)
    assert other.digest != mapping.digest != good(MAPPING, tmp_path).digest


def test_more_rates_than_anybody_needs_are_refused(tmp_path: Path) -> None:
    days = ", ".join(f"{1000 + number}-01-01: 7" for number in range(1001))
    _, found = read(f"{MAPPING}currency: CNY\nrates: {{USD: {{{days}}}}}\n", tmp_path)
    assert [item.code for item in found] == ["MAP023"]


CASES = [
    # what is replaced, by what, code, line, zh, en, what the mend makes of it
    ("object: Accounts", "objekt: Accounts", "MAP004", 2, "没有“objekt”这个键", "no key “objekt”", "object: Accounts"),
    ("object: Accounts\n", "", "MAP006", 1, "缺少“object”", "“object” is missing", None),
    ("identity: {name: Account_Name, owner: Owner}\n", "", "MAP006", 1, "缺少“identity”", "“identity” is missing", None),
    ("identity: {name: Account_Name, owner: Owner}", "identity: {owner: Owner}", "MAP006", 4, "缺少“name”", "“name” is missing", None),
    ("identity: {name: Account_Name, owner: Owner}", "identity: {name: [a], owner: Owner}", "MAP012", 4, "CRM 字段", "a CRM field", None),
    ("connector: zett", "connector: other", "MAP010", 1, "文件名是 zett.yaml", "the file is zett.yaml", None),
    ("via: Account_Name, date", "date", "MAP006", 6, "缺少“via”", "“via” is missing", None),
    ("orders: {object: Deals, via: Account_Name, date: Closing_Date, where: Stage is Closed Won}", "orders: Deals", "MAP005", 6, "键: 值", "key: value", None),
    ("where: Stage is Closed Won", "where: Stage => Won", "RULE051", 6, "没有运算符", "not an operator", "where: Stage ≥ Won"),
    ("{related: orders, max: Closing_Date}", "{related: oders, max: Closing_Date}", "MAP013", 8, "没有声明关联“oders”", "no relation is called “oders”", "{related: orders, max: Closing_Date}"),
    ("{related: orders, max: Closing_Date}", "{max: Closing_Date}", "MAP006", 8, "没有 related", "needs “related”", None),
    ("{related: orders, max: Closing_Date}", "{related: orders}", "MAP017", 8, "只写一种汇总", "exactly one aggregate", None),
    ("{related: orders, max: Closing_Date}", "{related: orders, max: A, min: B}", "MAP017", 8, "只写一种汇总", "exactly one", None),
    ("{related: orders, max: Closing_Date}", "{related: orders, count: all}", "MAP014", 8, "类型是 date", "is of type date", None),
    ("count: all, within: 12 months}", "count: all, per: month}", "MAP018", 9, "within 是整数个", "a window of whole months", None),
    ("count: all, within: 12 months}", "count: all, within: 100 days, per: month}", "MAP018", 9, "within 是整数个", "a window of whole months", None),
    ("count: all, within: 12 months}", "count: all, within: 12 months, per: month}", "MAP014", 9, "类型是 integer", "is of type integer", None),
    ("count: all, within: 12 months}", "count: all, within: 12 months, per: mont}", "MAP007", 9, "不能是“mont”", "cannot be “mont”", "count: all, within: 12 months, per: month}"),
    ("within: 12 months}", "within: 12 monts}", "RULE057", 9, "不认识单位“monts”", "“monts” is not a unit", "within: 12 months}"),
    ("within: 12 months}", "wihtin: 12 months}", "MAP004", 9, "没有“wihtin”这个键", "no key “wihtin”", "within: 12 months}"),
    ("gap: median", "gap: medain", "MAP007", 11, "gap 不能是", "“gap” cannot be", "gap: median"),
    ("High: 高", "High: 很高", "MAP007", 12, "“很高”不能写在这里", "“很高” cannot stand here", "High: 高"),
    ("{label: 需求潜力, values", "{label: 需求潜力, field: P, values", "MAP012", 12, "CRM 字段", "a CRM field", None),
    ("{label: 需求潜力, values: {High: 高, Low: 低}}", "{field: P, author: Q}", "MAP019", 12, "不是由人评分的", "not judged by a person", None),
    ("  blacklisted:   Blacklisted", "  strength: {field: S, valid_for: 1 year}", "MAP020", 13, "评分日期在哪个字段", "on which day it was judged", None),
    ("  blacklisted:   Blacklisted", "  strength: {field: S, date: D, valid_for: 3 hours}", "RULE057", 13, "不是日历上的时段", "no calendar period", None),
    ("  blacklisted:   Blacklisted", "  strength: {field: S, date: D, valid_for: [1]}", "MAP005", 13, "应是一段时间", "a span of time", None),
    ("  blacklisted:   Blacklisted", "  strength: {field: S, autor: A}", "MAP004", 13, "没有“autor”这个键", "no key “autor”", "  strength: {field: S, author: A}"),
    ("count: all, within: 12 months}", "count: all, valid_for: 1 year}", "MAP004", 9, "没有“valid_for”这个键", "no key “valid_for”", None),
    ("  blacklisted:", "  blacklistd:", "MAP015", 13, "没有声明事实“blacklistd”", "declare no fact “blacklistd”", "  blacklisted:"),
    ("  blacklisted:   Blacklisted", "  double: X", "MAP016", 13, "由公式得出", "derived by a formula", None),
    ("  blacklisted:   Blacklisted", "  blacklisted:", "MAP012", 13, "CRM 字段", "a CRM field", None),
    ("tier_since: {label", "tier_sinse: {label", "MAP004", 16, "没有“tier_sinse”这个键", "no key “tier_sinse”", "tier_since: {label"),
    ("{vip: VIP}", "{vipp: VIP}", "MAP007", 15, "“vipp”不能写在这里", "“vipp” cannot stand here", "{vip: VIP}"),
    ("tier_since: {label: 等级起始日}", "tier_since: C_Tier", "MAP011", 16, "写的是同一个字段 C_Tier", "write the same field C_Tier", None),
    ("status: Status, ", "", "MAP006", 18, "缺少“status”", "“status” is missing", None),
    ("lock_field:", "group: {}\nlock_field:", "MAP009", 17, "“group”不写在这里", "“group” does not stand here", None),
    ("blacklisted:   Blacklisted", "blacklisted:   {field: Blacklisted, via: Account}", "MAP009", 13, "“via”不写在这里", "“via” does not stand here", None),
    ("lock_field:", "currency: {}\nlock_field:", "MAP005", 17, "应是一个值", "a single value", None),
    ("lock_field:", "currency: usd\nlock_field:", "MAP022", 17, "“usd”不是货币代码", "no currency code", None),
    ("lock_field:", "currency: EUR\nlock_field:", "MAP023", 17, "没有 EUR 的汇率", "no rate for EUR", None),
    ("lock_field:", "currencies: {欧元: EUR}\nlock_field:", "MAP023", 17, "没有 EUR 的汇率", "no rate for EUR", None),
    ("lock_field:", "currencies: {美元: Dollar}\nlock_field:", "MAP022", 17, "“Dollar”不是货币代码", "no currency code", None),
    ("lock_field:", "rates: {CNY: 1}\nlock_field:", "MAP023", 17, "就是规则的货币", "rules' own currency", None),
    ("lock_field:", "rates: {USD: -7}\nlock_field:", "MAP023", 17, "“-7”不是汇率", "“-7” is no rate", None),
    ("lock_field:", "rates: {USD: 0}\nlock_field:", "MAP023", 17, "“0”不是汇率", "“0” is no rate", None),
    ("lock_field:", "rates: {USD: {2026-13-01: 7}}\nlock_field:", "MAP023", 17, "不是日期", "is no day", None),
    ("lock_field:", "rates: {USD: {2026-01-01: seven}}\nlock_field:", "MAP023", 17, "“seven”不是汇率", "“seven” is no rate", None),
    ("lock_field:", "rates: {dollar: 7}\nlock_field:", "MAP022", 17, "“dollar”不是货币代码", "no currency code", None),
    ("lock_field:", "rates: {USD: 7}\nlock_field:", "MAP024", 10, "没有说“revenue_12m”的金额", "in which currency the amounts of “revenue_12m”", None),
    ("sum: Amount, within", "sum: Amount, currency: Cur, within", "MAP024", 10, "却没有 rates", "the mapping has no rates", None),
    ("count: all, within: 12 months}", "count: all, currency: Cur}", "MAP024", 9, "不是金额", "is no amount", None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[2]} {case[1][:30]}" for case in CASES])
def test_mistake(case: tuple[str, str, str, int, str, str, str | None], tmp_path: Path) -> None:
    old, new, code, line, zh, en, mended = case
    text = MAPPING.replace(old, new, 1)
    assert text != MAPPING
    _, found = read(text, tmp_path)
    item = next((item for item in found if item.code == code), None)
    assert item is not None, [(one.code, one.message.en) for one in found]
    assert item.span.line == line
    assert item.span.file == "mapping/zett.yaml"
    assert zh in item.message.zh
    assert en in item.message.en
    if mended is None:
        assert item.fix is None
    else:
        fixed, _ = apply_fixes(text, [item])
        assert fixed == text.replace(new, mended, 1)


def test_every_problem_comes_at_once(tmp_path: Path) -> None:
    text = (
        MAPPING.replace("Stage is", "Stage =>")
        .replace("gap: median", "gap: x")
        .replace("vip:", "v:")
    )
    _, found = read(text, tmp_path)
    assert [item.code for item in found] == ["RULE051", "MAP007", "MAP007"]


def test_broken_yaml_is_told_as_such(tmp_path: Path) -> None:
    mapping, found = read("connector：zett\n", tmp_path)
    assert mapping is None
    assert found[0].code in {"YAML005", "YAML010"}
