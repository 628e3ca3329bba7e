"""Tasks from a table: each row is a task rule; keys beside the table hold for every row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.unit.rules.table_writing import codes, with_tasks

from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.decision import TaskOpening
from crmsync.model.fact import FactValue
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, CustomerState, Standing

CALL = """\
  - id: call
    title: "{name}：{days} 天 | {name}: {days} days"
    event: enters quiet
    once_per: customer, lifecycle spell
    close_when: lifecycle is not quiet
    due: 5 workdays
    table: tables/t.csv
"""
TABLE = """\
等级,成交额,负责人,期限,优先级
贵宾,-,role:客服主管,1 workday,高
重要,>= 50万,account owner,2 workdays,normal
"重要, 普通",-,queue:客户成功组,,低
"""


def opened(ruleset: Ruleset, tier: str, revenue: int | None) -> list[TaskOpening]:
    engine, today, ref = Engine(ruleset), date(2026, 3, 16), RecordRef("Accounts", "1")
    facts: dict[str, FactValue] = {
        "last_order_on": date(2025, 11, 1),
        "orders_12m": 1 if tier == "basic" else 12,
        "revenue": revenue,
        "potential": "低" if tier == "basic" else "高",
        "judged": 40.0 if tier == "vip" else 0.0,
    }
    (matched,) = match_compiled([row_from_facts(engine, ref, facts, today)], engine, today)
    since = date(2026, 3, 16)
    move = ruleset.lifecycle.moves[1].id if ruleset.lifecycle is not None else ""
    state = CustomerState(
        ref,
        Standing(tier, since, since, "active", date(2026, 1, 1)),
        Clocks(evaluated=date(2026, 3, 15), pending={move: date(2026, 3, 1)}),
    )
    decision = decide(engine, matched, state, EvaluationContext(as_of=today))
    return [task for task in decision.opens if task.task_id not in {"ask", "visit"}]


def test_rows_give_owner_due_and_priority(tmp_path: Path) -> None:
    ruleset, found = with_tasks(tmp_path, CALL, TABLE)
    assert found == []
    assert ruleset is not None
    rows = [task for task in ruleset.tasks if task.id == "call"]
    assert [task.owner for task in rows] == [
        ("role:客服主管",),
        ("account owner",),
        ("queue:客户成功组",),
    ]
    assert [task.due.days for task in rows] == [1, 2, 5]
    assert [task.priority.value for task in rows] == ["high", "normal", "low"]
    assert [task.span.short for task in rows] == ["t.csv:2:A2", "t.csv:3:A3", "t.csv:4:A4"]


@pytest.mark.parametrize(
    ("tier", "revenue", "row"),
    [("vip", 0, "A2"), ("key", 500_000, "A3"), ("key", 499_999, "A4"), ("basic", 900_000, "A4")],
)
def test_the_first_row_that_fits_makes_the_task(
    tmp_path: Path, tier: str, revenue: int, row: str
) -> None:
    ruleset, _ = with_tasks(tmp_path, CALL, TABLE)
    assert ruleset is not None
    assert [task.span.cell for task in opened(ruleset, tier, revenue)] == [row]


def test_no_task_where_an_earlier_row_is_not_decided(tmp_path: Path) -> None:
    table = "潜力,负责人\n高,account owner\n-,queue:q\n"
    ruleset, _ = with_tasks(tmp_path, CALL.replace("    due", "    when: days > 1\n    due"), table)
    assert ruleset is not None
    assert len(opened(ruleset, "vip", 1)) == 1


def test_rows_that_may_all_fire_are_tasks_of_their_own(tmp_path: Path) -> None:
    shared = "  - event: enters quiet\n    owner: account owner\n    hit: collect\n"
    table = """\
