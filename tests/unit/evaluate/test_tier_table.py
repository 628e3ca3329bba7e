"""The tier policy on a table: rows for lines, and missing data that never demotes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.unit.evaluate.build import (
    TABLED,
    TODAY,
    after,
    exceptions,
    judged,
    plain_card,
    row,
    ruleset,
    scored,
    state,
    tabled,
)

from crmsync.evaluate import Engine, EvaluationContext, explain
from crmsync.model.decision import Because, Decision, Verdict
from crmsync.model.fact import FactValue
from crmsync.model.state import CustomerState
from crmsync.model.tier import DownChange, Patience, TierRules, UpChange

LONG_AGO = TODAY - timedelta(days=400)
NOW = DownChange(Patience(days=0))


def engine(tier: TierRules = TABLED, **changes: object) -> Engine:
    plain = {"scorecards": (), "lifecycle": None, "tasks": (), **changes}
    return Engine(ruleset(tier=tier, **plain))


ENGINE = engine()
QUICK = engine(replace(TABLED, down=NOW))


def standing(tier: str | None) -> CustomerState:
    known = frozenset(ENGINE.facts)
    if tier is None:
        return state(known=known)
    return state(known=known, tier=tier, tier_since=LONG_AGO, tier_first=LONG_AGO)


def decided(rules: Engine, was: str | None, **facts: FactValue) -> Decision:
    decision = judged(rules, standing(was), **facts)
    assert decision.tier is not None
    return decision


def told(rules: Engine, was: str | None, **facts: FactValue) -> tuple[str | None, str, int | None]:
    tier = decided(rules, was, **facts).tier
    assert tier is not None
    return tier.after, tier.because, tier.row


SMALL: dict[str, FactValue] = {"revenue_12m": Decimal(9), "orders_12m": 0}


@pytest.mark.parametrize(
    ("facts", "tier", "row"),
    [
        ({}, "vip", 2),
        ({"margin_12m": 0.1}, "key", 3),
        ({"revenue_12m": Decimal(9)}, "key", 4),
        ({"revenue_12m": Decimal(9), "orders_12m": 4}, "standard", 5),
        (SMALL, "basic", 6),
    ],
)
def test_the_first_row_that_fits_gives_the_tier(
    facts: dict[str, FactValue], tier: str, row: int
) -> None:
    assert told(ENGINE, None, **facts) == (tier, Because.ENTER_LINE, row)


def test_the_reason_names_the_row_its_place_and_its_cells() -> None:
    tier = decided(ENGINE, None, revenue_12m=Decimal(9)).tier
    assert tier is not None
    assert tier.text.en == "row 4 of t.csv (orders_12m ≥ 6): Key"
    assert tier.text.zh == "t.csv 第 4 行（orders_12m ≥ 6）：重要客户"
    assert tier.span.short == "t.csv:4:A4"


def test_a_row_keeps_the_better_tier_it_names_and_no_other() -> None:
    assert told(QUICK, "vip", margin_12m=0.1) == ("vip", Because.KEEP_LINE, 3)
    assert told(QUICK, "key", revenue_12m=Decimal(9), orders_12m=4)[0] == "key"
    assert told(QUICK, "vip", revenue_12m=Decimal(9), orders_12m=4)[0] == "key"
    kept = decided(QUICK, "vip", margin_12m=0.1).tier
    assert kept is not None
    assert kept.text.en.endswith(": Key, and VIP may be kept")


def test_rises_are_quick_and_falls_wait_with_a_reason_and_a_day() -> None:
    assert told(ENGINE, "basic")[:2] == ("vip", Because.ENTER_LINE)
    first = decided(ENGINE, "vip", **SMALL)
    assert first.tier is not None
    assert (first.tier.after, first.tier.because) == ("vip", Because.PATIENCE)
    assert first.tier.due_on == TODAY + timedelta(days=30)
    assert first.tier.text.en.startswith("row 6 of t.csv (all others) does not keep VIP")
    later = replace(EvaluationContext(TODAY), as_of=TODAY + timedelta(days=30))
    fallen = judged(ENGINE, after(first), later, **SMALL)
    assert fallen.tier is not None
    assert (fallen.tier.after, fallen.tier.because) == ("key", Because.STEP)


def test_hold_grace_and_review_gate_a_fall_by_the_table() -> None:
    gates = (
        (replace(NOW, hold=500), Because.HOLD),
        (replace(NOW, grace=500), Because.GRACE),
        (replace(NOW, at_review=True), Because.REVIEW),
    )
    for down, because in gates:
        rules = engine(replace(TABLED, down=down))
        assert told(rules, "vip", **SMALL)[:2] == ("vip", because)
    held = engine(replace(TABLED, up=UpChange(hold=500)))
    assert told(held, "basic")[:2] == ("basic", Because.HOLD)
    stepped = engine(replace(TABLED, up=UpChange(max_step=1)))
    assert told(stepped, "basic")[:2] == ("standard", Because.STEP)


def test_a_notice_says_a_row_is_missing_where_there_is_no_amount() -> None:
    rules = engine(replace(TABLED, down=replace(TABLED.down, notice=30)))
    tier = decided(rules, "vip", **SMALL).tier
    assert tier is not None
    assert tier.notice is not None
    assert tier.notice.missing is None
    assert tier.notice.text.en.endswith("a row of t.csv that gives or keeps VIP saves it")


def test_exceptions_stand_above_the_table() -> None:
    rules = engine(replace(TABLED, exceptions=exceptions()))
    assert told(rules, "vip", overdue_days=61)[:2] == ("standard", "overdue")
    assert told(rules, "basic", strategic=True, **SMALL)[:2] == ("key", "strategic")


# ── missing data ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("was", ["vip", "key", "standard", "basic"])
def test_an_unknown_cell_never_demotes(was: str) -> None:
    for lost in ("margin_12m", "potential"):
        for facts in ({}, SMALL, {"orders_12m": 4}):
            decision = decided(QUICK, was, **{**facts, lost: None})
            known = decided(QUICK, was, **facts)
            assert decision.tier is not None
            assert known.tier is not None
            ranks = ["vip", "key", "standard", "basic"]
            worse = ranks.index(decision.tier.after or "") > ranks.index(was)
            assert not worse or decision.tier.after == known.tier.after


def test_rows_that_cannot_be_told_apart_leave_the_tier_and_are_listed() -> None:
    decision = decided(QUICK, "standard", margin_12m=None)
    assert decision.tier is not None
    assert (decision.tier.after, decision.tier.because) == ("standard", Because.FACT_LOST)
    assert decision.tier.text.en.startswith("rows 2, 3 of t.csv may be the one that fits")
    assert decision.withheld == (decision.tier.text,)
    (unknown,) = [item for item in decision.unknown if item.place == "tier"]
    assert unknown.facts == ("margin_12m",)
    assert decided(QUICK, None, margin_12m=None).standing.tier is None


def test_rows_that_agree_decide_although_one_is_unknown() -> None:
    rules = engine(tabled(("margin_12m ≥ 20%", "key"), ("orders_12m ≥ 6", "key"), ("", "basic")))
    decision = decided(rules, None, margin_12m=None)
    assert decision.standing.tier == "key"
    assert not decision.unknown


def test_a_row_for_missing_values_does_not_demote_who_had_the_value() -> None:
    rules = replace(
        tabled(("margin_12m is missing", "basic"), ("margin_12m ≥ 20%", "vip"), ("", "basic")),
        down=NOW,
    )
    assert told(engine(rules), "vip", margin_12m=None)[:2] == ("vip", Because.FACT_LOST)
    never = state(tier="vip", tier_since=LONG_AGO, tier_first=LONG_AGO)
    fallen = judged(engine(rules), never, margin_12m=None).tier
    assert fallen is not None
    assert fallen.after == "basic"


def test_who_would_fall_whatever_the_lost_value_is_falls() -> None:
    rules = replace(
        tabled(
            ("margin_12m ≥ 20%; potential is 高", "vip"),
            ("margin_12m is missing", "basic"),
            ("", "basic"),
        ),
        down=NOW,
    )
    assert told(engine(rules), "vip", margin_12m=None, potential="低")[0] == "basic"
    assert told(engine(rules), "vip", margin_12m=None, potential="高")[0] == "vip"


def test_nobody_moves_where_no_row_fits_and_it_is_listed() -> None:
    rules = engine(tabled(("orders_12m ≥ 6", "vip"), ("orders_12m ≥ 3", "key")))
    for was in ("key", None):
        decision = decided(rules, was, **SMALL)
        assert decision.standing.tier == was
        assert decision.tier is not None
        because = Because.NO_TIER if was is None else Because.UNPLACED
        assert decision.tier.because == because
        assert decision.unplaced is not None
        assert decision.unplaced.en == "no row of t.csv fits, so the tier stays"
        assert not decision.withheld


# ── the score in a table ───────────────────────────────────────────────────────────────────────

BY_SCORE = tabled(("score ≥ 80; potential is 高", "vip"), ("score ≥ 60", "key"), ("", "basic"))


def test_a_table_may_combine_the_score_with_facts() -> None:
    rules = engine(BY_SCORE, scorecards=(plain_card(),))
    assert told(rules, None, **scored(85))[0] == "vip"
    assert told(rules, None, potential="低", **scored(85))[0] == "key"


def test_a_score_that_is_lower_only_for_a_lost_fact_does_not_demote() -> None:
    low = plain_card("given", 0)
    rules = engine(replace(BY_SCORE, down=NOW), scorecards=(low,))
    assert told(rules, "vip", **scored(65, None))[:2] == ("vip", Because.FACT_LOST)
    assert told(rules, "vip", **scored(65, 0.0))[0] == "key"
    skipping = engine(replace(BY_SCORE, down=NOW), scorecards=(plain_card("skip"),))
    never = state(tier="vip", tier_since=LONG_AGO, tier_first=LONG_AGO)
    stays = judged(skipping, never, **scored(30, None)).tier
    assert stays is not None
    assert stays.after == "vip"


# ── explanations ───────────────────────────────────────────────────────────────────────────────


def test_every_row_is_traced_in_the_order_of_decision() -> None:
    shown = explain(
        ENGINE, row(ENGINE, margin_12m=0.1), standing("basic"), EvaluationContext(TODAY)
    )
    verdicts = [(number, trace.verdict) for number, trace in shown.rows]
    assert verdicts[:2] == [(2, Verdict.FALSE), (3, Verdict.TRUE)]
    assert shown.rows[0][1].span.short == "t.csv:2:A2"


def test_what_it_would_take_is_true_when_fed_back() -> None:
    facts: dict[str, FactValue] = {"revenue_12m": Decimal(9), "orders_12m": 2}
    shown = explain(ENGINE, row(ENGINE, **facts), standing("basic"), EvaluationContext(TODAY))
    up = [item for item in shown.what_if if item.fact == "orders_12m" and item.on is None]
    assert [(item.value, item.tier) for item in up] == [(3, "standard")]
    assert told(ENGINE, "basic", **{**facts, "orders_12m": 3})[0] == "standard"
