"""Service from a table: by tier, by tier and stage, whatever the hit policy makes of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.unit.rules.table_writing import codes, with_service
from tests.unit.rules.writing import typed

from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, CustomerState, Standing

SAME = """\
等级,客户经理,排队,接通时间,接通率,回拨时限,回访周期
贵宾,专属,,20 s,90%,,1 month
key,shared,正常,,,24 hours,
basic,none,normal,,,,
封禁,none,last,,,,
"""
STAGES = """\
客户等级,生命周期,客户经理,排队优先级,接通秒数,接通率目标,回访时限,拜访周期
贵宾,沉默,dedicated,front,20,90%,1 hour,2 weeks
贵宾,-,dedicated,front,20,90%,2 hours,1 month
重要,-,shared,normal,20,85%,24 hours,1 quarter
普通,-,pool,normal,20,85%,,
-,-,none,last,,,,
"""


def told(ruleset: Ruleset | None) -> dict[str, dict[str, str]]:
    assert ruleset is not None
    return {
        key: {value.name: value.text.en for value in level.values}
        for key, level in ruleset.service.items()
    }


def test_a_table_of_tiers_is_the_same_ruleset_as_the_lines(tmp_path: Path) -> None:
    by_hand = typed(tmp_path)
    ruleset, found = with_service(tmp_path, SAME)
    assert found == []
    assert ruleset is not None
    assert ruleset.service == by_hand.service
    assert ruleset.digest == by_hand.digest


def test_a_stage_may_have_a_service_of_its_own(tmp_path: Path) -> None:
    ruleset, found = with_service(tmp_path, STAGES)
    assert found == []
    assert told(ruleset) == {
        "vip": {
            "manager": "dedicated",
            "queue": "front",
            "answer_within": "20 s",
            "answer_target": "90%",
            "callback_within": "2 hours",
            "visit_every": "1 month",
        },
        "vip/quiet": {
            "manager": "dedicated",
            "queue": "front",
            "answer_within": "20 s",
            "answer_target": "90%",
            "callback_within": "1 hour",
            "visit_every": "2 weeks",
        },
        "key": {
            "manager": "shared",
            "queue": "normal",
            "answer_within": "20 s",
            "answer_target": "85%",
            "callback_within": "24 hours",
            "visit_every": "1 quarter",
        },
        "basic": {
            "manager": "pool",
            "queue": "normal",
            "answer_within": "20 s",
            "answer_target": "85%",
        },
        "blocked": {"manager": "none", "queue": "last"},
    }


@pytest.mark.parametrize(
    ("stage", "service", "visits"), [("quiet", "vip/quiet", 1), ("active", "vip", 0)]
)
def test_the_decision_goes_by_tier_and_stage(
    tmp_path: Path, stage: str, service: str, visits: int
) -> None:
    ruleset, _ = with_service(tmp_path, STAGES)
    assert ruleset is not None
    engine, today, ref = Engine(ruleset), date(2026, 3, 15), RecordRef("Accounts", "1")
    facts = {
        "last_order_on": date(2026, 2, 1),
        "orders_12m": 12,
        "revenue": 900_000,
        "potential": "高",
        "judged": 40.0,
    }
    (matched,) = match_compiled([row_from_facts(engine, ref, facts, today)], engine, today)
    since = date(2026, 3, 1)
    state = CustomerState(
        ref, Standing("vip", since, since, stage, since), Clocks(evaluated=date(2026, 3, 14))
    )
    decision = decide(engine, matched, state, EvaluationContext(as_of=today))
    assert decision.service == service
    assert sum(task.task_id == "visit" for task in decision.opens) == visits


@pytest.mark.parametrize(
    ("table", "hit", "found"),
    [
        (STAGES, "unique", ("TABLE010", "tables/service.csv:3:A3")),
        (STAGES, "any", ("TABLE010", "tables/service.csv:3:A3")),
        (STAGES, "collect", ("TABLE007", "rules.yaml:")),
        (
            SAME.replace("等级,", "成交额,", 1).replace("贵宾", "1"),
            "first",
            ("RULE060", "tables/service.csv:3:A3"),
        ),
        ("成交额,客户经理\n> 5,none\n", "first", ("TABLE014", "tables/service.csv:1:A1")),
        ("等级,客户经理\n钻石,none\n", "first", ("RULE103", "tables/service.csv:2:A2")),
        ("等级,客户经理\n贵宾,butler\n", "first", ("RULE004", "tables/service.csv:2:B2")),
        ("等级,接通率\n贵宾,0.9\n", "first", ("RULE005", "tables/service.csv:2:B2")),
        ("等级,回访周期\n贵宾,3 fortnights\n", "first", ("RULE057", "tables/service.csv:2:B2")),
    ],
)
def test_tables_of_service_that_cannot_be_meant(
    tmp_path: Path, table: str, hit: str, found: tuple[str, str]
) -> None:
    ruleset, findings = with_service(tmp_path, table, hit)
    assert ruleset is None
    assert any(code == found[0] and place.startswith(found[1]) for code, place in codes(findings))


def test_priority_takes_the_best_word_of_the_first_entitlement(tmp_path: Path) -> None:
    table = """\
等级,客户经理,排队,回访周期
-,none,last,
贵宾,dedicated,front,1 month
"贵宾, 重要",shared,normal,1 quarter
"""
    ruleset, found = with_service(tmp_path, table, "priority")
    assert found == []
    assert {key: value["manager"] for key, value in told(ruleset).items()} == {
        "vip": "dedicated",
        "key": "shared",
        "basic": "none",
        "blocked": "none",
    }


def test_a_tier_without_row_is_a_tier_without_service(tmp_path: Path) -> None:
    ruleset, found = with_service(tmp_path, "等级,客户经理,回访周期\nvip,dedicated,1 month\n")
    assert found == []
    assert list(told(ruleset)) == ["vip"]


def test_a_stage_left_out_is_said(tmp_path: Path) -> None:
    table = "等级,阶段,客户经理,回访周期\nvip,活跃,dedicated,1 month\nvip,沉默,pool,\n"
    ruleset, found = with_service(tmp_path, table)
    assert codes(found) == [("TABLE011", "tables/service.csv:1:A1")]
    assert "prospect" in found[0].message.en
    assert list(told(ruleset)) == ["vip/active", "vip/quiet"]
