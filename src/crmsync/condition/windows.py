"""``within 12 months`` and ``12个月内``: windows of days that end today or some time ago."""

from __future__ import annotations

import re
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
from crmsync.model.period import Period, Window
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
_CALENDAR = re.compile(
    r"(?:(?:is\s+)?(?:in\s+|within\s+)?(?:the\s+)?(?:last|this|previous)\s+"
    r"(?:week|month|quarter|year)(?![0-9a-z_])"
    r"|(?:是|在|于)?(?:上个?月|本月|这个月|上个?季度|上一季度|本季度|去年|上一年|今年|本年|上周|本周))"
)


@dataclass(frozen=True, slots=True)
class WindowWords:
    """A window as written, with where it ends; *negated* for ``not within``."""

    window: Window
    negated: bool
    end: int


def window_at(folded: str, start: int) -> WindowWords | None:
    """The window that stands at *start* of a folded text."""
    match = _ENGLISH.match(folded, start) or _CHINESE.match(folded, start)
    if match is None:
        return None
    length = _period(match["length"], match.span("length"))
    ago = Period() if match["ago"] is None else _period(match["ago"], match.span("ago"))
    return WindowWords(Window(length, ago), match["no"] is not None, match.end())


def parse_window(text: str, span: Span) -> tuple[Window | None, list[Diagnostic]]:
    """Read ``12 months`` or ``12 months ending 12 months ago`` (``12个月``) by itself."""
    folded = fold(text).strip()
    place = Place.of(text, span)
    try:
        for spelled in (f"within {folded}", f"{folded}内", folded):
            refuse_calendar_window(spelled, spelled, 0)
            found = window_at(spelled, 0)
            if found is not None and found.end == len(spelled) and not found.negated:
                return found.window, []
    except Trouble as trouble:
        whole = Trouble(trouble.code, (0, len(text)), trouble.message, trouble.mend)
        return None, [place.finding(whole)]
    return None, parse_period(text, span)[1] or parse_duration("", span)[1]


def refuse_calendar_window(text: str, folded: str, start: int) -> None:
    """Raise RULE064 where a calendar window such as ``last month`` begins at *start*."""
    match = _CALENDAR.match(folded, start)
    if match is not None:
        written = text[start : match.end()]
        raise Trouble(
            "RULE064",
            (start, match.end()),
            Text(zh=f"暂不支持“{written}”", en=f"“{written}” is not supported yet"),
            Text(
                zh="用往前数的时段，如 12个月内",
                en="Use a window that counts back: within 1 month.",
            ),
        )


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
