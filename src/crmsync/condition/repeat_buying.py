"""What the BG/NBD model foresees for one customer, in plain arithmetic.

P. S. Fader, B. G. S. Hardie, K. L. Lee, “Counting Your Customers” the Easy Way: An Alternative to
the Pareto/NBD Model, Marketing Science 24 (2005), 275–284; equation numbers below are theirs.
The same functions serve single records and, registered in DuckDB under the names below, whole
populations, so both give the same bits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

P_ALIVE_SQL, EXPECTED_SQL = "crmsync_p_alive", "crmsync_expected_orders"
_MOST_TERMS = 500_000
_SINGULAR = 1e-7
"""Equation (10) is 0/0 at a = 1; so near to it, a point this far away gives the limit's digits."""


class History(NamedTuple):
    """Repeat orders, when the last of them was, and how long ago the first order was.

    Times count from the first order, in the unit of the model's ``alpha``.
    """

    repeats: float
    last: float
    age: float

    @property
    def possible(self) -> bool:
        """Whether the three numbers can belong together."""
        return 0 <= self.last <= self.age and (
            self.repeats > 0 or (self.repeats == 0 and self.last == 0)
        )


class BgNbd(NamedTuple):
    """The model's parameters."""

    r: float
    alpha: float
    a: float
    b: float


def p_alive(history: History, model: BgNbd) -> float | None:
    """The chance that the customer is active now.

    1 without a repeat order: the model lets customers leave right after an order only. This is the
    denominator of equation (10) turned over. Unknown (``None``) for an impossible history.
    """
    if not history.possible:
        return None
    x = history.repeats
    if x == 0:
        return 1.0
    waited = math.log((model.alpha + history.age) / (model.alpha + history.last))
    odds = math.log(model.a / (model.b + x - 1)) + (model.r + x) * waited
    return 1.0 / (1.0 + math.exp(min(odds, 700.0)))


def expected_orders(history: History, ahead: float, model: BgNbd) -> float | None:
    """The orders to expect in the next *ahead* units of time: E[Y(t) | x, t_x, T], (10).

    Euler's transformation of the Gaussian series, F(A, B; C; z) = (1-z)^(C-A-B) F(C-A, C-B; C; z),
    keeps its terms small however many orders there were.
    """
    alive = p_alive(history, model)
    if alive is None or ahead < 0:
        return None
    x, (r, alpha, a, b) = history.repeats, model
    if abs(a - 1) < _SINGULAR:
        a = 1 + _SINGULAR
    z = ahead / (alpha + history.age + ahead)
    series = gauss(a + b - 1 - r, a - 1, a + b + x - 1, z)
    if series is None:
        return None
    left = math.exp((a - 1) * math.log1p(-z)) * series
    expected = (a + b + x - 1) / (a - 1) * (1 - left) * alive
    return max(0.0, expected) if math.isfinite(expected) else None


def p_alive_of(*numbers: float) -> float | None:
    """`p_alive` of seven numbers in a row, as formulas hand them over."""
    return p_alive(History(*numbers[:3]), BgNbd(*numbers[3:]))


def expected_orders_of(*numbers: float) -> float | None:
    """`expected_orders` of eight numbers in a row: the history, ahead, the model."""
    return expected_orders(History(*numbers[:3]), numbers[3], BgNbd(*numbers[4:]))


def gauss(a: float, b: float, c: float, z: float) -> float | None:
    """The hypergeometric series F(a, b; c; z) for 0 ≤ z < 1; ``None`` where it has no value."""
    if c <= 0 and c == math.floor(c):
        return None
    total = term = 1.0
    for n in range(_MOST_TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        if abs(term) <= 1e-17 * abs(total):
            return total
    return None
