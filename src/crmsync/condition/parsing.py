"""Reads one sentence: a condition, a formula, a line of a points table or a table cell."""

from __future__ import annotations

from crmsync.condition.conditions import ConditionReader
from crmsync.condition.lexer import Lexer
from crmsync.condition.scope import Scope, ScopeName
from crmsync.condition.syntax import grow
from crmsync.condition.trouble import Place, Trouble
from crmsync.condition.typing_rules import TYPE_WORDS, adapt, comparable, mend_for
from crmsync.model.condition import All, Choose, Condition, Expression, Holds, Literal
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.model.text import Text


def parse_condition(
    text: str, span: Span, scope: Scope
) -> tuple[Condition | None, list[Diagnostic]]:
    """Read one condition, such as ``overdue_days > 60`` or ``距上次下单天数 大于 90``.

    *span* is where *text* stands, without quotes (`Scalar.inner`). Types are checked against
    *scope*. Returns the tree, or ``None`` and at least one finding; never raises for any text.
    """
    place = Place.of(text, span)
    try:
        lexemes = Lexer(text, scope).run()
        tree = grow(text, lexemes, "condition")
        reader = ConditionReader(text, lexemes, scope, place)
        found = reader.condition(tree)
    except Trouble as trouble:
        return None, [place.finding(trouble)]
    return (None if reader.findings else found), reader.findings


def parse_expression(
    text: str, span: Span, scope: Scope, *, result: ScopeName | None = None
) -> tuple[Expression | None, list[Diagnostic]]:
    """Read a formula, such as ``days_since(last_order_on)``.

    *result* is the fact it gives: the formula must be of its type (numbers of any kind go
    together), its bare words may be the fact's options, and for a yes_no fact it is a condition.
    """
    place = Place.of(text, span)
    try:
        if result is not None and result.type is FactType.YES_NO:
            return _truth(text, span, scope)
        lexemes = Lexer(text, scope).run()
        tree = grow(text, lexemes, "expression")
        reader = ConditionReader(text, lexemes, scope, place)
        found = reader.expression(tree.children[0], result)
        if result is not None and not reader.findings:
            found = _fitting(found, result, place, text)
    except Trouble as trouble:
        return None, [place.finding(trouble)]
    return (None if reader.findings else found), reader.findings


def parse_test(
    text: str, span: Span, operand: Expression, scope: Scope
) -> tuple[Condition | None, list[Diagnostic]]:
    """Read what one points line or table cell asks of *operand*.

    ``≥ 30``, ``高``, ``in A, B``, ``A, B``, ``10..20`` (both ends), ``[10..20)``, ``is missing``,
    ``between 1 and 2``; ``-`` or nothing is always true.
    """
    place = Place.of(text, span)
    if text.strip() in {"", "-", "－", "–"}:
        return All((), span), []
    try:
        lexemes = Lexer(text, scope, cell=True).run()
        tree = grow(text, lexemes, "cell")
        reader = ConditionReader(text, lexemes, scope, place)
        found = reader.cell(tree, operand)
    except Trouble as trouble:
        return None, [place.finding(trouble)]
    return (None if reader.findings else found), reader.findings


def _truth(text: str, span: Span, scope: Scope) -> tuple[Expression | None, list[Diagnostic]]:
    condition, findings = parse_condition(text, span, scope)
    if condition is None:
        return None, findings
    if isinstance(condition, Holds):
        return condition.operand, []
    yes, no = Literal(True, FactType.YES_NO), Literal(False, FactType.YES_NO)
    return Choose(condition, yes, no, FactType.YES_NO, span), []


def _fitting(found: Expression, result: ScopeName, place: Place, text: str) -> Expression:
    whole = (0, len(text))
    if isinstance(found, Literal):
        found = adapt(found, result.type, whole) or found
    same = found.type is result.type or (found.type.numeric and result.type.numeric)
    if same or (result.type is FactType.TEXT and comparable(found.type, result.type)):
        return found
    have, want = TYPE_WORDS[found.type], TYPE_WORDS[result.type]
    raise Trouble(
        "RULE060",
        whole,
        Text(
            zh=f"公式得到的是{have.zh}，而“{result.id}”声明为{want.zh}",
            en=f"the formula gives {have.en}, but “{result.id}” is declared as {want.en}",
        ),
        mend_for(result.type)
        if result.type not in {FactType.TEXT, FactType.CHOICE}
        else Text(
            zh=f"让公式得到{want.zh}，或改掉声明的类型",
            en=f"Let the formula give {want.en}, or declare another type.",
        ),
    )
