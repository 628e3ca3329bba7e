"""What is said when the two sides of a condition do not go together."""

from __future__ import annotations

from typing import TypeAlias

from crmsync.condition.scope import Scope, ScopeName
from crmsync.condition.trouble import Trouble
from crmsync.condition.typing_rules import TYPE_WORDS, mend_for
from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.source import did_you_mean, nearest

Where: TypeAlias = tuple[int, int]
_MOST_NAMES = 8


_NO_FACTS = Text(zh="先在 facts 里声明它", en="Declare it under facts first.")


def unknown_name(word: str, where: Where, scope: Scope) -> Trouble:
    """RULE101 with the nearest known name, or the first few when none is near."""
    near = nearest(word, scope.spellings())
    if near is None:
        labels = [name.label or Text.same(name.id) for name in scope.names[:_MOST_NAMES]]
        more = len(scope.names) > _MOST_NAMES
        zh = "、".join(label.zh for label in labels) + ("…" if more else "")
        en = "; ".join(label.en for label in labels) + ("; …" if more else "")
        mend = Text(zh=f"可用的有：{zh}", en=f"Known: {en}") if labels else _NO_FACTS
    else:
        mend = Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?")
        if any(char in near for char in ",，、"):
            near = f"“{near}”"
    return Trouble(
        "RULE101",
        where,
        Text(zh=f"没有名为“{word}”的事实", en=f"no fact is called “{word}”"),
        mend,
        fix=near,
    )


def shared_name(word: str, ids: list[str], where: Where) -> Trouble:
    """RULE102: a label of several facts."""
    return Trouble(
        "RULE102",
        where,
        Text(
            zh=f"“{word}”是几个事实共有的名称：{'、'.join(ids)}",
            en=f"“{word}” is the name of several facts: {', '.join(ids)}",
        ),
        Text(zh="写出其中一个的 id", en="Write the id of one of them."),
    )


def unknown_option(word: str, where: Where, hint: ScopeName, *, quoted: bool) -> Trouble:
    """RULE103 with the nearest option, or RULE053 where only a comma is missing."""
    parts = word.split()
    if len(parts) > 1 and not quoted and all(hint.option(part) for part in parts):
        return missing_comma(parts[0], parts[1], where, ", ".join(parts))
    known = [spelling for choice in hint.choices for spelling in choice.spellings]
    mend, near = did_you_mean(word, known)
    label = hint.label or Text.same(hint.id)
    return Trouble(
        "RULE103",
        where,
        Text(zh=f"“{word}”不是“{label.zh}”的选项", en=f"“{word}” is not an option of “{label.en}”"),
        mend,
        fix=near,
    )


def missing_comma(first: str, second: str, where: Where, fix: str) -> Trouble:
    """RULE053 between two entries of a list."""
    return Trouble(
        "RULE053",
        where,
        Text(
            zh=f"“{first}”和“{second}”之间少了逗号",
            en=f"a comma is missing between “{first}” and “{second}”",
        ),
        Text(zh="各项用逗号分开", en="Separate the entries with commas."),
        fix=fix,
    )


def words_beside(word: str, where: Where, hint: ScopeName) -> Trouble:
    """RULE060: words beside a number, a date or a truth value."""
    label = hint.label or Text.same(hint.id)
    kind = TYPE_WORDS[hint.type]
    return Trouble(
        "RULE060",
        where,
        Text(
            zh=f"“{label.zh}”是{kind.zh}，不能与“{word}”比较",
            en=f"“{label.en}” is {kind.en}; it cannot be compared with “{word}”",
        ),
        mend_for(hint.type),
    )


def mismatch(label: Text, mine: FactType, other: FactType, word: str, where: Where) -> Trouble:
    """RULE060: two types that do not compare."""
    left, right = TYPE_WORDS[mine], TYPE_WORDS[other]
    return Trouble(
        "RULE060",
        where,
        Text(
            zh=f"“{label.zh}”是{left.zh}，不能与{right.zh}“{word}”比较",
            en=f"“{label.en}” is {left.en}; “{word}” is {right.en}",
        ),
        mend_for(mine),
    )


