"""Everybody evaluated: mirror → facts → verdicts → decisions, streamed in order of record id."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import duckdb

from crmsync.evaluate import (
    Asked,
    Engine,
    EvaluatedPopulation,
    EvaluationContext,
    Mirrored,
    Placing,
    SteadyRow,
    current_episode,
    decide,
    match,
)
from crmsync.facts import (
    People,
    excluded_count,
    fact_row,
    fact_rows,
    judged_terms,
    people_in,
    prepare,
    relation,
)
from crmsync.model.fact import FactRow, MatchedRow
from crmsync.model.group import ParentTier
from crmsync.model.mapping import CrmMapping
from crmsync.model.plan import PlanCounts
from crmsync.model.record import RecordRef
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.source import Unfresh
from crmsync.model.state import CustomerState, StoredState
from crmsync.plan import (
    Evaluated,
    FieldValues,
    Unchanged,
    firm_facts,
    observation_sql,
    unmoved_sql,
)
from crmsync.project.converting import rate_notes
from crmsync.project.cutting import Drawing, bind_cuts
from crmsync.project.freezing import Snapshot, bind_rules
from crmsync.project.freshness import SourceFigure, source_figures, unfresh
from crmsync.project.grouping import Company, parent_tiers, refuse_circles
from crmsync.project.merging import Merged, still_there
from crmsync.project.opening import Project
from crmsync.project.renaming import figures_renamed
from crmsync.project.sharing import Shared, mirror_of
from crmsync.store import Store
from crmsync.store.batching import batched
from crmsync.store.mirror import MirrorMeta, read_meta

PIECE = 1000
"""Customers whose state is fetched at once: memory stays flat however many there are."""


@dataclass(frozen=True, slots=True)
class Population:
    """Who is evaluated, by which rules, on which day."""

    project: Project
    store: Store
    rules: Ruleset
    mapping: CrmMapping
    connection: str
    as_of: date
    schemas: Mapping[str, ObjectSchema] | None = None
    """``None``: the mirrored fields' own schemas."""
    released: bool = False
    """Falls and moves by facts of sources that are not fresh or whole may happen all the same."""

    @contextmanager
    def open(self) -> Iterator[OpenPopulation]:
        """Open the published mirror for reading; close it at the end."""
        with mirror_of(self.project, self.connection) as mirror:
            yield OpenPopulation(self, Shared(self.store, mirror))


