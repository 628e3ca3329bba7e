"""The tests a cell of a decision table makes of its column's fact."""

from __future__ import annotations

import re

from crmsync.condition.parsing import parse_test
from crmsync.condition.scope import Scope, fold
from crmsync.condition.trouble import Place
from crmsync.model.condition import All, AnyOf, Condition, Expression, Known, Missing, Not
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span

ANYTHING = frozenset({"", "-", "－", "–", "—"})
_NULL = frozenset({"null", "is null", "空值", "缺失", "is missing", "missing"})
_KNOWN = frozenset({"not null", "有值", "is known", "known"})
_NOT = re.compile(r"\s*(?:not|非|不是|不属于)\s*\((.*)\)\s*\Z", re.DOTALL)
_QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", '"': '"', "'": "'"}
_MARKS = ("<", ">", "=", "≥", "≤", "!", "≠", "[", "(", "]")


def parse_cell(
    text: str, span: Span, operand: Expression, scope: Scope
) -> tuple[Condition | None, list[Diagnostic]]:
    """Read one cell as a test of *operand*; ``None`` without findings where anything fits.

    All a line of a points table may say, and what decision tables say besides: ``null``,
    ``not(null)``, ``not(A, B)``, and several tests between commas (``< 5, [10..20)``) of which one
    must hold. ``-`` or nothing: any value, known or not.
    """
    if text.strip() in ANYTHING:
        return None, []
    return _read(text, 0, (Place.of(text, span), operand, scope))


def _read(
    text: str, start: int, setting: tuple[Place, Expression, Scope]
) -> tuple[Condition | None, list[Diagnostic]]:
    place, operand, scope = setting
    span = place.part(start, start + len(text)) if text else place.span
    folded = fold(text).strip()
    if folded in _NULL:
        return Missing(operand, span), []
    if folded in _KNOWN:
        return Known(operand, span), []
    inverse = _NOT.match(fold(text))
    if inverse is not None:
        inner, found = _read(
            text[inverse.start(1) : inverse.end(1)], start + inverse.start(1), setting
        )
        if isinstance(inner, Missing):
            return Known(operand, span), []
        return (None if inner is None else Not(inner, span)), found
    whole, found = parse_test(text, span, operand, scope)
    if whole == All(()):  # an “any” inside not( ) or between commas says nothing
        whole = None
    parts = _parts(text)
    tests = len(parts) > 1 and any(text[a:b].lstrip().startswith(_MARKS) for a, b in parts)
    if whole is not None or not (tests or any(".." in text[a:b] for a, b in parts[1:])):
        return whole, found
    items = [_read(text[a:b], start + a, setting) for a, b in parts]
    problems = [finding for _, some in items for finding in some]
    conditions = tuple(item for item, _ in items if item is not None)
    if problems or len(conditions) < len(items):
        return None, problems or found
    return AnyOf(conditions, span), []


def _parts(text: str) -> list[tuple[int, int]]:
    """The stretches between the commas that stand outside quotes."""
    parts: list[tuple[int, int]] = []
    begin, closing = 0, ""
    for at, char in enumerate(text):
        if closing:
            closing = "" if char == closing else closing
        elif char in _QUOTES:
            closing = _QUOTES[char]
        elif char in ",，、":
            parts.append((begin, at))
            begin = at + 1
    return [*parts, (begin, len(text))]
