"""Invented plans, runs, explanations and simulations for the pages of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from crmsync.evaluate import Engine, EvaluationContext, explain, row_from_facts
from crmsync.model.change import RemoteError
from crmsync.model.decision import Cause
from crmsync.model.fact import FactValue
from crmsync.model.merge import Keeping
from crmsync.model.plan import (
    Direction,
    FieldDelta,
    GuardResult,
    PlanCounts,
    PlanHeader,
    PlanKind,
    PlanLine,
    PlanNotice,
    RecordChange,
    Takeover,
    TaskClose,
    TaskCreate,
    Withheld,
)
from crmsync.model.record import RecordRef, Value
from crmsync.model.ruleset import Ruleset
from crmsync.model.run import (
    GONE,
    MERGED_INTO,
    ApplyReport,
    OpRecord,
    OpState,
    Run,
    RunState,
)
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.model.text import Text
from crmsync.plan.merging import DOUBLE
from crmsync.project.explaining import Explained
from crmsync.project.simulated import GuardFigure, NearLine, SimulateReport
from crmsync.rules import load

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
HOSTILE = "红\x1b[31m山\u202e石\n茶\u2028庄"
"""A name with an escape sequence, a direction override, a newline and a line separator."""
NO_WORDS = Text("", "")
LABELS = {
    "tier": Text("客户等级", "Tier"),
    "tier_since": Text("等级起始日", "Tier since"),
    "score": Text("评分", "Score"),
    "lifecycle": Text("生命周期", "Lifecycle"),
    "reason": Text("等级说明", "Reason"),
}
DIGEST = "7f3a" + "0" * 56 + "c91e"


def rules() -> Ruleset:
    found, _ = load(Path(__file__).parent / "rules", name="rules.yaml")
    assert found is not None
    return found


def ref(number: int) -> RecordRef:
    return RecordRef("Accounts", f"A{number:04}")


def delta(role: str, before: Value, after: Value, why: Text = NO_WORDS) -> FieldDelta:
    return FieldDelta(f"Crm_{role}", role, LABELS[role], before, after, why)


def change(
    number: int, name: str, direction: Direction, *fields: FieldDelta, **more: Any
) -> RecordChange:
    known: dict[str, Any] = {"owner": None, "cause": Cause.DATA, "version": "v1", "standing": None}
    return RecordChange(
        change_id=f"c{number}",
        ref=ref(number),
        name=name,
        direction=direction,
        fields=fields,
        **(known | more),
    )


def task(number: int, name: str, **more: Any) -> TaskCreate:
    known: dict[str, Any] = {
        "title": Text(f"【流失预警】{name}：已 107 天未下单", f"{name}: no order for 107 days"),
        "owner": "张敏",
        "priority": "high",
    }
    return TaskCreate(
        change_id=f"t{number}",
        key=f"k{number}",
        task_id="win-back-call",
        about=ref(number),
        name=name,
        due=date(2026, 11, 24),
        object="Tasks",
        key_field="Key",
        values={},
        **(known | more),
    )


def close(number: int, name: str, *, reopen: bool = False) -> TaskClose:
    return TaskClose(
        change_id=f"x{number}",
        key=f"k{number}",
        task_id="win-back-call",
        about=ref(number),
        name=name,
        ref=RecordRef("Tasks", f"T{number}"),
        before={},
        values={},
        text=Text("挽回电话：已重新下单", "Win-back call: ordered again"),
        reopen=reopen,
    )


def plan_lines() -> list[PlanLine]:
    """One customer of every kind, several of one kind, and what may stand in a name."""
    falls = [
        change(
            number,
            f"北方瑞丰食品{number}",
            Direction.FALL,
            delta(
                "tier", "普通客户", "小客户", Text("29 分 < 保级线 30", "29 points < keep line 30")
            ),
        )
        for number in range(30, 36)
    ]
    return [
        change(
            12,
            "杭州新茶行",
            Direction.FIRST,
            delta(
                "tier", None, "重要客户", Text("61.5 分 ≥ 升级线 60", "61.5 points ≥ enter line 60")
            ),
            delta("lifecycle", None, "活跃客户", Text("累计订单数 1 ≥ 1", "Orders ever 1 ≥ 1")),
            delta("score", None, Decimal("61.5")),
            delta("tier_since", None, DAY),
            delta("reason", None, "重要客户：61.5 分 ≥ 升级线 60；活跃客户：累计订单数 1 ≥ 1"),
            owner="李强",
        ),
        change(
            44,
            "珠江云峰医药 Pearl River Pharmaceuticals",
            Direction.RISE,
            delta(
                "tier",
                "普通客户",
                "重要客户",
                Text("75.9 分 ≥ 升级线 60", "75.9 points ≥ enter line 60"),
            ),
            delta("score", Decimal("58.0"), Decimal("75.9")),
            owner="张敏",
        ),
        *falls,
        change(
            104,
            "北方瑞丰科技",
            Direction.STAGE,
            delta(
                "lifecycle",
                "忠诚客户",
                "流失预警",
                Text("距上次下单 107 天", "107 days without an order"),
            ),
            notes=(
                Text(
                    "第 1 次低于保级线，暂不降级",
                    "below the keep line for the first time: no fall yet",
                ),
            ),
            owner="王芳",
        ),
        task(104, "北方瑞丰科技"),
        change(
            105,
            HOSTILE,
            Direction.OTHER,
            delta("score", Decimal(40), Decimal("47.5")),
            delta("reason", "旧" * 40, HOSTILE),
            owner=HOSTILE,
        ),
        close(106, "东海云茶"),
        change(107, "没有字段", Direction.OTHER),
    ]


def guards() -> tuple[GuardResult, ...]:
    return (
        GuardResult("tier_changes", 88, 500, Decimal("0.10"), True, True, "tier_changes=18%"),
        GuardResult(
            "tasks_per_owner", 8, 500, Decimal(5), False, True, "tasks_per_owner=8", "张敏"
        ),
        GuardResult("demotions", 6, 500, Decimal("0.05"), True, False, "demotions=2%"),
    )


def withheld(count: int) -> tuple[Withheld, ...]:
    return tuple(
        Withheld(
            ref(200 + number),
            HOSTILE if not number else f"暂缓客户{number}",
            "human_edit" if number % 2 else "fact_lost",
            Text(
                "客户等级在 CRM 中被改为“VIP客户”，不覆盖",
                "Tier was changed in the CRM to “VIP客户”: left alone",
            ),
        )
        for number in range(count)
    )


def notices(count: int) -> tuple[PlanNotice, ...]:
    text = Text(
        "最早 2026-12-07 降级，还差 3.5 分", "falls on 2026-12-07 at the earliest, 3.5 points short"
    )
    return tuple(
        PlanNotice(
            ref(300 + n), f"预告客户{n}" if n else HOSTILE, "standard", date(2026, 12, 7), text
        )
        for n in range(count)
    )


def header(**more: Any) -> PlanHeader:
    known: dict[str, Any] = {
        "counts": PlanCounts(
            evaluated=500,
            excluded=12,
            missing=31,
            firsts=1,
            rises=1,
            falls=6,
            stage_only=1,
            other=1,
            unchanged=483,
            new_tasks=1,
            closed_tasks=1,
            withheld=7,
            withheld_by_kind={"human_edit": 3, "fact_lost": 4},
            notices=7,
            by_cause={Cause.DATA: 9, Cause.FIRST: 1},
            tiers_before={"vip": 25, "key": 125, "standard": 349},
            tiers_after={"vip": 28, "key": 127, "standard": 344, "blocked": 1},
            fields=14,
        ),
        "kind": PlanKind.RULES,
        "guards": guards(),
        "withheld": withheld(7),
        "notices": notices(6),
        "environment": "production",
    }
    return PlanHeader(
        plan_id="p1",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        as_of=DAY,
        ruleset="tea-shop",
        ruleset_version=3,
        ruleset_digest="r",
        mapping_digest="m",
        connection="zoho-prod",
        connector="fake",
        account_id="org-1",
        object="Accounts",
        owned_fields=(),
        task_object=None,
        task_fields=(),
        schema_fingerprint="s",
        pulled_at=NOW,
        tool_version="0.1.0",
        **(known | more),
    )


def empty_header() -> PlanHeader:
    standing = {"vip": 25, "key": 125, "standard": 350}
    counts = PlanCounts(evaluated=500, unchanged=500, tiers_before=standing, tiers_after=standing)
    return header(counts=counts, guards=(), withheld=(), notices=())


def merged_header() -> PlanHeader:
    standing = {"vip": 25, "key": 125, "standard": 350}
    counts = PlanCounts(
        evaluated=500,
        rises=1,
        unchanged=499,
        closed_tasks=1,
        merged=2,
        fields=1,
        by_cause={Cause.MERGED: 1},
        tiers_before=standing,
        tiers_after=standing,
    )
    return header(counts=counts, guards=(), withheld=(), notices=())


def merged_lines() -> list[PlanLine]:
    """A customer that takes over and changes, and one that only takes over."""
    text = Text(
        "A0901, A0902 已并入，此前等级按VIP（自 2024-01-05）",
        "A0901, A0902 were merged into it; it goes on as VIP since 2024-01-05",
    )
    why = Text("未低于保级线", "not below the keep line")
    moved = change(
        1, "东海云茶", Direction.RISE, delta("tier", "标准", "VIP", why), cause=Cause.MERGED
    )
    return [
        Takeover("m1", ref(1), "东海云茶", (ref(901), ref(902)), Keeping(), text),
        moved,
        replace(close(1, "东海云茶"), text=DOUBLE),
        Takeover("m2", ref(2), HOSTILE, (ref(903),), Keeping(), text),
    ]


def undo_header() -> PlanHeader:
    counts = PlanCounts(
        evaluated=500,
        rises=4,
        falls=2,
        stage_only=3,
        closed_tasks=1,
        withheld=2,
        withheld_by_kind={"human_edit": 2},
        by_cause={Cause.UNDO: 9},
        fields=12,
    )
    return header(
        kind=PlanKind.UNDO, undoes=42, counts=counts, guards=(), withheld=withheld(2), notices=()
    )


def explained(
    facts: dict[str, FactValue], standing: Standing, clocks: Clocks | None = None
) -> Explained:
    ruleset = rules()
    engine = Engine(ruleset)
    row = row_from_facts(engine, ref(104), facts, DAY)
    row = replace(row, name=str(facts.get("name", "北方瑞丰科技")), owner="王芳")
    state = CustomerState(row.ref, standing=standing, clocks=clocks or Clocks())
    found = explain(engine, row, state, EvaluationContext(DAY))
    return Explained(
        found,
        ruleset,
        sources={"last_order_on": "Deals max(Closing_Date)", "city": "Accounts.Billing_City"},
        history=(
            Text("2026-11-21  75.1  VIP客户", "2026-11-21  75.1  VIP"),
            Text("2026-03-14  82.9  重要客户 → VIP客户", "2026-03-14  82.9  Key → VIP"),
        ),
    )


WAITING = (
    {
        "last_order_on": DAY - timedelta(days=107),
        "orders_total": 9,
        "revenue_12m": Decimal(1_472_000),
        "margin_12m": 0.344,
        "strength": 14.0,
        "overdue_days": 12,
        "city": "杭州",
    },
    Standing("vip", date(2026, 1, 5), date(2026, 1, 5), "active", date(2026, 2, 1)),
    Clocks(below_keep_since=date(2026, 11, 12), evaluated=date(2026, 11, 21)),
)
LACKING = (
    {
        "name": HOSTILE,
        "last_order_on": DAY - timedelta(days=20),
        "orders_total": 2,
        "city": HOSTILE,
    },
    Standing("key", date(2026, 1, 5), date(2026, 1, 5), "active", date(2026, 2, 1)),
)


def run(number: int, state: RunState, **more: Any) -> Run:
    known: dict[str, Any] = {
        "kind": "sync",
        "ended_at": NOW + timedelta(seconds=98),
        "by": "sync nightly",
        "counts": {"read": 500, "rises": 75, "falls": 13, "firsts": 0, "tasks": 7},
    }
    return Run(
        id=number,
        started_at=NOW,
        connection="zoho-prod",
        ruleset="tea-shop",
        ruleset_version=3,
        plan_id="p1",
        state=state,
        **(known | more),
    )


def runs() -> Sequence[Run]:
    return (
        run(42, RunState.PARTIAL, kind="apply", by="zhang.min", reason="季度复评 2026Q4"),
        run(41, RunState.DONE),
        run(40, RunState.STOPPED, counts={}, note=Text.same("quota used up\x1b[2J")),
        run(39, RunState.RUNNING, ended_at=None, counts={}),
        run(38, RunState.HELD, kind="undo", counts={}, by=HOSTILE),
    )


def op(number: int, name: str, state: OpState, **more: Any) -> OpRecord:
    known: dict[str, Any] = {"base": {"Tier": "VIP客户"}, "want": {"Tier": "重要客户"}}
    return OpRecord(
        f"k{number}", 42, number, "field_update", ref(number), state, name=name, **(known | more)
    )


def problems() -> list[OpRecord]:
    refused = RemoteError("INVALID_DATA", "“小客户” is not in the picklist\x07", "Tier")
    return [
        op(136, "天山金石科技", OpState.CONFLICT, actual={"Tier": "小客户"}),
        op(137, "deleted meanwhile", OpState.CONFLICT),
        op(138, "山海同创", OpState.CONFLICT, error=GONE, actual={MERGED_INTO: "A0139"}),
        op(213, "长江云峰贸易", OpState.REJECTED, error=refused),
        op(214, HOSTILE, OpState.IN_DOUBT),
        *(op(300 + number, f"Left {number}", OpState.PLANNED) for number in range(9)),
    ]


def report() -> ApplyReport:
    outcomes = {
        OpState.DONE: 366,
        OpState.CONFLICT: 2,
        OpState.REJECTED: 1,
        OpState.IN_DOUBT: 1,
        OpState.PLANNED: 9,
    }
    return ApplyReport(
        run=runs()[0],
        outcomes=outcomes,
        written=359,
        tasks_created=7,
        tasks_closed=0,
        problems=tuple(problems()),
        api_calls=12,
        seconds=98.04,
    )


def simulated(**more: Any) -> SimulateReport:
    """An edit that renames one tier away: customers still stand in the old one."""
    after = rules()
    assert after.tier is not None
    older = replace(after.tier.levels[1], id="old", label=Text("老客户", "Old"))
    levels = (*after.tier.levels, older)
    before = replace(after, tier=replace(after.tier, levels=levels))
    known: dict[str, Any] = {
        "customers": 500,
        "matrix": {
            ("vip", "vip"): 28,
            ("key", "key"): 149,
            ("key", "vip"): 7,
            ("vip", "standard"): 3,
            ("standard", "standard"): 300,
            ("old", "key"): 10,
            ("–", "–"): 2,
            ("–", "standard"): 1,
        },
        "stage_matrix": {
            ("active", "at_risk"): 9,
            ("at_risk", "active"): 2,
            ("active", "active"): 480,
            ("at_risk", "at_risk"): 9,
        },
        "tasks": {"win-back-call": 6, "welcome": -1},
        "owners": {"U-100": (12, 17), "role:客服主管": (3, 3), HOSTILE: (0, 1)},
        "near": (
            NearLine(Decimal("0.4"), "up", "A1105", "东海安泰物流", "key", "vip", Decimal("79.6")),
            NearLine(Decimal(1), "down", "A1151", HOSTILE, "vip", "key", Decimal(73)),
        ),
        "guards": tuple(
            GuardFigure(limit, Decimal("0.042"))
            for limit in after.guards
            if limit.name == "tier_changes"
        ),
        "examples": (
            ("A1029", "东海新锐科技", "key", "vip", Decimal("76.8")),
            ("A1150", HOSTILE, "vip", "standard", Decimal(0)),
            ("A1151", "Seaside Estates", "–", "standard", None),
        ),
        "changed_lines": (
            (50, "- {id: vip, enter: 82, keep: 74}", "- {id: vip, enter: 80, keep: 72}"),
            (71, "", "- days_since_order > 90  # 长" + "长" * 40),
            *((80 + n, f"line {n}", "") for n in range(10)),
        ),
    }
    return SimulateReport(before=before, after=after, against="HEAD", **(known | more))


def unchanged() -> SimulateReport:
    nobody: dict[str, Any] = {key: {} for key in ("matrix", "stage_matrix", "tasks", "owners")}
    return simulated(customers=0, examples=(), changed_lines=(), near=(), **nobody)
