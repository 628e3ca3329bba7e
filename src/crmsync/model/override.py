"""Overrides: a person's word on a customer's tier, with author, reason and end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crmsync.model.record import RecordRef


@dataclass(frozen=True, slots=True)
class HumanEditRule:
    """What becomes of a person's value in the tier field: an override of so many days, or a
    conflict that is left alone and listed."""

    adopt: bool = False
    days: int = 90


class OverrideKind(StrEnum):
    """PIN holds the tier; FLOOR and CEILING bound it. The computed tier goes on beside them."""

    PIN = "pin"
    FLOOR = "floor"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Override:
    """One override; it holds on every day from ``start`` up to and including ``until``."""

    ref: RecordRef
    kind: OverrideKind
    level: str
    by: str
    reason: str
    start: date
    until: date | None = None
    """``None``: until a person lifts it."""

    def holds(self, day: date) -> bool:
        """Whether the override is in force on *day*."""
        return self.start <= day and (self.until is None or day <= self.until)
