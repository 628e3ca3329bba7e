"""One input cell typed against its column: what it asks, or what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import replace

from crmsync.condition import ScopeName
from crmsync.condition.cells import ANYTHING, parse_cell
from crmsync.model.condition import (
    All,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
)
from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.source.grid import Cell, CellKind

_KIND_WORDS = {
    CellKind.NUMBER: Text(zh="数字", en="a number"),
    CellKind.PERCENT: Text(zh="百分比", en="a percent"),
    CellKind.DATE: Text(zh="日期", en="a date"),
    CellKind.YES_NO: Text(zh="是非值", en="TRUE or FALSE"),
}
_INVERSE = re.compile(r"\s*(?:not|非)\s*[(（](.*)[)）]\s*\Z", re.IGNORECASE | re.DOTALL)
_QUOTED = {"“": "”", "「": "」", '"': '"'}


def cell_test(cell: Cell, name: ScopeName, operand: Name, language: Language) -> Condition | None:
    """What *cell* asks of its column's fact; ``None`` where it takes anything, or with findings.

    A word in a column of text or of choices is that text or option, whatever else it may name.
    """
    if name.type is FactType.TEXT and cell.kind is not CellKind.WRITTEN:
        _converted(cell, name, language)
        return None
    words = _words(cell, name, operand)
    if words is not None:
        return words
    test, found = parse_cell(cell.text, cell.span, operand, language.scope)
    if not found:
        return test
    literal = _text_literals(cell, operand) if name.type is FactType.TEXT else None
    if literal is None:
        language.findings.extend(found)
    return literal


def handles_missing(test: Condition | None) -> bool:
    """Whether a cell asks for absence itself (``null``, ``not(null)``)."""
    match test:
        case Missing() | Known():
            return True
        case Not(item=item):
            return handles_missing(item)
        case All(items=items) | AnyOf(items=items):
            return any(handles_missing(item) for item in items)
    return False


def _words(cell: Cell, name: ScopeName, operand: Name) -> Condition | None:
    """A list of options of a choice, each spelled as it is declared."""
    if name.type is not FactType.CHOICE or cell.text.strip() in ANYTHING:
        return None
    whole = name.option(cell.text.strip())
    if whole is not None:
        literal = Literal(whole, FactType.CHOICE, cell.span)
        return Compare(Comparison.EQ, operand, literal, cell.span)
    parts = [part.strip() for part in cell.text.replace("，", ",").replace("、", ",").split(",")]
    options = [name.option(part) for part in parts if part]
    if len(options) < 2 or None in options:
        return None
    literals = tuple(Literal(option, FactType.CHOICE, cell.span) for option in options)
    return OneOf(operand, literals, cell.span)


def _text_literals(cell: Cell, operand: Name) -> Condition | None:
    """Words no condition could read (``A/B``, ``50``) as texts between commas."""
    inverse = _INVERSE.match(cell.text)
    if inverse is not None:
        inner = _text_literals(replace(cell, text=inverse[1]), operand)
        return None if inner is None else Not(inner, cell.span)
    parts = [_unquoted(part.strip()) for part in cell.text.replace("，", ",").split(",")]
    if any(not part or part[0] in "<>=!≥≤≠[(" or part[-1] == ")" for part in parts):
        return None
    literals = tuple(Literal(part, FactType.TEXT, cell.span) for part in parts)
    if len(literals) == 1:
        return Compare(Comparison.EQ, operand, literals[0], cell.span)
    return OneOf(operand, literals, cell.span)


def _unquoted(text: str) -> str:
    closing = _QUOTED.get(text[:1])
    return text[1:-1] if closing is not None and len(text) > 1 and text[-1] == closing else text


def _converted(cell: Cell, name: ScopeName, language: Language) -> None:
    label = name.label or Text.same(name.id)
    kind = _KIND_WORDS[cell.kind]
    language.findings.add(
        "TABLE006",
        cell.span,
        Text(
            zh=f"“{label.zh}”是文字，而这个单元格是{kind.zh}（{cell.text}）",
            en=f"“{label.en}” is text, but this cell is {kind.en} ({cell.text})",
        ),
        Text(
            zh="把单元格格式设为文本后重新输入：表格软件会丢掉开头的 0，或把 3-4 变成日期",
            en="Format the cell as text and type it again: spreadsheets drop leading zeros and "
            "turn 3-4 into a date.",
        ),
    )
