"""The months of a seasonal trade: outside them clocks stand still."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from crmsync.model.position import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Season:
    """Months ``first`` to ``last``, both included; ``10..2`` goes across the end of the year."""

    first: int = 1
    last: int = 12
    span: Span = field(default=NOWHERE, compare=False)

    def active(self, day: date) -> bool:
        """Whether *day* lies in the season."""
        if self.first <= self.last:
            return self.first <= day.month <= self.last
        return day.month >= self.first or day.month <= self.last

    def after(self, start: date, days: int) -> date:
        """The first day of the season on which a clock begun on *start* has run for *days*.

        Only days of the season count, *start* among them; without a break it is ``start + days``.
        """
        if self.first == self.last % 12 + 1:
            return start + timedelta(days=days)
        day, left = start, days
        while True:
            if not self.active(day):
                day = _first_of(day, self.first)
            end = _first_of(day, self.last % 12 + 1)
            room = (end - day).days
            if left < room:
                return day + timedelta(days=left)
            left, day = left - room, end


def _first_of(day: date, month: int) -> date:
    """The next first day of *month* after *day*."""
    found = date(day.year, month, 1)
    return found if found > day else date(day.year + 1, month, 1)


ALL_YEAR = Season()
