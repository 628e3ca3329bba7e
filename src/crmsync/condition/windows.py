"""``within 12 months`` and ``12个月内``: windows of days that end today or some time ago."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.condition.durations import (
    UNIT_PATTERN,
    duration_at,
    parse_duration,
    parse_period,
)
from crmsync.condition.scope import fold
from crmsync.condition.trouble import Place, Trouble
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow, Window
from crmsync.model.position import Span
from crmsync.model.text import Text

_SPAN = rf"(?P<{{}}>[0-9]{{{{1,6}}}}\s*(?:{UNIT_PATTERN}))"
_ENGLISH = re.compile(
    r"(?:is\s+)?(?P<no>not\s+)?within\s+(?:the\s+)?(?:last\s+|past\s+)?"
    + _SPAN.format("length")
    + r"(?:\s+ending\s+"
    + _SPAN.format("ago")
    + r"\s+ago(?![0-9a-z_]))?"
)
_CHINESE = re.compile(
    r"(?P<no>不)?(?:是)?(?:在|于)?\s*(?:截至\s*"
    + _SPAN.format("ago")
    + r"\s*前的?\s*)?(?:最近|过去|近)?\s*"
    + _SPAN.format("length")
    + r"\s*(?:之内|以内|内)"
)
_UNITS = {
    "week": CalendarUnit.WEEK,
    "month": CalendarUnit.MONTH,
    "quarter": CalendarUnit.QUARTER,
    "year": CalendarUnit.YEAR,
}
_CALENDAR_ENGLISH = re.compile(
    r"(?:is\s+)?(?P<no>not\s+)?(?:(?:in|within)\s+)?(?:the\s+)?(?P<which>last|previous|this)\s+"
    r"(?P<unit>week|month|quarter|year)(?![0-9a-z_])"
)
_SPELLED: Mapping[tuple[CalendarUnit, int], tuple[str, ...]] = {
    (CalendarUnit.WEEK, 1): ("上周", "上个星期", "上星期"),
    (CalendarUnit.WEEK, 0): ("本周", "这周"),
    (CalendarUnit.MONTH, 1): ("上个月", "上月"),
    (CalendarUnit.MONTH, 0): ("本月", "这个月", "当月"),
    (CalendarUnit.QUARTER, 1): ("上个季度", "上季度", "上一季度"),
    (CalendarUnit.QUARTER, 0): ("本季度", "这个季度"),
    (CalendarUnit.YEAR, 1): ("去年", "上一年", "上年"),
    (CalendarUnit.YEAR, 0): ("今年", "本年"),
}
_CHINESE_UNITS = {word: key for key, words in _SPELLED.items() for word in words}
_CALENDAR_CHINESE = re.compile(
    r"(?P<no>不)?(?:是)?(?:在|于)?\s*(?P<word>"
    + "|".join(sorted(_CHINESE_UNITS, key=len, reverse=True))
    + r")(?:之内|以内|内)?"
)


@dataclass(frozen=True, slots=True)
class WindowWords:
    """A window as written, with where it ends; *negated* for ``not within``."""

    window: Window
    negated: bool
    end: int


def window_at(folded: str, start: int, *, year_starts: int = 1) -> WindowWords | None:
    """The window that stands at *start* of a folded text."""
    calendar = _calendar_at(folded, start, year_starts)
    if calendar is not None:
        return calendar
    match = _ENGLISH.match(folded, start) or _CHINESE.match(folded, start)
    if match is None:
        return None
    length = _period(match["length"], match.span("length"))
    ago = Period() if match["ago"] is None else _period(match["ago"], match.span("ago"))
    return WindowWords(RollingWindow(length, ago), match["no"] is not None, match.end())


def _calendar_at(folded: str, start: int, year_starts: int) -> WindowWords | None:
    english = _CALENDAR_ENGLISH.match(folded, start)
    if english is not None:
        unit, back = _UNITS[english["unit"]], 0 if english["which"] == "this" else 1
        window = CalendarWindow(unit, back, year_starts)
        return WindowWords(window, english["no"] is not None, english.end())
    chinese = _CALENDAR_CHINESE.match(folded, start)
    if chinese is None:
        return None
    window = CalendarWindow(*_CHINESE_UNITS[chinese["word"]], year_starts)
    return WindowWords(window, chinese["no"] is not None, chinese.end())


def calendar_words(window: CalendarWindow, *, zh: bool) -> str:
    """``last month``, ``上个月``: what a reader turns into the window again."""
    if window.back > 1:
        raise ValueError("only the present and the last unit have a spelling")
    if zh:
        return _SPELLED[window.unit, window.back][0]
    return f"{'last' if window.back else 'this'} {window.unit.value}"


def parse_window(
    text: str, span: Span, *, year_starts: int = 1
) -> tuple[Window | None, list[Diagnostic]]:
    """Read ``12 months``, ``12 months ending 12 months ago`` (``12个月``) or ``last year`` by
    itself."""
    folded = fold(text).strip()
    place = Place.of(text, span)
    try:
        for spelled in (f"within {folded}", f"{folded}内", folded):
            found = window_at(spelled, 0, year_starts=year_starts)
            if found is not None and found.end == len(spelled) and not found.negated:
                return found.window, []
    except Trouble as trouble:
        whole = Trouble(trouble.code, (0, len(text)), trouble.message, trouble.mend)
        return None, [place.finding(whole)]
    return None, parse_period(text, span)[1] or parse_duration("", span)[1]


def _period(written: str, where: tuple[int, int]) -> Period:
    found = duration_at(written, 0)
    period = None if found is None or found[0].too_long else found[0].period
    if period is None:
        raise Trouble(
            "RULE057",
            where,
            Text(zh=f"“{written}”不是日历上的时段", en=f"“{written}” is no calendar period"),
            Text(
                zh="这里用整数的天、周、个月、季度或年",
                en="Use whole days, weeks, months, quarters or years here.",
            ),
        )
    return period
