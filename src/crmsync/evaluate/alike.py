"""Who is alike for the policy: customers of whom one decision tells where all of them stand.

What becomes of a customer hangs on which conditions hold, on which side of each line the score
lies, on what is missing and on the state the day opens with; never on the very values. Customers
who agree in all of that take the same tier and stage and are due the same tasks, so the policy
need be asked about one of them only. Where more than that could bear on somebody (an override, an
open task, a fact that was lost, a score that SQL is not sure of) the customer is *alone*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from sqlglot import exp

from crmsync.condition import names, normal_form
from crmsync.condition.sql import day_literal
from crmsync.evaluate.compiled import CompiledRuleset, conditions_of, scorecard_conditions
from crmsync.evaluate.due_sql import NotDue, call, either, texts
from crmsync.evaluate.score_sql import lacking_columns, tenths_of
from crmsync.evaluate.tasks import JUDGE
from crmsync.evaluate.tier_words import keep_line
from crmsync.evaluate.verdict_sql import (
    Layer,
    Place,
    PreparedWriter,
    column,
    named,
    of_nullable,
    packed,
)
from crmsync.model.condition import All, AnyOf, Condition, Name, Not
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import STATE_NAMES, Ruleset
from crmsync.model.task import DoneWithin, OnDay

SINCE = {"tier_since", "lifecycle_since"}
"""State names that are the day the evaluation opened with, or today."""

STANDING = ("tier", "tier_since", "lifecycle", "lifecycle_since")
"""The written fields by which a customer stands of whom no state is stored."""


class Likeness:
    """What the customers of one ruleset must share to be alike, as columns of the statement.

    *name* gives the prepared column of a fact or state name as the day opens, *verdict* the verdict
    of a condition over facts. Meant for rules that `steady.understood` knows.
    """

    def __init__(
        self,
        relation: FactRelation,
        engine: CompiledRuleset,
        name: Callable[[Name], exp.Expr],
        verdict: Place,
        as_of: date,
    ) -> None:
        self._relation = relation
        self._engine = engine
        self._rules = engine.ruleset
        self._column = name
        self._verdict = verdict
        self._as_of = as_of
        self._parts = [leaf for item in self._of_state() for leaf in _leaves(item)]

    def early(self) -> Layer:
        """The parts of conditions over state that do not read the score.

        A part that holds facts against the first day of a tier or stage is told for the day the
        evaluation opens with and for today: there is no other.
        """
        made: Layer = []
        for leaf in self._parts:
            state = names(leaf) & STATE_NAMES.keys()
            if not state or _dated(leaf):
                made += [self._written(leaf, today) for today in _subsets(state)]
        return [named(value, f"e{number}") for number, value in enumerate(made)]

    def late(self) -> Layer:
        """The parts that read the score, and nothing else of the state."""
        parts = [leaf for leaf in self._parts if names(leaf) & STATE_NAMES.keys() == {"score"}]
        written = [self._written(leaf, frozenset()) for leaf in parts]
        return [named(value, f"g{number}") for number, value in enumerate(written)]

    def columns(self) -> Layer:
        """``l0`` …: customers with the same in all of them are alike, unless they are ``alone``."""
        flags: list[exp.Expr] = [column(item.alias) for item in (*self.early(), *self.late())]
        flags += [*self._lines(), *self._lacking(), *self._judged()]
        verdicts = [self._verdict(self._engine.test(item)) for item in self._of_facts()]
        true, possible = packed([*verdicts, *map(of_nullable, flags)])
        same = [*true, *possible, *self._state()]
        same += [column(self._relation.column(fact)) for fact in self._values()]
        return [
            *(named(_unsteady(value), f"l{number}") for number, value in enumerate(same)),
            named(_unsteady(exp.Coalesce(this=self._alone(), expressions=[exp.true()])), "alone"),
        ]

    def _of_state(self) -> Iterator[Condition]:
        return (item for item in self._engine.every if self._engine.test(item).reads_state)

    def _of_facts(self) -> Iterator[Condition]:
        """The conditions that do more than give points."""
        cards = self._rules.scorecards
        used = {*conditions_of(replace(self._rules, scorecards=())), *(card.when for card in cards)}
        return (item for item in self._engine.conditions if item in used)

    def _written(self, leaf: Condition, today: frozenset[str]) -> exp.Expr:
        """*leaf* with the names of *today* read as this day."""

        def place(name: Name) -> exp.Expr:
            return day_literal(self._as_of) if name.id in today else self._column(name)

        return PreparedWriter(place, self._as_of).condition(normal_form(leaf))

    def _lines(self) -> Iterator[exp.Expr]:
        """On which side of every line each end of the score lies, and whether it is one number."""
        if not self._rules.scorecards:
            return
        yield exp.EQ(this=column("s_low"), expression=column("s_high"))
        yield column("s_asked")
        if self._rules.tier is None:
            return
        lines = {
            line for level in self._rules.tier.ranked for line in (level.enter, keep_line(level))
        }
        for line in sorted(line for line in lines if line is not None):
            for end in ("s_low", "s_high"):
                yield exp.GTE(this=column(end), expression=tenths_of(line))

    def _lacking(self) -> Iterator[exp.Expr]:
        return map(column, lacking_columns(self._rules.scorecards))

    def _judged(self) -> Iterator[exp.Expr]:
        """Whether each fact is missing whose judge a task may go to."""
        if not any(JUDGE in task.owner for task in self._rules.tasks):
            return
        for fact in self._rules.facts:
            if fact.judged_by:
                yield _missing(self._fact(fact.id))

    def _state(self) -> Iterator[exp.Expr]:
        """The state the day opens with; where none is stored, what stands in the CRM's fields."""
        yield column("o_standing")
        yield column("o_clocks")
        for role in STANDING:
            if role in self._relation.owned:
                value = exp.cast(column(self._relation.owned_column(role)), "VARCHAR")
                yield exp.case().when(_missing(column("o_standing")), value)

    def _values(self) -> list[str]:
        """Facts whose very value counts: compared with state, or with the days of a period."""
        found: dict[str, None] = {}
        for leaf in self._parts:
            read = names(leaf)
            if not _dated(leaf) and read & STATE_NAMES.keys() - {"score"}:
                found |= dict.fromkeys(sorted(read - STATE_NAMES.keys()))
        for task in self._rules.tasks:
            if isinstance(task.counts_as_done, DoneWithin):
                found[task.counts_as_done.fact] = None
        return list(found)

    def _alone(self) -> exp.Expr:
        ways = [
            exp.Coalesce(this=column("o_override"), expressions=[exp.false()]),
            exp.GT(
                this=exp.Coalesce(
                    this=call("LEN", column("o_open")), expressions=[exp.Literal.number(0)]
                ),
                expression=exp.Literal.number(0),
            ),
            *self._unsure(),
            *self._due(),
        ]
        return either(ways)

    def _unsure(self) -> Iterator[exp.Expr]:
        """What the score does not tell of itself."""
        if any(_mixed(leaf) for leaf in self._parts):
            yield exp.true()
        dated = {name for leaf in self._parts if _dated(leaf) for name in names(leaf) & SINCE}
        yield self._by_fields(dated)
        if self._rules.scorecards:
            yield column("s_doubt")
        read = set(_measured(self._rules))
        for fact in sorted(self._engine.inputs(read)):
            known = call("LIST_HAS_ANY", column("o_known"), texts(self._remembered(fact)))
            lost = exp.Coalesce(this=known, expressions=[exp.false()])
            yield exp.paren(exp.and_(_missing(self._fact(fact)), lost, copy=False))
        if read & STATE_NAMES.keys() - {"score"}:
            yield self._by_fields(STANDING)

    def _remembered(self, fact: str) -> list[str]:
        """The names under which the state may know *fact*."""
        return [fact, *(old for old, new in self._rules.renamed.items() if new == fact)]

    def _by_fields(self, roles: Iterable[str]) -> exp.Expr:
        """Whether one of *roles* stands in the CRM alone: columns of state read the store only."""
        there = [
            exp.Not(this=_missing(column(self._relation.owned_column(role))))
            for role in sorted(roles)
            if role in self._relation.owned
        ]
        return exp.paren(exp.and_(_missing(column("o_standing")), either(there), copy=False))

    def _due(self) -> Iterator[exp.Expr]:
        """That the day of a task may have come."""
        yesterday = day_literal(self._as_of - timedelta(days=1))
        evaluated = exp.Coalesce(this=column("o_evaluated"), expressions=[yesterday])
        due = NotDue(self._engine, self._as_of, evaluated=evaluated)
        for task in self._rules.tasks:
            if isinstance(task.event, OnDay):
                quiet = exp.Coalesce(this=due.on_day(task.event), expressions=[exp.false()])
                yield exp.Not(this=quiet)

    def _fact(self, fact: str) -> exp.Expr:
        return column(self._relation.column(fact))


