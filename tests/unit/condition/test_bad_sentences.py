"""Every mistake in a sentence has a code, the exact place, and a cause and mend in both languages."""

# ruff: noqa: E501 - tables of sentences read best in one line
from __future__ import annotations

import pytest
from tests.unit.condition.language import OPEN, SCOPE, fact, finding, span

from crmsync.condition import CODES, Scope, parse_condition, parse_expression, parse_test
from crmsync.model.condition import Name
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.source import apply_fixes

CASES = [
    # sentence, code, the marked words, zh, en, the mended sentence (None: no mechanical mend)
    ("overdue_day > 60", "RULE101", "overdue_day", "没有名为“overdue_day”的事实", "no fact is called “overdue_day”", "overdue_days > 60"),
    ("最长预期天数 大于 60", "RULE101", "最长预期天数", "没有名为“最长预期天数”的事实", "no fact is called", "最长逾期天数 大于 60"),
    ("最长预期天数大于60", "RULE101", "最长预期天数", "没有名为“最长预期天数”的事实", "no fact", "最长逾期天数大于60"),
    ("Ordrs, 12 months > 1", "RULE050", ",", "“,”不能放在这里", "cannot stand here", None),
    ("“Ordrs, 12 months” > 1", "RULE101", "“Ordrs, 12 months”", "没有名为", "no fact", "“Orders, 12 months” > 1"),
    ("foo is bar", "RULE101", "foo", "“foo”", "“foo”", None),
    ("同名 > 1", "RULE102", "同名", "几个事实共有", "several facts: one, two", None),
    ("tier is vipp", "RULE103", "vipp", "“vipp”不是“客户等级”的选项", "not an option of “Tier”", "tier is vip"),
    ("potential is 极高", "RULE103", "极高", "不是“需求潜力”的选项", "not an option", "potential is 高"),
    ("overdue_days => 60", "RULE051", "=>", "没有运算符“=>”", "“=>” is not an operator", "overdue_days ≥ 60"),
    ("overdue_days == 60", "RULE051", "==", "没有运算符", "is not an operator", "overdue_days = 60"),
    ("overdue_days =< 60", "RULE051", "=<", "没有运算符", "is not an operator", "overdue_days ≤ 60"),
    ("1 < overdue_days < 3", "RULE052", "<", "只能比较一次", "compares once", None),
    ("tier in vip key", "RULE053", "vip key", "少了逗号", "a comma is missing between “vip” and “key”", "tier in vip, key"),
    ("tier is vip, key", "RULE053", "is", "几个值要用“属于”", "several need “in”", "tier in vip, key"),
    ("tier is not vip, key", "RULE053", "is not", "几个值要用“不属于”", "several need “not in”", "tier not in vip, key"),
    ("overdue_days > 60 and blacklisted", "RULE054", "and", "一行只写一个条件", "one condition a line", None),
    ("blacklisted 或 strategic", "RULE054", "或", "一行只写一个条件", "one condition a line", None),
    ("“黑名单 is yes", "RULE055", "“", "没有配对", "no other half", None),
    ("(overdue_days > 3", "RULE056", "(", "没有配对", "never closes", None),
    ("overdue_days > 3)", "RULE056", ")", "多了一个", "too many", None),
    ("days_since_order > 90 dys", "RULE057", "dys", "不认识单位“dys”", "“dys” is not a unit", "days_since_order > 90 days"),
    ("days_since_order > 90dys", "RULE057", "dys", "不认识单位", "is not a unit", "days_since_order > 90days"),
    ("days_since_order > 3 months", "RULE057", "3 months", "不是固定的天数", "no fixed number of days", None),
    ("last_order_on within 12 monts", "RULE057", "monts", "不认识单位", "is not a unit", "last_order_on within 12 months"),
    ("last_order_on within", "RULE057", "within", "后面要有一段时间", "needs a span of time", None),
    ("last_order_on within 2 hours", "RULE057", "2 hours", "不是日历上的时段", "no calendar period", None),
    ("last_order_on > 31/12/2026", "RULE058", "31/12/2026", "不是能用的日期", "not a usable date", None),
    ("last_order_on > 2026-02-30", "RULE058", "2026-02-30", "不是能用的日期", "not a usable date", None),
    ("last_order_on > 2026-1-5", "RULE058", "2026-1-5", "不是能用的日期", "not a usable date", "last_order_on > 2026-01-05"),
    ("last_order_on > 2026/01/05", "RULE058", "2026/01/05", "不是能用的日期", "not a usable date", "last_order_on > 2026-01-05"),
    ("overdue_days > 高", "RULE060", "高", "“最长逾期天数”是整数，不能与“高”比较", "“Days overdue” is a whole number; it cannot be compared with “高”", None),
    ("overdue_days > “60”", "RULE060", "“60”", "是整数", "is a whole number", None),
    ("potential > 高", "RULE060", "高", "选项没有大小之分", "neither more nor less", None),
    ("overdue_days > 60%", "RULE060", "60%", "是整数，不能与百分比", "“60%” is a percent", None),
    ("blacklisted > 3", "RULE060", "3", "是是非项", "is yes or no", None),
    ("country > 3", "RULE060", "3", "“国家”是文字", "“Country” is text", None),
    ("last_order_on > 60", "RULE060", "60", "“最近下单日期”是日期", "is a date", None),
    ("seen_at > 2026-01-01", "RULE060", "2026-01-01", "“最近访问时间”是时刻", "is a moment", None),
    ("seen_at within 3 days", "RULE060", "seen_at", "不是日期", "not a date", None),
    ("overdue_days within 3 days", "RULE060", "overdue_days", "不是日期", "not a date", None),
    ("tier in vip, overdue_days", "RULE060", "overdue_days", "列表里只能写值", "a list holds values", None),
    ("last_order_on + 3 > 5", "RULE060", "last_order_on", "不能计算", "not a number", None),
    ("if(potential is 高, 1, country) > 1", "RULE060", "country", "结果类型不同", "results of “if” differ", None),
    ("margin_12m > 20", "RULE061", "20", "百分比要带 % 号", "needs its % sign", "margin_12m > 20%"),
    ("margin_12m > 0.3", "RULE061", "0.3", "百分比要带 % 号", "needs its % sign", None),
    ("days_since(overdue_days) > 3", "RULE062", "days_since(overdue_days)", "函数的参数不对", "wrong arguments", None),
    ("min(overdue_days) > 3", "RULE062", "min(overdue_days)", "函数的参数不对", "wrong arguments", None),
    ("round(usual_gap, 9) > 3", "RULE062", "round(usual_gap, 9)", "函数的参数不对", "wrong arguments", None),
    ("overdue_days", "RULE063", "overdue_days", "不是条件", "no condition", None),
    ("not overdue_days", "RULE063", "overdue_days", "不是条件", "no condition", None),
    ("overdue_days = null", "RULE065", "= null", "不能判断缺失", "does not ask for absence", "overdue_days is missing"),
    ("overdue_days is null", "RULE065", "is null", "不能判断缺失", "does not ask for absence", "overdue_days is missing"),
    ("overdue_days is not null", "RULE065", "is not null", "写成", "absence", "overdue_days is known"),
    ("3 > 2", "RULE066", "3 > 2", "没有事实", "no fact is asked", None),
    ("revenue_12m between 30万 and 5万", "RULE067", "30万 and 5万", "两端写反了", "backwards", None),
    ("", "RULE050", "", "空的", "nothing is written", None),
    ("overdue_days overr 60", "RULE050", "overr", "应是运算符", "an operator should follow", "overdue_days over 60"),
    ("overdue_days >", "RULE050", ">", "后面还缺内容", "something is missing after", None),
    ("> 60", "RULE050", ">", "不能放在这里", "cannot stand here", None),
    ("overdue_days > 60 $", "RULE050", "$", "不能有“$”", "cannot stand here", None),
    ("orders_12m in 1,000, 2", "RULE050", "000", "多余的零", "begins with a zero", None),
    ("orders_12m > " + "9" * 45, "RULE059", "9" * 45, "数字太长", "too long", None),
    ("overdue_days > " + "(" * 30 + "1" + ")" * 30, "RULE059", None, "层括号", "levels of brackets", None),
    ("overdue_days > 1" + " + 1" * 40, "RULE059", None, "24 层", "24 levels", None),
    ("overdue_days in " + ", ".join("1" * 300), "RULE059", None, "500 项", "500 terms", None),
    ("x" * 2001, "RULE059", None, "2000 个字符", "2000 characters", None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0][:40] for case in CASES])
