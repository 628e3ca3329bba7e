"""A B2B ruleset built by hand, customers, and their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from crmsync.condition import (
    Scope,
    ScopeChoice,
    ScopeName,
    parse_condition,
    parse_expression,
    parse_test,
)
from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.condition import All, AnyOf, Condition, Expression, Name
from crmsync.model.decision import Decision
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.lifecycle import LifecycleRules, Move, Stage
from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import STATE_NAMES, FactDefinition, Ruleset
from crmsync.model.scorecard import (
    AsGiven,
    Criterion,
    MissingPoints,
    PointLine,
    Points,
    PointsTable,
    Scale,
    Scorecard,
)
from crmsync.model.service import ServiceLevel, ServiceValue
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.model.table import HitPolicy
from crmsync.model.task import (
    Due,
    EntersStage,
    EveryPeriod,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.model.text import Text
from crmsync.model.tier import (
    DownChange,
    ExceptionAction,
    Level,
    Patience,
    TierException,
    TierRow,
    TierRules,
    TierTable,
    UpChange,
)

TODAY = date(2026, 11, 22)
REF = RecordRef("Accounts", "A1")
STAGES = ("prospect", "first", "repeat", "loyal", "at_risk", "churned", "won_back")
TIERS = ("vip", "key", "standard", "basic", "blocked")

FACTS: Mapping[str, FactDefinition] = {
    fact.id: fact
    for fact in (
        FactDefinition("last_order_on", Text("最近下单日期", "Last order on"), FactType.DATE),
        FactDefinition("orders_total", Text.same("Orders"), FactType.INTEGER, missing=0),
        FactDefinition("orders_12m", Text.same("Orders 12m"), FactType.INTEGER, missing=0),
        FactDefinition(
            "revenue_12m", Text("成交额", "Revenue"), FactType.MONEY, missing=Decimal(0)
        ),
        FactDefinition("margin_12m", Text("毛利率", "Margin"), FactType.PERCENT),
        FactDefinition("overdue_days", Text("逾期", "Days overdue"), FactType.INTEGER, missing=0),
        FactDefinition(
            "potential", Text("潜力", "Potential"), FactType.CHOICE, choices=("高", "中", "低")
        ),
        FactDefinition("strategic", Text.same("Strategic"), FactType.YES_NO, missing=False),
        FactDefinition("blacklisted", Text.same("Blacklisted"), FactType.YES_NO, missing=False),
        FactDefinition("usual_gap", Text.same("Usual gap"), FactType.NUMBER),
        FactDefinition(
            "relation",
            Text("客户关系", "Relationship"),
            FactType.NUMBER,
            between=(Decimal(0), Decimal(20)),
            judged_by="role:sales",
        ),
        FactDefinition("days_since_order", Text("距上次下单天数", "Days since"), FactType.NUMBER),
        FactDefinition("gap_ratio", Text("间隔倍数", "Gap ratio"), FactType.NUMBER),
    )
}
FORMULAS = {
    "days_since_order": "days_since(last_order_on)",
    "gap_ratio": "days_since_order / usual_gap",
}


def scope() -> Scope:
    facts = [
        ScopeName(f.id, f.type, f.label, tuple(ScopeChoice(c) for c in f.choices))
        for f in FACTS.values()
    ]
    choices = {"tier": TIERS, "tier_before": TIERS, "lifecycle": STAGES, "lifecycle_before": STAGES}
    state = [
        ScopeName(name, kind, None, tuple(ScopeChoice(c) for c in choices.get(name, ())))
        for name, kind in STATE_NAMES.items()
    ]
    return Scope((*facts, *state))


SCOPE = scope()


def when(text: str) -> Condition:
    found, problems = parse_condition(text, NOWHERE, SCOPE)
    assert found is not None, problems
    return found


def formula(text: str) -> Expression:
    found, problems = parse_expression(text, NOWHERE, SCOPE)
    assert found is not None, problems
    return found


def of(fact: str) -> Name:
    return Name(fact, FACTS[fact].type)


def table(fact: str, lines: Mapping[str, object]) -> PointsTable:
    written = []
    for text, points in lines.items():
        test = None
        if text != "otherwise":
            test, problems = parse_test(text, NOWHERE, of(fact), SCOPE)
            assert test is not None, problems
        written.append(PointLine(test, Decimal(str(points)), text))
    return PointsTable(of(fact), tuple(written))


def scale(fact: str, anchors: Mapping[str, object]) -> Scale:
    pairs = tuple((Decimal(at), Decimal(str(points))) for at, points in anchors.items())
    return Scale(of(fact), pairs)


def criterion(
    id: str, maximum: object, points: Points, missing: str = "hold", given: object = None
) -> Criterion:
    fixed = None if given is None else Decimal(str(given))
    policy = MissingPoints(missing)
    return Criterion(id, Text.same(id), Decimal(str(maximum)), points, policy, fixed)


def criteria() -> tuple[Criterion, ...]:
    days = {"≤ 30": 20, "≤ 60": 16, "≤ 90": 10, "≤ 180": 4, "otherwise": 0}
    orders = {"≥ 12": 20, "≥ 6": 15, "≥ 3": 10, "≥ 1": 5, "otherwise": 0}
    revenue = {"≥ 500万": 30, "≥ 100万": 24, "≥ 30万": 16, "≥ 5万": 8, "otherwise": 0}
    margin = {"0": 0, "0.1": 5, "0.25": 12, "0.4": 15}
    return (
        criterion("recency", 20, table("days_since_order", days)),
        criterion("frequency", 20, table("orders_12m", orders)),
        criterion("monetary", 30, table("revenue_12m", revenue)),
        criterion("profit", 15, scale("margin_12m", margin)),
        criterion("potential", 15, table("potential", {"高": 15, "中": 8, "低": 2})),
    )


def relation_card(missing: str = "ask", given: object = None) -> Scorecard:
    """Two criteria of 50 points: revenue, and a relationship scored by a person."""
    money = criterion("money", 50, scale("revenue_12m", {"0": 0, "100": 50}))
    person = criterion("person", 50, AsGiven(of("relation")), missing, given)
    return Scorecard("relation", (money, person))


def levels() -> tuple[Level, ...]:
    def level(id: str, zh: str, en: str, enter: int | None, keep: int | None) -> Level:
        lines = [None if line is None else Decimal(line) for line in (enter, keep)]
        return Level(id, Text(zh, en), *lines)

    return (
        level("vip", "VIP客户", "VIP", 80, 72),
        level("key", "重要客户", "Key", 60, 54),
        level("standard", "普通客户", "Standard", 35, 30),
        level("basic", "小客户", "Basic", None, None),
        Level("blocked", Text("黑名单", "Blocked"), by_exception_only=True),
    )


DOWN = DownChange(Patience(days=30), hold=90, max_step=1)


def exceptions() -> tuple[TierException, ...]:
    make = TierException
    return (
        make("blacklist", Text.same("b"), when("blacklisted"), ExceptionAction.SET, "blocked"),
        make(
            "overdue",
            Text.same("o"),
            when("overdue_days > 60"),
            ExceptionAction.AT_MOST,
            "standard",
        ),
        make("strategic", Text.same("s"), when("strategic"), ExceptionAction.AT_LEAST, "key"),
    )


def moves() -> tuple[Move, ...]:
    def move(id: str, sources: str, to: str, text: str, lasting: int = 0) -> Move:
        return Move(id, tuple(sources.split()), to, when(text), lasting)

    return (
        move("buys", "prospect", "first", "orders_total ≥ 1"),
        move("again", "first", "repeat", "orders_total ≥ 2"),
        Move(
            "loyal",
            ("repeat",),
            "loyal",
            _all("orders_12m ≥ 6", "days_since_order ≤ 60"),
        ),
        Move(
            "quiet",
            ("first", "repeat", "loyal", "won_back"),
            "at_risk",
            _any("days_since_order > 90", "gap_ratio > 2"),
            lasting=7,
        ),
        move("gone", "at_risk", "churned", "days_since_order > 180"),
        move("returned", "at_risk", "repeat", "last_order_on > lifecycle_since"),
        move("cooler", "loyal", "repeat", "orders_12m < 6", 30),
        move("won", "churned", "won_back", "days_since_order ≤ 30"),
        move("settled", "won_back", "repeat", "orders_12m ≥ 2", 30),
    )


def _all(*lines: str) -> Condition:
    return All(tuple(when(line) for line in lines))


def _any(*lines: str) -> Condition:
    return AnyOf(tuple(when(line) for line in lines))


def tasks() -> tuple[TaskRule, ...]:
    return (
        TaskRule(
            "win-back-call",
            Text(
                "【流失预警】{name}：已 {days_since_order} 天未下单",
                "[At risk] {name}: no order for {days_since_order} days",
            ),
            EntersStage("at_risk"),
            ("account owner",),
            Due(2),
            when=when("tier in vip, key"),
            fallback_owner="queue:success",
            once_per=("customer", "lifecycle spell"),
            close_when=when("lifecycle is not at_risk"),
        ),
        TaskRule(
            "welcome-vip",
            Text("{name} 升级为 VIP", "{name} is now VIP"),
            TierRises("vip"),
            ("role:lead",),
            Due(1),
            once_per=("customer", "quarter"),
        ),
        TaskRule(
            "demotion-review",
            Text("{name} 由 {tier_before} 降为 {tier}", "{name} fell from {tier_before} to {tier}"),
            TierFalls(),
            ("account owner",),
            Due(5),
            when=when("revenue_12m ≥ 30万"),
            once_per=("customer", "tier change"),
        ),
        TaskRule(
            "regular-visit",
            Text("定期回访 {name}", "Regular visit: {name}"),
            EveryPeriod(service_value="visit_every"),
            ("account owner",),
            Due(10),
            once_per=("customer", "period"),
        ),
        TaskRule(
            "score-it",
            Text("请为 {name} 补充评分：{missing_scores}", "Please score {name}: {missing_scores}"),
            ScoreMissing(),
            ("judge",),
            Due(5),
            once_per=("customer", "quarter"),
        ),
    )


def service() -> dict[str, ServiceLevel]:
    def visit(text: str, period: Period) -> ServiceValue:
        return ServiceValue("visit_every", Text.same(text), period)

    return {
        "vip": ServiceLevel("vip", (visit("1 month", Period(months=1)),)),
        "key": ServiceLevel("key", (visit("1 quarter", Period(months=3)),)),
        "standard": ServiceLevel("standard", ()),
        "basic": ServiceLevel("basic", ()),
    }


def ruleset(**changes: object) -> Ruleset:
    facts = tuple(
        replace(fact, formula=formula(FORMULAS[fact.id])) if fact.id in FORMULAS else fact
        for fact in FACTS.values()
    )
    whole = Ruleset(
        id="b2b",
        version=3,
        title=Text.same("b2b"),
        record="account",
        languages=("zh", "en"),
        time_zone="Asia/Shanghai",
        currency="CNY",
        workdays="CN",
        facts=facts,
        scorecards=(Scorecard("card", criteria()),),
        tier=TierRules(levels(), UpChange(), DOWN, exceptions()),
        lifecycle=LifecycleRules(
            "prospect", tuple(Stage(s, Text.same(s)) for s in STAGES), moves()
        ),
        service=service(),
        tasks=tasks(),
        guards=(),
        digest="d",
        file="rules.yaml",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def with_tier(**changes: object) -> Ruleset:
    whole = ruleset()
    assert whole.tier is not None
    return replace(whole, tier=replace(whole.tier, **changes))  # type: ignore[arg-type]


def tabled(
    *rows: tuple[str, str] | tuple[str, str, str], hit: HitPolicy = HitPolicy.FIRST
) -> TierRules:
    """Tiers from a table, its rows written ``(conditions, tier)`` or ``(conditions, tier, keep)``;
    no condition fits everybody."""
    made = []
    for number, (text, level, *keep) in enumerate(rows, start=2):
        lines = [when(part) for part in text.split("; ") if part]
        condition = None if not lines else lines[0] if len(lines) == 1 else All(tuple(lines))
        place = Span("t.csv", number, 1, number, 2, f"A{number}")
        made.append(TierRow(condition, level, keep[0] if keep else level, number, text, place))
    bare = tuple(replace(level, enter=None, keep=None) for level in levels())
    table = TierTable("t.csv", hit, tuple(made))
    return TierRules(bare, UpChange(), DOWN, exceptions(), table=table)


TABLED = tabled(
    ("revenue_12m ≥ 500万; margin_12m ≥ 20%", "vip"),
    ("revenue_12m ≥ 100万; potential is 高", "key", "vip"),
    ("orders_12m ≥ 6", "key"),
    ("orders_12m ≥ 3", "standard", "key"),
    ("", "basic"),
)


BEST: Mapping[str, FactValue] = {
    "last_order_on": TODAY - timedelta(days=10),
    "orders_total": 40,
    "orders_12m": 13,
    "revenue_12m": Decimal(6_000_000),
    "margin_12m": 0.4,
    "potential": "高",
    "usual_gap": 25.0,
}
"""100 points."""


def row(engine: Engine, as_of: date = TODAY, **facts: FactValue) -> FactRow:
    made = row_from_facts(engine, REF, {**BEST, **facts}, as_of)
    return replace(made, name="Example Ltd", owner="u1")


def state(
    clocks: Clocks | None = None, known: frozenset[str] = frozenset(), **standing: object
) -> CustomerState:
    return CustomerState(REF, Standing(**standing), clocks or Clocks(), known)  # type: ignore[arg-type]


def judged(
    engine: Engine,
    before: CustomerState,
    context: EvaluationContext | None = None,
    **facts: FactValue,
) -> Decision:
    where = context or EvaluationContext(TODAY)
    (matched,) = match_compiled([row(engine, where.as_of, **facts)], engine, where.as_of)
    return decide(engine, matched, before, where)


def after(decision: Decision) -> CustomerState:
    """The state in which the next day opens when everything was written."""
    return CustomerState(decision.ref, decision.standing, decision.clocks, decision.known_facts)


def plain_card(missing: str = "hold", given: object = None) -> Scorecard:
    """One point per unit of revenue up to 100, and up to 20 more for the relationship."""
    money = criterion("money", 100, scale("revenue_12m", {"0": 0, "100": 100}))
    person = criterion("person", 20, AsGiven(of("relation")), missing, given)
    return Scorecard("plain", (money, person))


def plain_rules(card: Scorecard | None = None, **tier: object) -> Ruleset:
    """The tier rules alone, on `plain_card`."""
    whole = with_tier(**tier)
    return replace(whole, scorecards=(card or plain_card(),), lifecycle=None, tasks=())


def scored(points: object, relation: FactValue = 0.0) -> dict[str, FactValue]:
    """Facts that score *points* on `plain_card`."""
    return {"revenue_12m": Decimal(str(points)), "relation": relation}
