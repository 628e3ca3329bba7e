"""Reading ``Retry-After`` as servers really send it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 7 * 86_400.0
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?", re.ASCII)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, 0 to a week; ``None`` when absent or unreadable.

    Takes seconds (also with a fraction) and HTTP dates, which count from *now* (the server's own
    ``Date`` where it sent one); a date in the past means no wait. Nothing ever raises.
    """
    text = (value or "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST)
    if not text.isascii() or "," not in text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)


def parse_http_date(value: str | None) -> datetime | None:
    """An HTTP date as an aware datetime in UTC, or ``None``."""
    try:
        moment = parsedate_to_datetime((value or "").strip())
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
