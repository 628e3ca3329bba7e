"""Spans of time as rule files write them: calendar months and days, never a mixture of hours."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


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
class Window:
    """The days d with ``end - length < d <= end``, where ``end`` is as_of moved back by ``ago``."""

    length: Period
    ago: Period = Period()

    def bounds(self, as_of: date) -> tuple[date, date]:
        """``(after, until)``: a day fits when ``after < day <= until``."""
        until = self.ago.before(as_of)
        return self.length.before(until), until
