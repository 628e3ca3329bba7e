"""Every spelling of a condition means the same tree."""

# ruff: noqa: E501 - tables of sentences read best in one line
from __future__ import annotations

import pytest
from tests.unit.condition.language import SCOPE, expression, read_line, sentence

from crmsync.condition import to_text

SAME = [
    # the canonical form, then spellings that mean it
    ("overdue_days > 60", ["最长逾期天数 大于 60", "最长逾期天数大于60", "Days overdue over 60", "overdue_days is more than 60", "OVERDUE_DAYS > 60", "overdue_days　＞　６0", "最长逾期天数超过60", "overdue_days>60"]),
    ("overdue_days ≥ 60", ["overdue_days >= 60", "overdue_days at least 60", "最长逾期天数 至少 60", "最长逾期天数 不低于 60", "overdue_days is at least 60", "最长逾期天数不少于60"]),
    ("overdue_days ≤ 60", ["overdue_days <= 60", "overdue_days at most 60", "最长逾期天数 不超过 60", "最长逾期天数 至多 60"]),
    ("overdue_days < 60", ["overdue_days under 60", "最长逾期天数 小于 60", "最长逾期天数低于60", "overdue_days less than 60"]),
    ("overdue_days is 60", ["overdue_days = 60", "最长逾期天数 等于 60", "overdue_days equals 60"]),
    ("overdue_days is not 60", ["overdue_days != 60", "overdue_days ≠ 60", "最长逾期天数 不等于 60", "overdue_days <> 60"]),
    ("tier in vip, key", ["客户等级 属于 VIP客户, 重要客户", "客户等级属于VIP客户、重要客户", "tier in (vip, key)", "tier is one of VIP，Key", "tier in “vip”, key"]),
    ("tier not in vip, key", ["客户等级 不属于 vip, key", "tier is not in vip, key"]),
    ("potential is 高", ["需求潜力 是 高", "需求潜力是高", "potential = 高", "需求潜力为高"]),
    ("blacklisted", ["黑名单", "Blacklisted"]),
    ("blacklisted is no", ["黑名单 是 否", "黑名单是否", "blacklisted is false", "blacklisted = no"]),
    ("blacklisted is yes", ["黑名单 是 是", "blacklisted is true"]),
    ("not(blacklisted)", ["not blacklisted", "非黑名单", "非(黑名单)"]),
    ("margin_12m is missing", ["近12个月毛利率 缺失", "margin_12m is unknown", "margin_12m is not known", "近12个月毛利率 没有值"]),
    ("margin_12m is known", ["近12个月毛利率 有值", "margin_12m is not missing"]),
    ("margin_12m > 20%", ["近12个月毛利率 大于 20％", "margin_12m > 20 %"]),
    ("margin_12m ≥ -10%", ["margin_12m >= −10%"]),
    ("margin_12m > 0%", ["margin_12m > 0"]),
    ("revenue_12m ≥ 300000", ["近12个月成交额 ≥ 30万", "revenue_12m ≥ 300k", "revenue_12m ≥ 0.3M", "revenue_12m ≥ 300,000", "近12个月成交额 ≥ 30万元", "近12个月成交额 ≥ 30 万"]),
    ("revenue_12m < 150000000", ["revenue_12m < 1.5亿"]),
    ("revenue_12m between 50000 and 300000", ["近12个月成交额 介于 5万 和 30万", "近12个月成交额 在 5万 与 30万 之间", "近12个月成交额在5万到30万之间", "revenue_12m is between 5万 and 30万", "近12个月成交额 介于 5万 至 30万 之间"]),
    ("revenue_12m not between 1 and 2", ["近12个月成交额 不介于 1 和 2 之间", "近12个月成交额不在1与2之间"]),
    ("last_order_on within 12 months", ["最近下单日期 在12个月内", "最近下单日期在12个月以内", "last_order_on is within the last 12 months", "last_order_on within 1 year", "最近下单日期 近4个季度内"]),
    ("last_order_on not within 90 days", ["最近下单日期 不在90天内"]),
    ("last_order_on within 12 months ending 12 months ago", ["最近下单日期 在截至12个月前的12个月内"]),
    ("last_order_on in last month", ["last_order_on within last month", "最近下单日期 上个月", "最近下单日期在上月内", "last_order_on is in the previous month"]),
    ("last_order_on in this week", ["最近下单日期 在本周", "last_order_on this week"]),
    ("last_order_on in last quarter", ["最近下单日期 上个季度", "最近下单日期在上一季度"]),
    ("last_order_on not in last year", ["last_order_on is not within last year", "最近下单日期 不在去年", "最近下单日期不在上一年内"]),
    ("days_since_order ≥ 14", ["days_since_order ≥ 2 weeks", "距上次下单天数 ≥ 14 天", "距上次下单天数不低于14天"]),
    ("due > limit × 80%", ["应收余额 > 授信额度 × 80%", "due > limit * 80%", "due > (limit × 80%)"]),
    ("last_order_on > lifecycle_since", ["last_order_on after lifecycle_since", "最近下单日期 晚于 lifecycle_since"]),
    ("last_order_on ≥ 2026-01-05", ["last_order_on ≥ 2026年1月5日"]),
    ("country is not “United Kingdom”", ["国家 不是 “United Kingdom”", "country is not United Kingdom", 'country != "United Kingdom"', "country is not 「United Kingdom」"]),
    ("orders_12m ≥ 3", ["“Orders, 12 months” ≥ 3", "近12个月订单数 ≥ 3"]),
    ("usual_gap > 40", ["平均下单间隔（天） > 40", "平均下单间隔(天)大于40", "Usual days between orders > 40"]),
    ("if(tier in (vip, key), 30, 60) < overdue_days", ["如果(客户等级 属于 (vip, key), 30, 60) 小于 最长逾期天数"]),
    ("any(blacklisted, none(tier in (vip, key), overdue_days > 3))", ["任一(黑名单, 都不(客户等级 属于 (vip, key), 最长逾期天数 > 3))"]),
    ("max(orders_12m, 3) > 5", ["最大(orders_12m, 3) > 5"]),
    ("round(usual_gap ÷ 3, 0) is 2", ["round(usual_gap / 3) = 2"]),
]  # fmt: skip


