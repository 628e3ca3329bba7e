"""A scope of every type, and short ways to read sentences in it."""

from __future__ import annotations

from crmsync.condition import (
    Scope,
    ScopeChoice,
    ScopeName,
    parse_condition,
    parse_expression,
    parse_test,
)
from crmsync.model.condition import Condition, Expression, Name
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.model.text import Text


def fact(
    id: str, type: str, zh: str = "", en: str = "", choices: tuple[str, ...] = ()
) -> ScopeName:
    label = Text(zh, en or zh) if zh else None
    return ScopeName(id, FactType(type), label, tuple(map(ScopeChoice, choices)))


def levels(*named: tuple[str, str, str]) -> tuple[ScopeChoice, ...]:
    return tuple(ScopeChoice(value, Text(zh, en)) for value, zh, en in named)


SCOPE = Scope(
    (
        fact("last_order_on", "date", "最近下单日期", "Last order on"),
        fact("lifecycle_since", "date"),
        fact("seen_at", "datetime", "最近访问时间", "Seen at"),
        fact("orders_12m", "integer", "近12个月订单数", "Orders, 12 months"),
        fact("overdue_days", "integer", "最长逾期天数", "Days overdue"),
        fact("revenue_12m", "money", "近12个月成交额", "Revenue, 12 months"),
        fact("limit", "money", "授信额度", "Credit limit"),
        fact("due", "money", "应收余额", "Receivables"),
        fact("margin_12m", "percent", "近12个月毛利率", "Margin, 12 months"),
        fact("usual_gap", "number", "平均下单间隔（天）", "Usual days between orders"),
        fact("days_since_order", "number", "距上次下单天数", "Days since last order"),
        fact("potential", "choice", "需求潜力", "Potential", ("高", "中", "低")),
        fact("country", "text", "国家", "Country"),
        fact("blacklisted", "yes_no", "黑名单", "Blacklisted"),
        fact("strategic", "yes_no", "战略客户", "Strategic"),
        fact("one", "number", "同名", "Same"),
        fact("two", "number", "同名", "Same"),
        ScopeName(
            "tier",
            FactType.CHOICE,
            Text("客户等级", "Tier"),
            levels(
                ("vip", "VIP客户", "VIP"), ("key", "重要客户", "Key"), ("basic", "小客户", "Basic")
            ),
        ),
    )
)
OPEN = Scope(open_names=True)


def span(text: str) -> Span:
    return Span("r.yaml", 7, 11, 7, 11 + len(text))


def sentence(text: str, scope: Scope = SCOPE) -> Condition:
    tree, found = parse_condition(text, span(text), scope)
    assert found == [], [(item.code, item.message.en) for item in found]
    assert tree is not None
    return tree


def expression(text: str, result: str | None = None) -> Expression:
    wanted = None if result is None else SCOPE.find(result)
    tree, found = parse_expression(text, span(text), SCOPE, result=wanted)
    assert found == [], [(item.code, item.message.en) for item in found]
    assert tree is not None
    return tree


def read_line(id: str, text: str) -> Condition:
    name = SCOPE.find(id)
    assert name is not None
    tree, found = parse_test(text, span(text), Name(name.id, name.type), SCOPE)
    assert found == [], [(item.code, item.message.en) for item in found]
    assert tree is not None
    return tree


def finding(text: str, scope: Scope = SCOPE) -> Diagnostic:
    tree, found = parse_condition(text, span(text), scope)
    assert tree is None
    assert found
    return found[0]
