"""Values people typed in: who gave them, when and why, and whether they still count, in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from sqlglot import exp

from crmsync.facts import conversion
from crmsync.facts.sources import Fields
from crmsync.model.fact import FactType
from crmsync.model.mapping import CrmMapping, FieldPick, FieldSource, JudgedFields, Source
from crmsync.model.period import Period
from crmsync.model.ruleset import Ruleset


def judged_terms(ruleset: Ruleset, mapping: CrmMapping) -> Ruleset:
    """The rules with what *mapping* says, for its CRM, of how long people's values count."""
    own = {
        fact: source.judged.valid_for
        for fact, source in mapping.read.items()
        if isinstance(source, FieldSource) and source.judged is not None
    }
    facts = tuple(
        replace(fact, valid_for=own.get(fact.id) or fact.valid_for) for fact in ruleset.facts
    )
    return ruleset if facts == ruleset.facts else replace(ruleset, facts=facts)


def judged_facts(ruleset: Ruleset, sources: Mapping[str, Source]) -> dict[str, JudgedFields]:
    """The fields beside each typed-in fact; none at all where only an age is asked for, which
    nobody then knows."""
    found: dict[str, JudgedFields] = {}
    for fact, source in sources.items():
        if not isinstance(source, FieldSource):
            continue
        if source.judged is not None:
            found[fact] = source.judged
        elif ruleset.fact(fact).valid_for is not None:
            found[fact] = JudgedFields()
    return found


_PARTS = {"author": FactType.TEXT, "on": FactType.DATE, "remark": FactType.TEXT}
_TYPES = {FactType.TEXT: "VARCHAR", FactType.DATE: "DATE"}


def told(judged: JudgedFields, fields: Fields, number: int, zone: str) -> list[exp.Expr]:
    """Source columns of what stands beside fact *number*: author, day and remark."""
    picks = {"author": judged.author, "on": judged.date, "remark": judged.remark}
    return [
        exp.alias_(_read(pick, fields, _PARTS[part], zone), _name(part, number), quoted=True)
        for part, pick in picks.items()
    ]


def counting(number: int, valid_for: Period | None, as_of: date) -> exp.Expr:
    """Whether the value of fact *number* is young enough: `crmsync.model.fact.Judgement.counts`."""
    if valid_for is None:
        return exp.true()
    day = _column("on", number)
    after = exp.GT(this=day, expression=conversion.literal_day(valid_for.before(as_of)))
    until = exp.LTE(this=day.copy(), expression=conversion.literal_day(as_of))
    return exp.Coalesce(this=exp.paren(exp.and_(after, until)), expressions=[exp.false()])


def judgement(number: int, value: exp.Expr, counts: exp.Expr) -> exp.Expr:
    """The STRUCT column of fact *number*; *value* is expired where *counts* is false."""
    expired = exp.case().when(exp.Not(this=exp.paren(counts)), value)
    parts = {**{part: _column(part, number) for part in _PARTS}, "expired": expired}
    whole = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=part)
            for name, part in parts.items()
        ]
    )
    nothing = [
        exp.Is(this=exp.paren(part.copy()), expression=exp.null()) for part in parts.values()
    ]
    return exp.case().when(exp.Not(this=exp.paren(exp.and_(*nothing))), whole)


def _read(pick: FieldPick | None, fields: Fields, wanted: FactType, zone: str) -> exp.Expr:
    if pick is None:
        return conversion.null(_TYPES[wanted])
    field = fields.own(pick)
    column = exp.column(field.name, table="own", quoted=True)
    return conversion.as_fact(column, field.type, wanted, zone)


def _column(part: str, number: int) -> exp.Column:
    return exp.column(_name(part, number), quoted=True)


def _name(part: str, number: int) -> str:
    return f"j{number}_{part}"
