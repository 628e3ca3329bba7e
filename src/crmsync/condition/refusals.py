"""What is said of signs and words that cannot be cut into tokens."""

from __future__ import annotations

import re
from datetime import date
from typing import TypeAlias

from crmsync.condition.durations import unit_of, unknown_unit
from crmsync.condition.operators import RIGHT_SPELLING, Operator
from crmsync.condition.scope import fold
from crmsync.condition.trouble import Trouble
from crmsync.model.text import Text

Where: TypeAlias = tuple[int, int]


def refuse_operator(text: str, operator: Operator, where: Where) -> None:
    """Raise for an operator that is only recognised to be explained."""
    written = text[where[0] : where[1]]
    match operator.kind:
        case "WRONG":
            raise _wrong(written, where)
        case "NULL":
            raise _null(written, where)
        case "WITHIN":
            raise _no_window(text, where)
        case _:
            return


def _wrong(written: str, where: Where) -> Trouble:
    right = RIGHT_SPELLING[fold(written)]
    return Trouble(
        "RULE051",
        where,
        Text(zh=f"没有运算符“{written}”", en=f"“{written}” is not an operator"),
        Text(zh=f"是不是“{right}”？", en=f"Did you mean “{right}”?"),
        fix=right,
    )


def _null(written: str, where: Where) -> Trouble:
    absent = not ("not" in written or "!" in written)
    right = "is missing" if absent else "is known"
    word = "缺失" if absent else "有值"
    return Trouble(
        "RULE065",
        where,
        Text(zh=f"“{written}”不能判断缺失", en=f"“{written}” does not ask for absence"),
        Text(zh=f"写成 {word}（{right}）", en=f"Write “{right}”."),
        fix=right,
    )


def _no_window(text: str, where: Where) -> Trouble:
    end = where[1]
    match = re.match(r"\s*[0-9]+\s*(\w+)", text[end:])
    if match is not None and unit_of(match[1]) is None:
        return unknown_unit(match[1], (end + match.start(1), end + match.end(1)))
    return Trouble(
        "RULE057",
        where,
        Text(zh="within 后面要有一段时间", en="“within” needs a span of time"),
        Text(zh="如 within 12 months（12个月内）", en="Such as: within 12 months."),
    )


def open_quote(mark: str, at: int) -> Trouble:
    """RULE055 at a quote without its other half."""
    return Trouble(
        "RULE055",
        (at, at + 1),
        Text(zh=f"引号 {mark} 没有配对", en=f"the quote {mark} has no other half"),
        Text(zh="名称两边各写一个引号：“…”", en="Write one on each side: “…”."),
    )


def open_bracket(where: Where) -> Trouble:
    """RULE056 at a bracket that never closes."""
    return Trouble(
        "RULE056",
        where,
        Text(zh="“(”没有配对", en="“(” never closes"),
        Text(zh="补上“)”", en="Close it with “)”."),
    )


def extra_bracket(at: int) -> Trouble:
    """RULE056 at a bracket that was never opened."""
    return Trouble(
        "RULE056",
        (at, at + 1),
        Text(zh="多了一个“)”", en="one “)” too many"),
        Text(zh="删掉它", en="Delete it."),
    )


def strange(char: str, at: int) -> Trouble:
    """RULE050 at a character that means nothing."""
    return Trouble(
        "RULE050",
        (at, at + 1),
        Text(zh=f"这里不能有“{char}”", en=f"“{char}” cannot stand here"),
        Text(zh="名称里有特殊符号时写在“ ”里", en="Put a name that holds odd signs in “ ”."),
    )


def leading_zero(written: str, where: Where) -> Trouble:
    """RULE050 at ``007``: in a list ``1,000`` would otherwise become 1 and 0."""
    return Trouble(
        "RULE050",
        where,
        Text(zh=f"数字“{written}”前面有多余的零", en=f"the number “{written}” begins with a zero"),
        Text(
            zh="列表里不写千位逗号：1000，而不是 1,000",
            en="In lists write 1000, not 1,000.",
        ),
    )


def long_number(where: Where) -> Trouble:
    """RULE059 at a number of too many digits."""
    return Trouble(
        "RULE059",
        where,
        Text(zh="数字太长", en="the number is too long"),
        Text(zh="编号请用文字：写在“ ”里", en="An identifier is text: put it in “ ”."),
    )


def odd_date(written: str, where: Where) -> Trouble:
    """RULE058; mended mechanically only where the order of year, month and day is certain."""
    parts = [int(part) for part in re.findall("[0-9]+", written)]
    if parts[0] < 1000:
        parts.reverse()
    fix = None
    try:
        if 1900 <= parts[0] <= 2199 and re.match("[0-9]{4}", written):
            fix = date(*parts[:3]).isoformat()
    except ValueError:
        fix = None
    return Trouble(
        "RULE058",
        where,
        Text(zh=f"“{written}”不是能用的日期", en=f"“{written}” is not a usable date"),
        Text(zh="日期写成 2026-12-31 这样", en="Write dates as 2026-12-31."),
        fix=fix,
    )


def over(limit: Text, length: int) -> Trouble:
    """RULE059 for the whole text."""
    return Trouble(
        "RULE059",
        (0, length),
        Text(zh=f"条件超过 {limit.zh}", en=f"the condition is over {limit.en}"),
        Text(zh="拆成几行，或用派生事实", en="Split it into lines, or into a derived fact."),
    )
