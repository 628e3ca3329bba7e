"""Literals of mapping conditions as values of the CRM field they are compared with."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from crmsync.config.field_rules import DATES, NUMBERS
from crmsync.model.condition import Literal
from crmsync.model.fact import FactType
from crmsync.model.schema import FieldSchema, FieldType

_YES = frozenset({"yes", "true", "是", "y"})
_NO = frozenset({"no", "false", "否", "n"})


def fit_literal(item: Literal, field: FieldSchema) -> Literal | None:
    """The literal as *field* holds such values; ``None`` where the field can hold none.

    The words ``yes`` and ``no`` and numbers may be options of a picklist: then they are text.
    """
    if field.type is FieldType.BOOLEAN:
        return item if item.type is FactType.YES_NO else None
    if field.type in NUMBERS:
        return item if item.type.numeric else None
    if field.type in DATES:
        return item if item.type is FactType.DATE else None
    if item.type is FactType.TEXT:
        return item
    word = _word(item, field)
    return None if word is None else dataclasses.replace(item, value=word, type=FactType.TEXT)


def _word(item: Literal, field: FieldSchema) -> str | None:
    value = item.value
    if isinstance(value, bool):
        wanted = _YES if value else _NO
        options = (choice.value for choice in field.choices if choice.value.casefold() in wanted)
        return next(options, None)
    if isinstance(value, int | float | Decimal) and item.type is not FactType.PERCENT:
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return f"{exact.normalize():f}"
    return None if value is None or isinstance(value, int | float | Decimal) else str(value)
