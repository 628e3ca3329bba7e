"""Values of CRM fields in mapping conditions: their look says their type."""

from __future__ import annotations

from datetime import date

from crmsync.condition.numbers import signed_number
from crmsync.condition.scope import fold
from crmsync.condition.typing_rules import as_literal
from crmsync.model.condition import Literal
from crmsync.model.fact import FactType
from crmsync.model.position import Span

_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}


def open_literal(word: str, span: Span, *, quoted: bool) -> Literal:
    """``yes`` and ``no`` are truth values, numbers numbers, ISO days dates; anything else, and
    whatever stands in quotes, is text."""
    if not quoted:
        if fold(word) in _YES_NO:
            return Literal(_YES_NO[fold(word)], FactType.YES_NO, span)
        number = signed_number(word)
        if number is not None:
            return as_literal(number, span)
        if len(word) == 10:
            try:
                return Literal(date.fromisoformat(word), FactType.DATE, span)
            except ValueError:
                pass
    return Literal(word, FactType.TEXT, span)
