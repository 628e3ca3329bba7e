"""The agenda by rete: the decisions of the compiled one, and a spoilt one is found out."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.evaluate.build import ruleset, when
from tests.unit.evaluate.steady_world import DAYS, customer, rulesets
from tests.unit.rete.extension import needed

from crmsync.evaluate import Engine, EvaluationContext, arrived, decide, front, match_compiled
from crmsync.evaluate.chaining import Chained, Small, Step, What, steps_of
from crmsync.evaluate.rete_agenda import ReteAgenda
from crmsync.evaluate.rete_check import ReteStatus
from crmsync.evaluate.rete_native import Pattern, ReteError
from crmsync.model.period import Period
from crmsync.model.service import ServiceLevel, ServiceValue
from crmsync.model.state import CustomerState, Episode, Snapshot
from crmsync.model.task import EveryPeriod, LeavesStage, TaskResult
from crmsync.model.text import Text

MANY = 90


@cache
def rules_of(name):
    """The rules of that name; "served" has levels for stages and tasks by their periods."""
    if name != "served":
        return rulesets()[name]
    whole = ruleset()

    def level(tier, months, stage=None):
        value = ServiceValue("visit_every", Text.same(str(months)), Period(months))
        return ServiceLevel(tier, (value,), stage=stage)

    levels = [
        level("vip", 1),
        level("vip", 0, "at_risk"),
        level("vip", 2, "loyal"),
        level("key", 3),
        level("standard", 6, "repeat"),
    ]
    visit = replace(
        whole.tasks[0],
        id="visit",
        event=EveryPeriod(service_value="visit_every"),
        once_per=("customer", "period"),
        when=when("potential is not 低"),
        counts_as_done=when("orders_12m ≥ 3"),
        close_when=when("orders_12m ≥ 6"),
    )
    left = replace(
        whole.tasks[0],
        id="left",
        event=LeavesStage("repeat"),
        once_per=("customer", "month"),
        close_when=when("orders_12m ≥ 1"),
        result=TaskResult("relation", required=True),
    )
    return replace(
        whole, service={item.id: item for item in levels}, tasks=(visit, left, *whole.tasks)
    )


NAMES = ["served", "whole", "visits", "days", "tiers", "stages"]


@cache
def people(name, seed):
    engine, source = Engine(rules_of(name)), random.Random(f"agenda/{name}/{seed}")
    as_of = DAYS[seed % len(DAYS)]
    return engine, as_of, [customer(engine, n, source, as_of) for n in range(MANY)]


def decisions(name, seed, chain):
    """Everybody by the compiled agenda and by *chain*."""
    engine, as_of, customers = people(name, seed)
    rows = list(match_compiled([item.row for item in customers], engine, as_of))
    known = [told(item, as_of) for item in customers]
    for number, row in enumerate(rows):
        if number % 3 == 0:  # what is due today was opened before
            known[number] = opened_before(decide(engine, row, *known[number]), *known[number])
    return [
        (decide(engine, row, *one), decide(engine, row, *one, chain=chain))
        for row, one in zip(rows, known, strict=True)
    ]


def opened_before(decision, state, context):
    """The same customer with the tasks of *decision* open."""
    episodes = tuple(
        Episode(task.key, task.task_id, state.ref, context.as_of, "t") for task in decision.opens
    )
    open_now = {state.ref: (*context.open_episodes[state.ref], *episodes)}
    return state, replace(context, open_episodes=open_now)


def told(item, as_of):
    """What the policy is told of one customer."""
    ref = item.row.ref
    stored = Snapshot() if item.stored is None else item.stored.present
    state = CustomerState(ref, stored.standing, stored.clocks, stored.known)
    overrides = {} if item.override is None else {ref: (item.override,)}
    return state, EvaluationContext(as_of, overrides=overrides, open_episodes={ref: item.episodes})


@needed
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(2))
def test_every_decision_is_that_of_the_compiled_agenda(name, seed):
    chain = ReteAgenda(steps_of(rules_of(name)))

    both = decisions(name, seed, chain)

    assert [ours for _, ours in both] == [compiled for compiled, _ in both]
    assert chain.failures == 0
    assert name != "served" or {len(compiled.opens) for compiled, _ in both} >= {0, 1}


@needed
def test_a_customer_whom_an_event_brings_is_decided_like_everybody():
    engine, as_of, customers = people("served", 0)
    rows = match_compiled([item.row for item in customers], engine, as_of)
    for item, row in zip(customers, rows, strict=True):
        known = told(item, as_of)
        assert arrived(item.row, engine, *known) == decide(engine, row, *known)


def test_without_the_extension_the_compiled_agenda_decides(monkeypatch):
    lost = ReteStatus(usable=False, why=Text.same("gone"))
    monkeypatch.setattr(front, "rete_status", lambda: lost)
    engine, as_of = Engine(rules_of("served")), DAYS[0]
    one = people("served", 0)[2][0]
    (row,) = match_compiled([one.row], engine, as_of)
    known = told(one, as_of)
    assert arrived(one.row, engine, *known) == decide(engine, row, *known)


class Failing(ReteAgenda):
    """An extension that gives up."""

    def _follow(self, facts):
        raise ReteError("spoilt")


@needed
def test_a_failure_is_counted_and_the_compiled_agenda_takes_over():
    chain = Failing(steps_of(rules_of("whole")))

    assert all(one == other for one, other in decisions("whole", 0, chain))
    assert chain.failures == MANY


# ── spoilt agendas ─────────────────────────────────────────────────────────────────────────────


class Without(Chained):
    """The steps without one kind of need, as if it were always met."""

    def __init__(self, steps, what):
        super().__init__(
            [Step(tuple(n for n in step.needs if n.what is not what), step.gives) for step in steps]
        )


class Idle(Chained):
    """The steps without those that give one kind."""

    def __init__(self, steps, what):
        super().__init__([step for step in steps if step.gives.what is not what])


NEEDED = [
    What.STAGE, What.NO_STAGE, What.ROSE, What.FELL, What.ENTERED, What.LEFT, What.SCORE_MISSING,
    What.DUE, What.HOLDS, What.UNSURE, What.UNDONE, What.NEW, What.OVER, What.SERVES, What.HAPPENED,
]  # fmt: skip
GIVEN = [What.SERVES, What.HAPPENED, What.OPENS, What.WAITS, What.CLOSES]


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [*((Without, what) for what in NEEDED), *((Idle, what) for what in GIVEN)],
    ids=lambda it: str(getattr(it, "__name__", it)),
)
def test_no_need_and_no_step_can_be_left_out(spoilt, what):
    def caught(name, seed):
        chain = spoilt(steps_of(rules_of(name)), what)
        try:
            return any(one != other for one, other in decisions(name, seed, chain))
        except KeyError:  # a task nobody knows the episode of
            return True

    assert any(caught(name, seed) for seed in range(3) for name in NAMES)


SMALLS = [Small(What.TIER, str(number)) for number in range(12)]


@st.composite
def step_lists(draw):
    """Chains of any shape, circles among them, over more rules than one network takes."""
    one = st.lists(st.sampled_from(SMALLS), min_size=1, max_size=5, unique=True)
    step = st.builds(Step, one.map(tuple), st.sampled_from(SMALLS))
    few = draw(st.lists(step, min_size=1, max_size=20))
    return few * draw(st.sampled_from([1, 4]))


@needed
@settings(max_examples=60, deadline=None, derandomize=True)
@given(step_lists(), st.lists(st.lists(st.sampled_from(SMALLS), unique=True), max_size=6))
def test_what_follows_is_what_follows_in_plain_python(steps, told):
    rete, compiled = ReteAgenda(steps), Chained(steps)
    for facts in told:
        assert rete.follow(facts) == compiled.follow(facts)
    assert rete.failures == 0
    rete.close()


class Confused(ReteAgenda):
    """One small fact of each step is taken for another."""

    def rule(self, name, step):
        name, (first, *others) = super().rule(name, step)
        (pattern,) = first
        return name, ((Pattern(pattern.field, pattern.op, (pattern.code or 0) + 1),), *others)


@needed
def test_a_spoilt_network_is_found_out():
    chain = Confused(steps_of(rules_of("whole")))

    assert any(one != other for one, other in decisions("whole", 0, chain))
