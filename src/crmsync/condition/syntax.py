"""From tokens to a tree of words, and what to say where the grammar stops."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer as LarkLexer

from crmsync.condition.complaints import missing_comma
from crmsync.condition.durations import unknown_unit
from crmsync.condition.lexer import Lexeme
from crmsync.condition.operators import WORDS
from crmsync.condition.trouble import Trouble
from crmsync.model.text import Text
from crmsync.source import nearest

_OPERANDS = frozenset(
    {"NAME", "WORD", "QUOTED", "NUMBER", "DATE", "DURATION", "YESNO", "VALUE", "TEXT", "FUNCTION",
     "IF"}
)  # fmt: skip
_ENDS_OPERAND = _OPERANDS | {"RPAR"}


class _Tokens(LarkLexer):
    """Hands ready tokens to the parser; ``start_pos`` is the number of the lexeme."""

    def __init__(self, lexer_conf: Any) -> None:  # noqa: ANN401 - lark's own configuration object
        pass

    def lex(self, data: Any, parser_state: Any = None) -> Iterator[Token]:  # noqa: ANN401
        for number, lexeme in enumerate(data):
            yield Token(lexeme.kind, "", start_pos=number)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer=_Tokens,
        start=["condition", "expression", "cell"],
        maybe_placeholders=False,
    )


def grow(text: str, lexemes: list[Lexeme], start: str) -> Tree[Token]:
    """The tree of *lexemes* under the rule *start*; raises `Trouble` where they do not fit."""
    data: Any = lexemes
    try:
        tree: Tree[Token] = _parser().parse(data, start=start)
    except UnexpectedToken as problem:
        number = problem.token.start_pos
        at_end = problem.token.type == "$END" or number is None
        place = len(lexemes) if at_end or number is None else number
        raise _explain(text, lexemes, place, start) from None
    except UnexpectedInput:
        raise _stuck(text, lexemes[-1]) from None
    return tree


def _explain(text: str, lexemes: list[Lexeme], place: int, start: str) -> Trouble:
    before = lexemes[place - 1] if place else None
    if place == len(lexemes):
        return _ends_early(text, lexemes)
    here = lexemes[place]
    where = (here.start, here.end)
    written = text[here.start : here.end]
    if here.kind in {"JOIN", "AND"}:
        return Trouble(
            "RULE054",
            where,
            Text(
                zh=f"一行只写一个条件，不能用“{written}”",
                en=f"one condition a line: no “{written}”",
            ),
            Text(
                zh="“且”写成列表的两行；“或”写在 any: 下面",
                en="For “and” write two lines of a list; for “or” put them under any:.",
            ),
        )
    if here.kind == "COMPARE" and _earlier(lexemes, place, "COMPARE"):
        return Trouble(
            "RULE052",
            where,
            Text(zh="一个条件只能比较一次", en="a condition compares once"),
            Text(zh="写成两行，或用“介于…和…”", en="Write two lines, or use “between … and …”."),
        )
    if here.kind == "COMMA" and start != "expression":
        compare = _earlier(lexemes, place, "COMPARE")
        if compare is not None:
            return _list_after_is(text, compare)
    if before is not None and before.kind in _ENDS_OPERAND and here.kind in _OPERANDS:
        return _two_operands(text, lexemes, place, start)
    return _stuck(text, here)


def _earlier(lexemes: list[Lexeme], place: int, kind: str) -> Lexeme | None:
    depth = 0
    for lexeme in reversed(lexemes[:place]):
        depth += (lexeme.kind == "RPAR") - (lexeme.kind == "LPAR")
        if depth < 0:
            return None
        if lexeme.kind == kind and depth == 0:
            return lexeme
    return None


def _ends_early(text: str, lexemes: list[Lexeme]) -> Trouble:
    last = lexemes[-1]
    written = text[last.start : last.end]
    return Trouble(
        "RULE050",
        (last.start, last.end),
        Text(zh=f"“{written}”后面还缺内容", en=f"something is missing after “{written}”"),
        Text(zh="如：overdue_days > 60", en="Such as: overdue_days > 60."),
    )


def _list_after_is(text: str, compare: Lexeme) -> Trouble:
    written = text[compare.start : compare.end]
    negative = written in {"!=", "≠", "<>"} or "not" in written or "不" in written
    right = "not in" if negative else "in"
    return Trouble(
        "RULE053",
        (compare.start, compare.end),
        Text(
            zh=f"“{written}”只能比较一个值，几个值要用“{'不属于' if negative else '属于'}”",
            en=f"“{written}” compares with one value; several need “{right}”",
        ),
        Text(zh=f"写成 {right} A, B", en=f"Write {right} A, B."),
        fix=right,
    )


def _two_operands(text: str, lexemes: list[Lexeme], place: int, start: str) -> Trouble:
    before, here = lexemes[place - 1], lexemes[place]
    first, second = text[before.start : before.end], text[here.start : here.end]
    listing = _earlier(lexemes, place, "IN") or _earlier(lexemes, place, "NOT_IN")
    if listing is not None or (start == "cell" and before.kind != "NUMBER"):
        return missing_comma(first, second, (before.end, here.start), ", ")
    if before.kind == "NUMBER" and here.kind == "WORD":
        return unknown_unit(second, (here.start, here.end))
    near = nearest(second, WORDS)
    return Trouble(
        "RULE050",
        (here.start, here.end),
        Text(
            zh=f"“{first}”后面应是运算符，不是“{second}”",
            en=f"an operator should follow “{first}”, not “{second}”",
        ),
        _no_operator(second, near),
        fix=near,
    )


_PATTERNS = frozenset({"matches", "match", "like", "regex", "contains", "包含", "匹配"})


def _no_operator(word: str, near: str | None) -> Text:
    """What may stand in place of *word*."""
    if word.casefold() in _PATTERNS:
        return Text(
            zh="不支持按模式匹配；列出这些值（属于 A, B），或在 CRM 里算成一个字段",
            en="Patterns are not supported: list the values (in A, B), or let the CRM make a field "
            "of it.",
        )
    if near is not None:
        return Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?")
    return Text(
        zh="运算符有：≥ > ≤ < = ≠ 是 不是 属于 不属于 介于 within 缺失 已知；名称里有逗号或运算符时"
        "写在“ ”里",
        en="Operators: ≥ > ≤ < = ≠, is, is not, in, not in, between, within, is missing, is known; "
        "put a name that holds commas or operators in “ ”.",
    )


def _stuck(text: str, here: Lexeme) -> Trouble:
    written = text[here.start : here.end]
    return Trouble(
        "RULE050",
        (here.start, here.end),
        Text(zh=f"“{written}”不能放在这里", en=f"“{written}” cannot stand here"),
        Text(
            zh="条件写成：事实 运算符 值，如 overdue_days > 60",
            en="Write fact, operator, value, such as overdue_days > 60.",
        ),
    )