def test_mistake(case: tuple[str, str, str | None, str, str, str | None]) -> None:
    text, code, marked, zh, en, mended = case
    found = finding(text)
    assert found.code == code, found.message.en
    assert code in CODES
    if marked is not None:
        start, end = found.span.column - 11, found.span.end_column - 11
        assert text[start:end] == marked
    said = found.message.zh + (found.mend.zh if found.mend else "")
    assert zh in said
    assert en in found.message.en + (found.mend.en if found.mend else "")
    if mended is None:
        assert found.fix is None
    else:
        line = " " * 10 + text
        fixed, count = apply_fixes("\n" * 6 + line, [found])
        assert count == 1
        assert fixed.strip("\n")[10:] == mended


def test_the_mend_names_the_nearest_known_name() -> None:
    found = finding("最长预期天数 大于 60")
    assert found.mend is not None
    assert found.mend.zh == "是不是“最长逾期天数”？"
    assert found.mend.en == "Did you mean “最长逾期天数”?"


def test_all_findings_of_one_sentence_come_at_once() -> None:
    _, found = parse_condition("any(foo > 1, tier is vipp, bar)", span("x" * 31), SCOPE)
    assert [item.code for item in found] == ["RULE101", "RULE103", "RULE101"]


def test_places_are_whole_where_the_file_spells_the_text_in_another_way() -> None:
    place = Span("r.yaml", 3, 5, 4, 2)
    _, found = parse_condition("overdue_day > 60", place, SCOPE)
    assert found[0].span == place
    assert found[0].fix is None


