"""Lines drawn across a population and kept for a whole review period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Freeze(StrEnum):
    """How long lines stay as they were drawn; REVIEW: until the next review is released."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"
    REVIEW = "review"


def period_of(freeze: Freeze, day: date, *, review: date | None = None) -> str:
    """The name of the period *day* lies in: ``2026-11``, ``2026-Q4``, ``2026-H2``, ``2026``.

    For REVIEW it is the last *review* released on or before that day, or ``before any review``.
    """
    match freeze:
        case Freeze.MONTH:
            return f"{day:%Y-%m}"
        case Freeze.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case Freeze.HALF_YEAR:
            return f"{day.year}-H{1 if day.month <= 6 else 2}"
        case Freeze.YEAR:
            return str(day.year)
        case Freeze.REVIEW:
            return "before any review" if review is None else f"review {review.isoformat()}"


@dataclass(frozen=True, slots=True)
class FrozenLines:
    """What was drawn from one population, by name: cut points, a cut line, a fitted model.

    ``basis`` tells what was asked (facts, number of classes …): lines drawn for another question do
    not count, even inside the period. ``version`` counts the lines of one name from 1, through all
    periods. ``drawn_on`` is the local day of the snapshot, ``customers`` how many shaped the lines.
    ``lines`` holds exact numbers, so that the same lines always decide alike.
    """

    name: str
    period: str
    version: int
    basis: str
    drawn_on: date
    customers: int
    lines: Mapping[str, tuple[Decimal, ...]]
