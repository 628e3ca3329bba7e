"""Binds the facts of model blocks to the lines they are worked out by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from crmsync.condition import clv_facts, rfm_facts
from crmsync.model.clv import ClvRules
from crmsync.model.frozen import FrozenLines
from crmsync.model.rfm import CutPoints, RfmRules
from crmsync.model.ruleset import FactDefinition, Ruleset


def model_facts(
    rfm: RfmRules | None,
    clv: ClvRules | None,
    facts: Mapping[str, FactDefinition],
    *,
    cuts: CutPoints | None = None,
    fit: FrozenLines | None = None,
) -> Iterator[FactDefinition]:
    """The facts of both blocks over the declared *facts*; *cuts* stand in for fixed ones."""
    if rfm is not None:
        yield from rfm_facts.rfm_facts(rfm, facts, cuts or rfm.cuts)
    if clv is not None:
        yield from clv_facts.clv_facts(clv, facts, fit)


def bind(
    ruleset: Ruleset, frozen: Iterable[FrozenLines] = (), *, cuts: CutPoints | None = None
) -> Ruleset:
    """*ruleset* with the formulas of its model facts made anew over *frozen* lines.

    *cuts* stand in for the cut points of the rfm block, fixed or frozen. Facts whose lines are not
    among them have no formula. The digest stays: lines are data, not rules.
    """
    lines = tuple(frozen)
    by_name = {item.name: item for item in lines}
    if cuts is None and rfm_facts.LINES in by_name:
        cuts = rfm_facts.cuts_of(by_name[rfm_facts.LINES])
    declared = tuple(fact for fact in ruleset.facts if not fact.model)
    known = {fact.id: fact for fact in declared}
    fit = by_name.get(clv_facts.LINES)
    made = model_facts(ruleset.rfm, ruleset.clv, known, cuts=cuts, fit=fit)
    return replace(ruleset, facts=(*declared, *made), frozen=lines)


def model_inputs(ruleset: Ruleset, model: str) -> frozenset[str]:
    """The declared facts a model block reads."""
    if model == rfm_facts.LINES and ruleset.rfm is not None:
        return rfm_facts.rfm_inputs(ruleset.rfm)
    if model == clv_facts.LINES and ruleset.clv is not None:
        return clv_facts.clv_inputs(ruleset.clv)
    return frozenset()
