"""The fits of BG/NBD and Gamma-Gamma: right against slow references, refused when in doubt."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from crmsync.condition.repeat_buying import BgNbd, History, expected_orders, p_alive
from crmsync.facts import Fit, Histories, Refused, fit_bg_nbd, fit_gamma_gamma

TRUE = BgNbd(r=0.8, alpha=6.0, a=0.9, b=2.5)
SPEND = {"p": 6.0, "q": 4.0, "gamma": 60.0}
WEEKS = 78.0


def buyers(count: int, seed: int) -> Histories:
    """Customers who live as the two models say: each has a rate, a chance to leave, a taste."""
    chance = np.random.default_rng(seed)
    rate = chance.gamma(TRUE.r, 1 / TRUE.alpha, count)
    leave = chance.beta(TRUE.a, TRUE.b, count)
    age = chance.uniform(26, WEEKS, count)
    taste = chance.gamma(SPEND["q"], 1 / SPEND["gamma"], count)
    repeats, last, revenue = [], [], []
    for k in range(count):
        x, when, seen = 0, 0.0, 0.0
        while True:
            when += chance.exponential(1 / rate[k])
            if when > age[k]:
                break
            x, seen = x + 1, when
            if chance.random() < leave[k]:
                break
        repeats.append(float(x))
        last.append(seen)
        orders = chance.gamma(SPEND["p"], 1 / taste[k], x + 1)
        revenue.append(float(orders.sum()))
    return Histories(repeats, last, age.tolist(), revenue)


@pytest.fixture(scope="module")
def many() -> Histories:
    return buyers(4000, 11)


def test_parameters_of_simulated_buyers_come_back(many: Histories) -> None:
    """Within a fifth (b, the hardest to tell: two fifths) for 4,000 customers."""
    fit = fit_bg_nbd(many)
    assert isinstance(fit, Fit)
    for name, bound in (("r", 0.2), ("alpha", 0.2), ("a", 0.3), ("b", 0.4)):
        assert fit.parameters[name] == pytest.approx(getattr(TRUE, name), rel=bound), name
    assert fit.customers == 4000
    assert fit.slope < 1e-4
    assert fit.curvature > 0
    spend = fit_gamma_gamma(many)
    assert isinstance(spend, Fit)
    for name, value in SPEND.items():
        assert spend.parameters[name] == pytest.approx(value, rel=0.25), name
    mean = spend.parameters["p"] * spend.parameters["gamma"] / (spend.parameters["q"] - 1)
    assert mean == pytest.approx(6.0 * 60.0 / 3.0, rel=0.05)


def test_the_same_buyers_give_the_same_digits(many: Histories) -> None:
    assert fit_bg_nbd(many) == fit_bg_nbd(many)


def _mix(what, x: float, t_x: float, t: float) -> float:
    """The integral over every rate and chance to leave, straight from the assumptions."""
    r, alpha, a, b = TRUE
    beta = math.gamma(a) * math.gamma(b) / math.gamma(a + b)

    def over_rate(leave: float) -> float:
        def inner(rate: float) -> float:
            density = alpha**r * rate ** (r - 1) * math.exp(-alpha * rate) / math.gamma(r)
            return density * what(rate, leave)

        return quad(inner, 0, np.inf, limit=200, epsabs=0)[0]

    def outer(leave: float) -> float:
        return leave ** (a - 1) * (1 - leave) ** (b - 1) / beta * over_rate(leave)

    return quad(outer, 0, 1, limit=200, epsabs=0)[0]


def _alive_part(rate: float, leave: float, x: float, t: float) -> float:
    return (1 - leave) ** x * rate**x * math.exp(-rate * t)


def _gone_part(rate: float, leave: float, x: float, t_x: float) -> float:
    if x == 0:
        return 0.0
    return leave * (1 - leave) ** (x - 1) * rate**x * math.exp(-rate * t_x)


CUSTOMERS = [(0.0, 0.0, 30.0), (1.0, 3.0, 30.0), (2.0, 28.0, 38.86), (7.0, 20.0, 60.0)]


@pytest.mark.parametrize(("x", "t_x", "t"), CUSTOMERS)
def test_the_equation_is_what_numerical_integration_gives(x: float, t_x: float, t: float) -> None:

    def likelihood(rate: float, leave: float) -> float:
        return _alive_part(rate, leave, x, t) + _gone_part(rate, leave, x, t_x)

    assert math.exp(log_likelihood(x, t_x, t)) == pytest.approx(
        _mix(likelihood, x, t_x, t), rel=1e-5
    )


def log_likelihood(x: float, t_x: float, t: float, model: BgNbd = TRUE) -> float:
    """Equation (6) written down once more, with gamma functions of the standard library."""
    r, alpha, a, b = model
    lg = math.lgamma
    stay = lg(b + x) + lg(a) - lg(a + b + x) - (r + x) * math.log(alpha + t)
    total = math.exp(stay)
    if x > 0:
        gone = lg(a + 1) + lg(b + x - 1) - lg(a + b + x) - (r + x) * math.log(alpha + t_x)
        total += math.exp(gone)
    front = lg(a + b) - lg(a) - lg(b) + lg(r + x) - lg(r) + r * math.log(alpha)
    return front + math.log(total)


def test_the_fit_reports_the_likelihood_of_the_equation(many: Histories) -> None:
    fit = fit_bg_nbd(many)
    assert isinstance(fit, Fit)
    found = BgNbd(*(fit.parameters[name] for name in ("r", "alpha", "a", "b")))
    rows = zip(many.repeats, many.last, many.age, strict=True)
    assert fit.log_likelihood == pytest.approx(sum(log_likelihood(*row, found) for row in rows))


@pytest.mark.parametrize(("x", "t_x", "t"), CUSTOMERS)
def test_the_chance_of_being_active_is_that_of_numerical_integration(
    x: float, t_x: float, t: float
) -> None:
    alive = _mix(lambda rate, leave: _alive_part(rate, leave, x, t), x, t_x, t)
    gone = _mix(lambda rate, leave: _gone_part(rate, leave, x, t_x), x, t_x, t)
    assert p_alive(History(x, t_x, t), TRUE) == pytest.approx(alive / (alive + gone), rel=1e-5)


@pytest.mark.parametrize(("x", "t_x", "t"), CUSTOMERS)
@pytest.mark.parametrize("ahead", [4.0, 52.0])
def test_expected_orders_are_those_of_numerical_integration(
    x: float, t_x: float, t: float, ahead: float
) -> None:
    """A customer with rate λ who is active orders (1 - e^(-λpt)) / p times more: equation (5)."""

    def more(rate: float, leave: float) -> float:
        return (1 - math.exp(-rate * leave * ahead)) / leave

    expected = _mix(
        lambda rate, leave: _alive_part(rate, leave, x, t) * more(rate, leave), x, t_x, t
    )
    whole = _mix(
        lambda rate, leave: _alive_part(rate, leave, x, t) + _gone_part(rate, leave, x, t_x),
        x,
        t_x,
        t,
    )
    found = expected_orders(History(x, t_x, t), ahead, TRUE)
    assert found == pytest.approx(expected / whole, rel=1e-4)


@pytest.mark.parametrize("a", [1 - 1e-9, 1.0, 1 + 1e-9])
def test_the_singular_point_has_the_value_of_its_neighbours(a: float) -> None:
    history = History(3, 20, 40)
    there = expected_orders(history, 52, TRUE._replace(a=a))
    near = [expected_orders(history, 52, TRUE._replace(a=1 + shift)) for shift in (-1e-4, 1e-4)]
    assert near[0] is not None
    assert near[1] is not None
    assert there == pytest.approx((near[0] + near[1]) / 2, rel=1e-5)


@pytest.mark.parametrize("history", [(-1, 0, 5), (1, 6, 5), (0, 2, 5), (1, -1, 5)])
def test_an_impossible_history_is_unknown(history: tuple[float, float, float]) -> None:
    assert p_alive(History(*history), TRUE) is None
    assert expected_orders(History(*history), 52, TRUE) is None


def test_just_after_an_order_more_of_them_promise_more() -> None:
    found = [expected_orders(History(x, 50, 50), 52, TRUE) for x in (1, 2, 5, 20, 200)]
    assert found == sorted(found, key=lambda value: value or 0)


# ── refusals ───────────────────────────────────────────────────────────────────────────────────


def same(count: int, repeats: float, last: float, age: float, revenue: float) -> Histories:
    return Histories([repeats] * count, [last] * count, [age] * count, [revenue] * count)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (buyers(30, 1), "30 buyers"),
        (same(500, 0, 0, 40, 100), "0 of them with repeat orders"),
        (same(500, 4, 30, 40, 100), ""),
    ],
)
def test_a_degenerate_population_is_refused(data: Histories, word: str) -> None:
    found = fit_bg_nbd(data)
    assert isinstance(found, Refused)
    assert word in found.why.en
    assert found.why.zh


def test_nobody_who_ever_leaves_tells_no_chance_to_leave() -> None:
    chance = np.random.default_rng(5)
    repeats = chance.poisson(8, 400).astype(float) + 1
    age = np.full(400, 50.0)
    found = fit_bg_nbd(Histories(repeats.tolist(), age.tolist(), age.tolist(), [1.0] * 400))
    assert isinstance(found, Refused)


def test_orders_all_of_one_worth_are_refused(many: Histories) -> None:
    flat = [100.0 * (x + 1) for x in many.repeats]
    assert isinstance(fit_gamma_gamma(replace(many, revenue=flat)), Refused)


def test_refunds_that_leave_nothing_are_left_out(many: Histories) -> None:
    revenue = [-5.0 if place % 4 == 0 else value for place, value in enumerate(many.revenue)]
    found = fit_gamma_gamma(replace(many, revenue=revenue))
    assert isinstance(found, Fit)
    assert found.customers == 3000


def test_nothing_but_a_fit_imports_scipy() -> None:
    script = "import sys, crmsync.project.planning; print('scipy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
