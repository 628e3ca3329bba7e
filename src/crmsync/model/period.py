"""Spans of time as rule files write them: calendar months and days, never a mixture of hours."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Period:
    """``months`` calendar months and ``days`` days; a year is 12 months, a week 7 days."""

    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """*day* moved forward; months clamp to the end of the month (31 Jan + 1 month = 28 Feb)."""
        return _shift(day, self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """*day* moved back; months clamp to the end of the month."""
        return _shift(day, -self.months) - timedelta(days=self.days)


def _shift(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The days d with ``end - length < d <= end``, where ``end`` is as_of moved back by ``ago``."""

    length: Period
    ago: Period = Period()

    def bounds(self, as_of: date) -> tuple[date, date]:
        """``(after, until)``: a day fits when ``after < day <= until``."""
        until = self.ago.before(as_of)
        return self.length.before(until), until


class CalendarUnit(StrEnum):
    """Stretches of the calendar; a week begins on Monday."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A whole week, month, quarter or year: the present one up to as_of (``back`` 0), or the one
    before (1). Years, and quarters with them, begin with the month ``year_starts``."""

    unit: CalendarUnit
    back: int = 1
    year_starts: int = 1

    def bounds(self, as_of: date) -> tuple[date, date]:
        """``(after, until)``: a day fits when ``after < day <= until``."""
        first, following = self._first(as_of, self.back), self._first(as_of, self.back - 1)
        one = timedelta(days=1)
        return first - one, min(following - one, as_of)

    def _first(self, day: date, back: int) -> date:
        """The first day of the unit that lies *back* units before the one *day* is in."""
        if self.unit is CalendarUnit.WEEK:
            return day - timedelta(days=day.weekday() + 7 * back)
        length = _MONTHS[self.unit]
        month = day.year * 12 + day.month - 1
        start = month - (month - (self.year_starts - 1)) % length - length * back
        return date(start // 12, start % 12 + 1, 1)


Window: TypeAlias = RollingWindow | CalendarWindow


def parts_in(window: Window, unit: CalendarUnit) -> int | None:
    """How many whole *unit*s the window is long; ``None`` when they do not go into it."""
    if isinstance(window, CalendarWindow):
        length = _MONTHS.get(window.unit, 0)
    else:
        length = 0 if window.length.days else window.length.months
    share = _MONTHS.get(unit, 0)
    if not length or not share or length % share:
        return None
    return length // share
