"""What was stored before a fact was renamed, in the names facts have today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from crmsync.model.decision import Decision
from crmsync.model.plan import PlanCounts
from crmsync.model.ruleset import Ruleset

T = TypeVar("T")


def decision_renamed(decision: Decision, rules: Ruleset) -> Decision:
    """A stored decision whose facts go by the names *rules* give them."""
    names = rules.renamed
    if not names:
        return decision
    return replace(
        decision,
        facts=_keys(decision.facts, names),
        judged=_keys(decision.judged, names),
        known_facts=frozenset(names.get(fact, fact) for fact in decision.known_facts),
        unknown=tuple(
            replace(item, facts=tuple(names.get(fact, fact) for fact in item.facts))
            for item in decision.unknown
        ),
    )


def figures_renamed(counts: PlanCounts, rules: Ruleset) -> PlanCounts:
    """The figures of a plan whose facts go by the names *rules* give them."""
    names = rules.renamed
    if not names:
        return counts
    return replace(counts, missing_facts=_keys(counts.missing_facts, names))


def _keys(found: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(key, key): value for key, value in found.items()}
