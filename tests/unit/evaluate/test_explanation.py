"""Explanations add up, and what they promise comes true when it is fed back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.evaluate.build import (
    TODAY,
    after,
    judged,
    plain_rules,
    row,
    ruleset,
    scored,
    state,
    with_tier,
)

from crmsync.evaluate import Engine, EvaluationContext, explain
from crmsync.model.decision import Verdict
from crmsync.model.tier import DownChange, Patience

LONG_AGO = date(2020, 1, 1)
ENGINE = Engine(ruleset())
QUIET = {
    "last_order_on": TODAY - timedelta(days=107),
    "orders_12m": 7,
    "revenue_12m": Decimal(1_472_000),
    "margin_12m": 0.344,
}


def explained(engine, before, **facts):
    return explain(engine, row(engine, **facts), before, EvaluationContext(TODAY))


def test_the_points_of_the_score_sheet_add_up():
    decision = explained(ENGINE, state(tier="vip", tier_since=LONG_AGO), **QUIET).decision

    assert [line.low for line in decision.score.criteria] == [
        Decimal(points) for points in ("4.0", "15.0", "24.0", "13.9", "15.0")
    ]
    assert decision.score.total == Decimal("71.9")
    assert [line.hit for line in decision.score.criteria] == [
        *("≤ 180", "≥ 6", "≥ 100万", "25% … 40%", "高")
    ]


def test_conditions_are_ticked_crossed_or_unknown():
    before = state(tier="vip", tier_since=LONG_AGO, lifecycle="loyal", lifecycle_since=LONG_AGO)

    seen = explained(ENGINE, before, **QUIET, overdue_days=1.5)

    assert {name: t.verdict for name, t in seen.exceptions} == {
        "blacklist": Verdict.FALSE,
        "overdue": Verdict.UNKNOWN,
        "strategic": Verdict.FALSE,
    }
    moves = dict(seen.moves)
    assert moves["quiet"].verdict is Verdict.TRUE
    assert [part.text for part in moves["quiet"].parts] == [
        "days_since_order > 90",
        "gap_ratio > 2",
    ]
    assert moves["quiet"].values["days_since_order"] == 107.0
    assert set(moves) == {"quiet", "cooler"}
    assert (seen.enter_line, seen.keep_line) == (Decimal(80), Decimal(72))


def test_what_secures_a_tier_that_is_about_to_fall():
    seen = explained(ENGINE, state(tier="vip", tier_since=LONG_AGO), **QUIET)

    order = next(item for item in seen.what_if if item.fact == "last_order_on")

    assert order.tier == "vip"
    assert order.value == TODAY - timedelta(days=90)
    assert order.text.zh == "最近下单日期为 2026-08-24（现为 2026-08-07），得分 77.9，保住VIP客户"


def test_what_lifts_a_tier_is_the_smallest_change():
    seen = explained(
        Engine(plain_rules()), state(tier="standard", tier_since=LONG_AGO), **scored(50)
    )

    lift = next(item for item in seen.what_if if item.tier == "key" and item.fact == "revenue_12m")

    assert lift.value == Decimal(60)


def test_time_alone_is_given_its_day():
    rules = plain_rules(down=DownChange(Patience(days=30)))

    seen = explained(Engine(rules), state(tier="vip", tier_since=LONG_AGO), **scored(50))

    fall = next(item for item in seen.what_if if item.fact is None)
    assert (fall.tier, fall.on) == ("standard", TODAY + timedelta(days=30))


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.sampled_from([None, "vip", "key", "standard", "basic"]),
    st.sampled_from([30, 0]),
    st.fixed_dictionaries(
        {
            "last_order_on": st.integers(0, 400).map(lambda days: TODAY - timedelta(days=days)),
            "orders_12m": st.integers(0, 15),
            "revenue_12m": st.integers(0, 6_000_000).map(Decimal),
            "margin_12m": st.one_of(st.none(), st.floats(0, 0.5)),
            "potential": st.sampled_from([None, "高", "中", "低"]),
        }
    ),
)
def test_what_is_promised_comes_true_when_fed_back(tier, wait, facts):
    engine = Engine(with_tier(down=DownChange(Patience(days=wait), max_step=1)))
    before = state(tier=tier, tier_since=LONG_AGO if tier else None)

    for promise in explained(engine, before, **facts).what_if:
        changed = facts if promise.fact is None else {**facts, promise.fact: promise.value}
        assert reached(engine, before, changed, promise.on) == promise.tier


def reached(engine, before, facts, day):
    """The tier on *day* when every day until then is evaluated and written."""
    decision = judged(engine, before, **facts)
    today = TODAY
    while day is not None and today < day:
        today += timedelta(days=1)
        decision = judged(engine, after(decision), EvaluationContext(today), **facts)
    return decision.tier.after


def test_a_ruleset_without_tiers_is_explained_too():
    engine = Engine(replace(ruleset(), tier=None, tasks=()))

    seen = explained(engine, state(lifecycle="loyal", lifecycle_since=LONG_AGO), **QUIET)

    assert (seen.what_if, seen.enter_line, seen.decision.tier) == ((), None, None)
    assert seen.decision.lifecycle.waiting == {"at_risk": TODAY + timedelta(days=7)}