class OpenPopulation:
    """A population with its mirror open.

    ``rules`` are the population's, their model facts and cut lines bound to frozen or newly drawn
    lines; ``notes`` say which lines could not be drawn and which amounts not converted.
    """

    def __init__(self, population: Population, shared: Shared) -> None:
        self._population = population
        self._shared = shared
        self._mirror = mirror = shared.mirror
        self._meta: MirrorMeta = read_meta(mirror)
        self._schemas = population.schemas or self._meta.schemas()
        rules = judged_terms(population.rules, population.mapping)
        prepare(mirror, rules)
        snapshot = Snapshot(
            rules=rules,
            mapping=population.mapping,
            schemas=self._schemas,
            shared=shared,
            as_of=population.as_of,
        )
        bound = bind_rules(snapshot, population.store, population.connection)
        self.rules = bound.rules
        where = mirror, rules, population.mapping, self._schemas, population.as_of
        self.notes = (*bound.notes, *rate_notes(*where))
        self.dropped = 0
        """Customers the policy was not asked about, once a plan has been made."""
        schema = self._schemas[population.mapping.object]
        self._values = FieldValues(self.rules, population.mapping, schema)
        self.relation: FactRelation = shared.known(
            relation(self.rules, population.mapping, self._schemas, population.as_of)
        )
        drawing = Drawing(
            rules=self.rules,
            relation=self.relation,
            mirror=mirror,
            connection=population.connection,
            as_of=population.as_of,
        )
        self.rules = bind_cuts(drawing, population.store)
        self._engine = Engine(self.rules)
        scope = population.connection, self.rules, population.mapping.object
        self.merged = Merged(population.store, scope, mirror, population.as_of)
        self.notes += self.merged.notes
        self._united: dict[RecordRef, StoredState] = {}
        refuse_circles(mirror, self.relation, self.rules.group)

    @property
    def store(self) -> Store:
        """The state the population is evaluated with."""
        return self._population.store

    @property
    def mirrored(self) -> tuple[duckdb.DuckDBPyConnection, FactRelation]:
        """The open mirror with the relation of facts over it; busy while rows stream."""
        return self._mirror, self.relation

    @cached_property
    def people(self) -> People:
        """Whom tasks for each person are for."""
        day = self._population.as_of, self.rules.time_zone
        mapping = self._population.mapping
        return people_in(self._mirror, mapping, self._schemas, day_and_zone=day)

    @property
    def account_id(self) -> str:
        """The CRM account the mirror was read from."""
        return self._meta.account

    @property
    def pulled_at(self) -> datetime:
        """Everything changed in the CRM before this moment is in the mirror."""
        return self._meta.pulled_at

    @cached_property
    def sources(self) -> dict[str, SourceFigure]:
        """How every object the facts come from stands in the mirror."""
        people = self._population
        return source_figures(self._mirror, self._meta, people.mapping, people.rules.time_zone)

    @cached_property
    def previous(self) -> PlanCounts | None:
        """The figures of the last applied plan by these rules."""
        people = self._population
        found = people.store.runs.last_figures(people.connection, people.rules.id)
        return None if found is None else figures_renamed(found, people.rules)

    @cached_property
    def unfresh(self) -> tuple[Unfresh, ...]:
        """Sources that do not meet the mapping's terms."""
        people = self._population
        found = unfresh(self.sources, people.mapping, people.as_of, previous=self.previous)
        return tuple(replace(item, released=people.released) for item in found)

    @property
    def excluded(self) -> int:
        """Records that ``applies_to`` leaves out."""
        return excluded_count(
            self._mirror,
            self._population.rules,
            self._population.mapping,
            self._schemas,
            self._population.as_of,
        )

    def row(self, id: str) -> FactRow | None:
        """The facts of one customer in scope."""
        return fact_row(self._mirror, self.relation, id)

    def rows(self, wanted: Sequence[str]) -> list[FactRow]:
        """The facts of every customer in scope whose id or exact name is *wanted*, by id."""
        return fact_rows(self._mirror, self.relation, wanted)

    def holds(self, id: str) -> bool:
        """Whether the mirror holds the record, in scope or not."""
        return bool(still_there(self._mirror, self._population.mapping.object, [id]))

    def named(self, name: str) -> tuple[str, ...]:
        """Ids of the customers in scope with exactly this name, at most ten."""
        inner = self.relation.select.sql("duckdb")
        query = f"SELECT id FROM ({inner}) AS facts WHERE name = ? ORDER BY id LIMIT 10"
        return tuple(row[0] for row in self._mirror.execute(query, [name]).fetchall())

    def evaluated(self) -> Iterator[Evaluated]:
        """Every customer in scope, decided, by record id."""
        self._asked_first()
        rows = match(Mirrored(*self.mirrored), self._engine, self._population.as_of)
        for piece in batched(rows, PIECE):
            yield from self._decide(piece)

    def changing(
        self, write_score_from: Decimal, *, filtered: bool = True
    ) -> Iterator[Evaluated | Unchanged]:
        """What a plan is made of, by record id: the policy is asked only where something can
        change.

        Of the others come the observations and, at the end, the figures. Without *filtered* it is
        asked about everybody, with the same plan.
        """
        people = self._population
        firm = firm_facts(people.rules, people.mapping)
        asked = Asked(
            unmoved=unmoved_sql(self._values, people.rules, write_score_from),
            line=observation_sql(self.relation, firm, people.as_of, people.rules.renamed),
            filtered=filtered,
        )
        population = self.population(asked)
        figures = population.steady()
        for piece in batched(population.rows(), PIECE):
            yield from self._decided(piece)
        tiers = Counter[str]()
        for (tier, _), rows in figures.places.items():
            if tier is not None:
                tiers[tier] += rows
        self.dropped = figures.rows
        yield Unchanged((), figures.rows, figures.incomplete, tiers, figures.missing)

    def population(self, asked: Asked) -> EvaluatedPopulation:
        """Everybody evaluated by the one statement, joined with the state the day opens in."""
        self._asked_first()
        people = self._population
        self._shared.openings.fill(
            scope=(people.connection, people.rules.id),
            object=people.mapping.object,
            day=people.as_of,
            current=current_episode(people.rules, people.mapping.object, people.as_of),
            moving=frozenset(ref.id for ref in self.merged.waiting),
        )
        return EvaluatedPopulation(self._mirror, self.relation, self._engine, people.as_of, asked)

    def place(self, table: str) -> None:
        """Make *table* of the mirror's connection: where everybody stands (`Placing.place`).

        The policy is asked about one of those who are alike, and not at all where nothing can
        change.
        """
        self.relation = self._shared.summed_up(self.relation)
        placing = Placing(self.population(Asked(alike=True)))
        for piece in placing.wanted():
            placing.answer(item.decision for item in self._decide(piece))
        placing.place(table)

    def _decided(self, piece: Sequence[MatchedRow | SteadyRow]) -> Iterator[Evaluated | Unchanged]:
        decided = self._decide([item for item in piece if isinstance(item, MatchedRow)])
        for steady, items in itertools.groupby(piece, lambda item: isinstance(item, SteadyRow)):
            if steady:
                yield Unchanged(tuple(item.line for item in items if isinstance(item, SteadyRow)))
            else:
                yield from itertools.islice(decided, len(list(items)))

    def _asked_first(self) -> None:
        """What the policy is told of the mirror itself: asked before rows stream, because another
        query on the same connection would end the stream."""
        self.unfresh  # noqa: B018 - kept once asked
        self.parents  # noqa: B018 - as above

    def states(self, rows: Sequence[FactRow]) -> dict[RecordRef, CustomerState]:
        """The opening state of each customer; for one we know nothing of, what the CRM's own
        fields say."""
        people = self._population
        refs = [row.ref for row in rows]
        known = people.store.states.opening(
            people.connection, people.rules.id, refs, day=people.as_of
        )
        found = {}
        for row in rows:
            by_crm = self._values.standing(row.owned)
            if row.ref in self.merged.waiting:
                united = self._united[row.ref] = self.merged.united(row, by_crm)
                found[row.ref] = united.on(people.as_of)
            else:
                found[row.ref] = known.get(row.ref) or CustomerState(row.ref, standing=by_crm)
        return found

    def context(self, refs: Sequence[RecordRef]) -> EvaluationContext:
        """What else bears on these customers: overrides, open tasks, a released review, the tiers
        of their parents."""
        tiers = {ref: self.parents[ref.id] for ref in refs if ref.id in self.parents}
        return replace(self._surroundings(refs), parents=tiers)

    @cached_property
    def parents(self) -> Mapping[str, ParentTier]:
        """The tier of the parent (or head) of everybody whose own hangs on it, by record id."""
        if self.rules.group is None:
            return {}
        company = Company(
            group=self.rules.group,
            engine=self._engine,
            relation=self.relation,
            mirror=self._mirror,
            as_of=self._population.as_of,
            states=self.states,
            context=self._surroundings,
        )
        return parent_tiers(company)

    def _surroundings(self, refs: Sequence[RecordRef]) -> EvaluationContext:
        people = self._population
        store, where = people.store, (people.connection, people.rules.id)
        merged, asked = self.merged, self.merged.with_lost(refs)
        return EvaluationContext(
            as_of=people.as_of,
            released=store.reviews.released(*where, day=people.as_of),
            overrides=merged.overrides(store.overrides.active(*where, asked, day=people.as_of)),
            stale=frozenset(
                fact for item in self.unfresh if not item.released for fact in item.facts
            ),
            open_episodes=merged.tasks(store.episodes.open_for(*where, asked)),
            former={ref: merged.former[ref] for ref in refs if ref in merged.former},
        )

    def _decide(self, piece: Sequence[MatchedRow]) -> Iterator[Evaluated]:
        if not piece:
            return
        refs = [matched.row.ref for matched in piece]
        states = self.states([matched.row for matched in piece])
        context = self.context(refs)
        for matched in piece:
            ref = matched.row.ref
            decision = decide(self._engine, matched, states[ref], context)
            over = self.merged.inheritance(ref, self._united.get(ref))
            yield Evaluated(decision, matched.row, states[ref], over)

    @property
    def engine(self) -> Engine:
        """The compiled rules."""
        return self._engine
