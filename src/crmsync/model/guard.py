"""The guards block, typed: shares and counts beyond which a plan is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from crmsync.model.position import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class GuardLimit:
    """A limit of a guard: a share (``0.1`` for 10 %) of the records evaluated, or a count."""

    name: str
    limit: Decimal
    share: bool
    span: Span = field(default=NOWHERE, compare=False)
