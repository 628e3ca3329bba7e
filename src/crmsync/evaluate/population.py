"""A whole population in one statement: facts, verdicts, score range and who can change at all.

The rows are kept in a temporary table of the mirror's connection: DuckDB spills it, so memory is a
setting. What can change is read from it for the policy; the rest is counted, never fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from duckdb import DuckDBPyConnection
from sqlglot import exp

from crmsync.condition import names, normal_form
from crmsync.condition.sql import double, fact_value
from crmsync.evaluate.alike import Likeness
from crmsync.evaluate.compiled import CompiledRuleset, Test, scorecard_conditions
from crmsync.evaluate.matching import BATCH, reader, verdict_columns
from crmsync.evaluate.score_sql import score_columns
from crmsync.evaluate.steady import Steady, understood
from crmsync.evaluate.verdict_sql import (
    WORD,
    Layer,
    PreparedWriter,
    SqlVerdict,
    column,
    named,
    of_nullable,
)
from crmsync.model.condition import Name
from crmsync.model.fact import MatchedRow
from crmsync.model.relation import OPENING_TABLE, FactRelation
from crmsync.model.ruleset import STATE_NAMES

TABLE = "evaluated"

_STATE_COLUMNS: Mapping[str, str] = {
    "tier": "o_tier",
    "tier_before": "o_tier",
    "tier_since": "o_tier_since",
    "lifecycle": "o_lifecycle",
    "lifecycle_before": "o_lifecycle",
    "lifecycle_since": "o_lifecycle_since",
}
"""Where a steady row has the value of a state name: where it had it as the day opened."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants to know of a population beside the verdicts.

    ``unmoved``: SQL over the statement's columns, TRUE where a steady row needs no write. ``line``:
    text kept for each steady row, NULL for none. Without ``filtered`` every row is for the policy.
    ``alike``: who is alike for it is told as well (`Likeness`).
    """

    unmoved: exp.Expr = field(default_factory=exp.true)
    line: exp.Expr | None = None
    filtered: bool = True
    alike: bool = False


@dataclass(frozen=True, slots=True)
class SteadyFigures:
    """The rows on which nothing can change: how many, and what is counted of them.

    ``incomplete`` lack a criterion or left a condition undecided; ``places`` counts (tier, stage);
    ``missing`` counts the rows that lack each fact.
    """

    rows: int = 0
    incomplete: int = 0
    places: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)


class SteadyRow(NamedTuple):
    """A row on which nothing can change, with the line that was asked for."""

    id: str
    line: str


class EvaluatedPopulation:
    """The statement run over one mirror; its temporary table lives as long as the connection.

    `OPENING_TABLE` MUST have been made in the same connection when rows are filtered.
    """

    def __init__(
        self,
        mirror: DuckDBPyConnection,
        relation: FactRelation,
        engine: CompiledRuleset,
        as_of: date,
        asked: Asked,
    ) -> None:
        self.mirror = mirror
        self.relation = relation
        self.conditions = len(engine.conditions)
        self.rules = engine.ruleset
        statement = population_sql(relation, engine, as_of, asked)
        names = [item.alias_or_name for item in statement.expressions]
        self.shared = tuple(name for name in names if name.startswith("l") and name[1:].isdigit())
        """The columns in which customers must agree to be alike; none: everybody is alone."""
        text = statement.sql(dialect="duckdb", copy=False)
        mirror.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} AS {text}")

    def steady(self) -> SteadyFigures:
        """The figures of the rows that were left out."""
        facts = len(self.relation.facts)
        lacking = "".join(f", count(*) - count(f{number})" for number in range(facts))
        query = (
            f"SELECT o_tier, o_lifecycle, count(*), count(*) FILTER (incomplete){lacking} "
            f"FROM {TABLE} WHERE steady GROUP BY o_tier, o_lifecycle ORDER BY ALL"
        )
        found = self.mirror.execute(query).fetchall()
        missing = {
            fact: sum(row[4 + number] for row in found)
            for number, fact in enumerate(self.relation.facts)
        }
        return SteadyFigures(
            rows=sum(row[2] for row in found),
            incomplete=sum(row[3] for row in found),
            places={(row[0], row[1]): row[2] for row in found},
            missing={fact: count for fact, count in missing.items() if count},
        )

    def rows(self) -> Iterator[MatchedRow | SteadyRow]:
        """By id: what can change, as rows for the policy; between them those with a line.

        The connection is busy until the iterator is exhausted or closed.
        """
        read = reader(self.relation, self.conditions)
        last = len(self.relation.columns) + 2 * words(self.conditions)
        query = f"SELECT * FROM {TABLE} WHERE NOT steady OR line IS NOT NULL ORDER BY id"
        result = self.mirror.execute(query)
        while batch := result.fetchmany(BATCH):
            for values in batch:
                yield SteadyRow(values[0], values[last]) if values[last + 1] else read(values)

    def matched(self) -> Iterator[MatchedRow]:
        """Every row, steady or not, by id."""
        read = reader(self.relation, self.conditions)
        result = self.mirror.execute(f"SELECT * FROM {TABLE} ORDER BY id")
        while batch := result.fetchmany(BATCH):
            yield from map(read, batch)


def words(conditions: int) -> int:
    """How many mask columns *conditions* take."""
    return (conditions + WORD - 1) // WORD


def population_sql(
    relation: FactRelation, engine: CompiledRuleset, as_of: date, asked: Asked
) -> exp.Select:
    """The statement: the relation's columns, the masks, ``line``, ``steady`` and what is counted.

    Every layer is one SELECT over the one below, so nothing is computed twice.
    """
    return _Statement(relation, engine, as_of).select(asked)


class _Statement:
    def __init__(self, relation: FactRelation, engine: CompiledRuleset, as_of: date) -> None:
        self._relation = relation
        self._engine = engine
        self._as_of = as_of
        self._verdicts = verdict_columns(relation, engine, as_of)
        self._writer = PreparedWriter(self._name, as_of)

    def select(self, asked: Asked) -> exp.Select:
        engine = self._engine
        filtered = asked.filtered and understood(engine.ruleset) and not self._score_in_cards()
        facts, *layers = [*self._verdicts.prepared(), self._verdicts.leaves()]
        masks, packed = self._verdicts.masks()
        layers.append([*self._verdicts.verdicts()])
        steady: exp.Expr = exp.false()
        incomplete: exp.Expr = exp.false()
        shared: Layer = [named(exp.true(), "alone")]
        if filtered:
            early, late = self._of_state()
            if asked.alike:
                alike = self._likeness()
                early, late = [*early, *alike.early()], [*late, *alike.late()]
                shared = alike.columns()
            facts += self._standing()
            layers[-1] += early
            layers += score_columns(engine, self._writer, self._verdict).layers
            layers.append([named(_total(), "n_score")])
            layers.append(late)
            test = Steady(engine, self._verdict, self._as_of)
            parts = [*test.conditions().values(), asked.unmoved]
            steady = exp.Coalesce(
                this=exp.Paren(this=exp.and_(*parts, copy=False)), expressions=[exp.false()]
            )
            incomplete = test.incomplete()
        layers.append([named(steady, "steady"), named(incomplete, "incomplete")])
        layers.append([*shared, *masks])
        outer = self._outer(self._stacked([facts, *layers], filtered), packed, asked, filtered)
        return outer.select(*(column(item.alias) for item in shared), copy=False)

    def _stacked(self, layers: Sequence[Layer], filtered: bool) -> exp.Select:
        facts = self._relation.select.copy()
        facts.set("order", None)
        below = exp.select("*", copy=False).from_(facts.subquery("facts", copy=False), copy=False)
        if filtered:
            below = below.join(
                exp.to_table(OPENING_TABLE),
                on=exp.EQ(this=column("id"), expression=column("o_id")),
                join_type="left",
                copy=False,
            )
        for layer in layers:
            if layer:
                below = exp.select("*", *layer, copy=False).from_(
                    below.subquery("below", copy=False), copy=False
                )
        return below

    def _outer(self, below: exp.Select, masks: Layer, asked: Asked, filtered: bool) -> exp.Select:
        nothing = exp.cast(exp.null(), "VARCHAR", copy=False)
        line = asked.line if filtered and asked.line is not None else nothing
        kept = exp.case().when(column("steady"), line, copy=False)
        told: dict[str, exp.Expr] = {"o_tier": nothing, "o_lifecycle": nothing}
        told |= dict.fromkeys(("s_low", "s_high"), exp.cast(exp.null(), "BIGINT", copy=False))
        told["s_doubt"] = exp.true()
        beside = [
            column(name) if filtered else named(value.copy(), name) for name, value in told.items()
        ]
        return exp.select(
            *map(column, self._relation.columns),
            *masks,
            named(exp.cast(kept, "VARCHAR", copy=False), "line"),
            column("steady"),
            column("incomplete"),
            *beside,
            copy=False,
        ).from_(below.subquery("whole", copy=False), copy=False)

    def _standing(self) -> Layer:
        """State names as conditions read them."""
        return [
            named(fact_value(column(source), STATE_NAMES[name]), f"n_{name}")
            for name, source in _STATE_COLUMNS.items()
        ]

    def _of_state(self) -> tuple[Layer, Layer]:
        """The verdicts of conditions that read state: without the score, and with it."""
        early: Layer = []
        late: Layer = []
        for condition in dict.fromkeys(self._engine.every):
            test = self._engine.test(condition)
            if not test.reads_state:
                continue
            written = self._writer.condition(normal_form(condition))
            layer = late if "score" in names(condition) else early
            layer.append(named(written, f"d{test.bit}"))
        return early, late

    def _likeness(self) -> Likeness:
        return Likeness(self._relation, self._engine, self._name, self._verdict, self._as_of)

    def _score_in_cards(self) -> bool:
        """Whether a scorecard reads the score it makes, which it never knows."""
        return any(
            "score" in names(condition)
            for card in self._engine.ruleset.scorecards
            for condition in scorecard_conditions(card)
        )

    def _name(self, name: Name) -> exp.Expr:
        return column(f"n_{name.id}") if name.id in STATE_NAMES else self._verdicts.name(name)

    def _verdict(self, test: Test) -> SqlVerdict:
        if test.reads_state:
            return of_nullable(column(f"d{test.bit}"))
        return self._verdicts.verdict(test.bit)


def _total() -> exp.Expr:
    """The score as conditions read it: a number where the range is one."""
    one = exp.EQ(this=column("s_low"), expression=column("s_high"))
    points = exp.Div(this=exp.cast(column("s_low"), "DOUBLE", copy=False), expression=double(10.0))
    return exp.case().when(one, points, copy=False)