def _unsteady(value: exp.Expr) -> exp.Expr:
    """*value* where it is asked for; a steady row need not be like another."""
    return exp.case().when(exp.Not(this=column("steady")), value)


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition:
        case All(items=items) | AnyOf(items=items):
            for item in items:
                yield from _leaves(item)
        case Not(item=item):
            yield from _leaves(item)
        case _:
            yield condition


def _dated(leaf: Condition) -> bool:
    """Whether it holds facts against the first day of the tier or stage."""
    read = names(leaf)
    state = read & STATE_NAMES.keys()
    return bool(state) and state <= SINCE and state != read


def _subsets(items: Iterable[str]) -> Iterator[frozenset[str]]:
    found = [frozenset[str]()]
    for item in sorted(items):
        found += [some | {item} for some in found]
    return iter(found)


def _mixed(leaf: Condition) -> bool:
    """Whether it holds the score against other state: then no column tells its verdict."""
    read = names(leaf) & STATE_NAMES.keys()
    return "score" in read and len(read) > 1


def _measured(rules: Ruleset) -> Iterator[str]:
    """The names the tier is held against."""
    for card in rules.scorecards:
        for condition in scorecard_conditions(card):
            yield from names(condition)
        for criterion in card.criteria:
            for part in criterion.ways:
                for operand in part.operands:
                    yield from names(operand)
    if rules.tier is not None and rules.tier.table is not None:
        for condition in rules.tier.table.conditions:
            yield from names(condition)


def _missing(value: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Is(this=value, expression=exp.null()))