id,等级,成交额,标题,期限
call,"vip, key",-,打电话 {name} | Call {name},2 workdays
offer,-,> 10万,送优惠 {name} | Offer {name},10 days
"""
    ruleset, found = with_tasks(tmp_path, shared + "    table: tables/t.csv\n", table)
    assert found == []
    assert ruleset is not None
    assert [t.task_id for t in opened(ruleset, "vip", 900_000)] == ["call", "offer"]
    assert [t.task_id for t in opened(ruleset, "basic", 900_000)] == ["offer"]
    assert opened(ruleset, "basic", 0) == []


def test_without_ids_several_rows_may_not_fire(tmp_path: Path) -> None:
    ruleset, found = with_tasks(tmp_path, CALL + "    hit: rule order\n", TABLE)
    assert ruleset is None
    assert codes(found) == [("TABLE008", "tables/t.csv:1:A1")]


def test_an_open_task_is_closed_once(tmp_path: Path) -> None:
    ruleset, _ = with_tasks(tmp_path, CALL, TABLE)
    assert ruleset is not None
    engine, today, ref = Engine(ruleset), date(2026, 3, 16), RecordRef("Accounts", "1")
    facts: dict[str, FactValue] = {"last_order_on": today, "orders_12m": 2}
    (matched,) = match_compiled([row_from_facts(engine, ref, facts, today)], engine, today)
    since = date(2026, 3, 1)
    state = CustomerState(ref, Standing("vip", since, since, "quiet", since), Clocks())
    from crmsync.evaluate import past_episode

    episode = past_episode(engine, state, "call", since)
    context = EvaluationContext(as_of=today, open_episodes={ref: (episode,)})
    assert [c.task_id for c in decide(engine, matched, state, context).closes] == ["call"]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("等级,负责人\nvip,nobody\n", ("RULE016", "tables/t.csv:2:B2")),
        ("等级,负责人,期限\nvip,judge,3\n", ("RULE057", "tables/t.csv:2:C2")),
        ("等级,负责人,优先级\nvip,judge,huge\n", ("RULE004", "tables/t.csv:2:C2")),
        ("等级\nvip\n", ("RULE002", "rules.yaml:72:5")),
        ("等级,负责人\nvip,judge\nvip,account owner\n", ("TABLE013", "tables/t.csv:3:A3")),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, table: str, found: tuple[str, str]) -> None:
    ruleset, findings = with_tasks(tmp_path, CALL, table)
    assert ruleset is None
    assert found in codes(findings)


def test_the_row_of_the_highest_priority_counts_wherever_it_stands(tmp_path: Path) -> None:
    table = "等级,负责人,优先级\n-,judge,低\nvip,account owner,高\n"
    ruleset, found = with_tasks(tmp_path, CALL + "    hit: priority\n", table)
    assert found == []
    assert ruleset is not None
    assert [task.span.cell for task in opened(ruleset, "vip", 0)] == ["A3"]
    assert [task.span.cell for task in opened(ruleset, "basic", 0)] == ["A2"]


def test_a_row_behind_rows_for_every_option_never_makes_a_task(tmp_path: Path) -> None:
    table = '潜力,负责人\n"高, 中, 低",account owner\n-,judge\n'
    ruleset, found = with_tasks(tmp_path, CALL, table)
    assert ruleset is None
    assert codes(found) == [("TABLE012", "tables/t.csv:3:A3")]


def test_rows_of_several_events_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    shared = CALL.replace("    event: enters quiet\n", "").replace("  - id: call\n", "  -\n", 1)
    shared = shared.replace("  -\n    title", "  - title").replace("lifecycle spell", "tier change")
    shared = shared.replace("    close_when: lifecycle is not quiet\n", "")
    table = "id,等级,事件,负责人\ncall,vip,enters quiet,judge\nup,vip,rises to vip,account owner\n"
    ruleset, found = with_tasks(tmp_path, shared, table)
    assert found == []
    assert ruleset is not None
    assert [t.task_id for t in opened(ruleset, "vip", 0)] == ["call"]
