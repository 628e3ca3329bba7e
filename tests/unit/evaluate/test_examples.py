"""The worked cases of the B2B example: score, tier, stage, tasks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.unit.evaluate.build import Engine, judged, ruleset, state

from crmsync.model.decision import Because
from crmsync.model.state import Clocks


def test_a_vip_just_under_the_line_stays_vip():
    decision = judged(
        Engine(ruleset()),
        state(tier="vip", tier_since=date(2026, 1, 5), lifecycle="loyal"),
        last_order_on=date(2026, 10, 30),
        revenue_12m=Decimal(1_200_000),
        margin_12m=0.2,
        potential="低",
    )

    assert decision.score.total == Decimal("75.7")
    assert (decision.tier.after, decision.tier.because) == ("vip", Because.KEEP_LINE)
    assert decision.lifecycle.after == "loyal"
    assert decision.opens == ()


def test_a_key_account_goes_quiet_and_gets_one_call():
    decision = judged(
        Engine(ruleset()),
        state(
            Clocks(pending={"quiet": date(2026, 11, 10)}, evaluated=date(2026, 11, 21)),
            tier="key",
            tier_since=date(2026, 1, 1),
            lifecycle="repeat",
        ),
        last_order_on=date(2026, 8, 1),
        orders_total=9,
        orders_12m=6,
        revenue_12m=Decimal(1_300_000),
        margin_12m=0.3,
        usual_gap=40.0,
    )

    assert decision.tier.after == "key"
    assert decision.lifecycle.after == "at_risk"
    assert [task.task_id for task in decision.opens] == ["win-back-call"]
    assert decision.opens[0].title.zh == "【流失预警】Example Ltd：已 113 天未下单"
    assert decision.opens[0].owner == ("account owner", "queue:success")
    assert decision.opens[0].due == date(2026, 11, 24)


def test_the_blacklist_beats_everything():
    decision = judged(Engine(ruleset()), state(tier="vip", lifecycle="loyal"), blacklisted=True)

    assert (decision.tier.after, decision.tier.because) == ("blocked", "blacklist")
    assert decision.tier.computed == "vip"
