"""Points: tables, straight lines, sums, what is missing; and they always add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.evaluate.build import (
    TODAY,
    criterion,
    judged,
    of,
    plain_card,
    plain_rules,
    scale,
    scored,
    state,
    table,
    tasks,
    when,
)

from crmsync.evaluate import Engine
from crmsync.evaluate.scoring import tenths
from crmsync.model.scorecard import AsGiven, Combined, Combining, Scorecard, ScorePart


def sheet(*criteria, **facts):
    engine = Engine(plain_rules(Scorecard("card", criteria)))
    return judged(engine, state(), **facts).score


def line(rule, **facts):
    return sheet(rule, **facts).criteria[0]


def test_the_first_line_that_fits_gives_the_points():
    rule = criterion("c", 20, table("orders_12m", {"≥ 12": 20, "≥ 6": 15, "otherwise": 1}))

    assert [line(rule, orders_12m=n).low for n in (12, 11, 6, 5)] == [20, 15, 15, 1]
    assert line(rule, orders_12m=7).hit == "≥ 6"


def test_no_line_fitting_gives_nothing_and_counts_in_the_range():
    rule = criterion("c", 20, table("potential", {"高": 20, "中": 8}))

    assert line(rule, potential="低").low == 0
    missing = line(rule, potential=None)
    assert (missing.low, missing.high, missing.missing) == (0, 20, True)


def test_a_line_may_speak_of_a_missing_value():
    rule = criterion("c", 20, table("potential", {"is missing": 3, "高": 20}))

    assert (line(rule, potential=None).low, line(rule, potential=None).missing) == (3, False)


@pytest.mark.parametrize(
    ("margin", "points", "hit"),
    [
        (-1.0, "0.0", "≤ 0%"),
        (0.0, "0.0", "≤ 0%"),
        (0.05, "2.5", "0% … 10%"),
        (0.344, "13.9", "25% … 40%"),
        (0.255, "12.1", "25% … 40%"),
        (0.2525, "12.1", "25% … 40%"),
        (0.4, "15.0", "≥ 40%"),
        (9.0, "15.0", "≥ 40%"),
    ],
)
def test_between_the_anchors_of_a_scale_points_follow_a_straight_line(margin, points, hit):
    anchors = {"0": 0, "0.1": 5, "0.25": 12, "0.4": 15}

    found = line(criterion("c", 15, scale("margin_12m", anchors)), margin_12m=margin)

    assert (found.low, found.hit) == (Decimal(points), hit)


def test_points_as_given_never_pass_the_maximum():
    rule = criterion("c", 15, AsGiven(of("relation")), "ask")

    assert line(rule, relation=14.25).low == Decimal("14.3")
    assert line(rule, relation=19.0).low == 15
    assert (line(rule, relation=21.0).low, line(rule, relation=21.0).high) == (0, 15)


def test_the_parts_of_a_sum_are_rounded_together():
    money = scale("revenue_12m", {"0": 0, "3": 1})
    orders = scale("orders_12m", {"0": 0, "3": 1})
    rule = criterion(
        "c", 2, Combined((ScorePart(Decimal(1), money), ScorePart(Decimal(1), orders)))
    )

    found = line(rule, revenue_12m=Decimal(1), orders_12m=1)

    assert found.low == Decimal("0.7")
    assert found.hit == "0.33 + 0.33"


def test_a_missing_part_of_a_sum_leaves_the_known_part_in_the_range():
    money = scale("revenue_12m", {"0": 0, "3": 1})
    margin = scale("margin_12m", {"0": 0, "1": 5})
    rule = criterion(
        "c", 6, Combined((ScorePart(Decimal(1), money), ScorePart(Decimal(5), margin)))
    )

    found = line(rule, revenue_12m=Decimal(3), margin_12m=None)

    assert (found.low, found.high) == (1, 6)


def test_halves_are_rounded_up():
    assert tenths(Decimal("12.35")) == Decimal("12.4")
    assert tenths(Decimal("12.349")) == Decimal("12.3")


def test_the_first_scorecard_that_applies_is_used_and_an_undecided_one_stops_it():
    big = Scorecard(
        "big", (criterion("a", 10, table("potential", {"高": 9})),), when("margin_12m > 10%")
    )
    rest = Scorecard("rest", (criterion("b", 10, table("potential", {"高": 1})),))
    engine = Engine(replace(plain_rules(), scorecards=(big, rest)))

    assert judged(engine, state(), margin_12m=0.2).score.total == 9
    assert judged(engine, state(), margin_12m=0.1).score.total == 1
    undecided = judged(engine, state(tier="key"), margin_12m=None)
    assert (undecided.score, undecided.tier.after) == (None, "key")
    assert [item.place for item in undecided.unknown] == ["scorecard big"]


def test_two_scorecards_stand_side_by_side_and_who_fits_none_is_listed():
    known = replace(plain_card(), id="known", when=when("orders_total ≥ 1"))
    hoped = Scorecard(
        "hoped",
        (criterion("hope", 100, table("potential", {"高": 90, "otherwise": 10})),),
        when("orders_total is 0"),
    )
    engine = Engine(replace(plain_rules(), scorecards=(known, hoped)))

    old = judged(engine, state(), orders_total=3, **scored(62))
    new = judged(engine, state(), orders_total=0, potential="高")
    assert [line.id for line in old.score.criteria] == ["money", "person"]
    assert [line.id for line in new.score.criteria] == ["hope"]
    assert (old.standing.tier, new.standing.tier) == ("key", "vip")

    none = judged(engine, state(tier="key"), orders_total=-1)
    assert (none.score, none.standing.tier) == (None, "key")
    assert none.unplaced.en == "no scorecard applies, so the tier stays"
    assert not (none.withheld)
    assert not (none.unknown)
    assert not (old.unplaced)


@pytest.mark.parametrize(
    ("policy", "given", "ends", "asked", "tier"),
    [
        ("hold", None, (70, 90), (), "vip"),
        ("ask", None, (70, 90), ("person",), "vip"),
        ("skip", None, (84, 84), (), "vip"),
        ("given", 5, (75, 75), (), "vip"),
    ],
)
def test_the_four_ways_to_meet_a_missing_criterion(policy, given, ends, asked, tier):
    task = replace(tasks()[-1], when=None)
    engine = Engine(replace(plain_rules(plain_card(policy, given)), tasks=(task,)))
    standing = state(tier=tier, tier_since=TODAY - timedelta(days=400))

    decision = judged(engine, standing, **scored(70, None))

    assert (decision.score.low, decision.score.high) == ends
    assert decision.score.missing == ("person",)
    assert tuple(item.task_id for item in decision.opens) == (("score-it",) if asked else ())
    assert decision.standing.tier == tier  # missing data never demotes
    assert bool(decision.withheld) == (policy in {"hold", "ask"})


@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    st.tuples(*(st.sampled_from(["hold", "ask", "skip", "given"]) for _ in range(3))),
    st.fixed_dictionaries(
        {
            "revenue_12m": st.integers(0, 40).map(lambda n: Decimal(n) / 3),
            "margin_12m": st.one_of(st.none(), st.floats(0, 1)),
            "potential": st.sampled_from([None, "高", "低"]),
            "relation": st.one_of(st.none(), st.floats(0, 20)),
        }
    ),
)
def test_the_lines_of_the_sheet_always_add_up_to_the_score(policies, facts):
    first, second, third = policies
    found = sheet(
        criterion("money", 40, scale("revenue_12m", {"0": 0, "13": 40})),
        criterion("profit", 20, scale("margin_12m", {"0": 0, "1": 20}), first, 7),
        criterion("need", 15, table("potential", {"高": 15, "低": "2.5"}), second, "1.5"),
        criterion("person", 25, AsGiven(of("relation")), third, 3),
        **facts,
    )

    assert found.low == sum(item.low for item in found.criteria)
    assert found.high == sum(item.high for item in found.criteria)
    assert 0 <= found.low <= found.high <= 100
    assert sum(item.maximum for item in found.criteria) == 100
    assert all(item.low == tenths(item.low) for item in found.criteria)


def combined(how):
    money = scale("revenue_12m", {"0": 0, "10": 10})
    need = scale("relation", {"0": 0, "10": 10})
    parts = (ScorePart(Decimal(10), money), ScorePart(Decimal(10), need))
    return criterion("c", 10, Combined(parts, how))


def test_of_the_best_the_better_part_counts_and_is_shown():
    found = line(combined(Combining.BEST), revenue_12m=Decimal(3), relation=7.0)

    assert (found.low, found.high, found.value, found.hit) == (7, 7, 7, "0 … 10")


def test_of_the_best_a_part_nobody_knows_leaves_a_range_unless_the_other_is_full():
    rule = combined(Combining.BEST)

    open_ = line(rule, revenue_12m=Decimal(3), relation=None)
    assert (open_.low, open_.high, open_.missing) == (3, 10, True)
    full = line(rule, revenue_12m=Decimal(10), relation=None)
    assert (full.low, full.high, full.missing) == (10, 10, False)


def test_the_average_is_rounded_once_at_the_end():
    money = scale("revenue_12m", {"0": 0, "3": 1})
    orders = scale("orders_12m", {"0": 0, "3": 1})
    parts = (ScorePart(Decimal(1), money), ScorePart(Decimal(1), orders))
    rule = criterion("c", 1, Combined(parts, Combining.AVERAGE))

    found = line(rule, revenue_12m=Decimal(1), orders_12m=2)

    assert (found.low, found.hit) == (Decimal("0.5"), "(0.33 + 0.67) / 2")


def test_the_average_with_a_part_missing_is_a_range():
    found = line(combined(Combining.AVERAGE), revenue_12m=Decimal(4), relation=None)

    assert (found.low, found.high, found.missing) == (2, 7, True)
