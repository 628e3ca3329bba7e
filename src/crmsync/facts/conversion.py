"""How a stored value becomes a fact of its declared type, in SQL.

Every function gives NULL for a value the type cannot represent; nothing is ever rounded into
shape, and a number is never read out of text that holds anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlglot import exp

from crmsync.model.fact import FactType
from crmsync.model.relation import SQL_TYPES
from crmsync.model.schema import FieldSchema, FieldType

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)
"""Days outside are typing errors and open ends of a CRM, not dates (as conditions read them)."""

_LARGEST_INTEGER = 2**53
_NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
_NOT_TEXT = _NUMERIC | {
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.DATETIME,
    FieldType.MULTI_PICKLIST,
}
_YES = ("yes", "true", "y", "是")
_NO = ("no", "false", "n", "否")


def as_fact(value: exp.Expr, source: FieldType, wanted: FactType, zone: str) -> exp.Expr:
    """*value* (a column of a field of type *source*) as a fact, typed by `SQL_TYPES`.

    Percent: a field's number is what people see, so it is divided by 100. A moment becomes the day
    it has in *zone*, a day the moment it begins there.
    """
    text = source not in _NOT_TEXT
    match wanted:
        case FactType.DATE:
            return _day(value, source, zone, text=text)
        case FactType.DATETIME:
            return _moment(value, source, zone)
        case FactType.YES_NO:
            return value if source is FieldType.BOOLEAN else _yes_no(value, text=text)
        case FactType.TEXT | FactType.CHOICE:
            return _words(value, source, wanted, text=text)
        case _:
            return _number(value, source, wanted, text=text)


def is_text(source: FieldType) -> bool:
    """Whether a field of that type is read as text; several choices are joined by commas."""
    return source not in _NOT_TEXT or source is FieldType.MULTI_PICKLIST


def as_words(value: exp.Expr, source: FieldType) -> exp.Expr | None:
    """*value* as text that a ``values`` table can translate; ``None`` where there is no such text.

    A tick is ``true`` or ``false``, a whole number its digits.
    """
    if source not in _NOT_TEXT:
        return value
    if source in {FieldType.BOOLEAN, FieldType.INTEGER}:
        return exp.cast(value, "VARCHAR")
    if source is FieldType.MULTI_PICKLIST:
        return _single(value)
    return None


def translations(
    field: FieldSchema, values: Mapping[str, str], choices: tuple[str, ...]
) -> dict[str, str]:
    """Stored value → fact value: the mapping's own table, by stored value or by the label people
    see; else a label that is one of the fact's choices stands for its stored value."""
    table = dict(values)
    for choice in field.choices:
        if choice.value in table:
            continue
        if choice.label in values:
            table[choice.value] = values[choice.label]
        elif choice.value not in choices and choice.label in choices:
            table[choice.value] = choice.label
    return {stored: target for stored, target in table.items() if stored != target}


def translate(value: exp.Expr, table: Mapping[str, str]) -> exp.Expr:
    """*value* looked up in *table*; what is not there stays as it is."""
    if not table:
        return value
    case = exp.Case(this=value)
    for stored, target in sorted(table.items()):
        case = case.when(exp.Literal.string(stored), exp.Literal.string(target))
    return case.else_(value.copy())


def finite(value: exp.Expr) -> exp.Expr:
    """A DOUBLE, NULL when infinite or not a number."""
    return exp.case().when(exp.func("ISFINITE", value), value.copy())


def whole(value: exp.Expr) -> exp.Expr:
    """A number as BIGINT, NULL unless it is whole and at most 2^53 either way."""
    most = exp.Literal.number(_LARGEST_INTEGER)
    inside = exp.Between(this=value, low=exp.Neg(this=most), high=most.copy())
    even = exp.EQ(this=value.copy(), expression=exp.Floor(this=value.copy()))
    return exp.case().when(exp.And(this=inside, expression=even), exp.cast(value.copy(), "BIGINT"))


