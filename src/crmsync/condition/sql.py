"""Conditions and formulas as sqlglot nodes for DuckDB.

The nodes compute on DOUBLE, on DATE and (for moments) on microseconds since 1970, read through the
same rules as `crmsync.condition.values`. Constants are literal nodes, which sqlglot quotes; text
from a rule file is never pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from typing import TypeAlias

from sqlglot import exp

from crmsync.condition import repeat_buying
from crmsync.condition import values as reading
from crmsync.condition.compiled import round_digits
from crmsync.condition.shape import normal_form
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Comparison,
    Condition,
    Expression,
    Function,
    Holds,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Operator,
    Within,
)
from crmsync.model.fact import FactType

Column: TypeAlias = Callable[[Name], exp.Expr]
Node: TypeAlias = exp.Expr

_COMPARE: dict[Comparison, type[exp.Binary]] = {
    Comparison.EQ: exp.EQ,
    Comparison.NE: exp.NEQ,
    Comparison.LT: exp.LT,
    Comparison.LE: exp.LTE,
    Comparison.GT: exp.GT,
    Comparison.GE: exp.GTE,
}
_ARITHMETIC: dict[Operator, type[exp.Binary]] = {
    Operator.ADD: exp.Add,
    Operator.SUBTRACT: exp.Sub,
    Operator.MULTIPLY: exp.Mul,
    Operator.DIVIDE: exp.Div,
}
_FORESEEING = {
    Function.P_ALIVE: repeat_buying.P_ALIVE_SQL,
    Function.EXPECTED_ORDERS: repeat_buying.EXPECTED_SQL,
}
_DAY_IN_MICROSECONDS = 86_400_000_000


def condition_sql(condition: Condition, column: Column, as_of: date) -> exp.Expr:
    """*condition* as a nullable BOOLEAN: TRUE, FALSE or NULL for unknown.

    *column* gives the node of a name, typed as the relation types it; it is asked once per use.
    """
    return SqlWriter(column, as_of).condition(normal_form(condition))


def expression_sql(expression: Expression, column: Column, as_of: date) -> exp.Expr:
    """*expression* as DOUBLE, DATE, BIGINT microseconds (a moment), VARCHAR or BOOLEAN; NULL is
    unknown. Numbers that come out infinite or not a number are NULL."""
    return SqlWriter(column, as_of).known(expression)


class SqlWriter:
    """Writes nodes for one statement. Infinite doubles and NaN pass through arithmetic, which
    keep them so, and turned to NULL where they would be compared, divided by or returned."""

    def __init__(self, column: Column, as_of: date) -> None:
        self._column = column
        self._as_of = as_of

    def condition(self, condition: Condition) -> Node:
        """A nullable BOOLEAN for *condition*."""
        match condition:
            case All(items=items):
                return _joined(exp.And, [self.condition(item) for item in items], empty=True)
            case AnyOf(items=items):
                return _joined(exp.Or, [self.condition(item) for item in items], empty=False)
            case Not(item=item):
                return exp.Not(this=_wrapped(self.condition(item)))
            case Compare(comparison=comparison, left=left, right=right):
                return self.compare(comparison, left, right)
            case Between(operand=operand, low=low, high=high):
                lower = self.compare(Comparison.GE, operand, low)
                upper = self.compare(Comparison.LE, operand, high)
                return _joined(exp.And, [lower, upper], empty=True)
            case OneOf():
                return self._one_of(condition)
            case Within():
                return self._within(condition)
            case Known(operand=operand):
                return exp.Not(this=_wrapped(_is_null(self.known(operand))))
            case Missing(operand=operand):
                return _is_null(self.known(operand))
            case Holds(operand=operand):
                return self.known(operand) if kind_of(operand) is Kind.YES_NO else _unknown()

    def compare(self, comparison: Comparison, left: Expression, right: Expression) -> Node:
        """A comparison of two values read as one kind."""
        kind = common_kind(kind_of(left), kind_of(right))
        if kind is None or (comparison not in {"=", "!="} and not ordered(kind)):
            return _unknown()
        return _COMPARE[comparison](
            this=_wrapped(self.known(left, kind)), expression=_wrapped(self.known(right, kind))
        )

    def known(self, expression: Expression, wanted: Kind | None = None) -> Node:
        """The value, NULL when unknown; a moment as its day where *wanted* is a day."""
        kind = kind_of(expression)
        value = self.value(expression)
        if kind is Kind.NUMBER and not isinstance(expression, Literal | Name):
            value = finite(value)
        if kind is Kind.MOMENT and wanted is Kind.DAY:
            value = day_of(value)
        return value

    def value(self, expression: Expression) -> Node:
        """The value; numbers may still be infinite or NaN."""
        match expression:
            case Literal():
                return literal(expression)
            case Name():
                return self.name(expression)
            case Arithmetic(operator=operator, left=left, right=right):
                return self.arithmetic(operator, left, right)
            case Call(function=function, arguments=arguments):
                return self._call(function, arguments)
            case Choose(condition=condition, then=then, otherwise=otherwise):
                test = self.condition(normal_form(condition))
                kind = kind_of(expression)
                yes, no = (
                    self.value(branch) if kind_of(branch) is kind else exp.null()
                    for branch in (then, otherwise)
                )
                choice = exp.case().when(test, yes).when(exp.Not(this=_wrapped(test.copy())), no)
                return _typed(choice, kind)

    def name(self, name: Name) -> Node:
        """A column, read as its declared type: out of range or not finite is NULL."""
        return fact_value(self._column(name), name.type)

    def arithmetic(self, operator: Operator, left: Expression, right: Expression) -> Node:
        """A sum, difference, product or quotient of doubles; days between two dates."""
        kinds = {kind_of(left), kind_of(right)}
        if kinds <= {Kind.DAY, Kind.MOMENT} and operator is Operator.SUBTRACT:
            return self.days(self.known(right, Kind.DAY), self.known(left, Kind.DAY))
        if kinds != {Kind.NUMBER}:
            return _typed(exp.null(), Kind.NUMBER)
        if operator is Operator.DIVIDE:
            return self.quotient(self.value(left), self.known(right))
        return _wrapped(
            _ARITHMETIC[operator](
                this=_wrapped(self.value(left)), expression=_wrapped(self.value(right))
            )
        )

    def days(self, start: Node, end: Node) -> Node:
        """Days from one date to another."""
        return days_between(start, end)

    def quotient(self, left: Node, right: Node) -> Node:
        """A division; by zero it is NULL."""
        divisor = exp.Nullif(this=right, expression=double(0.0))
        return _wrapped(exp.Div(this=_wrapped(left), expression=divisor))

    def rounded(self, value: Node, digits: int) -> Node:
        """Half away from zero, by the formula of `values.round_half_away`."""
        power = double(10.0 ** abs(digits))
        scale, back = (exp.Mul, exp.Div) if digits >= 0 else (exp.Div, exp.Mul)
        scaled = scale(this=exp.Abs(this=value), expression=power)
        floor = exp.Floor(this=exp.Add(this=_wrapped(scaled), expression=double(0.5)))
        size = _wrapped(back(this=floor, expression=power.copy()))
        return _wrapped(exp.Mul(this=exp.Sign(this=value.copy()), expression=size))

    def _call(self, function: Function, arguments: Sequence[Expression]) -> Node:
        first = arguments[0]
        if function in {Function.DAYS_SINCE, Function.MONTHS_SINCE}:
            if kind_of(first) not in {Kind.DAY, Kind.MOMENT}:
                return _typed(exp.null(), Kind.NUMBER)
            day = self.known(first, Kind.DAY)
            if function is Function.DAYS_SINCE:
                return self.days(day, day_literal(self._as_of))
            return self.months_since(day)
        if function is Function.ROUND:
            return self.rounded(self.known(first), round_digits(arguments))
        kinds = {kind_of(argument) for argument in arguments}
        kind = kind_of(first)
        if len(kinds) != 1 or not ordered(kind):
            return _typed(exp.null(), kind)
        values = [self.known(argument) for argument in arguments]
        if function is Function.ABS:
            return exp.Abs(this=values[0])
        if function in _FORESEEING:
            return exp.Anonymous(this=_FORESEEING[function], expressions=values)
        test = _joined(exp.Or, [_is_null(value.copy()) for value in values], empty=False)
        pick = exp.Least if function is Function.MIN else exp.Greatest
        return exp.case().when(test, exp.null()).else_(pick(this=values[0], expressions=values[1:]))

    def months_since(self, day: Node) -> Node:
        """Whole months elapsed, by the formula of `values.months_between`."""
        end = self._as_of
        last = reading.last_of_month(end)
        total = exp.Add(
            this=exp.Mul(this=exp.Year(this=day), expression=exp.Literal.number(12)),
            expression=exp.Month(this=day.copy()),
        )
        months = exp.Sub(
            this=exp.Literal.number(end.year * 12 + end.month), expression=_wrapped(total)
        )
        clamped = exp.Least(this=exp.Day(this=day.copy()), expressions=[exp.Literal.number(last)])
        short = exp.case().when(
            exp.LT(this=exp.Literal.number(end.day), expression=clamped), exp.Literal.number(1)
        )
        step = _wrapped(short.else_(exp.Literal.number(0)))
        return exp.cast(_wrapped(exp.Sub(this=months, expression=step)), "DOUBLE")

    def _one_of(self, leaf: OneOf) -> Node:
        kind = kind_of(leaf.operand)
        choices = [
            literal(item)
            for item in leaf.values
            if common_kind(kind, kind_of(item)) is kind
            and reading.read(item.value, item.type) is not None
        ]
        if not choices:
            return exp.false()
        return exp.In(this=_wrapped(self.known(leaf.operand)), expressions=choices)

    def _within(self, leaf: Within) -> Node:
        if kind_of(leaf.operand) not in {Kind.DAY, Kind.MOMENT}:
            return _unknown()
        after, until = reading.window_bounds(leaf.window, self._as_of)
        day = self.known(leaf.operand, Kind.DAY)
        later = exp.GT(this=_wrapped(day), expression=day_literal(after))
        earlier = exp.LTE(this=_wrapped(day.copy()), expression=day_literal(until))
        return _joined(exp.And, [later, earlier], empty=True)


def fact_value(column: Node, type: FactType) -> Node:
    """A fact's column as conditions see it: DOUBLE, DATE, microseconds, VARCHAR or BOOLEAN."""
    match type:
        case FactType.INTEGER:
            most = exp.Literal.number(reading.LARGEST_INTEGER)
            inside = exp.Between(this=column, low=exp.Neg(this=most), high=most.copy())
            return exp.case().when(inside, exp.cast(column.copy(), "DOUBLE"))
        case FactType.NUMBER | FactType.MONEY | FactType.PERCENT:
            return finite(exp.cast(column, "DOUBLE"))
        case FactType.DATE:
            first, last = day_literal(reading.FIRST_DAY), day_literal(reading.LAST_DAY)
            return exp.case().when(exp.Between(this=column, low=first, high=last), column.copy())
        case FactType.DATETIME:
            moment = exp.func("EPOCH_US", column)
            low = (reading.FIRST_DAY - reading.EPOCH.date()).days * _DAY_IN_MICROSECONDS
            high = ((reading.LAST_DAY - reading.EPOCH.date()).days + 1) * _DAY_IN_MICROSECONDS - 1
            inside = exp.Between(this=moment, low=integer(low), high=integer(high))
            return exp.case().when(inside, moment.copy())
        case _:
            return column


