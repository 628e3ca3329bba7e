"""The agenda: events, episodes, due days, owners and titles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.unit.evaluate.build import (
    REF,
    TODAY,
    judged,
    relation_card,
    ruleset,
    state,
    tasks,
    when,
    with_tier,
)

from crmsync.errors import RulesetError
from crmsync.evaluate import Engine, EvaluationContext, episode_key
from crmsync.evaluate.calendar import WorkCalendar
from crmsync.evaluate.happening import last_due
from crmsync.evaluate.titles import title
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, Episode
from crmsync.model.task import Due, LeavesStage, TaskRule
from crmsync.model.text import Text
from crmsync.model.tier import DownChange, Patience

LONG_AGO = date(2026, 1, 1)
ENGINE = Engine(with_tier(down=DownChange(Patience(days=0))))
WHOLE = {"tier": "vip", "tier_since": LONG_AGO, "lifecycle": "loyal", "lifecycle_since": LONG_AGO}
YESTERDAY = TODAY - timedelta(days=1)


def ids(decision):
    return [task.task_id for task in decision.opens]


def test_a_rise_to_the_named_level_opens_its_task_and_a_first_assignment_does_not():
    risen = judged(ENGINE, state(**{**WHOLE, "tier": "key"}))
    first = judged(ENGINE, state())

    assert ids(risen) == ["welcome-vip"]
    assert ids(first) == []


def test_a_fall_opens_its_task_with_labels_in_both_languages():
    fallen = judged(
        ENGINE, state(**WHOLE), orders_12m=6, potential="低", revenue_12m=Decimal(300_000)
    )

    assert ids(fallen) == ["demotion-review"]
    assert fallen.opens[0].title.zh == "Example Ltd 由 VIP客户 降为 重要客户"
    assert fallen.opens[0].title.en == "Example Ltd fell from VIP to Key"


def test_going_to_a_level_without_rank_is_a_fall():
    assert ids(judged(ENGINE, state(**WHOLE), blacklisted=True)) == ["demotion-review"]


def test_leaving_a_stage_is_an_event_of_that_spell():
    task = TaskRule("bye", Text.same("{stage}"), LeavesStage("loyal"), ("u9",), Due(0))
    engine = Engine(replace(ruleset(), tasks=(task,)))
    pending = Clocks(pending={"quiet": TODAY - timedelta(days=7)})

    decision = judged(engine, state(pending, **WHOLE), last_order_on=TODAY - timedelta(days=95))

    assert decision.opens[0].key == episode_key("b2b", task, REF, f"loyal@{LONG_AGO}")
    assert decision.opens[0].title == Text.same("at_risk")


# ── periods ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("since", "evaluated", "opens"),
    [
        (date(2026, 10, 22), YESTERDAY, True),
        (date(2026, 10, 21), YESTERDAY, False),
        (date(2026, 10, 21), date(2026, 11, 20), True),
        (date(2026, 1, 21), date(2026, 6, 1), True),
        (date(2026, 11, 1), date(2026, 6, 1), False),
        (TODAY, YESTERDAY, False),
    ],
)
def test_a_period_is_due_once_between_two_evaluations(since, evaluated, opens):
    before = state(Clocks(evaluated=evaluated), **{**WHOLE, "tier_since": since})

    assert ids(judged(ENGINE, before)) == (["regular-visit"] if opens else [])


def test_a_missed_span_gives_the_last_due_date_only():
    before = state(Clocks(evaluated=date(2026, 6, 1)), **{**WHOLE, "tier_since": date(2026, 1, 21)})
    visit = next(task for task in tasks() if task.id == "regular-visit")

    decision = judged(ENGINE, before)

    assert [t.key for t in decision.opens] == [episode_key("b2b", visit, REF, "2026-11-21")]


def test_month_ends_clamp_from_the_first_day_not_from_each_other():
    month = Period(months=1)

    assert last_due(date(2024, 1, 31), month, date(2024, 2, 29)) == date(2024, 2, 29)
    assert last_due(date(2024, 1, 31), month, date(2024, 3, 31)) == date(2024, 3, 31)
    assert last_due(date(2024, 2, 29), Period(months=12), date(2025, 2, 27)) is None
    assert last_due(date(2020, 1, 1), Period(days=1), date(2026, 1, 1)) == date(2026, 1, 1)


# ── episodes ───────────────────────────────────────────────────────────────────────────────────


def test_the_key_is_the_same_everywhere_and_follows_the_former_id():
    task = tasks()[0]
    renamed = replace(task, id="call-back", was="win-back-call")

    key = episode_key("b2b", task, REF, "at_risk@2026-11-22")

    assert key == "cs1-RSHCTYRB5FH4PIKATYX4"
    assert episode_key("b2b", renamed, REF, "at_risk@2026-11-22") == key
    assert episode_key("b2b", task, RecordRef("Accounts", "A2"), "at_risk@2026-11-22") != key


def test_an_open_episode_is_not_opened_again_and_closes_when_its_condition_holds():
    pending = Clocks(pending={"quiet": TODAY - timedelta(days=7)})
    quiet = {"last_order_on": TODAY - timedelta(days=95)}
    opened = judged(ENGINE, state(pending, **WHOLE), **quiet)
    episode = Episode(opened.opens[0].key, "win-back-call", REF, TODAY)
    context = EvaluationContext(TODAY, open_episodes={REF: (episode,)})

    again = judged(ENGINE, state(pending, **WHOLE), context, **quiet)
    back = judged(ENGINE, state(**WHOLE), context)

    assert ids(opened) == ["win-back-call"]
    assert (ids(again), again.closes) == ([], ())
    assert [(c.key, c.task_id) for c in back.closes] == [(episode.key, "win-back-call")]


def test_the_quarter_of_a_score_task_is_one_episode():
    card = relation_card("ask")
    engine = Engine(replace(ruleset(), scorecards=(card,)))
    keys = set()
    for day in (date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 1)):
        decision = judged(engine, state(**WHOLE), EvaluationContext(day), relation=None)
        keys |= {task.key for task in decision.opens if task.task_id == "score-it"}

    assert len(keys) == 2


def test_a_missing_score_asks_its_judge():
    engine = Engine(replace(ruleset(), scorecards=(relation_card("ask"),)))

    decision = judged(engine, state(**WHOLE), relation=None)

    (task,) = (task for task in decision.opens if task.task_id == "score-it")
    assert task.owner == ("role:sales",)
    assert task.title.zh == "请为 Example Ltd 补充评分：person"
    assert decision.score.criteria[1].missing


def test_an_undecided_when_opens_nothing_and_is_listed():
    task = replace(tasks()[2], when=when("margin_12m > 10%"))
    engine = Engine(replace(with_tier(down=DownChange(Patience(days=0))), tasks=(task,)))

    decision = judged(engine, state(**WHOLE), blacklisted=True, margin_12m=None)

    assert ids(decision) == []
    assert [(u.place, u.facts) for u in decision.unknown] == [
        ("task demotion-review", ("margin_12m",))
    ]


def test_adopting_opens_no_task():
    context = EvaluationContext(TODAY, placing=True)

    assert judged(ENGINE, state(**{**WHOLE, "tier": "key"}), context).opens == ()


# ── calendar and titles ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
    ],
)
def test_work_days_respect_holidays_and_make_up_days(start, count, due):
    assert WorkCalendar("CN").after(start, count) == due


def test_an_unknown_country_is_refused_with_a_mend():
    with pytest.raises(RulesetError) as refused:
        WorkCalendar("XX")

    assert "XX" in refused.value.message.en


def test_titles_fill_in_names_once_and_leave_the_rest_alone():
    written = Text.same("{name} {revenue_12m} {毛利率} {nobody} {0.__class__} {")
    values = {"revenue_12m": Decimal("1472000"), "margin_12m": 0.344}

    made = title(ruleset(), written, values, {"name": Text.same("{revenue_12m}")})

    assert made.zh == "{revenue_12m} 147.2万 34.4% {nobody} {0.__class__} {"
    assert made.en == "{revenue_12m} 1,472,000 34.4% {nobody} {0.__class__} {"
