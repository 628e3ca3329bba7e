"""Small made-up customers and rules for plan and apply tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crmsync.model.condition import Known, Name
from crmsync.model.decision import (
    Decision,
    MoveTaken,
    ScoreResult,
    StageResult,
    TaskClosing,
    TaskOpening,
    TierResult,
)
from crmsync.model.fact import FactRow, FactType
from crmsync.model.guard import GuardLimit
from crmsync.model.lifecycle import LifecycleRules, Move, Stage
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    TaskTarget,
    WriteTarget,
)
from crmsync.model.period import Period, RollingWindow
from crmsync.model.plan import PlanLine
from crmsync.model.record import RecordRef, Value
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.model.service import ServiceLevel, ServiceValue
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.model.text import Text
from crmsync.model.tier import DownChange, Level, TierRules, UpChange
from crmsync.plan import Draft, Evaluated, Origin, PlanInputs, PlanStamp, build

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
TIERS = {"vip": "VIP客户", "key": "重要客户", "standard": "普通客户", "blocked": "黑名单"}
STAGES = {"first": "首次购买客户", "repeat": "重复购买客户", "at_risk": "流失预警"}
FIELDS = {
    "tier": "Tier",
    "tier_since": "Tier_Since",
    "score": "Score",
    "lifecycle": "Stage",
    "reason": "Reason",
    "rules_version": "Rules",
}


def ruleset(*guards: GuardLimit, digest: str = "rules-1") -> Ruleset:
    levels = tuple(Level(tier, Text(label, tier.upper())) for tier, label in TIERS.items())
    levels = (*levels[:-1], replace(levels[-1], by_exception_only=True))
    stages = tuple(Stage(stage, Text(label, stage)) for stage, label in STAGES.items())
    move = Move("first-repeat", ("first",), "repeat", Known(Name("orders", FactType.INTEGER)))
    service = ServiceLevel("vip", (ServiceValue("queue", Text("优先", "front")),))
    return Ruleset(
        id="b2b",
        version=3,
        title=Text("分级", "Tiers"),
        record="account",
        languages=("zh", "en"),
        time_zone="Asia/Shanghai",
        currency="CNY",
        workdays="CN",
        facts=(
            FactDefinition("orders", Text.same("orders"), FactType.INTEGER),
            FactDefinition("orders_12m", Text.same("orders_12m"), FactType.INTEGER),
            FactDefinition(
                "days", Text.same("days"), FactType.NUMBER, formula=Name("x", FactType.NUMBER)
            ),
        ),
        scorecards=(),
        tier=TierRules(levels, UpChange(), DownChange()),
        lifecycle=LifecycleRules("first", stages, (move,)),
        service={"vip": service},
        tasks=(),
        guards=guards,
        digest=digest,
    )


def mapping(**write: WriteTarget) -> CrmMapping:
    targets = {role: WriteTarget(role, FieldPick(name=name)) for role, name in FIELDS.items()}
    return CrmMapping(
        connector="fake",
        object="Accounts",
        applies_to=None,
        identity_name=FieldPick(name="Name"),
        identity_owner=FieldPick(name="Owner"),
        related={},
        read={
            "orders": AggregateSource("orders", Aggregate.COUNT),
            "orders_12m": AggregateSource(
                "orders", Aggregate.COUNT, within=RollingWindow(Period(months=12))
            ),
            "potential": FieldSource(FieldPick(name="Potential")),
        },
        write={**targets, **write},
        lock_field=None,
        tasks=TaskTarget(
            object="Tasks",
            key="Key",
            subject="Subject",
            due="Due",
            owner="Owner",
            about="What",
            status="Status",
            open="Not Started",
            closed="Completed",
        ),
        digest="mapping-1",
    )


def schema() -> ObjectSchema:
    def field(name: str, type: FieldType, **more: Any) -> FieldSchema:
        return FieldSchema(name, name, type, **more)

    return ObjectSchema(
        "Accounts",
        "Accounts",
        (
            field("Tier", FieldType.PICKLIST, choices=tuple(Choice(v, v) for v in TIERS.values())),
            field("Stage", FieldType.PICKLIST),
            field("Tier_Since", FieldType.DATE),
            field("Score", FieldType.DECIMAL, scale=1),
            field("Reason", FieldType.TEXT, max_length=40),
            field("Rules", FieldType.TEXT),
        ),
    )


def inputs(**changes: Any) -> PlanInputs:
    known: dict[str, Any] = {
        "ruleset": ruleset(),
        "mapping": mapping(),
        "origin": Origin(
            connection="crm",
            account_id="org-1",
            environment="practice",
            pulled_at=NOW - timedelta(minutes=5),
            schema=schema(),
        ),
        "stamp": PlanStamp(
            plan_id="p1",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=24),
            tool_version="0.1.0",
        ),
        "as_of": DAY,
    }
    return PlanInputs(**{**known, **changes})


def ref(n: int) -> RecordRef:
    return RecordRef("Accounts", f"A{n:05}")


def opening(n: int, task: str = "call") -> TaskOpening:
    return TaskOpening(
        key=f"cs1-{task}-{n}",
        task_id=task,
        title=Text("请致电", "Please call"),
        owner=("account owner",),
        due=DAY + timedelta(days=2),
        priority="high",
    )


def closing(n: int, task: str = "call") -> TaskClosing:
    return TaskClosing(f"cs1-{task}-{n}", task, Text("原因已消失", "its reason is gone"))


def customer(
    n: int,
    tier: str | None = "key",
    stage: str = "repeat",
    *,
    was: Standing | None = None,
    score: str = "60",
    owned: Mapping[str, Value] | None = None,
    **more: Any,
) -> Evaluated:
    """A customer decided to be *tier* and *stage*; ``was`` is where it stands, None: new."""
    state = more.pop("state", None) or CustomerState(
        ref(n),
        standing=was or Standing(),
        confirmed=was,
        facts_digest=more.pop("facts_digest", None),
        ruleset_digest=more.pop("ruleset_digest", "rules-1" if was else None),
        written=more.pop("written", {}),
    )
    before = state.confirmed or state.standing
    kept = before.tier == tier
    standing = Standing(
        tier=tier,
        tier_since=before.tier_since if kept else DAY,
        tier_first=before.tier_first or (DAY if tier else None),
        lifecycle=stage,
        lifecycle_since=before.lifecycle_since if before.lifecycle == stage else DAY,
    )
    text = Text(f"{score} 分", f"{score} points")
    decision = Decision(
        ref=ref(n),
        name=f"客户{n}",
        owner=more.pop("owner", "u1"),
        as_of=DAY,
        first=before.tier is None,
        facts={},
        score=ScoreResult((), Decimal(score), Decimal(score)),
        tier=TierResult(
            before.tier,
            tier,
            tier,
            "enter line",
            text,
            standing.tier_since,
            notice=more.pop("notice", None),
        ),
        lifecycle=StageResult(
            before.lifecycle,
            stage,
            standing.lifecycle_since,
            ()
            if before.lifecycle == stage
            else (MoveTaken("m", before.lifecycle or "", stage, Text("累计订单", "orders")),),
        ),
        service=tier,
        opens=more.pop("opens", ()),
        closes=more.pop("closes", ()),
        standing=standing,
        clocks=more.pop("clocks", Clocks(first_seen=DAY, evaluated=DAY)),
        reason=more.pop("reason", text),
        withheld=more.pop("decision_withheld", ()),
        unplaced=more.pop("unplaced", None),
    )
    row = FactRow(
        ref=ref(n),
        name=f"客户{n}",
        owner=decision.owner,
        facts=more.pop("facts", {"orders": 2, "orders_12m": 1, "days": 3.0}),
        owned=owned or {},
        version=more.pop("version", "v1"),
        locked=more.pop("locked", False),
        rejected=more.pop("rejected", ()),
    )
    assert not more, more
    return Evaluated(decision, row, state)


def holds(standing: Standing, score: str = "60", **more: Value) -> dict[str, Value]:
    """What the CRM holds for a customer we wrote *standing* to."""
    return {
        "tier": TIERS[standing.tier or ""],
        "tier_since": standing.tier_since,
        "score": Decimal(score),
        "lifecycle": STAGES[standing.lifecycle or ""],
        "reason": f"{score} 分",
        "rules_version": "b2b v3",
        **more,
    }


def stood(tier: str = "key", stage: str = "repeat") -> Standing:
    past = DAY - timedelta(days=100)
    return Standing(tier, past, past, stage, past)


def made(items: Iterable[Evaluated], **changes: Any) -> tuple[Draft, list[PlanLine]]:
    with build(inputs(**changes), items) as draft:
        return draft, list(draft.lines())
