"""Fact rows from plain values, by the rules that SQL follows for a whole population."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal

from crmsync.condition import values as reading
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import FactDefinition

_MILLION = 1e6  # money has six decimal places
_LARGEST_MONEY = 1e28


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
    rejected: list[str] = []
    for fact in engine.ruleset.facts:
        if fact.formula is None:
            values[fact.id] = _settled(fact, facts.get(fact.id), rejected)
    for fact, formula in engine.formulas:
        result = formula([values[name] for name in engine.facts], as_of)
        values[fact.id] = _settled(fact, result, rejected)
    return FactRow(ref, ref.id, None, values, rejected=tuple(rejected))


def _settled(fact: FactDefinition, value: FactValue, rejected: list[str]) -> FactValue:
    if value is None:
        return fact.missing
    typed = declared(value, fact.type)
    if typed is None or not _fits(fact, typed):
        rejected.append(fact.id)
        return None
    return typed


def declared(value: FactValue, type: FactType) -> FactValue:
    """*value* as a fact of *type* holds it, ``None`` when it cannot."""
    match type:
        case FactType.INTEGER:
            number = reading.integer(value)
            return int(number) if number is not None and number == math.floor(number) else None
        case FactType.MONEY:
            return _money(value)
        case FactType.DATETIME:
            moment = reading.moment(value)
            return None if moment is None else moment.replace(tzinfo=UTC)
        case _:
            return reading.read(value, type)


def _money(value: FactValue) -> Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    number = reading.number(value)
    if number is None:
        return None
    scaled = abs(number) * _MILLION
    if scaled >= _LARGEST_MONEY:
        return None
    # half away from zero without adding 0.5 first: the cast of DuckDB, bit for bit
    whole = math.floor(scaled)
    whole += 1 if scaled - whole >= 0.5 else 0
    return Decimal(-whole if number < 0 else whole).scaleb(-6)


def _fits(fact: FactDefinition, value: FactValue) -> bool:
    if fact.choices and fact.type is FactType.CHOICE:
        return value in fact.choices
    if fact.between is None or not fact.type.numeric:
        return True
    low, high = fact.between
    number = reading.number(value)
    return number is not None and float(low) <= number <= float(high)
