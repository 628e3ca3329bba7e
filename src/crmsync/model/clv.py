"""The clv block, typed: what a customer will be worth, by formula or by a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from crmsync.model.condition import Expression
from crmsync.model.frozen import Freeze
from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span


class ClvModel(StrEnum):
    """How future orders are foreseen."""

    SIMPLE = "simple"
    BG_NBD = "bg-nbd"


@dataclass(frozen=True, slots=True)
class ClvRules:
    """Which facts the model reads, and how far it looks ahead.

    ``orders`` and ``revenue`` (net of refunds) are fact ids. SIMPLE: both count a ``window`` of
    time, and ``retention`` is the share of customers that stay from one year to the next. BG_NBD:
    both count from the beginning, ``first`` and ``last`` are the days of the first and the last
    order, and the fitted parameters are frozen for a period of ``freeze``; with ``gamma_gamma`` the
    worth of an order is foreseen by that model, else it is the customer's own mean. ``margin`` is
    a ratio, or (SIMPLE) money earned in the window; ``None``: the value is revenue.
    """

    model: ClvModel
    horizon: Period
    orders: str
    revenue: str
    window: Period | None = None
    margin: Expression | None = None
    retention: Expression | None = None
    first: str | None = None
    last: str | None = None
    gamma_gamma: bool = False
    freeze: Freeze | None = None
    span: Span = field(default=NOWHERE, compare=False)
