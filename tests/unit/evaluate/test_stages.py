"""The lifecycle policy: chains, waits, and what unknown conditions may not do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.unit.evaluate.build import TODAY, after, judged, ruleset, state, when

from crmsync.evaluate import Engine, EvaluationContext
from crmsync.model.state import Clocks

ENGINE = Engine(replace(ruleset(), tier=None, tasks=(), scorecards=()))
ENGINE_WITH_TIERS = Engine(ruleset())
LONG_AGO = date(2026, 1, 1)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def quiet_for(days: int, today: date = TODAY):
    return {"last_order_on": today - timedelta(days=days)}


def test_a_new_customer_walks_from_the_start_as_far_as_moves_fit():
    decision = judged(ENGINE, state())

    assert decision.lifecycle.before is None
    assert [move.to for move in decision.lifecycle.moves] == ["first", "repeat", "loyal"]
    assert decision.lifecycle.after == "loyal"
    assert (decision.standing.lifecycle_since, decision.first) == (TODAY, True)


def test_no_stage_is_visited_twice_in_one_evaluation():
    before = state(lifecycle="at_risk", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, before, **quiet_for(1), usual_gap=0.1)

    assert [move.to for move in decision.lifecycle.moves] == ["repeat", "loyal"]
    assert decision.lifecycle.after == "loyal"


def test_a_move_that_must_last_is_made_when_it_has():
    before = state(lifecycle="loyal", lifecycle_since=LONG_AGO)
    seen = []
    for number in range(9):
        decision = judged(
            ENGINE, before, EvaluationContext(day(number)), last_order_on=day(-91), usual_gap=None
        )
        seen.append(decision.lifecycle.after)
        before = after(decision)

    assert seen == [*["loyal"] * 7, "at_risk", "at_risk"]


def test_a_waiting_move_shows_its_day_and_keeps_its_clock_when_not_written():
    opening = state(lifecycle="loyal", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, opening, **quiet_for(100))
    later = state(decision.clocks, lifecycle="loyal", lifecycle_since=LONG_AGO)

    assert decision.lifecycle.waiting == {"at_risk": day(7)}
    assert decision.clocks.pending == {"quiet": TODAY}
    for number in (7, 8, 9):  # never confirmed: due on each of these days
        again = judged(ENGINE, later, EvaluationContext(day(number)), last_order_on=day(-100))
        assert again.lifecycle.after == "at_risk"
        assert again.clocks.pending == {"quiet": TODAY}
        later = replace(later, clocks=again.clocks)


def test_a_condition_that_no_longer_holds_forgets_its_clock():
    before = state(Clocks(pending={"quiet": day(-5)}), lifecycle="loyal", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, before, **quiet_for(10))

    assert decision.clocks.pending == {}
    assert decision.lifecycle.waiting == {}


def test_an_unknown_condition_keeps_its_clock_and_is_listed():
    before = state(Clocks(pending={"quiet": day(-5)}), lifecycle="loyal", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, before, EvaluationContext(day(5)), last_order_on=None)

    assert decision.lifecycle.after == "loyal"
    assert decision.clocks.pending == {"quiet": day(-5)}
    places = {item.place: item.facts for item in decision.unknown}
    assert places["move quiet"] == ("days_since_order", "gap_ratio", "last_order_on")


def test_a_clock_goes_on_through_a_change_of_stage_the_move_also_leaves_from():
    before = state(Clocks(pending={"quiet": day(-3)}), lifecycle="first", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, before, **quiet_for(95))

    assert decision.lifecycle.after == "repeat"
    assert decision.clocks.pending == {"quiet": day(-3)}


def test_a_condition_may_compare_with_the_day_the_stage_began():
    ordered_since = state(lifecycle="at_risk", lifecycle_since=day(-100))
    not_since = state(lifecycle="at_risk", lifecycle_since=day(-80))

    assert judged(ENGINE, ordered_since, **quiet_for(95)).lifecycle.after == "repeat"
    assert judged(ENGINE, not_since, **quiet_for(95)).lifecycle.after == "at_risk"


def test_the_stage_keeps_its_first_day_until_it_changes():
    before = state(lifecycle="loyal", lifecycle_since=LONG_AGO)

    assert judged(ENGINE, before).standing.lifecycle_since == LONG_AGO


def test_moves_that_hang_on_a_stale_source_are_withheld():
    before = state(lifecycle="at_risk", lifecycle_since=LONG_AGO)
    context = EvaluationContext(TODAY, stale=frozenset({"last_order_on"}))

    decision = judged(ENGINE, before, context, last_order_on=day(-200))

    assert decision.lifecycle.after == "at_risk"
    assert decision.unfresh[0].en == "not moved to churned while a source is stale (last_order_on)"


def test_adopting_places_customers_without_waiting():
    context = EvaluationContext(TODAY, placing=True)

    assert judged(ENGINE, state(), context, **quiet_for(100)).lifecycle.after == "at_risk"


def test_the_reason_names_the_values_that_decided():
    decision = judged(
        ENGINE, state(lifecycle="first", lifecycle_since=LONG_AGO), orders_total=2, orders_12m=2
    )

    assert decision.reason.en == "repeat: Orders 2 ≥ 2"


def test_only_the_true_parts_of_an_any_are_named():
    before = state(Clocks(pending={"quiet": day(-7)}), lifecycle="loyal", lifecycle_since=LONG_AGO)

    decision = judged(ENGINE, before, **quiet_for(95), usual_gap=90.0)

    assert decision.lifecycle.moves[0].text.zh == "距上次下单天数 95 > 90"


def test_state_values_are_named_by_their_labels():

    words = ENGINE_WITH_TIERS.wording
    values = {"tier": "vip", "last_order_on": day(-10)}

    assert words.because_of(when("tier is vip"), values, TODAY).en == "Tier VIP = VIP"
    seen = words.because_of(when("last_order_on within 12 months"), values, TODAY)
    assert seen.en == "Last order on within 12 months (2026-11-12)"