def literal(constant: Literal) -> Node:
    """A constant node of the kind conditions compute on."""
    value = reading.read(constant.value, constant.type)
    kind = kind_of(constant)
    if value is None:
        return _typed(exp.null(), kind)
    if kind is Kind.MOMENT:
        return integer(reading.microseconds(reading.moment(value) or reading.EPOCH))
    if kind is Kind.DAY:
        return day_literal(reading.day(value) or reading.FIRST_DAY)
    if kind is Kind.YES_NO:
        return exp.true() if value else exp.false()
    return double(float(value)) if isinstance(value, float) else exp.Literal.string(str(value))


def finite(value: Node) -> Node:
    """*value*, NULL when infinite or NaN."""
    return exp.case().when(exp.func("ISFINITE", value), value.copy())


def day_of(moment: Node) -> Node:
    """The UTC day of a moment in microseconds."""
    days = exp.Div(this=_wrapped(moment), expression=double(float(_DAY_IN_MICROSECONDS)))
    whole = exp.cast(exp.Floor(this=days), "INT")
    return _wrapped(exp.Add(this=day_literal(reading.EPOCH.date()), expression=whole))


def days_between(start: Node, end: Node) -> Node:
    """``end - start`` in days as DOUBLE."""
    return exp.cast(_wrapped(exp.Sub(this=_wrapped(end), expression=_wrapped(start))), "DOUBLE")


