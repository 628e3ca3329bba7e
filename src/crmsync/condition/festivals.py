"""Days that come once a year: birthdays, days of the calendar, festivals of sun and moon.

Policy, stated once for all of them: a day comes once in every year. 29 February is 28 February in
common years. Days of the lunar calendar come once in every lunar year, in its ordinary months and
never in a leap month.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lunardate import LunarDate

from crmsync.condition.scope import fold

FIRST_YEAR, LAST_YEAR = 1901, 2099
"""Years whose lunar months are tabled; festivals of other years are not known."""

OfYear = Callable[[int], date]


@dataclass(frozen=True, slots=True)
class FestivalDay:
    """A festival: its id, what people call it, and its day in a year."""

    id: str
    spellings: tuple[str, ...]
    of: OfYear


def day_in_year(year: int, month: int, day: int) -> date:
    """That day of *year*; 29 February is 28 February in common years."""
    if (month, day) == (2, 29) and not calendar.isleap(year):
        day = 28
    return date(year, month, day)


def festival(word: str) -> FestivalDay | None:
    """The festival with that id or name, in whatever case."""
    return _BY_NAME.get(fold(word).strip())


def festival_names() -> Iterator[str]:
    """Every spelling, for “did you mean”."""
    for item in FESTIVALS.values():
        yield from (item.id, *item.spellings)


def festival_day(id: str, year: int) -> date | None:
    """The day of a festival in *year*, a lunar one for days of the moon (Laba of 2022 was on 30
    December, that of 2023 on 18 January 2024); ``None`` outside `FIRST_YEAR` to `LAST_YEAR`."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return FESTIVALS[id].of(year)


def _lunar(month: int, day: int) -> OfYear:
    """The day of a lunar year; the last month's days stand in the solar year after."""

    def of(year: int) -> date:
        found: date = LunarDate(year, month, day).to_solar_date()
        return found

    return of


def _eve(year: int) -> date:
    """The day before the spring festival: the twelfth month has 29 or 30 days."""
    new_year: date = LunarDate(year, 1, 1).to_solar_date()
    return new_year - timedelta(days=1)


def _qingming(year: int) -> date:
    """Pure Brightness by the century formula ``floor(y × 0.2422 + c) − floor(y / 4)``."""
    since = year % 100
    century = 4.81 if year >= 2000 else 5.59
    return date(year, 4, int(since * 0.2422 + century) - since // 4)


def _solar(month: int, day: int) -> OfYear:
    return lambda year: date(year, month, day)


def _sunday(month: int, number: int) -> OfYear:
    def of(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))

    return of


def _thanksgiving(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


_ALL = (
    FestivalDay("spring festival", ("春节", "chinese new year", "大年初一"), _lunar(1, 1)),
    FestivalDay("lunar new year's eve", ("除夕", "大年三十"), _eve),
    FestivalDay("lantern festival", ("元宵", "元宵节"), _lunar(1, 15)),
    FestivalDay("qingming", ("清明", "清明节", "tomb-sweeping day"), _qingming),
    FestivalDay("dragon boat festival", ("端午", "端午节"), _lunar(5, 5)),
    FestivalDay("qixi", ("七夕", "七夕节"), _lunar(7, 7)),
    FestivalDay("mid-autumn festival", ("中秋", "中秋节"), _lunar(8, 15)),
    FestivalDay("double ninth festival", ("重阳", "重阳节"), _lunar(9, 9)),
    FestivalDay("laba festival", ("腊八", "腊八节"), _lunar(12, 8)),
    FestivalDay("new year's day", ("元旦", "new year"), _solar(1, 1)),
    FestivalDay("valentine's day", ("情人节",), _solar(2, 14)),
    FestivalDay("women's day", ("妇女节", "三八节"), _solar(3, 8)),
    FestivalDay("labour day", ("劳动节", "五一", "labor day"), _solar(5, 1)),
    FestivalDay("mother's day", ("母亲节",), _sunday(5, 2)),
    FestivalDay("children's day", ("儿童节", "六一"), _solar(6, 1)),
    FestivalDay("father's day", ("父亲节",), _sunday(6, 3)),
    FestivalDay("teachers' day", ("教师节",), _solar(9, 10)),
    FestivalDay("national day", ("国庆", "国庆节"), _solar(10, 1)),
    FestivalDay("thanksgiving", ("感恩节",), _thanksgiving),
    FestivalDay("christmas", ("圣诞", "圣诞节"), _solar(12, 25)),
)
FESTIVALS: Mapping[str, FestivalDay] = {item.id: item for item in _ALL}
_BY_NAME = {fold(word): item for item in _ALL for word in (item.id, *item.spellings)}
