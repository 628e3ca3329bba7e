"""The tier policy: lines, gates, clocks and what missing data may not do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.unit.evaluate.build import (
    TODAY,
    after,
    judged,
    plain_card,
    plain_rules,
    scored,
    state,
)

from crmsync.evaluate import Engine, EvaluationContext
from crmsync.model.decision import Because
from crmsync.model.state import Clocks
from crmsync.model.tier import DownChange, Patience, UpChange

LONG_AGO = date(2020, 1, 1)
AT_ONCE = DownChange(Patience(days=0))


def on(day: date, **changes: object) -> EvaluationContext:
    return EvaluationContext(day, **changes)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def live(engine, before, days, facts_of, *, written=True):
    """Evaluate day by day; the standing is confirmed only when *written*."""
    decisions = []
    for number in days:
        decision = judged(engine, before, on(day(number)), **facts_of(number))
        decisions.append(decision)
        confirmed = after(decision)
        before = confirmed if written else replace(confirmed, standing=before.standing)
    return decisions


# ── up ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_assignment_uses_enter_lines_and_no_gate():
    down, up = DownChange(Patience(days=30), hold=90), UpChange(hold=90, max_step=1)

    decision = judged(Engine(plain_rules(down=down, up=up)), state(), **scored(79))

    assert (decision.tier.after, decision.tier.because, decision.first) == (
        "key",
        "enter line",
        True,
    )
    assert decision.standing.tier_since == decision.standing.tier_first == TODAY


def test_a_promotion_may_take_any_number_of_steps_at_once():
    decision = judged(Engine(plain_rules()), state(tier="basic", tier_since=day(-1)), **scored(90))

    assert (decision.tier.after, decision.tier.because) == ("vip", Because.ENTER_LINE)
    assert decision.tier.since == TODAY
    assert not decision.first


def test_a_promotion_waits_for_its_hold():
    engine = Engine(plain_rules(up=UpChange(hold=10)))
    before = state(tier="basic", tier_since=day(-4))

    waiting = judged(engine, before, **scored(90))
    done = judged(engine, before, on(day(6)), **scored(90))

    assert (waiting.tier.after, waiting.tier.because) == ("basic", Because.HOLD)
    assert waiting.tier.due_on == day(6)
    assert done.tier.after == "vip"


def test_a_promotion_takes_at_most_its_steps_a_day():
    engine = Engine(plain_rules(up=UpChange(max_step=1)))

    decisions = live(engine, state(tier="basic"), range(4), lambda _: scored(90))

    assert [d.tier.after for d in decisions] == ["standard", "key", "vip", "vip"]
    assert [d.tier.because for d in decisions] == ["step", "step", "enter line", "enter line"]


# ── keeping and falling ────────────────────────────────────────────────────────────────────────


def test_between_keep_and_enter_the_tier_stays_by_its_keep_line():
    decision = judged(Engine(plain_rules()), state(tier="vip"), **scored(72))

    assert (decision.tier.after, decision.tier.because) == ("vip", Because.KEEP_LINE)


def test_a_fall_stops_at_the_first_level_whose_keep_line_is_met():
    engine = Engine(plain_rules(down=AT_ONCE))

    assert judged(engine, state(tier="vip"), **scored(54)).tier.after == "key"
    assert judged(engine, state(tier="vip"), **scored("53.9")).tier.after == "standard"
    assert judged(engine, state(tier="vip"), **scored(0)).tier.after == "basic"


def test_a_fall_waits_until_the_score_was_low_for_all_the_days():
    engine = Engine(plain_rules(down=DownChange(Patience(days=30))))

    decisions = live(
        engine, state(tier="vip", tier_since=LONG_AGO), range(31), lambda _: scored(50)
    )

    assert {d.tier.after for d in decisions[:30]} == {"vip"}
    assert {d.tier.because for d in decisions[:30]} == {Because.PATIENCE}
    assert {d.tier.due_on for d in decisions[:30]} == {day(30)}
    assert (decisions[30].tier.after, decisions[30].tier.because) == ("standard", Because.KEEP_LINE)


def test_one_day_above_the_line_starts_the_wait_anew():
    engine = Engine(plain_rules(down=DownChange(Patience(days=5))))

    decisions = live(
        engine,
        state(tier="vip", tier_since=LONG_AGO),
        range(9),
        lambda number: scored(75 if number == 3 else 50),
    )

    assert [d.tier.after for d in decisions] == ["vip"] * 9
    assert decisions[-1].tier.due_on == day(9)


def test_patience_may_count_evaluations_and_a_day_counts_once():
    engine = Engine(plain_rules(down=DownChange(Patience(evaluations=2))))
    opening = state(tier="vip", tier_since=LONG_AGO)

    first = judged(engine, opening, **scored(50))
    again = judged(engine, after(first), **scored(50))
    second = judged(engine, after(first), on(day(1)), **scored(50))

    assert first.clocks.below_keep_evaluations == again.clocks.below_keep_evaluations == 1
    assert again.tier.after == "vip"
    assert second.tier.after == "standard"


def test_hold_and_grace_keep_a_tier_and_the_last_gate_is_named():
    down = DownChange(Patience(days=10), hold=40, grace=60)
    engine = Engine(plain_rules(down=down))
    new = state(tier="vip", tier_since=TODAY, tier_first=TODAY)
    known = state(tier="vip", tier_since=TODAY, tier_first=LONG_AGO)

    in_grace = judged(engine, new, **scored(50)).tier
    in_hold = judged(engine, known, **scored(50)).tier

    assert (in_grace.because, in_grace.due_on) == (Because.GRACE, day(60))
    assert (in_hold.because, in_hold.due_on) == (Because.HOLD, day(40))


def test_a_fall_at_review_waits_for_the_release():
    engine = Engine(plain_rules(down=replace(AT_ONCE, at_review=True)))
    before = state(tier="vip", tier_since=LONG_AGO)

    waiting = judged(engine, before, **scored(50)).tier
    released = judged(engine, before, on(TODAY, released=True), **scored(50)).tier

    assert (waiting.after, waiting.because) == ("vip", Because.REVIEW)
    assert released.after == "standard"


def test_a_fall_takes_its_steps_and_waits_again_after_each():
    engine = Engine(plain_rules(down=DownChange(Patience(days=3), max_step=1)))

    decisions = live(engine, state(tier="vip", tier_since=LONG_AGO), range(8), lambda _: scored(10))

    assert [d.tier.after for d in decisions] == [*["vip"] * 3, *["key"] * 3, *["standard"] * 2]
    assert decisions[3].tier.because == Because.STEP


def test_a_fall_that_could_not_be_written_does_not_wait_again():
    engine = Engine(plain_rules(down=DownChange(Patience(days=3))))
    before = state(tier="vip", tier_since=LONG_AGO)

    decisions = live(engine, before, range(6), lambda _: scored(50), written=False)

    assert [d.tier.after for d in decisions] == [*["vip"] * 3, *["standard"] * 3]


# ── ranges, missing and stale data ─────────────────────────────────────────────────────────────


def test_a_score_range_within_one_tier_moves_it():
    decision = judged(Engine(plain_rules()), state(tier="basic"), **scored(85, relation=None))

    assert (decision.score.low, decision.score.high) == (Decimal(85), Decimal(105))
    assert decision.tier.after == "vip"


@pytest.mark.parametrize("points", [70, 40, 58])
def test_a_score_range_across_tiers_changes_nothing(points):
    before = state(tier="key", tier_since=LONG_AGO)

    decision = judged(Engine(plain_rules(down=AT_ONCE)), before, **scored(points, relation=None))

    spans = points != 58
    assert decision.tier.after == "key"
    assert (decision.tier.because == Because.SCORE_RANGE) is spans
    assert bool(decision.withheld) is spans


def test_a_customer_never_tiered_whose_range_spans_levels_gets_no_tier():
    decision = judged(Engine(plain_rules()), state(), **scored(50, relation=None))

    assert decision.tier.after is None
    assert decision.tier.because == Because.NO_TIER
    assert not decision.first
    assert decision.withheld


def test_an_undecided_score_neither_starts_nor_stops_the_wait():
    engine = Engine(plain_rules(down=DownChange(Patience(days=3))))

    decisions = live(
        engine,
        state(tier="key", tier_since=LONG_AGO),
        range(4),
        lambda number: scored(50, relation=None if number in {1, 2} else 0.0),
    )

    assert [d.clocks.below_keep_since for d in decisions] == [day(0)] * 4
    assert decisions[2].clocks.below_keep_evaluations == 1
    assert decisions[3].tier.after == "standard"


def test_a_fall_by_a_fact_gone_missing_is_withheld_until_it_is_back():
    engine = Engine(plain_rules(plain_card("given", 0), down=AT_ONCE))

    decisions = live(
        engine,
        state(tier="key", tier_since=LONG_AGO),
        range(5),
        lambda number: scored(50, relation=10.0 if number == 0 else 3.0 if number == 4 else None),
    )

    assert [d.tier.after for d in decisions] == ["key", "key", "key", "key", "standard"]
    assert {d.tier.because for d in decisions[1:4]} == {Because.FACT_LOST}
    assert all(d.withheld for d in decisions[1:4])
    assert decisions[3].clocks.below_keep_since is None


def test_a_fact_that_was_never_known_may_score_its_fixed_points():
    engine = Engine(plain_rules(plain_card("given", 0), down=AT_ONCE))

    decision = judged(engine, state(tier="key", tier_since=LONG_AGO), **scored(50, relation=None))

    assert decision.tier.after == "standard"


def test_a_reweighted_score_lifts_but_does_not_demote():
    engine = Engine(plain_rules(plain_card("skip"), down=AT_ONCE))

    lifted = judged(engine, state(tier="basic"), **scored(70, relation=None))
    kept = judged(engine, state(tier="vip", tier_since=LONG_AGO), **scored(40, relation=None))

    assert lifted.score.total == Decimal("84.0")
    assert sum(line.low for line in lifted.score.criteria) == Decimal("84.0")
    assert lifted.tier.after == "vip"
    assert (kept.tier.after, kept.tier.because) == ("vip", Because.FACT_LOST)


def test_a_stale_source_holds_falls_and_lets_rises_go():
    engine = Engine(plain_rules(down=AT_ONCE))
    context = on(TODAY, stale=frozenset({"revenue_12m"}))

    held = judged(engine, state(tier="vip", tier_since=LONG_AGO), context, **scored(50))
    lifted = judged(engine, state(tier="basic", tier_since=LONG_AGO), context, **scored(90))

    assert (held.tier.after, held.tier.because) == ("vip", Because.STALE_SOURCE)
    assert held.unfresh
    assert lifted.tier.after == "vip"


# ── once a day ─────────────────────────────────────────────────────────────────────────────────


def test_the_same_day_evaluated_again_from_its_opening_gives_the_same_decision():
    engine = Engine(plain_rules(down=replace(AT_ONCE, max_step=1), up=UpChange(max_step=1)))
    opening = state(
        Clocks(evaluated=day(-1), below_keep_since=day(-9), below_keep_evaluations=9),
        tier="vip",
        tier_since=LONG_AGO,
    )

    first = judged(engine, opening, **scored(10))

    assert judged(engine, opening, **scored(10)) == first
    assert first.tier.after == "key"


def test_a_level_that_is_no_longer_in_the_rules_is_assigned_anew():
    decision = judged(Engine(plain_rules()), state(tier="gold", tier_since=LONG_AGO), **scored(65))

    assert (decision.tier.before, decision.tier.after) == ("gold", "key")
    assert not decision.first


def test_adopting_places_customers_without_any_gate():
    engine = Engine(plain_rules(down=DownChange(Patience(days=30), hold=90, max_step=1)))

    decision = judged(
        engine, state(tier="vip", tier_since=TODAY), on(TODAY, placing=True), **scored(0)
    )

    assert decision.tier.after == "basic"


def test_a_lost_fact_does_not_hold_a_fall_it_could_not_prevent():
    engine = Engine(plain_rules(plain_card("given", 0), down=AT_ONCE))
    before = state(tier="vip", tier_since=LONG_AGO, known=frozenset({"relation", "revenue_12m"}))

    fallen = judged(engine, before, **scored(20, relation=None))

    assert fallen.tier.after == "standard"  # 20 points, and 40 if the lost fact were at its best
