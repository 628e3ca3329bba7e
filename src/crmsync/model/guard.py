"""The guards block, typed: shares and counts beyond which a plan is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from crmsync.model.position import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class GuardLimit:
    """A limit of a guard: a share (``0.1`` for 10 %) of the records evaluated, or a count.

    ``place`` narrows it to one place the guard measures (``vip→key`` of *demotions_by_pair*);
    without one it holds for each of them.
    """

    name: str
    limit: Decimal
    share: bool
    place: str = ""
    span: Span = field(default=NOWHERE, compare=False)
