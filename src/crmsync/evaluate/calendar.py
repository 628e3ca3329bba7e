"""Working days of a country, holidays and make-up days included."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import holidays

from crmsync.errors import RulesetError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from holidays import HolidayBase


class WorkCalendar:
    """The working days of one country (ISO code, or ``CN-…`` style subdivisions).

    China's make-up Saturdays and Sundays count as working days. Years that a government has not
    announced yet have only the holidays that can be computed, and no make-up days.
    """

    def __init__(self, country: str) -> None:
        self._days = _days_of(country)

    def is_workday(self, day: date) -> bool:
        """Whether people work on *day*."""
        return bool(self._days.is_working_day(day))

    def after(self, day: date, count: int) -> date:
        """The *count*-th working day after *day*; for 0, *day* or the first one after it."""
        current = day
        while count > 0 or not self.is_workday(current):
            current += timedelta(days=1)
            if self.is_workday(current):
                count -= 1
                if count <= 0:
                    return current
        return current


@cache
def _days_of(country: str) -> HolidayBase:
    code, _, subdivision = country.partition("-")
    try:
        return holidays.country_holidays(code, subdiv=subdivision or None)
    except NotImplementedError as error:
        raise RulesetError(
            Text(
                zh=f"没有“{country}”的工作日历",
                en=f"there is no calendar of working days for {country!r}",
            ),
            mend=Text(
                zh="workdays 写国家代码，例如 CN、US、DE",
                en="write a country code after workdays, such as CN, US or DE",
            ),
        ) from error
