"""What the BG/NBD model foresees for one customer, in plain arithmetic.

P. S. Fader, B. G. S. Hardie, K. L. Lee, “Counting Your Customers” the Easy Way: An Alternative to
the Pareto/NBD Model, Marketing Science 24 (2005), 275–284; equation numbers below are theirs.
The same functions serve single records and, registered in DuckDB under the names below, whole
populations, so both give the same bits.
"""

from __future__ import annotations

import math

P_ALIVE_SQL, EXPECTED_SQL = "crmsync_p_alive", "crmsync_expected_orders"
_MOST_TERMS = 500_000
_SINGULAR = 1e-7
"""Equation (10) is 0/0 at a = 1; so near to it, a point this far away gives the limit's digits."""


def p_alive(
    x: float, t_x: float, t: float, r: float, alpha: float, a: float, b: float
) -> float | None:
    """The chance that a customer with *x* repeat orders, the last at *t_x*, is active at *t*.

    Times count from the first order, in the unit of *alpha*. 1 for a customer without a repeat
    order: the model lets customers leave right after an order only. This is the denominator of
    equation (10) turned over. Unknown (``None``) when the three numbers cannot belong together.
    """
    if not _possible(x, t_x, t):
        return None
    if x == 0:
        return 1.0
    odds = math.log(a / (b + x - 1)) + (r + x) * math.log((alpha + t) / (alpha + t_x))
    return 1.0 / (1.0 + math.exp(min(odds, 700.0)))


def expected_orders(
    x: float, t_x: float, t: float, ahead: float, r: float, alpha: float, a: float, b: float
) -> float | None:
    """The orders to expect in the next *ahead* units of time: E[Y(ahead) | x, t_x, t], (10).

    Euler's transformation of the Gaussian series, F(A, B; C; z) = (1-z)^(C-A-B) F(C-A, C-B; C; z),
    keeps its terms small however many orders there were.
    """
    alive = p_alive(x, t_x, t, r, alpha, a, b)
    if alive is None or ahead < 0:
        return None
    if abs(a - 1) < _SINGULAR:
        a = 1 + _SINGULAR
    z = ahead / (alpha + t + ahead)
    series = gauss(a + b - 1 - r, a - 1, a + b + x - 1, z)
    if series is None:
        return None
    left = math.exp((x + a - 1) * math.log1p(-z)) * series
    expected = (a + b + x - 1) / (a - 1) * (1 - left) * alive
    return max(0.0, expected) if math.isfinite(expected) else None


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


def _possible(x: float, t_x: float, t: float) -> bool:
    return x >= 0 and 0 <= t_x <= t and (x > 0 or t_x == 0)
