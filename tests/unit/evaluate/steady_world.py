"""Customers on an ordinary day: decided once, their facts moved a little, a state in the store."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
from sqlglot import exp
from tests.unit.evaluate.build import (
    FACTS,
    STAGES,
    TABLED,
    TIERS,
    criteria,
    criterion,
    exceptions,
    levels,
    moves,
    of,
    relation_card,
    ruleset,
    scale,
    table,
    tabled,
    tasks,
    when,
    with_tier,
)

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    current_episode,
    decide,
    episode_key,
    match_compiled,
    row_from_facts,
)
from crmsync.model.condition import All, AnyOf
from crmsync.model.decision import Decision
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.override import Override, OverrideKind
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.relation import SQL_TYPES, FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import AsGiven, Combined, Combining, Scorecard, ScorePart
from crmsync.model.segment import Segment
from crmsync.model.state import Clocks, CustomerState, Episode, Snapshot, Standing, StoredState
from crmsync.model.task import (
    Anniversary,
    BecomesTrue,
    Due,
    EveryPeriod,
    FactDay,
    Festival,
    OnDay,
    TaskRule,
    YearDay,
)
from crmsync.model.text import Text
from crmsync.model.tier import DownChange, Patience
from crmsync.store import open_store
from crmsync.store.opening_table import fill_opening

SCOPE = ("crm", "b2b")
TABLED_BY_SCORE = tabled(
    ("score ≥ 72.5; potential is not 低", "vip"),
    ("score ≥ 50", "key", "vip"),
    ("margin_12m > 20%", "standard", "key"),
    ("orders_12m < 12", "basic"),
)
DAYS = (date(2026, 11, 22), date(2026, 2, 28), date(2024, 2, 29), date(2026, 3, 31))


def rulesets() -> dict[str, Ruleset]:
    """Rules that use every part the filter speaks of."""
    whole = ruleset()
    assert whole.lifecycle is not None
    parts = tuple(
        ScorePart(Decimal(maximum), points)
        for maximum, points in (
            (10, scale("margin_12m", {"0": 0, "0.3": 10})),
            (10, table("orders_12m", {"≥ 6": 9.95, "≥ 1": 4, "otherwise": 0})),
            (20, AsGiven(of("relation"))),
        )
    )

    def combined(how: Combining) -> Ruleset:
        lines = (
            criterion("parts", 40, Combined(parts, how), "ask"),
            criterion("money", 60, scale("revenue_12m", {"0": 0, "6000000": 60}), "skip"),
        )
        return replace(whole, scorecards=(Scorecard("c", lines),))

    def missing(policy: str, given: object = None) -> Ruleset:
        lines = [replace_missing(line, policy, given) for line in criteria()]
        return replace(whole, scorecards=(Scorecard("c", tuple(lines)),))

    two = (
        replace(relation_card("skip"), when=when("orders_total < 5")),
        Scorecard("rest", criteria(), when=when("tier in vip, key, standard, basic")),
    )
    visits = tuple(
        TaskRule(f"visit{n}", Text.same("v"), EveryPeriod(period), ("account owner",), Due(3))
        for n, period in enumerate((Period(days=10), Period(months=1), Period(months=12)))
    )
    events = (
        BecomesTrue(when("overdue_days > 60")),
        BecomesTrue(when("score ≥ 60")),
        OnDay(FactDay("last_order_on"), Period(days=30)),
        OnDay(FactDay("last_order_on"), Period(months=1, days=1)),
        OnDay(Anniversary("last_order_on"), Period(days=3), before=True),
        OnDay(YearDay(2, 29)),
        OnDay(Festival("spring festival"), Period(days=7), before=True),
    )
    days = tuple(
        TaskRule(f"day{n}", Text.same("d"), event, ("account owner",), Due(3))
        for n, event in enumerate(events)
    )
    segments = tuple(
        Segment(f"s{n}", Text.same(f"S{n}"), when(text))
        for n, text in enumerate(("orders_12m ≥ 6", "margin_12m > 20%", "score ≥ 60"))
    )
    again = replace(
        tasks()[0], close_when=AnyOf((when("score ≥ 60"), when("lifecycle is not at_risk")))
    )
    return {
        "whole": whole,
        "quick": with_tier(down=DownChange(Patience(days=0)), exceptions=exceptions()[1:]),
        "sum": combined(Combining.SUM),
        "best": combined(Combining.BEST),
        "average": combined(Combining.AVERAGE),
        "skip": missing("skip"),
        "given": missing("given", "3.25"),
        "two cards": replace(whole, scorecards=two),
        "visits": replace(whole, tasks=(*visits, again)),
        "days": replace(whole, tasks=days),
        "watching": replace(whole, tasks=(*tasks()[:2], *days[:2])),
        "segments": replace(whole, segments=segments, tasks=tasks()[3:]),
        "stages": replace(whole, tier=None, scorecards=(), service={}),
        "tiers": replace(whole, lifecycle=None, tasks=()),
        "table": replace(whole, tier=TABLED, scorecards=(), tasks=tasks()[:3]),
        "table of score": replace(whole, tier=TABLED_BY_SCORE),
        "state": replace(
            whole,
            tier=replace(
                with_tier().tier,  # type: ignore[type-var]
                exceptions=(
                    replace(exceptions()[2], when=All((when("score > 70"), when("tier is key")))),
                ),
                levels=tuple(
                    replace(
                        level, keep=None if level.keep is None else level.keep - Decimal("0.05")
                    )
                    for level in levels()
                ),
            ),
            lifecycle=replace(
                whole.lifecycle,
                moves=(
                    *moves(),
                    replace(
                        moves()[0],
                        id="up",
                        sources=("repeat",),
                        to="loyal",
                        when=when("score ≥ 72.5"),
                    ),
                ),
            ),
        ),
    }


def replace_missing(line: object, policy: str, given: object) -> object:
    made = criterion("x", 1, line.points, policy, given)  # type: ignore[attr-defined]
    return replace(line, missing=made.missing, missing_points=made.missing_points)  # type: ignore[type-var]


@dataclass(frozen=True)
class Customer:
    """One customer today, with everything the store knows."""

    row: FactRow
    stored: StoredState | None
    episodes: tuple[Episode, ...] = ()
    override: Override | None = None


def drawn(source: random.Random, as_of: date) -> dict[str, FactValue]:
    """Facts near the lines the rules speak of; one in nine is unknown."""

    def some(*values: FactValue) -> FactValue:
        return None if source.random() < 1 / 9 else source.choice(values)

    days = source.choice((0, 5, 29, 30, 31, 60, 61, 89, 90, 91, 120, 179, 180, 181, 400))
    return {
        "last_order_on": some(as_of - timedelta(days=days)),
        "orders_total": some(0, 1, 2, 4, 5, 9, 40),
        "orders_12m": some(0, 1, 2, 3, 5, 6, 11, 12),
        "revenue_12m": some(*map(Decimal, (0, 49999, 50000, 300000, 1000000, 4999999, 5000000))),
        "margin_12m": some(0.0, 0.05, 0.1, 0.123, 0.25, 0.3, 0.333, 0.4, 0.9),
        "overdue_days": some(0, 0, 0, 0, 60, 61),
        "potential": some("高", "中", "低", "高", "其他"),
        "strategic": some(False, False, False, False, True),
        "blacklisted": source.random() < 0.03,
        "usual_gap": some(10.0, 30.0, 45.0, 0.0),
        "relation": some(0.0, 3.25, 9.95, 12.349999999, 15.0, 20.0, 21.0),
    }


def customer(engine: Engine, number: int, source: random.Random, as_of: date) -> Customer:
    """A customer who was decided some days ago and may have moved since."""
    ref = RecordRef("Accounts", f"{number:05d}·客“'😀"[: source.choice((5, 9))])
    before = as_of - timedelta(days=source.choice((1, 1, 1, 3, 30, 31, 100)))
    facts = drawn(source, before)
    state = CustomerState(ref)
    for day in (before - timedelta(days=source.choice((1, 10, 40, 95))), before):
        row = row_from_facts(engine, ref, facts, day)
        (matched,) = match_compiled([row], engine, day)
        decision = decide(engine, matched, state, EvaluationContext(day))
        state = CustomerState(ref, decision.standing, decision.clocks, decision.known_facts)
    if source.random() < 0.4:
        other = drawn(source, as_of)
        for name in source.sample(sorted(other), 2):
            facts[name] = other[name]
    row = replace(row_from_facts(engine, ref, facts, as_of), name=f"Example {number}", owner="u1")
    if source.random() < 0.05:
        return Customer(row, None)
    snapshot = disturbed(Snapshot(state.standing, state.clocks, state.known_facts), source, before)
    present, opening, evaluated = snapshot, Snapshot(), snapshot.clocks.evaluated
    if source.random() < 0.3:
        (matched,) = match_compiled([row], engine, as_of)
        opened = CustomerState(ref, snapshot.standing, snapshot.clocks, snapshot.known)
        seen = decide(engine, matched, opened, EvaluationContext(as_of))
        written = seen.standing if source.random() < 0.5 else snapshot.standing
        opening, evaluated = snapshot, as_of
        present = replace(snapshot, standing=written, clocks=seen.clocks)
    stored = StoredState(ref, present, opening, evaluated)
    task = source.choice([*(task.id for task in engine.ruleset.tasks), "gone"])
    key = f"k{number}"
    asking = [rule for rule in engine.ruleset.tasks if rule.id == "score-it"]
    if asking and source.random() < 0.5:
        task = "score-it"
        quarter = source.choice((before, as_of))
        occurrence = f"{quarter.year}Q{(quarter.month + 2) // 3}"
        key = episode_key(engine.ruleset.id, asking[0], ref, occurrence)
    episodes = (Episode(key, task, ref, before, "t"),) if source.random() < 0.5 else ()
    override = None
    if source.random() < 0.05:
        override = Override(ref, OverrideKind.FLOOR, "key", "me", "why", before, None)
    return Customer(row, stored, episodes, override)


def disturbed(snapshot: Snapshot, source: random.Random, day: date) -> Snapshot:
    """The snapshot, now and then as something else left it."""
    standing, clocks = snapshot.standing, snapshot.clocks
    match source.randrange(24):
        case 0:
            standing = replace(standing, tier=source.choice([*TIERS, None, "old"]))
        case 1:
            standing = replace(standing, lifecycle=source.choice([*STAGES, None, "old"]))
        case 2:
            since = day - timedelta(days=source.choice((0, 9, 10, 28, 30, 31, 365)))
            standing = replace(standing, tier_since=since, lifecycle_since=since)
        case 3:
            standing = replace(standing, tier_since=None, lifecycle_since=None)
        case 4:
            clocks = replace(clocks, below_keep_since=day, below_keep_evaluations=1)
        case 5:
            names = source.choice((("quiet",), ("cooler", "quiet"), ("x",), ("settled",)))
            began = day - timedelta(days=source.choice((0, 3, 6, 7, 29, 30)))
            clocks = replace(clocks, pending=dict.fromkeys(names, began))
        case 6:
            clocks = replace(clocks, beside="key", beside_since=day)
        case 7:
            clocks = replace(clocks, exceptions=(source.choice(("strategic", "overdue", "x")),))
        case 8:
            clocks = replace(clocks, evaluated=None)
        case 10:
            clocks = replace(clocks, segments=source.choice((("s0",), ("s1", "s0"), ("x",), ())))
        case 11:
            clocks = replace(clocks, held=source.choice(({"day0": True}, {"x": True}, {})))
        case 9:
            standing, clocks = Standing(), Clocks()
    return replace(snapshot, standing=standing, clocks=clocks)


Told = list[tuple[CustomerState, EvaluationContext]]
Opened = tuple[duckdb.DuckDBPyConnection, FactRelation, Told]


@contextmanager
def opened(
    customers: Sequence[Customer], engine: Engine, as_of: date, folder: Path
) -> Iterator[Opened]:
    """The customers as a relation, their states beside it, and what the policy would be told."""
    store = open_store(folder / f"{len(list(folder.iterdir()))}.db")
    try:
        store.states.put(*SCOPE, [c.stored for c in customers if c.stored], run_id=1)
        store.episodes.put(*SCOPE, [e for c in customers for e in c.episodes], task_object="Tasks")
        for item in customers:
            if item.override is not None:
                store.overrides.add(*SCOPE, item.override)
        refs = [item.row.ref for item in customers]
        states = store.states.opening(*SCOPE, refs, day=as_of)
        context = EvaluationContext(
            as_of,
            overrides=store.overrides.active(*SCOPE, refs, day=as_of),
            open_episodes=store.episodes.open_for(*SCOPE, refs),
        )
        told = [(states.get(ref) or CustomerState(ref), context) for ref in refs]
        with duckdb.connect() as connection:
            relation = relation_of(connection, [item.row for item in customers])
            fill_opening(
                store.database,
                connection,
                scope=SCOPE,
                object="Accounts",
                day=as_of,
                current=current_episode(engine.ruleset, "Accounts", as_of),
            )
            yield connection, relation, told
    finally:
        store.close()


def relation_of(connection: duckdb.DuckDBPyConnection, rows: Sequence[FactRow]) -> FactRelation:
    """The rows as a table in the form `facts` promises."""
    facts = tuple(FACTS.values())
    kinds = [SQL_TYPES[fact.type] for fact in facts]
    columns = ", ".join(f"f{n} {kind}" for n, kind in enumerate(kinds))
    connection.execute(
        "CREATE TABLE facts (id VARCHAR, name VARCHAR, owner VARCHAR, version VARCHAR, "
        f"modified_at TIMESTAMP, locked BOOLEAN, rejected VARCHAR[], {columns})"
    )
    stored: list[list[object]] = [[] for _ in range(3 + len(facts))]
    for row in rows:
        stored[0].append(row.ref.id)
        stored[1].append(row.name)
        stored[2].append(list(row.rejected))
        for n, fact in enumerate(facts):
            stored[3 + n].append(row.facts[fact.id])
    values = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
    connection.execute(
        "INSERT INTO facts SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), 'u1', NULL, NULL, "
        f"FALSE, unnest(?::VARCHAR[][]), {values}",
        stored,
    )
    types: tuple[FactType, ...] = tuple(fact.type for fact in facts)
    select = exp.select("*").from_("facts").order_by("id")
    return FactRelation("Accounts", select, tuple(FACTS), types)


def complaints(decision: Decision, row: FactRow, state: CustomerState, as_of: date) -> list[str]:
    """What a decision changes or holds back; nothing may stand here for a dropped row."""
    tier, stage = decision.tier, decision.lifecycle
    same = replace(state.clocks, evaluated=as_of)
    seen = state.observed or state.clocks
    told = {
        "standing": decision.standing != state.standing,
        "confirmed": state.confirmed is not None and state.confirmed != state.standing,
        "clocks": decision.clocks != same,
        "observed": seen.evaluated == as_of and seen != same,
        "opens": bool(decision.opens),
        "closes": bool(decision.closes),
        "withheld": bool(decision.withheld or decision.unfresh),
        "notice": tier is not None and tier.notice is not None,
        "waits": tier is not None and tier.due_on is not None,
        "moves": stage is not None and bool(stage.moves),
        "first": decision.first,
        "exceptions": bool(decision.exceptions),
        "listed": bool(row.rejected or decision.unplaced),
    }
    return [name for name, wrong in told.items() if wrong]
