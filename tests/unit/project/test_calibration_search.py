"""The search of calibrate against exhaustive ones, on worlds small enough to try everything."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import product

import pytest

from crmsync.project.calibration import (
    Bounds,
    Sample,
    Setting,
    agreement,
    best_setting,
    held_out,
    rank_of,
    scaled,
)

D = Decimal
NOW = Setting((D(70), D(40)), (D(60), D(40)))


def world(seed: int, *, true: Setting, count: int = 40) -> list[Sample]:
    """Customers whose right tier is what *true* gives them."""
    chance = random.Random(seed)
    samples = []
    for _ in range(count):
        points = tuple(D(chance.randrange(0, int(most) + 1)) for most in NOW.maxima)
        pairs = zip(points, NOW.maxima, true.maxima, strict=True)
        total = sum((scaled(*pair) for pair in pairs), D(0))
        samples.append(Sample(points, rank_of(total, true.lines)))
    return samples


@pytest.mark.parametrize("seed", range(5))
def test_lines_are_the_best_there_are(seed: int) -> None:
    samples = world(seed, true=Setting((D(64), D(45)), NOW.maxima))
    chance = random.Random(seed)
    noisy = [
        Sample(item.points, chance.randrange(3)) if chance.random() < 0.2 else item
        for item in samples
    ]
    bounds = Bounds(8, D(0), (True, True))
    found = best_setting(noisy, NOW, bounds)
    tried = (
        Setting((D(70 + a), D(40 + b)), NOW.maxima) for a, b in product(range(-8, 9), repeat=2)
    )
    assert agreement(noisy, found, NOW) == max(agreement(noisy, item, NOW) for item in tried)
    assert all(abs(a - b) <= 8 for a, b in zip(found.lines, NOW.lines, strict=True))
    assert found == best_setting(noisy, NOW, bounds)


def test_nothing_changes_where_everybody_agrees() -> None:
    samples = world(1, true=NOW)
    assert best_setting(samples, NOW, Bounds(15, D("0.5"), (True, True))) == NOW


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_moved_within_their_bounds_and_only_where_free(seed: int) -> None:
    true = Setting((D(70), D(40)), (D(45), D(55)))
    samples = world(seed, true=true, count=80)
    found = best_setting(samples, NOW, Bounds(5, D("0.5"), (True, True)))
    assert agreement(samples, found, NOW) > agreement(
        samples, best_setting(samples, NOW, Bounds(5, D(0), (True, True))), NOW
    )
    assert sum(found.maxima) == sum(NOW.maxima)
    assert found.maxima[0] < NOW.maxima[0]
    assert abs(found.maxima[1] - 40) <= 20
    assert best_setting(samples, NOW, Bounds(5, D("0.5"), (True, False))).maxima == NOW.maxima


def test_held_out_customers_do_not_vouch_for_themselves() -> None:
    """Labels without rhyme can be followed by lines, but not foreseen."""
    chance = random.Random(4)
    noise = [Sample(item.points, chance.randrange(3)) for item in world(2, true=NOW)]
    bounds = Bounds(15, D("0.5"), (True, True))
    held, parts = held_out(noise, NOW, bounds)
    assert parts == 5
    assert held < agreement(noise, best_setting(noise, NOW, bounds), NOW)
    assert held_out(noise[:15], NOW, bounds)[1] == 15
