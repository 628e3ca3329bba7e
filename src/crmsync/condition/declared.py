"""What a formula's result becomes as a fact of its declared type, in Python and in SQL alike.

The result must be of the fact's kind and inside its range or choices, or it is unknown and the
fact is named as rejected. Money is rounded to a millionth, halves away from zero; an integer is
never rounded into shape. A result that is unknown takes the fact's ``missing`` value.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from crmsync.condition.sql import double
from crmsync.condition.values import LARGEST_INTEGER, kind_of
from crmsync.model.condition import Name
from crmsync.model.fact import FactType, FactValue
from crmsync.model.relation import SQL_TYPES
from crmsync.model.ruleset import FactDefinition

LARGEST_MONEY = 10.0**22


def declared_value(value: FactValue, fact: FactDefinition) -> tuple[FactValue, bool]:
    """The fact's value from what its compiled formula gave, and whether it was rejected."""
    if value is None:
        return fact.missing, False
    typed = _typed(value, fact)
    if typed is None or not _fits(typed, fact):
        return None, True
    return typed, False


def declared_sql(value: exp.Expr, fact: FactDefinition) -> exp.Expr:
    """*value* (a column with what `expression_sql` gave) typed by `SQL_TYPES`; NULL where
    `declared_value` rejects. The column is read more than once, so it should be a plain one."""
    kind = kind_of(Name(fact.id, fact.type))
    if fact.formula is not None and kind_of(fact.formula) is not kind:
        return exp.cast(exp.null(), SQL_TYPES[fact.type])
    match fact.type:
        case FactType.INTEGER:
            typed = _whole(value)
        case FactType.MONEY:
            typed = _money(value)
        case FactType.DATETIME:
            typed = exp.Anonymous(this="MAKE_TIMESTAMP", expressions=[value])
        case _:
            typed = value
    inside = _inside(typed, fact)
    return typed if inside is None else exp.case().when(inside, typed.copy())


def _typed(value: FactValue, fact: FactDefinition) -> FactValue:
    match fact.type:
        case FactType.INTEGER | FactType.NUMBER | FactType.PERCENT | FactType.MONEY:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                return None
            return _number(float(value), fact.type)
        case FactType.DATE:
            return None if isinstance(value, datetime) or not isinstance(value, date) else value
        case FactType.DATETIME:
            if not isinstance(value, datetime):
                return None
            return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        case FactType.TEXT | FactType.CHOICE:
            return value if isinstance(value, str) else None
        case FactType.YES_NO:
            return value if isinstance(value, bool) else None


def _number(value: float, type: FactType) -> FactValue:
    if type is FactType.INTEGER:
        whole = value.is_integer() and abs(value) <= LARGEST_INTEGER
        return int(value) if whole else None
    if type is FactType.MONEY:
        if not abs(value) < LARGEST_MONEY:
            return None
        millionths = math.floor(abs(value) * 1e6 + 0.5)
        return Decimal(-millionths if value < 0 else millionths).scaleb(-6)
    return value


def _fits(value: FactValue, fact: FactDefinition) -> bool:
    if fact.type is FactType.CHOICE and fact.choices:
        return value in fact.choices
    if fact.between is None or not fact.type.numeric:
        return True
    assert isinstance(value, int | float | Decimal)
    low, high = fact.between
    return float(low) <= float(value) <= float(high)


def _whole(value: exp.Expr) -> exp.Expr:
    most = exp.Literal.number(LARGEST_INTEGER)
    inside = exp.Between(this=value, low=exp.Neg(this=most), high=most.copy())
    even = exp.EQ(this=value.copy(), expression=exp.Floor(this=value.copy()))
    return exp.case().when(exp.And(this=inside, expression=even), exp.cast(value.copy(), "BIGINT"))


def _money(value: exp.Expr) -> exp.Expr:
    millions = exp.Mul(this=exp.Abs(this=value), expression=double(1e6))
    scaled = exp.Floor(this=exp.Add(this=exp.paren(millions), expression=double(0.5)))
    inside = exp.LT(this=exp.Abs(this=value.copy()), expression=double(LARGEST_MONEY))
    # by way of a whole number: a cast from DOUBLE would multiply and round once more
    whole = exp.cast(exp.cast(scaled, "HUGEINT"), "DECIMAL(31, 0)")
    size = exp.Mul(this=whole, expression=exp.Literal.number("0.000001"))
    sign = exp.case().when(
        exp.LT(this=value.copy(), expression=double(0.0)), exp.Literal.number("-1")
    )
    signed = exp.Mul(this=sign.else_(exp.Literal.number("1")), expression=exp.paren(size))
    return exp.case().when(inside, exp.cast(exp.paren(signed), SQL_TYPES[FactType.MONEY]))


def _inside(value: exp.Expr, fact: FactDefinition) -> exp.Expr | None:
    if fact.type is FactType.CHOICE and fact.choices:
        choices = [exp.Literal.string(choice) for choice in fact.choices]
        return exp.In(this=value, expressions=choices)
    if fact.between is None or not fact.type.numeric:
        return None
    low, high = (double(float(end)) for end in fact.between)
    return exp.Between(this=exp.cast(value, "DOUBLE"), low=low, high=high)