def no_order(type: FactType, where: Where) -> Trouble:
    """RULE060: less and more of something without order."""
    kind = TYPE_WORDS[type]
    return Trouble(
        "RULE060",
        where,
        Text(zh=f"{kind.zh}没有大小之分", en=f"{kind.en} is neither more nor less"),
        mend_for(type),
    )


def no_number(word: str, type: FactType, where: Where) -> Trouble:
    """RULE060: arithmetic with something that is no number."""
    kind = TYPE_WORDS[type]
    return Trouble(
        "RULE060",
        where,
        Text(zh=f"“{word}”是{kind.zh}，不能计算", en=f"“{word}” is {kind.en}, not a number"),
        Text(
            zh="只有数字能加减乘除；两个日期可以相减",
            en="Only numbers can be calculated with; one date can be taken from another.",
        ),
    )


def no_date(word: str, type: FactType, where: Where) -> Trouble:
    """RULE060: a window around something that is no date."""
    kind = TYPE_WORDS[type]
    return Trouble(
        "RULE060",
        where,
        Text(zh=f"“{word}”是{kind.zh}，不是日期", en=f"“{word}” is {kind.en}, not a date"),
        Text(zh="“…内”只能用于日期", en="Only a date can be “within” a window."),
    )


def no_fixed_days(word: str, where: Where) -> Trouble:
    """RULE057: months or hours where a number of days is compared."""
    return Trouble(
        "RULE057",
        where,
        Text(zh=f"“{word}”不是固定的天数", en=f"“{word}” is no fixed number of days"),
        Text(
            zh="写成天或周，如 90 天；日期可写 …内，如 12个月内",
            en="Write days or weeks; a date can be asked with “within 12 months”.",
        ),
    )


def no_condition(word: str, type: FactType, where: Where) -> Trouble:
    """RULE063: a value where a condition should stand."""
    kind = TYPE_WORDS[type]
    return Trouble(
        "RULE063",
        where,
        Text(zh=f"“{word}”是{kind.zh}，不是条件", en=f"“{word}” is {kind.en}, no condition"),
        Text(
            zh="写出比较，如 overdue_days > 60",
            en="Compare it with something, such as overdue_days > 60.",
        ),
    )


def no_fact(where: Where) -> Trouble:
    """RULE066: two constants compared."""
    return Trouble(
        "RULE066",
        where,
        Text(zh="条件里没有事实，结果总是一样", en="no fact is asked, so it never changes"),
        Text(zh="把一边换成事实", en="Name a fact on one side."),
    )


def only_values(word: str, where: Where) -> Trouble:
    """RULE060: a fact in a list."""
    return Trouble(
        "RULE060",
        where,
        Text(
            zh=f"列表里只能写值，“{word}”是事实", en=f"a list holds values, but “{word}” is a fact"
        ),
        Text(zh="与事实比较请用“是”", en="Compare with a fact by “is”."),
    )


def backwards(where: Where) -> Trouble:
    """RULE067: the higher end of a range first."""
    return Trouble(
        "RULE067",
        where,
        Text(zh="范围的两端写反了", en="the range is written backwards"),
        Text(zh="小的在前", en="Put the lower end first."),
    )


def wrong_arguments(where: Where, zh: str, en: str) -> Trouble:
    """RULE062 with the form the function has."""
    return Trouble(
        "RULE062",
        where,
        Text(zh="函数的参数不对", en="wrong arguments"),
        Text(zh=f"写成 {zh}", en=f"Write {en}."),
    )


def different_results(first: FactType, second: FactType, where: Where) -> Trouble:
    """RULE060: the two results of ``if`` are of different types."""
    mine, other = TYPE_WORDS[first], TYPE_WORDS[second]
    return Trouble(
        "RULE060",
        where,
        Text(
            zh=f"if 的两个结果类型不同：{mine.zh}和{other.zh}",
            en=f"the two results of “if” differ: {mine.en} and {other.en}",
        ),
        Text(zh="两个结果要同一类型", en="Both results must be of one type."),
    )
