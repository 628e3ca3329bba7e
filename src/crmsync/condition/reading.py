"""Conditions as they stand in a file: a sentence, a list of sentences, or any / none / all."""

from __future__ import annotations

import dataclasses

from crmsync.condition.lexer import MAX_DEPTH
from crmsync.condition.parsing import parse_condition
from crmsync.condition.scope import Scope
from crmsync.condition.trouble import Place, Trouble
from crmsync.model.condition import All, AnyOf, Condition, Not
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import Mapping, Node, Scalar, Sequence, Style, did_you_mean, error

_GROUPS = ("all", "any", "none")
MAX_LIST = 50
"""Conditions of one list: more nobody can read, and several values are one sentence."""


def read_condition(node: Node, scope: Scope) -> tuple[Condition | None, list[Diagnostic]]:
    """Read the value of a ``when:``: a sentence, a list (all must hold) or ``any: none: all:``.

    Every sentence is read, so that all findings come at once; the tree is ``None`` when there is
    one. A list of one sentence is that sentence.
    """
    findings: list[Diagnostic] = []
    found = _read(node, scope, findings, 1)
    return (None if findings else found), findings


def _read(node: Node, scope: Scope, findings: list[Diagnostic], depth: int) -> Condition | None:
    if depth > MAX_DEPTH:
        findings.append(_shape(node.span, _TOO_DEEP))
        return None
    match node:
        case Scalar():
            return _sentence(node, scope, findings)
        case Sequence(items=items, span=span):
            if not items:
                findings.append(_shape(span, _EMPTY))
                return None
            return _joined(_items(items, scope, findings, depth), span)
        case Mapping():
            return _groups(node, scope, findings, depth)


def _sentence(node: Scalar, scope: Scope, findings: list[Diagnostic]) -> Condition | None:
    if node.style is Style.BLOCK:
        trouble = Trouble("RULE069", (0, 1), _BLOCK_TEXT, _ONE_LINE)
        findings.append(Place.of(node.text, node.span).finding(trouble))
        return None
    if node.empty:
        findings.append(_shape(node.span, _EMPTY))
        return None
    condition, found = parse_condition(node.text, node.inner, scope)
    findings.extend(found)
    return condition


def _items(
    items: tuple[Node, ...], scope: Scope, findings: list[Diagnostic], depth: int
) -> list[Condition]:
    read: list[Condition] = []
    if len(items) > MAX_LIST:
        findings.append(error("RULE059", items[MAX_LIST].span, _too_many(len(items)), _SHORTER))
        return read
    for number, item in enumerate(items):
        before = len(findings)
        found = _read(item, scope, findings, depth + 1)
        if found is not None:
            read.append(found)
        elif number and _cut_by_comma(items[number - 1], item):
            findings[before:] = [
                dataclasses.replace(one, mend=_QUOTE_COMMAS, fix=None) for one in findings[before:]
            ]
    return read


def _cut_by_comma(before: Node, item: Node) -> bool:
    """Whether ``[tier in vip, key]`` was meant as one sentence: YAML made two of it."""
    return (
        isinstance(before, Scalar)
        and isinstance(item, Scalar)
        and before.style is item.style is Style.PLAIN
        and before.span.end_line == item.span.line
        and any(word in before.text for word in (" in ", "属于"))
        and len(item.text.split()) == 1
    )


def _joined(items: list[Condition], span: Span) -> Condition:
    return items[0] if len(items) == 1 else All(tuple(items), span)


def _groups(
    node: Mapping, scope: Scope, findings: list[Diagnostic], depth: int
) -> Condition | None:
    parts: list[Condition] = []
    if not node.entries:
        findings.append(_shape(node.span, _EMPTY))
    for key, value in node.entries:
        if key.text not in _GROUPS:
            mend, near = did_you_mean(key.text, _GROUPS)
            findings.append(
                error(
                    "RULE069",
                    key.span,
                    Text(
                        zh=f"这里只能是 any、none 或 all，不能是“{key.text}”",
                        en=f"only any, none or all may stand here, not “{key.text}”",
                    ),
                    mend,
                    fix=near,
                )
            )
            continue
        listed = value.items if isinstance(value, Sequence) else (value,)
        if not listed:
            findings.append(_shape(value.span, _EMPTY))
            continue
        items = tuple(_items(tuple(listed), scope, findings, depth))
        if key.text == "all":
            parts.append(_joined(list(items), value.span) if items else All(()))
        elif key.text == "any":
            parts.append(AnyOf(items, value.span))
        else:
            parts.append(Not(AnyOf(items, value.span), value.span))
    return _joined(parts, node.span) if parts else None


def _shape(span: Span, words: Text) -> Diagnostic:
    return error("RULE069", span, words, _WRITE_ONE)


def _too_many(count: int) -> Text:
    return Text(
        zh=f"一个列表有 {count} 个条件，上限 {MAX_LIST}",
        en=f"a list of {count} conditions; the limit is {MAX_LIST}",
    )


_SHORTER = Text(
    zh="同一事实的几个值写成一句，如 地区 属于 上海, 北京；或先用公式算成一个事实",
    en="Write several values of one fact as one sentence, such as region in 上海, 北京, or make a "
    "fact of them by a formula.",
)
_QUOTE_COMMAS = Text(
    zh='方括号里的逗号把句子分成了两条：给含逗号的整句加引号，如 ["tier in vip, key"]',
    en='A comma in [ ] cut the sentence in two: quote the whole of it, ["tier in vip, key"].',
)
_EMPTY = Text(zh="这里缺条件", en="a condition is missing here")
_TOO_DEEP = Text(
    zh=f"条件嵌套超过 {MAX_DEPTH} 层", en=f"conditions nest deeper than {MAX_DEPTH} levels"
)
_WRITE_ONE = Text(zh="如 overdue_days > 60", en="Such as overdue_days > 60.")
_BLOCK_TEXT = Text(zh="条件不能写成多行文字", en="a condition cannot be a block of text")
_ONE_LINE = Text(
    zh="一行一个条件；几个条件写成列表", en="One condition a line; several make a list."
)
