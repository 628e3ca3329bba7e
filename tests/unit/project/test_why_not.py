"""Why not: the reasons against a tier, a stage or a task are the ones that decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.unit.evaluate.build import TABLED, ruleset
from tests.unit.rules.writing import RULESETS

from crmsync.cli.language import say
from crmsync.cli.why_view import explanation
from crmsync.errors import UsageError
from crmsync.evaluate import Engine, EvaluationContext, explain, row_from_facts
from crmsync.model.fact import FactValue
from crmsync.model.record import RecordRef
from crmsync.model.state import CustomerState, Standing
from crmsync.project.explaining import Explained
from crmsync.project.why_not import why_not
from crmsync.rules import load

TODAY = date(2026, 11, 22)
LONG_AGO = date(2020, 1, 1)
REF = RecordRef("Accounts", "1")
FACTS: dict[str, FactValue] = {
    "last_order_on": TODAY - timedelta(days=70),
    "orders_total": 9,
    "orders_12m": 4,
    "revenue_12m": Decimal(400_000),
    "margin_12m": 0.25,
    "potential": "中",
    "overdue_days": 0,
    "usual_gap": 40.0,
}


def explained(**more: FactValue) -> Explained:
    rules, _ = load(RULESETS / "b2b-standard")
    assert rules is not None
    engine = Engine(rules)
    row = row_from_facts(engine, REF, {**FACTS, **more}, TODAY)
    standing = Standing("standard", LONG_AGO, LONG_AGO, "repeat", LONG_AGO)
    state = CustomerState(REF, standing, known_facts=frozenset(row.facts))
    return Explained(explain(engine, row, state, EvaluationContext(TODAY)), rules, {}, ())


def english(name: str, **more: FactValue) -> str:
    return "\n".join(text.en for text in why_not(explained(**more), name))


def test_a_tier_is_out_of_reach_by_points_and_the_greatest_losses_are_named() -> None:
    said = english("key")

    assert "56 points < enter line 60: 4 short" in said
    assert "Monetary gives only 16 of 30" in said
    assert "becomes Key" in said


def test_a_cap_is_named_though_the_points_are_enough() -> None:
    said = english(
        "vip",
        last_order_on=TODAY,
        orders_12m=20,
        revenue_12m=Decimal(9_000_000),
        potential="高",
        overdue_days=90,
    )

    assert "More than 60 days overdue" in said


def test_a_label_in_either_language_names_the_tier() -> None:
    assert english("重要客户") == english("Key") == english("key")


def test_a_stage_waits_for_the_conditions_that_do_not_hold() -> None:
    assert english("loyal").splitlines() == [
        "✗ Orders, 12 months 4 ≥ 6",
        "✗ Days since last order 70 ≤ 60",
    ]


def test_a_stage_no_move_leads_to_says_from_where_it_is_reached() -> None:
    assert english("churned") == "no move leads from Repeat to Churned; it is reached from: At risk"


def test_what_is_so_already_is_said() -> None:
    assert english("standard") == "it is Standard already"
    assert english("repeat") == "it is in Repeat already"


def test_a_task_whose_event_did_not_happen() -> None:
    assert "event does not happen" in english("welcome-vip")


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as told:
        english("platinum")
    assert told.value.mend is not None
    assert "win-back-call" in told.value.mend.en


def test_rows_of_a_table_say_what_each_of_them_lacks() -> None:
    rules = replace(ruleset(tier=TABLED), scorecards=())
    engine = Engine(rules)
    row = row_from_facts(engine, REF, {**FACTS, "orders_12m": 4}, TODAY)
    state = CustomerState(REF, Standing("standard", LONG_AGO, LONG_AGO))
    found = Explained(explain(engine, row, state, EvaluationContext(TODAY)), rules, {}, ())

    said = [text.en for text in why_not(found, "key")]

    assert said[0] == "row 5 of t.csv (orders_12m ≥ 3): Standard"
    assert said[1] == "t.csv:4:A4 row 4 (orders_12m ≥ 6): ✗ Orders 12m 4 ≥ 6"
    assert any("row 3" in line and "✗ Revenue" in line and "✗ Potential" in line for line in said)


def test_the_page_shows_the_row_that_counts_and_counts_those_above() -> None:
    rules = replace(ruleset(tier=TABLED), scorecards=(), lifecycle=None, tasks=())
    engine = Engine(rules)
    row = row_from_facts(engine, REF, {**FACTS, "orders_12m": 4}, TODAY)
    shown = explain(engine, row, CustomerState(REF), EvaluationContext(TODAY))
    lines = list(explanation(Explained(shown, rules, {}, ()), full=False))

    at = lines.index(f"  {say('等级表', 'table of tiers')} t.csv")
    assert lines[at + 1] == say("    ✗ 第 2、3、4 行", "    ✗ rows 2, 3, 4")
    assert lines[at + 2] == say(
        "    ✓ 第 5 行 → 普通客户  (t.csv:5:A5)", "    ✓ row 5 → Standard  (t.csv:5:A5)"
    )
    assert lines[at + 3].startswith("      ✓ Orders 12m 4 ≥ 3")
