"""Fact rows from plain values, by the rules that SQL follows for a whole population."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from crmsync.condition import values as reading
from crmsync.condition.declared import declared_value
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import FactDefinition


def row_from_facts(
    engine: CompiledRuleset, ref: RecordRef, facts: Mapping[str, FactValue], as_of: date
) -> FactRow:
    """A fact row: values as their declared types, defaults filled in, formulas computed.

    Facts that are not in *facts* (or are ``None`` there) take their ``missing`` value, if they have
    one. A value of another type, or outside ``between`` or ``choices``, is unknown and named in
    ``rejected``. A formula's result is never taken from *facts*. Used for cases, for explaining and
    for *what if*.
    """
    values: dict[str, FactValue] = dict.fromkeys(engine.facts)
    rejected: set[str] = set()
    for fact in engine.ruleset.facts:
        if fact.formula is None:
            values[fact.id] = _given(fact, facts.get(fact.id), rejected)
    for fact, formula in engine.formulas:
        result = formula([values[name] for name in engine.facts], as_of)
        values[fact.id], misfit = declared_value(result, fact)
        if misfit:
            rejected.add(fact.id)
    listed = tuple(name for name in engine.facts if name in rejected)
    return FactRow(ref, ref.id, None, values, rejected=listed)


def _given(fact: FactDefinition, value: FactValue, rejected: set[str]) -> FactValue:
    typed, misfit = declared_value(value, fact)
    if misfit or (value is not None and reading.read(value, fact.type) is None):
        rejected.add(fact.id)
        return None
    # money that is a decimal already must not lose digits on the way through a double
    return value if fact.type is FactType.MONEY and isinstance(value, Decimal) else typed