def test_a_formula_of_the_wrong_type_is_refused() -> None:
    result = SCOPE.find("margin_12m")
    _, found = parse_expression("last_order_on", span("last_order_on"), SCOPE, result=result)
    assert found[0].code == "RULE060"
    assert found[0].message.zh == "公式得到的是日期，而“margin_12m”声明为百分比"
    assert (
        found[0].message.en == "the formula gives a date, but “margin_12m” is declared as a percent"
    )


LINES = [
    ("margin_12m", "≥ 3", "RULE061"),
    ("potential", "高 低", "RULE053"),
    ("potential", "极", "RULE103"),
    ("orders_12m", "20..10", "RULE067"),
    ("orders_12m", "高", "RULE060"),
    ("orders_12m", "≥", "RULE050"),
    ("orders_12m", "10..", "RULE050"),
    ("blacklisted", "≥ 3", "RULE060"),
]


@pytest.mark.parametrize(("id", "text", "code"), LINES)
def test_bad_points_lines(id: str, text: str, code: str) -> None:
    name = SCOPE.find(id)
    assert name is not None
    tree, found = parse_test(text, span(text), Name(name.id, name.type), SCOPE)
    assert tree is None
    assert [item.code for item in found] == [code]


def test_a_name_that_begins_like_an_operator_is_still_a_name() -> None:
    scope = Scope((fact("至尊", "yes_no"), fact("x", "choice", choices=("为主", "不是", "在库"))))
    assert parse_condition("至尊", span("至尊"), scope)[1] == []
    assert parse_condition("x 是 为主", span("x 是 为主"), scope)[1] == []
    assert parse_condition("x in 不是, 在库", span("x in 不是, 在库"), scope)[1] == []
    assert parse_test("为主", span("为主"), Name("x", FactType.CHOICE), scope)[1] == []


def test_the_longest_declared_name_wins() -> None:
    scope = Scope(
        (
            fact("a", "number", "订单"),
            fact("b", "number", "订单数"),
            fact("c", "number", "订单数大于十"),
        )
    )
    for text, name in (("订单 > 1", "a"), ("订单数大于1", "b"), ("订单数大于十 > 1", "c")):
        tree, _ = parse_condition(text, span(text), scope)
        assert tree is not None
        assert tree.left.id == name  # type: ignore[union-attr]
    _, found = parse_condition("订单额 > 1", span("订单额 > 1"), scope)
    assert found[0].code == "RULE101"


OPEN_VALUES = [
    ("Account_Type is Customer", "Account_Type is “Customer”", FactType.TEXT),
    ("Stage is Closed Won", "Stage is “Closed Won”", FactType.TEXT),
    ("Stage in Closed Won, Paid in Full", "Stage in “Closed Won”, “Paid in Full”", FactType.TEXT),
    ("Stage is Closed Won, Paid", "Stage in “Closed Won”, “Paid”", FactType.TEXT),
    ("Status is not Cancelled", "Status is not “Cancelled”", FactType.TEXT),
    ("Stage not in (A B, C)", "Stage not in “A B”, “C”", FactType.TEXT),
    ("Stage is “yes”", "Stage is “yes”", FactType.TEXT),
    ("客户类型 是 终端 客户", "客户类型 is “终端 客户”", FactType.TEXT),
    ("is_test is not yes", "is_test is not yes", FactType.YES_NO),
    ("Grand_Total > 0", "Grand_Total > 0", FactType.NUMBER),
    ("Amount between 3 and 5万", "Amount between 3 and 50000", FactType.NUMBER),
    ("Size is 3", "Size is 3", FactType.NUMBER),
    ("Closing_Date within 12 months", "Closing_Date within 12 months", FactType.DATE),
    ("Closing_Date > 2026-01-01", "Closing_Date > 2026-01-01", FactType.DATE),
    ("Amount > Budget", "Amount > Budget", FactType.NUMBER),
]


@pytest.mark.parametrize(("text", "meaning", "type"), OPEN_VALUES)
def test_crm_fields_take_their_type_from_the_value(text: str, meaning: str, type: FactType) -> None:
    from crmsync.condition import to_text
    from crmsync.model.condition import Not

    tree, found = parse_condition(text, span(text), OPEN)
    assert found == []
    assert tree is not None
    assert to_text(tree, OPEN) == meaning
    leaf = tree.item if isinstance(tree, Not) else tree
    operand = getattr(leaf, "operand", None) or getattr(leaf, "left", None)
    assert operand is not None
    assert operand.type is type
