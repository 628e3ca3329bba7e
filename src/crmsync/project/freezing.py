"""The lines of model blocks: those frozen for the period, else drawn from the snapshot at hand.

Drawing writes nothing. A plan carries the lines it decided by, and ``apply`` and ``sync`` keep
them; until then every look at the same snapshot draws the same lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import duckdb

from crmsync.condition import names
from crmsync.condition.binding import bind, model_inputs
from crmsync.condition.clv_facts import LINES as CLV
from crmsync.condition.rfm_facts import LINES as RFM
from crmsync.facts import Refused, draw_cut_points, fit_bg_nbd, fit_gamma_gamma, histories
from crmsync.facts import relation as facts_relation
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.frozen import Freeze, FrozenLines, period_of
from crmsync.model.mapping import CrmMapping
from crmsync.model.relation import FactRelation
from crmsync.model.rfm import RfmRules
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.text import Text
from crmsync.project.sharing import Shared
from crmsync.rules import digest_of_parts
from crmsync.store import Store

_Lines = Mapping[str, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The population lines are drawn from, on one local day."""

    rules: Ruleset
    mapping: CrmMapping
    schemas: Mapping[str, ObjectSchema]
    shared: Shared
    as_of: date

    @property
    def mirror(self) -> duckdb.DuckDBPyConnection:
        """The open mirror it is read from."""
        return self.shared.mirror

    @property
    def relation(self) -> FactRelation:
        """Its facts, those of the models unknown; they are asked for once more with them."""
        built = facts_relation(self.rules, self.mapping, self.schemas, self.as_of)
        return self.shared.summed_up(built)


@dataclass(frozen=True, slots=True)
class Bound:
    """Rules bound to lines, and what to say of lines that could not be drawn."""

    rules: Ruleset
    notes: tuple[Text, ...] = ()


def bind_rules(snapshot: Snapshot, store: Store, connection: str) -> Bound:
    """The rules with the facts of their model blocks worked out by lines.

    A model whose lines cannot be drawn (too few buyers, a fit that did not converge) has unknown
    facts and a note that says why; nothing is ever decided by lines that were refused.
    """
    frozen: list[FrozenLines] = []
    notes: list[Text] = []
    for name, freeze in _asked(snapshot.rules):
        found = _Shelf(snapshot, store, connection, name).lines(freeze)
        if isinstance(found, Text):
            notes.append(found)
        else:
            frozen.append(found)
    return Bound(bind(snapshot.rules, frozen), tuple(notes))


def _asked(rules: Ruleset) -> Iterator[tuple[str, Freeze]]:
    if rules.rfm is not None and rules.rfm.cuts is None and rules.rfm.freeze is not None:
        yield RFM, rules.rfm.freeze
    if rules.clv is not None and rules.clv.freeze is not None:
        yield CLV, rules.clv.freeze


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The lines of one name: what is kept, and how new ones are drawn."""

    snapshot: Snapshot
    store: Store
    connection: str
    name: str

    def lines(self, freeze: Freeze) -> FrozenLines | Text:
        rules, as_of = self.snapshot.rules, self.snapshot.as_of
        where = (self.connection, rules.id)
        review = self.store.reviews.last(*where, day=as_of) if freeze is Freeze.REVIEW else None
        period = period_of(freeze, as_of, review=review)
        basis = _basis(rules, self.snapshot.mapping, self.name)
        kept = self.store.frozen.find(*where, self.name, period=period, basis=basis)
        if kept is not None:
            return kept
        drawn = self._draw()
        if isinstance(drawn, Text):
            return drawn
        lines, customers = drawn
        return FrozenLines(
            name=self.name,
            period=period,
            version=self.store.frozen.next_version(*where, self.name),
            basis=basis,
            drawn_on=as_of,
            customers=customers,
            lines=lines,
        )

    def _draw(self) -> tuple[_Lines, int] | Text:
        rules = self.snapshot.rules
        if self.name == RFM:
            assert rules.rfm is not None
            return _cut_points(self.snapshot, rules.rfm)
        assert rules.clv is not None
        return _fit(self.snapshot, rules.clv)


def _cut_points(snapshot: Snapshot, rules: RfmRules) -> tuple[_Lines, int] | Text:
    drawn = draw_cut_points(snapshot.mirror, snapshot.relation, rules, snapshot.as_of)
    if drawn.cuts is None:
        return Text(
            zh=f"rfm：只有 {drawn.customers} 个买家，分不成 {rules.classes} 档；RFM 各事实未知",
            en=f"rfm: {drawn.customers} buyers cannot be cut into {rules.classes} classes; its"
            " facts are unknown",
        )
    return {part.value: cuts for part, cuts in drawn.cuts.items()}, drawn.customers


def _fit(snapshot: Snapshot, rules: ClvRules) -> tuple[_Lines, int] | Text:
    assert rules.model is ClvModel.BG_NBD
    data = histories(snapshot.mirror, snapshot.relation, rules, snapshot.as_of)
    fits = [("BG/NBD", "", fit_bg_nbd(data))]
    if rules.gamma_gamma and not isinstance(fits[0][2], Refused):
        fits.append(("Gamma-Gamma", "spend_", fit_gamma_gamma(data)))
    lines: dict[str, tuple[Decimal, ...]] = {}
    for title, prefix, fit in fits:
        if isinstance(fit, Refused):
            return Text(
                zh=f"clv：{title} 的拟合不予采用：{fit.why.zh}；CLV 各事实未知",
                en=f"clv: the {title} fit is refused: {fit.why.en}; its facts are unknown",
            )
        told = {
            f"{prefix}log_likelihood": fit.log_likelihood,
            f"{prefix}slope": fit.slope,
            f"{prefix}curvature": fit.curvature,
            f"{prefix}customers": fit.customers,
            f"{prefix}steps": fit.steps,
        }
        numbers = {**fit.parameters, **told}
        lines.update((name, (Decimal(repr(value)),)) for name, value in numbers.items())
    return lines, len(data.repeats)


def _basis(rules: Ruleset, mapping: CrmMapping, name: str) -> str:
    """What the lines answer: the block's own question, its facts, and where those come from."""
    inputs, waiting = set[str](), list(model_inputs(rules, name))
    known = {fact.id: fact for fact in rules.facts}
    while waiting:
        fact = waiting.pop()
        if fact not in inputs:
            inputs.add(fact)
            formula = known[fact].formula
            waiting.extend(names(formula) if formula is not None else ())
    used = sorted(inputs, key=lambda fact: known[fact].was or fact)
    sources = tuple(mapping.read.get(fact) for fact in used)
    related = tuple(mapping.related[item] for item in sorted(mapping.related))
    question: object
    if name == RFM:
        assert rules.rfm is not None
        question = replace(rules.rfm, segments=(), freeze=None)
    else:
        assert rules.clv is not None
        question = rules.clv.model, rules.clv.gamma_gamma
    facts = tuple(known[fact] for fact in used)
    parts = question, facts, sources, related, mapping.applies_to, mapping.money
    return digest_of_parts(*parts, renamed=rules.renamed)
