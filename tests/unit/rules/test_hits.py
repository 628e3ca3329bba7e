"""Every DMN hit policy as a table of cases."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crmsync.model.table import GATHERING, LISTING, SINGLE, HitPolicy, gather
from crmsync.rules.hits import HitConflict, counting, ordered

OUTPUTS = ["low", "high", "low", "mid"]
RANKS = {"high": 0, "mid": 1, "low": 2}


def rank(row: int) -> int:
    return RANKS[OUTPUTS[row]]


def same(first: int, second: int) -> bool:
    return OUTPUTS[first] == OUTPUTS[second]


@pytest.mark.parametrize(
    ("policy", "fitting", "counted"),
    [
        ("unique", [], ()),
        ("unique", [2], (2,)),
        ("first", [1, 3], (1,)),
        ("first", [], ()),
        ("any", [0, 2], (0,)),
        ("any", [3], (3,)),
        ("priority", [0, 1, 3], (1,)),
        ("priority", [0, 2], (0,)),
        ("priority", [], ()),
        ("output order", [0, 1, 2, 3], (1, 3, 0, 2)),
        ("rule order", [0, 1, 3], (0, 1, 3)),
        ("collect", [0, 3], (0, 3)),
        ("collect sum", [0, 1], (0, 1)),
        ("collect min", [0, 1], (0, 1)),
        ("collect max", [0, 1], (0, 1)),
        ("collect count", [0, 1], (0, 1)),
    ],
)
def test_which_rows_count(policy: str, fitting: list[int], counted: tuple[int, ...]) -> None:
    assert counting(HitPolicy(policy), fitting, rank=rank, same=same) == counted


@pytest.mark.parametrize(("policy", "fitting"), [("unique", [0, 1]), ("any", [0, 1])])
def test_rows_that_may_not_both_count(policy: str, fitting: list[int]) -> None:
    with pytest.raises(HitConflict) as caught:
        counting(HitPolicy(policy), fitting, rank=rank, same=same)
    assert (caught.value.first, caught.value.second) == (0, 1)


@pytest.mark.parametrize(
    ("policy", "sure", "maybe", "ends"),
    [
        ("collect sum", [5, 3], [2], (8, 10)),
        ("collect sum", [], [], (0, 0)),
        ("collect count", [5, 3], [2], (2, 3)),
        ("collect max", [5, 3], [8], (5, 8)),
        ("collect max", [], [8], (0, 8)),
        ("collect min", [5, 3], [2], (2, 3)),
        ("collect min", [5, 3], [9], (3, 3)),
        ("collect min", [], [2, 9], (0, 9)),
        ("collect min", [], [], (0, 0)),
    ],
)
def test_numbers_that_are_gathered(
    policy: str, sure: list[int], maybe: list[int], ends: tuple[int, int]
) -> None:
    found = gather(HitPolicy(policy), [Decimal(n) for n in sure], [Decimal(n) for n in maybe])
    assert found == ends


def test_policies_are_of_three_kinds() -> None:
    assert set(HitPolicy) == SINGLE | LISTING | GATHERING
    assert len(HitPolicy) == 11
    with pytest.raises(ValueError, match="first gathers nothing"):
        gather(HitPolicy.FIRST, [])


def test_rows_decide_by_their_output_under_priority() -> None:
    assert ordered(HitPolicy.PRIORITY, 4, rank) == (1, 3, 0, 2)
    assert ordered(HitPolicy.FIRST, 4, rank) == (0, 1, 2, 3)
