"""Spans of time: ``90 days``, ``12个月``, ``2 workdays``, ``24 hours``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from crmsync.condition.numbers import plain_signs
from crmsync.condition.scope import fold
from crmsync.condition.trouble import Place, Trouble
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.period import Period
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import nearest


class Unit(StrEnum):
    """Units of time."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WORKDAY = "workday"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_SPELLINGS: Mapping[Unit, tuple[str, ...]] = {
    Unit.SECOND: ("s", "sec", "second", "seconds", "秒", "秒钟"),
    Unit.MINUTE: ("min", "minute", "minutes", "分", "分钟"),
    Unit.HOUR: ("h", "hour", "hours", "小时", "个小时"),
    Unit.DAY: ("d", "day", "days", "天", "日"),
    Unit.WORKDAY: ("workday", "workdays", "work day", "work days", "working day",
                   "working days", "business day", "business days", "个工作日", "工作日"),
    Unit.WEEK: ("w", "week", "weeks", "周", "星期", "个星期"),
    Unit.MONTH: ("month", "months", "个月", "月"),
    Unit.QUARTER: ("quarter", "quarters", "季度", "个季度", "季"),
    Unit.YEAR: ("year", "years", "年"),
}  # fmt: skip
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_SECONDS = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3600}


def _unit_pattern(spelling: str) -> str:
    body = r"\s+".join(re.escape(part) for part in spelling.split(" "))
    return body + (r"(?![0-9a-z_])" if spelling.isascii() else "")


UNIT_PATTERN = "|".join(_unit_pattern(word) for word in sorted(_UNITS, key=len, reverse=True))
_AT = re.compile(rf"(?P<number>[0-9]{{1,6}}(?:\.[0-9]{{1,3}})?)\s*(?P<unit>{UNIT_PATTERN})")
_MAX_YEARS = 200


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of one unit. Work days stay work days: only a calendar turns them into dates."""

    number: Decimal
    unit: Unit

    @property
    def period(self) -> Period | None:
        """As calendar months and days; ``None`` for hours, work days and broken numbers."""
        if self.number != int(self.number):
            return None
        whole = int(self.number)
        if self.unit in _MONTHS:
            return Period(months=whole * _MONTHS[self.unit])
        if self.unit in _DAYS:
            return Period(days=whole * _DAYS[self.unit])
        return None

    @property
    def days(self) -> int | None:
        """As a number of days; ``None`` where that depends on the month or the calendar."""
        period = self.period
        return period.days if period is not None and not period.months else None

    @property
    def seconds(self) -> Decimal | None:
        """As seconds; ``None`` for anything but seconds, minutes and hours."""
        factor = _SECONDS.get(self.unit)
        return None if factor is None else self.number * factor

    @property
    def too_long(self) -> bool:
        """Whether it is longer than any date a rule can mean."""
        period = self.period
        return period is not None and period.months / 12 + period.days / 365 > _MAX_YEARS


def unit_of(word: str) -> Unit | None:
    """The unit of that spelling."""
    return _UNITS.get(" ".join(fold(word).split()))


def duration_at(folded: str, start: int) -> tuple[Duration, int] | None:
    """The duration that stands at *start* of a folded text, and where it ends."""
    match = _AT.match(folded, start)
    if match is None:
        return None
    unit = _UNITS[" ".join(match["unit"].split())]
    return Duration(Decimal(match["number"]), unit), match.end()


def parse_duration(text: str, span: Span) -> tuple[Duration | None, list[Diagnostic]]:
    """Read ``2 workdays``, ``24 hours``, ``1 quarter``, ``90 天``; the unit must be there."""
    folded = fold(text).strip()
    found = duration_at(folded, 0)
    if found is not None and found[1] == len(folded) and not found[0].too_long:
        return found[0], []
    return None, [Place.of(text, span).finding(_trouble(text, folded))]


def parse_period(text: str, span: Span) -> tuple[Period | None, list[Diagnostic]]:
    """Read a calendar period: days, weeks, months, quarters or years."""
    duration, found = parse_duration(text, span)
    if duration is None:
        return None, found
    if duration.period is None:
        trouble = Trouble(
            "RULE057",
            (0, len(text)),
            Text(
                zh=f"“{text.strip()}”不是日历上的时段", en=f"“{text.strip()}” is no calendar period"
            ),
            Text(
                zh="这里用整数的天、周、个月、季度或年",
                en="Use whole days, weeks, months, quarters or years here.",
            ),
        )
        return None, [Place.of(text, span).finding(trouble)]
    return duration.period, []


def parse_days(text: str, span: Span) -> tuple[int | None, list[Diagnostic]]:
    """Read a number of days: ``30``, ``30 days``, ``2 weeks``. Months are refused: their length
    varies."""
    written = plain_signs(text).strip()
    if written.isascii() and written.isdigit() and len(written) <= 5:
        return int(written), []
    duration, found = parse_duration(text, span)
    if duration is None:
        return None, found
    if duration.days is None:
        trouble = Trouble(
            "RULE057",
            (0, len(text)),
            Text(zh=f"“{text.strip()}”不是天数", en=f"“{text.strip()}” is not a number of days"),
            Text(zh="这里写天或周，如 90 天", en="Write days or weeks here, such as 90 days."),
        )
        return None, [Place.of(text, span).finding(trouble)]
    return duration.days, []


def unknown_unit(word: str, where: tuple[int, int]) -> Trouble:
    """RULE057 for a word where a unit should stand."""
    near = nearest(word, _UNITS)
    mend = (
        Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?")
        if near is not None
        else Text(
            zh="可用：天、周、个月、季度、年、个工作日、小时、分钟、秒、万、亿、%",
            en="Known: days, weeks, months, quarters, years, workdays, hours, min, s, 万, k, M, %",
        )
    )
    return Trouble(
        "RULE057",
        where,
        Text(zh=f"不认识单位“{word}”", en=f"“{word}” is not a unit"),
        mend,
        fix=near,
    )


def _trouble(text: str, folded: str) -> Trouble:
    match = re.match(r"\s*[0-9.]+\s*([^\s0-9.][^0-9]*?)\s*$", fold(text))
    if match is not None and unit_of(match[1]) is None:
        return unknown_unit(text[match.start(1) : match.end(1)], match.span(1))
    return Trouble(
        "RULE057",
        (0, len(text)),
        Text(zh=f"“{text.strip()}”不是时长", en=f"“{text.strip()}” is not a span of time"),
        Text(zh="写成 90 天、12 个月这样", en="Write it like 90 days or 12 months."),
    )
