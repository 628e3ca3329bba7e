"""Slots: the moments a job should run, from local wall time to UTC with a written DST rule.

A daily job runs exactly once per local day. A wall time that does not exist (clocks go forward)
runs at the first minute that does; one that exists twice (clocks go back) runs at its first
occurrence. Jobs of every hour run once per real hour. Cron day numbers have their standard meaning
(0 and 7 are Sunday), which APScheduler's own parser does not give them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from crmsync.errors import ConfigError
from crmsync.model.text import Text

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=40)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Timetable:
    """One job's times: five cron fields in a zone."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str
    zone: ZoneInfo

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Slots ``after < slot <= until`` as UTC, oldest first."""
        if self.hour == "*":
            yield from self._real_hours(after, until)
            return
        seen: datetime | None = None
        # Walls are enumerated as if they were UTC, then placed in the zone by our own rule.
        start = _wall(after, self.zone) - timedelta(days=1)
        for wall in _fires(self._trigger(ZoneInfo("UTC")), start, _wall(until, self.zone)):
            moment = _place(wall, self.zone)
            if after < moment <= until and moment != seen:
                seen = moment
                yield moment

    def ahead(self, now: datetime, count: int) -> list[datetime]:
        """The next *count* slots as UTC; fewer when the coming forty days hold no more."""
        return list(islice(self.between(now, now + HORIZON), count))

    def _real_hours(self, after: datetime, until: datetime) -> Iterator[datetime]:
        # APScheduler never leaves the repeated hour of autumn here, so minutes are walked in UTC.
        utc = ZoneInfo("UTC")
        start = datetime(2000, 1, 1, tzinfo=UTC)
        hour = CronTrigger(minute=self.minute, timezone=utc)
        minutes = {fire.minute for fire in _fires(hour, start, start + timedelta(minutes=59))}
        moment = after.astimezone(UTC).replace(second=0, microsecond=0)
        while moment <= until:
            local = moment.astimezone(self.zone)
            if moment > after and local.minute in minutes and self._runs_on(local):
                yield moment
            moment += timedelta(minutes=1)

    def _runs_on(self, local: datetime) -> bool:
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        days = CronTrigger(
            minute="0",
            hour="0",
            day=self.day,
            month=self.month,
            day_of_week=self.weekday,
            timezone=ZoneInfo("UTC"),
        )
        return bool(days.get_next_fire_time(None, midnight) == midnight)

    def _trigger(self, zone: ZoneInfo) -> CronTrigger:
        return CronTrigger(
            minute=self.minute,
            hour=self.hour,
            day=self.day,
            month=self.month,
            day_of_week=self.weekday,
            timezone=zone,
        )


def timetable(written: str, zone: ZoneInfo) -> Timetable:
    """Read ``02:00`` (daily) or five cron fields; raises ConfigError with a mend."""
    clock = _CLOCK.fullmatch(written.strip())
    fields = written.split()
    if clock is not None:
        fields = [str(int(clock[2])), str(int(clock[1])), "*", "*", "*"]
    if len(fields) != 5:
        raise _wrong(written)
    minute, hour, day, month, weekday = fields
    table = Timetable(minute, hour, day, month, _named_days(weekday), zone)
    try:
        table._trigger(zone)
    except ValueError as error:
        raise _wrong(written) from error
    return table


def _wrong(written: str) -> ConfigError:
    return ConfigError(
        Text(zh=f"看不懂的时间“{written}”", en=f"“{written}” is no time a job can run at"),
        mend=Text(
            zh="写成 02:00，或五段 cron：0 2 * * 1-5（周一到周五 2 点）",
            en="write 02:00, or five cron fields: 0 2 * * 1-5 (Monday to Friday at 2)",
        ),
        code="CONF030",
    )


def _named_days(weekday: str) -> str:
    """Cron numbers to names: 1-5 is Monday to Friday, 0 and 7 are Sunday, 5-7 wraps to Sunday, and
    steps count from Sunday or from where the range begins."""
    if weekday == "*":
        return weekday
    names: list[str] = []
    for part in weekday.lower().split(","):
        days, slash, step = part.partition("/")
        low, dash, high = ("0", "-", "6") if days == "*" else days.partition("-")
        if slash and not dash:
            dash, high = "-", "6"
        ends = [_DAYS.index(end) if end in _DAYS else end for end in (low, high if dash else low)]
        if not all(str(end).isdigit() for end in ends) or (slash and not step.isdigit()):
            return weekday
        first, last = (int(end) for end in ends)
        last += 7 if last < first else 0
        names += [_DAYS[day % 7] for day in range(first, last + 1, int(step or 1) or 1)]
    return ",".join(dict.fromkeys(names))


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=UTC)


def _fires(trigger: CronTrigger, start: datetime, end: datetime) -> Iterator[datetime]:
    moment = trigger.get_next_fire_time(None, start)
    while moment is not None and moment <= end:
        yield moment
        moment = trigger.get_next_fire_time(moment, moment + timedelta(microseconds=1))


def _place(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC moment of a wall time: first occurrence in an overlap, end of the gap in a gap."""
    local = wall.replace(tzinfo=zone, fold=0)
    utc = local.astimezone(UTC)
    back = utc.astimezone(zone)
    if back.replace(tzinfo=None) == wall.replace(tzinfo=None):
        return utc
    # In a gap fold=0 uses the offset before it and lands after it: step back to the gap's end.
    gap = local.replace(fold=1).utcoffset(), local.utcoffset()
    assert gap[0] is not None
    assert gap[1] is not None
    earlier = local.replace(fold=1).astimezone(UTC)
    step = earlier
    while step.astimezone(zone).utcoffset() == earlier.astimezone(zone).utcoffset():
        step += timedelta(minutes=1)
    return step