@pytest.mark.parametrize(("canonical", "spellings"), SAME, ids=[case[0] for case in SAME])
def test_spellings_of_one_condition(canonical: str, spellings: list[str]) -> None:
    tree = sentence(canonical)
    assert to_text(tree, SCOPE) == canonical
    for spelling in spellings:
        assert sentence(spelling) == tree, spelling


@pytest.mark.parametrize("canonical", [case[0] for case in SAME])
@pytest.mark.parametrize("language", ["zh", "en", "symbols"])
def test_printed_sentences_mean_the_same(canonical: str, language: str) -> None:
    tree = sentence(canonical)
    assert sentence(to_text(tree, SCOPE, language)) == tree  # type: ignore[arg-type]


FORMULAS = [
    ("days_since(last_order_on)", "days_since(最近下单日期)"),
    ("days_since_order ÷ usual_gap", "距上次下单天数 ÷ 平均下单间隔（天）"),
    ("1 - revenue_12m ÷ limit", "1 - 近12个月成交额 ÷ 授信额度"),
    ("usual_gap - (orders_12m - 3) - 2", "平均下单间隔（天） - (近12个月订单数 - 3) - 2"),
    ("(0 - usual_gap) × (3 - -2)", "(0 - 平均下单间隔（天）) × (3 - -2)"),
    ("last_order_on - lifecycle_since", "最近下单日期 - lifecycle_since"),
    ("abs(usual_gap)", "abs(平均下单间隔（天）)"),
]


@pytest.mark.parametrize(("text", "zh"), FORMULAS)
def test_formulas(text: str, zh: str) -> None:
    tree = expression(text)
    assert to_text(tree, SCOPE) == text
    assert to_text(tree, SCOPE, "zh") == zh
    assert expression(zh) == tree


LINES = [
    ("orders_12m", "≥ 30", "orders_12m ≥ 30"),
    ("orders_12m", "3", "orders_12m is 3"),
    ("orders_12m", "1, 2", "orders_12m in 1, 2"),
    ("orders_12m", "in 1, 2", "orders_12m in 1, 2"),
    ("orders_12m", "not in (1, 2)", "orders_12m not in 1, 2"),
    ("orders_12m", "10..20", "orders_12m between 10 and 20"),
    ("orders_12m", "[10..20]", "orders_12m between 10 and 20"),
    ("orders_12m", "[10..20)", "all(orders_12m ≥ 10, orders_12m < 20)"),
    ("orders_12m", "(10..20]", "all(orders_12m > 10, orders_12m ≤ 20)"),
    ("orders_12m", "]10..20[", "all(orders_12m > 10, orders_12m < 20)"),
    ("orders_12m", "between 1 and 3", "orders_12m between 1 and 3"),
    ("orders_12m", "缺失", "orders_12m is missing"),
    ("orders_12m", "is known", "orders_12m is known"),
    ("revenue_12m", "≥ 500万", "revenue_12m ≥ 5000000"),
    ("revenue_12m", "> 授信额度 × 80%", "revenue_12m > limit × 80%"),
    ("margin_12m", "10%..20%", "margin_12m between 10% and 20%"),
    ("margin_12m", "-10%", "margin_12m is -10%"),
    ("potential", "高", "potential is 高"),
    ("potential", "高, 低", "potential in 高, 低"),
    ("potential", "不是 高", "potential is not 高"),
    ("tier", "VIP客户", "tier is vip"),
    ("blacklisted", "是", "blacklisted is yes"),
    ("blacklisted", "no", "blacklisted is no"),
    ("last_order_on", "12个月内", "last_order_on within 12 months"),
    ("last_order_on", "≥ 2026-01-01", "last_order_on ≥ 2026-01-01"),
    ("country", "“A, B”", "country is “A, B”"),
    ("orders_12m", "-", "all()"),
    ("orders_12m", "", "all()"),
]


@pytest.mark.parametrize(("fact", "text", "meaning"), LINES)
def test_points_lines_and_cells(fact: str, text: str, meaning: str) -> None:
    assert to_text(read_line(fact, text), SCOPE) == meaning
