"""Exceptions and overrides stand on top of the computed tier, which goes on beside them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.unit.evaluate.build import REF, TODAY, after, judged, plain_rules, scored, state

from crmsync.evaluate import Engine, EvaluationContext
from crmsync.model.override import Override, OverrideKind
from crmsync.model.state import Clocks
from crmsync.model.tier import DownChange, Patience

LONG_AGO = date(2020, 1, 1)
SLOW = DownChange(Patience(days=30), hold=90, max_step=1, at_review=True)
ENGINE = Engine(plain_rules(down=SLOW))


def tomorrow(number: int = 1) -> EvaluationContext:
    return EvaluationContext(TODAY + timedelta(days=number))


@pytest.mark.parametrize(
    ("facts", "tier", "because"),
    [
        ({"blacklisted": True, "overdue_days": 90, "strategic": True}, "blocked", "blacklist"),
        ({"overdue_days": 61}, "standard", "overdue"),
        ({"overdue_days": 60}, "vip", "enter line"),
        ({"overdue_days": 61, "strategic": True}, "standard", "overdue"),
    ],
)
def test_set_wins_then_the_cap_then_the_lift(facts, tier, because):
    decision = judged(ENGINE, state(tier="vip", tier_since=LONG_AGO), **scored(90), **facts)

    assert (decision.tier.after, decision.tier.because) == (tier, because)
    assert decision.tier.computed == "vip"


def test_a_lift_works_inside_the_cap():
    before = state(tier="basic", tier_since=LONG_AGO)

    lifted = judged(ENGINE, before, **scored(5), strategic=True)
    capped = judged(ENGINE, before, **scored(5), strategic=True, overdue_days=61)

    assert (lifted.tier.after, lifted.tier.because) == ("key", "strategic")
    assert (capped.tier.after, capped.tier.because) == ("standard", "strategic")
    assert lifted.exceptions == ("strategic",)
    assert capped.exceptions == ("overdue", "strategic")


def test_when_the_last_exception_lifts_the_computed_tier_returns_at_once():
    opening = state(tier="vip", tier_since=LONG_AGO)
    capped = judged(ENGINE, opening, **scored(75), overdue_days=61)

    back = judged(ENGINE, after(capped), tomorrow(), **scored(75))
    settled = judged(ENGINE, after(back), tomorrow(2), **scored(75))

    assert capped.tier.after == "standard"
    assert (capped.clocks.beside, capped.clocks.beside_since) == ("vip", LONG_AGO)
    assert (back.tier.after, back.tier.because) == ("vip", "keep line")
    assert back.tier.since == TODAY + timedelta(days=1)
    assert settled.clocks.beside is None
    assert settled.tier.after == "vip"


def test_the_return_is_kept_in_mind_until_it_is_confirmed():
    capped = judged(ENGINE, state(tier="vip", tier_since=LONG_AGO), **scored(75), overdue_days=61)
    back = judged(ENGINE, after(capped), tomorrow(), **scored(75))
    not_written = state(back.clocks, tier="standard", tier_since=TODAY)

    again = judged(ENGINE, not_written, tomorrow(2), **scored(75))

    assert again.tier.after == "vip"


def test_a_lift_that_ends_falls_at_once_without_hold_or_review():
    opening = state(tier="basic", tier_since=LONG_AGO)
    lifted = judged(ENGINE, opening, **scored(5), strategic=True)

    fallen = judged(ENGINE, after(lifted), tomorrow(), **scored(5), strategic=False)

    assert (fallen.tier.before, fallen.tier.after) == ("key", "basic")


def test_the_computed_tier_keeps_its_own_clock_under_an_exception():
    quick = Engine(plain_rules(down=DownChange(Patience(days=3))))
    before = state(tier="vip", tier_since=LONG_AGO)
    seen = []
    for number in range(5):
        facts = scored(60) | {"blacklisted": number < 4}
        decision = judged(quick, before, tomorrow(number), **facts)
        seen.append((decision.tier.after, decision.tier.computed))
        before = after(decision)

    assert seen == [*[("blocked", "vip")] * 3, ("blocked", "key"), ("key", "key")]


def test_leaving_a_level_without_rank_enters_by_the_enter_lines():
    decision = judged(ENGINE, state(tier="blocked", tier_since=LONG_AGO), **scored(65))

    assert (decision.tier.after, decision.tier.because) == ("key", "enter line")
    assert not decision.first


def test_leaving_a_level_without_rank_with_an_undecided_score_waits():
    before = state(tier="blocked", tier_since=LONG_AGO)

    decision = judged(ENGINE, before, **scored(50, relation=None))

    assert decision.tier.after == "blocked"
    assert decision.withheld


def test_an_exception_left_unknown_changes_nothing_and_is_listed():
    facts = {**scored(90), "overdue_days": 1.5}  # does not fit an integer: unknown
    in_force = state(Clocks(exceptions=("overdue",), beside="vip"), tier="standard")

    stays = judged(ENGINE, in_force, **facts)
    never = judged(ENGINE, state(tier="vip"), **facts)

    assert (stays.tier.after, stays.exceptions) == ("standard", ("overdue",))
    assert (never.tier.after, never.exceptions) == ("vip", ())
    assert [item.place for item in never.unknown] == ["exception overdue"]
    assert never.unknown[0].facts == ("overdue_days",)


def overridden(kind: str, level: str, until: date | None = None) -> EvaluationContext:
    override = Override(REF, OverrideKind(kind), level, "ops", "contract", LONG_AGO, until)
    return EvaluationContext(TODAY, overrides={REF: (override,)})


@pytest.mark.parametrize(
    ("kind", "level", "points", "tier", "because"),
    [
        ("pin", "key", 90, "key", "override"),
        ("pin", "blocked", 90, "blocked", "override"),
        ("floor", "standard", 0, "standard", "override"),
        ("floor", "standard", 90, "vip", "enter line"),
        ("ceiling", "key", 90, "key", "override"),
        ("ceiling", "key", 40, "standard", "enter line"),
        ("pin", "no such level", 90, "vip", "enter line"),
    ],
)
def test_the_word_of_a_person_is_obeyed(kind, level, points, tier, because):
    decision = judged(ENGINE, state(), overridden(kind, level), **scored(points))

    assert (decision.tier.after, decision.tier.because) == (tier, because)


def test_an_override_stands_above_exceptions_but_a_floor_does_not_lift_out_of_no_rank():
    pinned = judged(ENGINE, state(), overridden("pin", "vip"), **scored(5), blacklisted=True)
    floored = judged(ENGINE, state(), overridden("floor", "key"), **scored(5), blacklisted=True)

    assert pinned.tier.after == "vip"
    assert floored.tier.after == "blocked"


def test_an_override_that_ran_out_no_longer_holds():
    ended = overridden("pin", "basic", until=TODAY - timedelta(days=1))

    assert judged(ENGINE, state(), ended, **scored(90)).tier.after == "vip"


def stale(*facts: str) -> EvaluationContext:
    return EvaluationContext(TODAY, stale=frozenset(facts))


def test_a_cap_that_hangs_on_a_stale_source_does_not_come():
    before = state(tier="vip", tier_since=LONG_AGO)

    held = judged(ENGINE, before, stale("overdue_days"), **scored(90), overdue_days=61)

    assert (held.tier.after, held.exceptions) == ("vip", ())
    assert [text.en for text in held.unfresh] == [
        "exception overdue waits while a source is stale (overdue_days)"
    ]


def test_a_floor_that_hangs_on_a_stale_source_does_not_go():
    before = state(Clocks(exceptions=("strategic",), beside="basic"), tier="key")

    held = judged(ENGINE, before, stale("strategic"), **scored(5), strategic=False)
    gone = judged(ENGINE, before, **scored(5), strategic=False)

    assert (held.tier.after, held.exceptions) == ("key", ("strategic",))
    assert held.unfresh[0].zh == "数据源未更新（strategic），例外“strategic”暂不解除"
    assert gone.tier.after == "basic"


def test_what_lifts_or_stays_goes_on_under_a_stale_source():
    before = state(Clocks(exceptions=("overdue",), beside="vip"), tier="standard")
    context = stale("overdue_days", "strategic")

    lifted = judged(ENGINE, before, context, **scored(90), overdue_days=3)
    floor = judged(ENGINE, state(tier="basic"), context, **scored(5), strategic=True)

    assert (lifted.tier.after, lifted.unfresh) == ("vip", ())
    assert (floor.tier.after, floor.unfresh) == ("key", ())
