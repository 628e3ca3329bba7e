"""Every operator in every spelling, and the sign each is printed with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.model.condition import Comparison

_SPELLINGS: Mapping[tuple[str, Comparison | None], tuple[str, ...]] = {
    ("COMPARE", Comparison.GE): (
        "≥", ">=", "≧", "at least", "is at least", "not less than", "不低于", "不小于", "不少于",
        "至少", "大于等于", "大于或等于", "不早于",
    ),
    ("COMPARE", Comparison.LE): (
        "≤", "<=", "≦", "at most", "is at most", "not more than", "no more than", "up to", "不超过",
        "不高于", "不大于", "不多于", "至多", "最多", "小于等于", "小于或等于", "不晚于",
    ),
    ("COMPARE", Comparison.GT): (
        ">", "over", "is over", "above", "is above", "more than", "is more than", "greater than",
        "is greater than", "after", "is after", "大于", "超过", "高于", "多于", "晚于",
    ),
    ("COMPARE", Comparison.LT): (
        "<", "under", "is under", "below", "is below", "less than", "is less than", "fewer than",
        "before", "is before", "小于", "低于", "少于", "不足", "不到", "早于",
    ),
    ("COMPARE", Comparison.EQ): ("=", "is", "equals", "是", "为", "等于"),
    ("COMPARE", Comparison.NE): ("!=", "≠", "<>", "is not", "isn't", "不是", "不为", "不等于"),
    ("IN", None): ("in", "is in", "is one of", "one of", "属于"),
    ("NOT_IN", None): ("not in", "is not in", "is not one of", "不属于"),
    ("BETWEEN", None): ("between", "is between", "介于"),
    ("NOT_BETWEEN", None): ("not between", "is not between", "不介于"),
    ("MISSING", None): (
        "is missing", "is unknown", "is not known", "缺失", "是缺失", "未知", "没有值", "为空",
    ),
    ("KNOWN", None): (
        "is known", "is not missing", "有值", "已知", "不缺失", "未缺失", "不为空",
    ),
    ("AND", None): ("and", "和", "与", "到", "至"),
    ("AMID", None): ("之间",),
    ("JOIN", None): ("or", "且", "并且", "而且", "或", "或者", "&&", "||", "&", "|"),
    ("WRONG", None): ("=>", "=<", "==", "===", "!==", "≥=", "≤=", "><", ":=", "~="),
    ("NULL", None): (
        "is null", "= null", "is none", "= none", "is not null", "is empty", "is not empty",
        "is blank", "!= null",
    ),
    ("WITHIN", None): ("within", "is within", "not within", "is not within"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator's spelling means: the grammar's token and, for comparisons, which."""

    kind: str
    comparison: Comparison | None = None


_TABLE: dict[str, Operator] = {
    spelling: Operator(kind, comparison)
    for (kind, comparison), spellings in _SPELLINGS.items()
    for spelling in spellings
}


def _pattern(spelling: str) -> str:
    body = r"\s+".join(re.escape(part) for part in spelling.split(" "))
    if spelling[-1].isascii() and spelling[-1].isalpha():
        body += r"(?![0-9a-z_])"
    return body


_ANY = re.compile("|".join(_pattern(word) for word in sorted(_TABLE, key=len, reverse=True)))


def operator_at(folded: str, start: int) -> tuple[Operator, int] | None:
    """The operator that begins at *start* of a folded text, longest first, and where it ends."""
    match = _ANY.match(folded, start)
    if match is None:
        return None
    return _TABLE[" ".join(match.group().split())], match.end()


WORDS: tuple[str, ...] = (
    "≥", "≤", ">", "<", "is", "is not", "in", "not in", "between", "within", "is missing",
    "is known", "at least", "at most", "over", "under", "大于", "小于", "不低于", "不超过", "超过",
    "低于", "至少", "至多", "是", "不是", "属于", "不属于", "介于", "缺失", "有值",
)  # fmt: skip
"""The spellings offered when an operator was mistyped."""

RIGHT_SPELLING: Mapping[str, str] = {
    "=>": "≥",
    "≥=": "≥",
    "=<": "≤",
    "≤=": "≤",
    "==": "=",
    "===": "=",
    "!==": "!=",
    ":=": "=",
    "~=": "!=",
    "><": "!=",
}

SIGNS: Mapping[str, Mapping[Comparison, str]] = {
    "symbols": {
        Comparison.EQ: "is",
        Comparison.NE: "is not",
        Comparison.LT: "<",
        Comparison.LE: "≤",
        Comparison.GT: ">",
        Comparison.GE: "≥",
    },
    "en": {
        Comparison.EQ: "is",
        Comparison.NE: "is not",
        Comparison.LT: "under",
        Comparison.LE: "at most",
        Comparison.GT: "over",
        Comparison.GE: "at least",
    },
    "zh": {
        Comparison.EQ: "是",
        Comparison.NE: "不是",
        Comparison.LT: "小于",
        Comparison.LE: "不超过",
        Comparison.GT: "大于",
        Comparison.GE: "不低于",
    },
}
