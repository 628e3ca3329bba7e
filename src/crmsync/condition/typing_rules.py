"""Which types go together, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from crmsync.condition.numbers import WrittenNumber, number_text
from crmsync.condition.trouble import Trouble
from crmsync.model.condition import Expression, Literal
from crmsync.model.fact import FactType, FactValue
from crmsync.model.position import Span
from crmsync.model.text import Text

TYPE_WORDS: Mapping[FactType, Text] = {
    FactType.DATE: Text(zh="日期", en="a date"),
    FactType.DATETIME: Text(zh="时刻", en="a moment"),
    FactType.INTEGER: Text(zh="整数", en="a whole number"),
    FactType.NUMBER: Text(zh="数字", en="a number"),
    FactType.MONEY: Text(zh="金额", en="an amount of money"),
    FactType.PERCENT: Text(zh="百分比", en="a percent"),
    FactType.TEXT: Text(zh="文字", en="text"),
    FactType.CHOICE: Text(zh="选项", en="a choice"),
    FactType.YES_NO: Text(zh="是非项", en="yes or no"),
}
_MENDS: Mapping[FactType, Text] = {
    FactType.DATE: Text(
        zh="与日期比较，如 2026-01-31", en="Compare with a date such as 2026-01-31."
    ),
    FactType.DATETIME: Text(
        zh="时刻只能问有值、缺失或与另一时刻比较；按日比较请声明为 date",
        en="A moment can be known, missing or compared with another; declare it as date for days.",
    ),
    FactType.PERCENT: Text(zh="与百分比比较，如 20%", en="Compare with a percent such as 20%."),
    FactType.TEXT: Text(
        zh="文字只能判断 是、不是、属于", en="Text can only be asked with is, is not and in."
    ),
    FactType.CHOICE: Text(
        zh="选项只能判断 是、不是、属于", en="A choice can only be asked with is, is not and in."
    ),
    FactType.YES_NO: Text(zh="与 是 或 否 比较", en="Compare with yes or no."),
}
_NUMBER_MEND = Text(zh="与数字比较，如 60 或 30万", en="Compare with a number such as 60 or 30万.")


def mend_for(type: FactType) -> Text:
    """What to write instead, for a value of that type."""
    return _MENDS.get(type, _NUMBER_MEND)


def as_literal(number: WrittenNumber, span: Span) -> Literal:
    """A number on its own: a whole number, a number or a percent."""
    if number.percent:
        return Literal(float(number.ratio), FactType.PERCENT, span)
    if number.value == number.value.to_integral_value():
        return Literal(int(number.value), FactType.INTEGER, span)
    return Literal(float(number.value), FactType.NUMBER, span)


def number_value(number: WrittenNumber, type: FactType) -> FactValue:
    """The number as a value of a numeric type; a percent must be written with its sign."""
    if type is FactType.MONEY:
        return number.value
    if type is FactType.INTEGER:
        return int(number.value)
    return float(number.ratio)


def adapt(literal: Literal, type: FactType, where: tuple[int, int]) -> Literal | None:
    """The literal as a value beside something of *type*; ``None`` when it cannot be one.

    Raises `Trouble` RULE061 for a plain number beside a percent.
    """
    if literal.type is type:
        return literal
    if not (literal.type.numeric and type.numeric):
        return None
    value = literal.value
    assert isinstance(value, int | float | Decimal)
    if literal.type is FactType.PERCENT:
        return literal if type is FactType.NUMBER else None
    if type is FactType.PERCENT:
        if value == 0:
            return Literal(0.0, FactType.PERCENT, literal.span)
        raise needs_percent(value, where)
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if type is FactType.MONEY:
        return Literal(exact, FactType.MONEY, literal.span)
    if type is FactType.NUMBER:
        return Literal(float(exact), FactType.NUMBER, literal.span)
    return literal


def needs_percent(value: float | Decimal, where: tuple[int, int]) -> Trouble:
    """RULE061: 20 or 0.2 where 20% should stand; below one it may mean either: no mend is made."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    written = number_text(exact)
    if abs(exact) >= 1:
        mend = Text(zh=f"写成 {written}%", en=f"Write {written}%.")
        fix = f"{written}%"
    else:
        ratio = number_text(exact * 100)
        mend = Text(zh=f"写成 {ratio}% 或 {written}%", en=f"Write {ratio}% or {written}%.")
        fix = None
    return Trouble(
        "RULE061", where, Text(zh="百分比要带 % 号", en="a percent needs its % sign"), mend, fix=fix
    )


def comparable(left: FactType, right: FactType) -> bool:
    """Whether two values may be compared at all."""
    if left.numeric and right.numeric:
        return True
    texts = {FactType.TEXT, FactType.CHOICE}
    return left is right or (left in texts and right in texts)


def ordered(type: FactType) -> bool:
    """Whether ``<`` and ``>`` mean anything."""
    return type.numeric or type in {FactType.DATE, FactType.DATETIME}


def common(left: Expression, right: Expression) -> FactType | None:
    """The type of a value that is one of the two."""
    if left.type is right.type:
        return left.type
    if left.type.numeric and right.type.numeric:
        return FactType.NUMBER
    if comparable(left.type, right.type):
        return FactType.TEXT
    return None
