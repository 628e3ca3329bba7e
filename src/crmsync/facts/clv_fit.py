"""Fits BG/NBD and Gamma-Gamma by maximum likelihood, and refuses a fit that cannot be trusted.

BG/NBD: Fader, Hardie & Lee, Marketing Science 24 (2005), 275–284, likelihood (6), in the form that
does not overflow (Fader & Hardie, Overcoming the BG/NBD Model's #NUM! Error Problem, 2013).
Gamma-Gamma: Fader & Hardie, The Gamma-Gamma Model of Monetary Value (2013), likelihood (1a).
scipy is imported when a fit runs and at no other time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmsync.model.text import Text

FEWEST_CUSTOMERS, FEWEST_REPEATERS = 50, 10
STEEPEST = 1e-4
"""The steepest slope of the mean log-likelihood, by the logarithm of a parameter, at a maximum."""
SMALLEST, LARGEST = 1e-4, 1e5
"""Bounds of every parameter; a fit that ends at one says the data do not tell the parameter."""
FLATTEST = 1e-8
"""The least curvature of the mean log-likelihood in any direction."""

_Array = Any  # a numpy array: numpy is imported only when a fit runs
_Objective = Callable[[_Array], tuple[float, _Array]]


@dataclass(frozen=True, slots=True)
class Histories:
    """One entry per buyer: repeat orders, week of the last one, weeks since the first, revenue."""

    repeats: Sequence[float]
    last: Sequence[float]
    age: Sequence[float]
    revenue: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit that may be used: parameters by name, log-likelihood, and the state it ended in.

    ``slope`` and ``curvature`` are those of the mean log-likelihood at the maximum; ``steps`` the
    iterations of the search; ``customers`` how many were fitted to.
    """

    parameters: Mapping[str, float]
    log_likelihood: float
    customers: int
    slope: float
    curvature: float
    steps: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A fit that must not be used, and why."""

    why: Text


def fit_bg_nbd(data: Histories) -> Fit | Refused:
    """r, alpha (weeks), a and b of the buyers; the same data give the same digits."""
    import numpy as np  # noqa: PLC0415 - loaded only where a fit runs
    from scipy.special import gammaln, psi  # noqa: PLC0415 - as above

    x, t_x, t = (np.asarray(part, dtype=float) for part in (data.repeats, data.last, data.age))
    refused = _too_few(len(x), int((x > 0).sum()))
    if refused is not None:
        return refused
    again = x > 0

    def objective(logs: _Array) -> tuple[float, _Array]:
        r, alpha, a, b = np.exp(logs)
        with np.errstate(divide="ignore"):
            stays = -(r + x) * np.log(alpha + t)
            left = np.where(
                again,
                np.log(a) - np.log(np.where(again, b + x - 1, 1.0)) - (r + x) * np.log(alpha + t_x),
                -np.inf,
            )
        both = np.logaddexp(stays, left)
        gone = np.exp(left - both)
        total = (
            gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) + gammaln(b + x)
            - gammaln(b) - gammaln(a + b + x) + both
        )  # fmt: skip
        end = psi(a + b) - psi(a + b + x)
        slope = np.array(
            [
                np.mean(
                    psi(r + x) - psi(r) + np.log(alpha)
                    - (1 - gone) * np.log(alpha + t) - gone * np.log(alpha + t_x)
                ),
                np.mean(
                    r / alpha - (r + x) * ((1 - gone) / (alpha + t) + gone / (alpha + t_x))
                ),
                np.mean(end + gone / a),
                np.mean(end + psi(b + x) - psi(b) - gone / np.where(again, b + x - 1, 1.0)),
            ]
        )  # fmt: skip
        return -float(np.mean(total)), -slope * np.exp(logs)

    start = [1.0, max(1.0, float(np.mean(t)) / 4), 1.0, 3.0]
    return _maximum(objective, start, ("r", "alpha", "a", "b"), len(x))


def fit_gamma_gamma(data: Histories) -> Fit | Refused:
    """p, q and gamma (money) of the buyers whose net revenue is above 0.

    The model has no mean for q ≤ 1, so such a fit is refused. It takes the worth of orders to hang
    on the customer and not on how many there are.
    """
    import numpy as np  # noqa: PLC0415 - loaded only where a fit runs
    from scipy.special import gammaln, psi  # noqa: PLC0415 - as above

    known = [
        (repeats + 1, revenue)
        for repeats, revenue in zip(data.repeats, data.revenue, strict=True)
        if revenue is not None and revenue > 0
    ]
    x, total = (np.array([pair[place] for pair in known], dtype=float) for place in (0, 1))
    refused = _too_few(len(x), int((x > 1).sum()))
    if refused is not None:
        return refused
    scale = float(np.mean(total / x))
    mean = total / x / scale

    def objective(logs: _Array) -> tuple[float, _Array]:
        p, q, gamma = np.exp(logs)
        away = np.log(gamma + x * mean)
        value = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
            + (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * away
        )  # fmt: skip
        slope = np.array(
            [
                np.mean(x * (psi(p * x + q) - psi(p * x) + np.log(mean) + np.log(x) - away)),
                np.mean(psi(p * x + q) - psi(q) + np.log(gamma) - away),
                np.mean(q / gamma - (p * x + q) / (gamma + x * mean)),
            ]
        )
        return -float(np.mean(value)), -slope * np.exp(logs)

    found = _maximum(objective, [1.0, 3.0, 2.0], ("p", "q", "gamma"), len(x))
    if isinstance(found, Refused):
        return found
    if found.parameters["q"] <= 1:
        return Refused(
            Text(
                zh=f"Gamma-Gamma 的 q = {found.parameters['q']:.3f} ≤ 1，订单金额没有均值",
                en=f"Gamma-Gamma's q is {found.parameters['q']:.3f} ≤ 1: orders have no mean worth",
            )
        )
    in_money = {**found.parameters, "gamma": found.parameters["gamma"] * scale}
    total_log = found.log_likelihood - len(x) * float(np.log(scale))
    return Fit(in_money, total_log, len(x), found.slope, found.curvature, found.steps)


def _too_few(customers: int, repeaters: int) -> Refused | None:
    if customers >= FEWEST_CUSTOMERS and repeaters >= FEWEST_REPEATERS:
        return None
    return Refused(
        Text(
            zh=f"只有 {customers} 个买家、{repeaters} 个重复购买的；"
            f"至少要 {FEWEST_CUSTOMERS} 个和 {FEWEST_REPEATERS} 个",
            en=f"{customers} buyers, {repeaters} of them with repeat orders; at least"
            f" {FEWEST_CUSTOMERS} and {FEWEST_REPEATERS} are needed",
        )
    )


def _maximum(
    objective: _Objective, start: Sequence[float], names: Sequence[str], customers: int
) -> Fit | Refused:
    """Search in the logarithms of the parameters, then look hard at where the search ended."""
    import numpy as np  # noqa: PLC0415 - loaded only where a fit runs
    from scipy.optimize import minimize  # noqa: PLC0415 - as above

    ends = (float(np.log(SMALLEST)), float(np.log(LARGEST)))
    with np.errstate(all="ignore"):
        found = minimize(
            objective,
            np.log(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[ends] * len(names),
            options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8},
        )
        value, slope = objective(found.x)
        curvature = _curvature(objective, found.x)
    steepest = float(np.max(np.abs(slope)))
    at_bound = [
        name
        for name, log in zip(names, found.x, strict=True)
        if min(log - ends[0], ends[1] - log) < 0.05
    ]
    if not np.isfinite(value) or not np.isfinite(steepest) or not np.isfinite(curvature):
        return _refuse("似然不是有限的数", "the likelihood is not finite")
    if at_bound:
        listed = ", ".join(at_bound)
        return _refuse(
            f"参数 {listed} 走到了界限：数据定不出它",
            f"{listed} ran to its bound: the data do not tell it",
        )
    if steepest > STEEPEST:
        return _refuse(
            f"没有收敛：斜率 {steepest:.1e}", f"it did not converge: the slope is {steepest:.1e}"
        )
    if curvature < FLATTEST:
        return _refuse(
            f"不是一个峰：最小曲率 {curvature:.1e}",
            f"it is no peak: the least curvature is {curvature:.1e}",
        )
    parameters = {name: float(np.exp(log)) for name, log in zip(names, found.x, strict=True)}
    return Fit(parameters, -value * customers, customers, steepest, curvature, int(found.nit))


def _refuse(zh: str, en: str) -> Refused:
    return Refused(Text(zh=zh, en=en))


def _curvature(objective: _Objective, at: _Array) -> float:
    """The least eigenvalue of the Hessian, from differences of the exact slopes."""
    import numpy as np  # noqa: PLC0415 - loaded only where a fit runs

    step, size = 1e-4, len(at)
    hessian = np.empty((size, size))
    for place in range(size):
        shift = np.zeros(size)
        shift[place] = step
        hessian[place] = (objective(at + shift)[1] - objective(at - shift)[1]) / (2 * step)
    if not np.all(np.isfinite(hessian)):
        return float("nan")
    return float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[0])