def day_literal(day: date) -> Node:
    """A DATE constant."""
    return exp.cast(exp.Literal.string(day.isoformat()), "DATE")


def double(value: float) -> Node:
    """A DOUBLE constant, exact: a bare decimal literal would be a DECIMAL in DuckDB."""
    return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")


def integer(value: int) -> Node:
    """An integer constant of either sign."""
    number = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number


_TYPES = {
    Kind.NUMBER: "DOUBLE",
    Kind.DAY: "DATE",
    Kind.MOMENT: "BIGINT",
    Kind.WORDS: "VARCHAR",
    Kind.YES_NO: "BOOLEAN",
}


def _typed(value: Node, kind: Kind) -> Node:
    return exp.cast(value, _TYPES[kind])


def _unknown() -> Node:
    return _typed(exp.null(), Kind.YES_NO)


def _is_null(value: Node) -> Node:
    return exp.Is(this=_wrapped(value), expression=exp.null())


def _wrapped(node: Node) -> Node:
    simple = exp.Column | exp.Literal | exp.Paren | exp.Func | exp.Boolean
    # sqlglot counts AND and OR among the functions
    plain = isinstance(node, simple) and not isinstance(node, exp.Connector)
    return node if plain else exp.Paren(this=node)


def _joined(kind: type[exp.Connector], parts: Sequence[Node], *, empty: bool) -> Node:
    if not parts:
        return exp.true() if empty else exp.false()
    wrapped = [_wrapped(part) for part in parts]
    return reduce(lambda left, right: kind(this=left, expression=right), wrapped)
