"""Notice of a demotion that waits: whom, when, to which tier, and what would stop it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.evaluate.build import REF, TODAY, after, judged, plain_rules, scored, state

from crmsync.evaluate import Engine, EvaluationContext
from crmsync.model.decision import Because
from crmsync.model.override import Override, OverrideKind
from crmsync.model.tier import DownChange, Patience

LONG_AGO = date(2020, 1, 1)
WAITS = DownChange(Patience(days=30), notice=15)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def notice_on(down, number=0, before=None, context=None, **facts):
    """The notice on a day, of a VIP who came below the line ``number`` days before it."""
    engine = Engine(plain_rules(down=down))
    first = judged(engine, before or state(tier="vip", tier_since=LONG_AGO), **scored(50))
    opening = after(first) if number else before or state(tier="vip", tier_since=LONG_AGO)
    where = replace(context or EvaluationContext(TODAY), as_of=day(number))
    return judged(engine, opening, where, **{**scored(50), **facts}).tier.notice


def test_a_notice_is_given_once_the_fall_is_near_enough_and_not_on_the_day_itself():
    given_on = [n for n in range(31) if notice_on(WAITS, n) is not None]

    assert given_on == list(range(15, 30))


def test_a_notice_says_the_tier_the_day_and_the_points_missing_to_the_keep_line():
    notice = notice_on(WAITS, 20)

    assert (notice.tier, notice.due_on, notice.missing) == ("standard", day(30), Decimal(22))
    assert notice.text.zh == "将于 2026-12-22 降为普通客户；再得 22 分可保住VIP客户（保级线 72）"
    assert notice.text.en == (
        "falls to Standard on 2026-12-22; 22 more points keep VIP (keep line 72)"
    )


def test_the_missing_points_do_keep_the_tier():
    missing = notice_on(WAITS, 20).missing

    assert notice_on(WAITS, 20, **scored(50 + missing)) is None


def test_without_a_notice_period_there_is_none():
    assert notice_on(replace(WAITS, notice=0), 29) is None


def test_a_fall_in_steps_names_the_next_step():
    assert notice_on(replace(WAITS, max_step=1), 20).tier == "key"


@pytest.mark.parametrize(
    ("down", "because"),
    [
        (DownChange(Patience(days=0), hold=10, notice=15), Because.HOLD),
        (DownChange(Patience(days=0), grace=10, notice=15), Because.GRACE),
        (DownChange(Patience(evaluations=11), notice=15), Because.PATIENCE),
    ],
)
def test_every_gate_that_waits_is_announced(down, because):
    engine = Engine(plain_rules(down=down))

    tier = judged(engine, state(tier="vip", tier_since=TODAY, tier_first=TODAY), **scored(50)).tier

    assert tier.because == because
    assert tier.notice.due_on == tier.due_on == day(10)


def test_after_a_step_the_next_one_is_announced_from_the_tier_reached():
    engine = Engine(plain_rules(down=DownChange(Patience(days=0), max_step=1, notice=15)))

    tier = judged(engine, state(tier="vip", tier_since=LONG_AGO), **scored(10)).tier

    assert (tier.after, tier.because) == ("key", Because.STEP)
    assert (tier.notice.tier, tier.notice.due_on) == ("standard", day(1))
    assert tier.notice.missing == 44


def test_a_fall_that_waits_for_a_review_says_so():
    down = replace(WAITS, demote_after=Patience(days=20), at_review=True)

    before, ready = notice_on(down, 10), notice_on(down, 25)

    assert before.text.en.startswith(
        "falls to Standard once a review is released, not before 2026-12-12;"
    )
    assert before.text.zh.startswith("最早 2026-12-12、经复核放行后降为普通客户；")
    assert ready.text.en.startswith("falls to Standard once the review is released;")
    assert ready.due_on == day(25)


def test_from_the_fall_below_the_line_to_the_released_review():
    """Day by day through the policy: announced with what is missing, waited for, released."""
    engine = Engine(
        plain_rules(down=replace(WAITS, demote_after=Patience(days=20), at_review=True))
    )
    now, seen = state(tier="vip", tier_since=LONG_AGO), []
    for number in range(24):
        context = EvaluationContext(day(number), released=number == 23)
        decision = judged(engine, now, context, **scored(50))
        tier = decision.tier
        seen.append((tier.after, tier.because, tier.notice and tier.notice.missing))
        now = after(decision)

    assert seen[0] == ("vip", Because.PATIENCE, None)
    assert seen[5] == ("vip", Because.PATIENCE, 22)
    assert seen[20] == seen[22] == ("vip", Because.REVIEW, 22)
    assert seen[23] == ("standard", Because.KEEP_LINE, None)
    assert now.standing.tier_since == day(23)


# ── what gives no notice ───────────────────────────────────────────────────────────────────────


def test_missing_data_gives_no_notice():
    assert notice_on(WAITS, 20, relation=None, revenue_12m=Decimal(60)) is None


def test_a_promotion_on_hold_gives_no_notice():
    assert notice_on(WAITS, 20, **scored(90)) is None


def override(kind, level, until=None):
    return EvaluationContext(
        TODAY, overrides={REF: (Override(REF, kind, level, "p", "r", LONG_AGO, until),)}
    )


def test_an_override_that_would_prevent_the_fall_gives_no_notice():
    floor = override(OverrideKind.FLOOR, "vip")

    assert notice_on(WAITS, 20, context=floor) is None


def test_an_override_that_would_soften_the_fall_names_the_tier_it_leads_to():
    floor = override(OverrideKind.FLOOR, "key")

    assert notice_on(WAITS, 20, context=floor).tier == "key"


def test_an_override_that_ends_before_the_day_prevents_nothing():
    floor = override(OverrideKind.FLOOR, "vip", day(29))

    assert notice_on(WAITS, 20, context=floor).tier == "standard"


def test_an_exception_that_lifts_the_tier_gives_no_notice():
    assert notice_on(WAITS, 20, strategic=True).tier == "key"
    assert notice_on(WAITS, 20, blacklisted=True) is None


@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    down=st.builds(
        DownChange,
        st.one_of(
            st.builds(Patience, days=st.integers(0, 6)),
            st.builds(Patience, evaluations=st.integers(1, 4)),
        ),
        hold=st.integers(0, 8),
        grace=st.integers(0, 8),
        max_step=st.sampled_from([None, 1, 2]),
        notice=st.integers(1, 12),
    ),
    points=st.integers(0, 71),
    strategic=st.booleans(),
)
def test_what_is_announced_happens_on_that_day_to_that_tier(down, points, strategic):
    engine = Engine(plain_rules(down=down))
    before, announced = state(tier="vip", tier_since=TODAY, tier_first=TODAY), None
    for number in range(30):
        decision = judged(
            engine, before, EvaluationContext(day(number)), **scored(points), strategic=strategic
        )
        fell = decision.tier.after != decision.tier.before
        if announced is not None:
            assert fell == (announced.due_on == day(number))
            assert not fell or decision.tier.after == announced.tier
        announced, before = decision.tier.notice, after(decision)