def local_day(moment: exp.Expr, zone: str) -> exp.Expr:
    """The day in *zone* of a UTC TIMESTAMP."""
    return exp.cast(_at(_at(moment, "UTC"), zone), "DATE")


def null(type: str) -> exp.Expr:
    """A typed NULL."""
    return exp.cast(exp.null(), type)


def literal_day(day: date) -> exp.Expr:
    """A DATE constant."""
    return exp.cast(exp.Literal.string(day.isoformat()), "DATE")


def _day(value: exp.Expr, source: FieldType, zone: str, *, text: bool) -> exp.Expr:
    if source is FieldType.DATETIME:
        day = local_day(value, zone)
    elif source is FieldType.DATE:
        day = value
    elif text:
        day = exp.TryCast(this=_matching(value, r"^\d{4}-\d{2}-\d{2}$"), to=_type("DATE"))
    else:
        return null("DATE")
    inside = exp.Between(this=day, low=literal_day(FIRST_DAY), high=literal_day(LAST_DAY))
    return exp.case().when(inside, day.copy())


def _moment(value: exp.Expr, source: FieldType, zone: str) -> exp.Expr:
    if source is FieldType.DATETIME:
        moment = value
    elif source is FieldType.DATE:
        moment = _at(_at(exp.cast(value, "TIMESTAMP"), zone), "UTC")
    else:
        return null("TIMESTAMP")
    day = exp.cast(moment.copy(), "DATE")
    inside = exp.Between(this=day, low=literal_day(FIRST_DAY), high=literal_day(LAST_DAY))
    return exp.case().when(inside, moment)


def _yes_no(value: exp.Expr, *, text: bool) -> exp.Expr:
    if not text:
        return null("BOOLEAN")
    word = exp.Lower(this=value)
    yes = exp.In(this=word, expressions=[exp.Literal.string(item) for item in _YES])
    no = exp.In(this=word.copy(), expressions=[exp.Literal.string(item) for item in _NO])
    return exp.case().when(yes, exp.true()).when(no, exp.false())


def _words(value: exp.Expr, source: FieldType, wanted: FactType, *, text: bool) -> exp.Expr:
    if text:
        return value
    if source is FieldType.MULTI_PICKLIST:
        if wanted is FactType.CHOICE:
            return _single(value)
        return exp.Anonymous(this="ARRAY_TO_STRING", expressions=[value, exp.Literal.string(", ")])
    return null("VARCHAR")


def _number(value: exp.Expr, source: FieldType, wanted: FactType, *, text: bool) -> exp.Expr:
    if text:
        digits = r"^[+-]?\d{1,21}(\.\d{1,20})?$"
        value = exp.TryCast(this=_matching(value, digits), to=_type("DECIMAL(28, 6)"))
    elif source not in _NUMERIC:
        return null(SQL_TYPES[wanted])
    if wanted is FactType.INTEGER:
        return whole(value)
    if wanted is FactType.MONEY:
        return exp.TryCast(this=value, to=_type(SQL_TYPES[wanted]))
    number: exp.Expr = exp.cast(value, "DOUBLE")
    if wanted is FactType.PERCENT:
        number = exp.Div(this=number, expression=exp.cast(exp.Literal.string("100"), "DOUBLE"))
    return finite(exp.paren(number, copy=False))


def _single(value: exp.Expr) -> exp.Expr:
    one = exp.EQ(
        this=exp.Anonymous(this="LEN", expressions=[value]), expression=exp.Literal.number(1)
    )
    first = exp.Anonymous(this="LIST_EXTRACT", expressions=[value.copy(), exp.Literal.number(1)])
    return exp.case().when(one, first)


def _matching(value: exp.Expr, pattern: str) -> exp.Expr:
    test = exp.RegexpLike(this=value, expression=exp.Literal.string(pattern))
    return exp.case().when(test, value.copy())


def _at(moment: exp.Expr, zone: str) -> exp.Expr:
    return exp.AtTimeZone(this=exp.paren(moment, copy=False), zone=exp.Literal.string(zone))


def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")
