"""Fact rows from plain values, by the rules that SQL follows for a whole population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from crmsync.condition import values as reading
from crmsync.condition.declared import declared_value
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.model.fact import FactRow, FactType, FactValue, Judgement
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import FactDefinition


def row_from_facts(
    engine: CompiledRuleset,
    ref: RecordRef,
    facts: Mapping[str, FactValue],
    as_of: date,
    judged: Mapping[str, Judgement] | None = None,
) -> FactRow:
    """A fact row: values as their declared types, defaults filled in, formulas computed.

    Facts that are not in *facts* (or are ``None`` there) take their ``missing`` value, if they have
    one. A value of another type, or outside ``between`` or ``choices``, is unknown and named in
    ``rejected``. A formula's result is never taken from *facts*. *judged* tells when people gave
    values: one that is too old is missing; one of which nothing is told counts as given that day.
    Used for cases, for explaining and for *what if*.
    """
    told = dict(judged or {})
    values: dict[str, FactValue] = dict.fromkeys(engine.facts)
    rejected: set[str] = set()
    for fact in engine.ruleset.facts:
        if fact.formula is None:
            value = facts.get(fact.id)
            own = told.get(fact.id)
            if own is not None and value is not None and not own.counts(fact.valid_for, as_of):
                typed = _given(fact, value, rejected)
                told[fact.id], value = replace(own, expired=typed), None
            values[fact.id] = None if fact.id in rejected else _given(fact, value, rejected)
    for fact, formula in engine.formulas:
        result = formula([values[name] for name in engine.facts], as_of)
        values[fact.id], misfit = declared_value(result, fact)
        if misfit:
            rejected.add(fact.id)
    listed = tuple(name for name in engine.facts if name in rejected)
    return FactRow(ref, ref.id, None, values, rejected=listed, judged=told)


def _given(fact: FactDefinition, value: FactValue, rejected: set[str]) -> FactValue:
    typed, misfit = declared_value(value, fact)
    if misfit or (value is not None and reading.read(value, fact.type) is None):
        rejected.add(fact.id)
        return None
    # money that is a decimal already must not lose digits on the way through a double
    return value if fact.type is FactType.MONEY and isinstance(value, Decimal) else typed
