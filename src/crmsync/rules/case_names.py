"""Every name a case may use, by every spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.model.decision import Because
from crmsync.model.ruleset import FactDefinition, Ruleset


@dataclass(slots=True)
class Names:
    """Everything a case may name, by every spelling."""

    facts: Mapping[str, FactDefinition]
    tiers: Mapping[str, str]
    services: Mapping[str, str]
    stages: Mapping[str, str]
    tasks: Mapping[str, str]
    segments: Mapping[str, str]
    because: Mapping[str, str]


def names_of(ruleset: Ruleset) -> Names:
    """The names of one ruleset."""
    facts: dict[str, FactDefinition] = {}
    for fact in ruleset.facts:
        for spelling in (fact.id, *fact.label.all()):
            facts.setdefault(spelling, fact)
    for was, now in ruleset.renamed.items():
        facts.setdefault(was, ruleset.fact(now))
    tier, cycle = ruleset.tier, ruleset.lifecycle
    tiers = {} if tier is None else {item.id: item.id for item in tier.levels}
    for level in () if tier is None else tier.levels:
        for spelling in level.label.all():
            tiers.setdefault(spelling, level.id)
    stages = {} if cycle is None else {item.id: item.id for item in cycle.stages}
    for stage in () if cycle is None else cycle.stages:
        for spelling in stage.label.all():
            stages.setdefault(spelling, stage.id)
    because = {item.value: item.value for item in Because}
    because.update({item.id: item.id for item in (() if tier is None else tier.exceptions)})
    tasks = {task.id: task.id for task in ruleset.tasks}
    services = {**{level: level for level in ruleset.service}, **tiers}
    return Names(facts, tiers, services, stages, tasks, _segments(ruleset), because)


def _segments(ruleset: Ruleset) -> dict[str, str]:
    found = {item.id: item.id for item in ruleset.segments}
    for item in ruleset.segments:
        for spelling in item.label.all():
            found.setdefault(spelling, item.id)
    return found
