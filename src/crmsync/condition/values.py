"""What a value counts as in a condition: a number, a day, a moment, words, yes or no, or unknown.

Every matcher reads values through these rules, so a missing, ill-typed or unreachable value is
unknown everywhere and never matches by accident. Numbers are IEEE doubles.
"""

from __future__ import annotations

import calendar
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from crmsync.model.condition import Arithmetic, Call, Choose, Expression, Literal, Name
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import CalendarWindow, Window

_NUMBERS = (int, float, Decimal)  # a tuple: `int | float` would be made anew at every look

LARGEST_INTEGER = 2**53
"""Integers beyond this are not all doubles, so they are unknown rather than nearly right."""

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)
"""Days outside are typing errors and open ends ("9999-12-31") of a CRM, not dates: unknown."""


class Kind(Enum):
    """How values are compared."""

    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    WORDS = "words"
    YES_NO = "yes_no"


_KINDS = {
    FactType.DATE: Kind.DAY,
    FactType.DATETIME: Kind.MOMENT,
    FactType.INTEGER: Kind.NUMBER,
    FactType.NUMBER: Kind.NUMBER,
    FactType.MONEY: Kind.NUMBER,
    FactType.PERCENT: Kind.NUMBER,
    FactType.TEXT: Kind.WORDS,
    FactType.CHOICE: Kind.WORDS,
    FactType.YES_NO: Kind.YES_NO,
}


def kind_of(expression: Expression) -> Kind:
    """How the values of *expression* compare."""
    match expression:
        case Literal(type=type) | Name(type=type) | Choose(type=type):
            return _KINDS[type]
        case Call(arguments=arguments) if expression.function in {"min", "max"}:
            return kind_of(arguments[0])
        case Arithmetic() | Call():
            return Kind.NUMBER


def common_kind(left: Kind, right: Kind) -> Kind | None:
    """The kind two values are compared as; ``None`` when they never compare (then: unknown).

    A moment beside a day counts as its day in UTC.
    """
    if left is right:
        return left
    if {left, right} == {Kind.DAY, Kind.MOMENT}:
        return Kind.DAY
    return None


def ordered(kind: Kind) -> bool:
    """Whether values of *kind* have a less and a more; words and yes/no are only equal or not."""
    return kind in {Kind.NUMBER, Kind.DAY, Kind.MOMENT}


def integer(value: object) -> float | None:
    """An integer fact as a double; beyond 2^53 it is unknown."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    return float(value) if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else None


def number(value: object) -> float | None:
    """A number, money or percent fact as a finite double."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        return finite(float(value))
    except OverflowError:
        return None


def finite(value: float) -> float | None:
    """*value*, or unknown when it is infinite or not a number."""
    return value if math.isfinite(value) else None


def day(value: object) -> date | None:
    """A date fact."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value if FIRST_DAY <= value <= LAST_DAY else None
    return None


def moment(value: object) -> datetime | None:
    """A datetime fact, as naive UTC (a naive one is taken as UTC)."""
    if not isinstance(value, datetime):
        return None
    try:
        plain = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return None
    return plain if FIRST_DAY <= plain.date() <= LAST_DAY else None


def words(value: object) -> str | None:
    """A text or choice fact."""
    return str(value) if isinstance(value, str) else None


def yes_no(value: object) -> bool | None:
    """A yes/no fact."""
    return value if isinstance(value, bool) else None


READERS = {
    FactType.DATE: day,
    FactType.DATETIME: moment,
    FactType.INTEGER: integer,
    FactType.NUMBER: number,
    FactType.MONEY: number,
    FactType.PERCENT: number,
    FactType.TEXT: words,
    FactType.CHOICE: words,
    FactType.YES_NO: yes_no,
}
"""How a value of each declared type is read."""


def read(value: FactValue, type: FactType) -> float | date | datetime | str | bool | None:
    """*value* as conditions see it: ``None`` when it is unknown."""
    return READERS[type](value)


def round_half_away(value: float, digits: int) -> float | None:
    """*value* to *digits* decimal places, halves away from zero.

    Written with ``floor`` on doubles so that SQL computes the very same bits.
    """
    power = 10.0 ** abs(digits)
    if digits >= 0:
        scaled = abs(value) * power + 0.5
        rounded = math.floor(scaled) / power if math.isfinite(scaled) else math.inf
    else:
        rounded = math.floor(abs(value) / power + 0.5) * power
    return finite(math.copysign(1.0, value) * rounded)


def months_between(start: date, end: date) -> int:
    """Whole months elapsed: the largest n for which *start* moved on by n months is not after *end*
    (month ends clamp: 31 January to 28 February is one month)."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - (1 if end.day < min(start.day, last_of_month(end)) else 0)


def last_of_month(day: date) -> int:
    """The number of days in the month of *day*."""
    return calendar.monthrange(day.year, day.month)[1]


def window_bounds(window: Window, as_of: date) -> tuple[date, date]:
    """``(after, until)`` of the days inside *window*; ends before year 1 are clipped."""
    if isinstance(window, CalendarWindow):
        return window.bounds(as_of)
    try:
        until = window.ago.before(as_of)
    except (ValueError, OverflowError):
        return date.min, date.min
    try:
        return window.length.before(until), until
    except (ValueError, OverflowError):
        return date.min, until


EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - moments are naive UTC inside the matchers


def microseconds(value: datetime) -> int:
    """A naive UTC moment as microseconds since 1970, as DuckDB's ``epoch_us`` gives it."""
    return (value - EPOCH) // timedelta(microseconds=1)
