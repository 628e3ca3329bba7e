"""What mutants are made of: keys, values, signs, and sentences made by the grammar."""

# ruff: noqa: E501 - word lists read best in long lines
from __future__ import annotations

from random import Random

_KEYS = """
ruleset version title record languages time_zone currency workdays year_starts facts score
scorecards tier lifecycle service tasks guards segments type label choices between missing
judged_by formula id of max points scale bands edges best_of sum_of average_of levels enter keep
change up down hold demote_after max_step grace when exceptions set at_least at_most reason
by_exception_only start stages moves from to lasting manager answer_within visit_every event
owner due priority once_per close_when counts_as_done via result capacity for_each start was
fallback_owner tier_changes demotions_by_pair new_tasks source_age connector object identity
name read write related sum count gap within per on values field applies_to any none all today
cases before expect tasks closes held evaluated episodes tier_since << ? ! & * 标签 规则 vip
"""
KEYS = tuple(_KEYS.split())
VALUES = (
    "", "~", "null", "true", "no", "是", "0", "-1", "1e999", ".inf", ".nan", "0x1F", "1_000", "007",
    "9" * 40, "0.1", "10%", "１０％", "150%", "5万", "30万", "2026-11-22", "2026-13-40", "31/12/2026",
    "12:30:00", "90 days", "90 dys", "3 months", "2 workdays", "1000000 years", "[]", "{}", "[[]]",
    "{a: }", "[a, , b]", "{1: 2}", '"', "'", "“未闭合", "| \n  a\n  b", "> 90", "&a [*a]", "*a", "!!python/x",
    "!include /etc/passwd", "a: b", "a #b", "中文 | English", "a | b | c", " | ", "{name.__class__}",
    "{", "}}", "{0}", "{days!r}", "10..20", "20..10", "..", "[10..20)", "top 20%", "covers 80% of x",
    "at review", "points as given", "as given", "otherwise", "Asia/Shanghai", "UTC+8", "CNY", "cn",
    "enters at_risk", "rises to vip", "every 0 days", "every service.x", "birthday", "60 days before x",
    "date of year 02-29", "date of year 99-99", "festival 春节", "festival ?", "x becomes true",
    "becomes true", "99999999 days before 春节", "\u202eabc", "\u00a0", "\ufeff", "\U0001f600", "a" * 5000,
    "date", "money", "choice", "yes_no", "text", "number", "last year", "12 months ending 12 months ago",
)  # fmt: skip
SIGNS = (
    "：", "，", "　", "\t", "\u00a0", "“", "”", "\"", "'", "{", "}", "[", "]", "(", ")", ":", ": ", "- ", "#",
    " #", "|", ">", "&", "*", "!", "%", "@", "`", "---\n", "...\n", "\n", "\r\n", "\x00", "\x85", "\u2028",
    "\ud800", "😀", "é", "e\u0301", "０", "≥", ">=", "=>", "是", "不", "万", "%", "..", "\\", "$", "<<: ",
)  # fmt: skip
_NAMES = (
    "orders_12m", "revenue_12m", "days_since_order", "potential", "blacklisted", "last_order_on", "tier",
    "lifecycle", "score", "margin_12m", "overdue_days", "近12个月成交额", "客户等级", "nobody", "“a, b”",
)  # fmt: skip
_SIGNS = (
    ">", "≥", "<=", "is", "is not", "=", "!=", "in", "not in", "大于", "不低于", "是", "不是", "属于", "=>",
    "==", "between", "介于", "within", "at least",
)  # fmt: skip
_ENDS = (
    "is missing", "is known", "缺失", "有值", "within 12 months", "12个月内", "in last quarter", "去年",
    "within 12 months ending 1 year ago", "becomes true", "within period",
)  # fmt: skip
_CONSTANTS = (
    "1", "60", "-5", "20%", "30万", "1.5亿", "yes", "否", "高", "vip, key", "(vip, key)", "1 and 2", "2026-01-01",
    "90 days", "3 months", "“x”", "9" * 31, "0", "1,000", "10..20",
)  # fmt: skip
_CALLS = (
    "days_since",
    "months_since",
    "min",
    "max",
    "round",
    "abs",
    "if",
    "any",
    "none",
    "all",
    "not",
)


def sentence(chance: Random, depth: int = 0) -> str:
    """A condition or formula by the grammar, right more often than not."""
    kind = chance.randrange(8 if depth < 4 else 5)
    left = expression(chance, depth + 1)
    if kind == 0:
        return left
    if kind == 1:
        return f"{left} {chance.choice(_ENDS)}"
    if kind < 5:
        return f"{left} {chance.choice(_SIGNS)} {expression(chance, depth + 1)}"
    word = chance.choice(("any", "none", "all", "not", "任一", "都不", "全部"))
    inside = ", ".join(sentence(chance, depth + 1) for _ in range(chance.randrange(1, 4)))
    return f"{word}({inside})"


def expression(chance: Random, depth: int = 0) -> str:
    """A name, a constant, arithmetic or a call."""
    kind = chance.randrange(8 if depth < 5 else 5)
    if kind < 3:
        return chance.choice(_NAMES)
    if kind < 5:
        return chance.choice(_CONSTANTS)
    if kind == 5:
        sign = chance.choice("+-*/×÷")
        return f"{expression(chance, depth + 1)} {sign} {expression(chance, depth + 1)}"
    if kind == 6:
        return f"({expression(chance, depth + 1)})"
    inside = ", ".join(expression(chance, depth + 1) for _ in range(chance.randrange(1, 4)))
    return f"{chance.choice(_CALLS)}({inside})"
