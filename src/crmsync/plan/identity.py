"""Names that are the same whenever the content is: change ids, fact digests, fingerprints."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlglot import exp

from crmsync.model.canonical import text_of
from crmsync.model.fact import FactRow, FactType, FactValue
from crmsync.model.mapping import AggregateSource, CrmMapping
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema

_BETWEEN = "\n"
_DIGEST_LENGTH = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def change_id(*parts: str) -> str:
    """A short id made from what the change is about; no clock and no chance in it."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).digest()
    return "c" + base64.b32encode(digest).decode().lower()


def facts_digest(row: FactRow, firm: Sequence[str]) -> str:
    """A digest of the *firm* facts of one customer; `facts_digest_sql` gives the same.

    A judgement that grew too old counts with its value: only time has passed.
    """
    expired = {fact: told.expired for fact, told in row.judged.items()}
    values = (row.facts.get(name) for name in firm)
    parts = [
        _fact_text(expired.get(name) if value is None else value)
        for name, value in zip(firm, values, strict=True)
    ]
    whole = _BETWEEN.join("" if part is None else f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(whole.encode()).hexdigest()[:_DIGEST_LENGTH]


def facts_digest_sql(relation: FactRelation, firm: Sequence[str]) -> exp.Expr:
    """`facts_digest` over the columns of *relation*, for DuckDB."""
    texts = [_fact_sql(relation, name) for name in firm]
    sized = [
        exp.Coalesce(
            this=_joined([exp.cast(_call("LENGTH", text), "VARCHAR"), _words(":"), text.copy()]),
            expressions=[_words("")],
        )
        for text in texts
    ]
    parts = [part for text in sized for part in (_words(_BETWEEN), text)][1:]
    whole = _joined(parts) if parts else _words("")
    length = exp.Literal.number(_DIGEST_LENGTH)
    return _call("SUBSTR", _call("SHA256", whole), exp.Literal.number(1), length)


def _fact_text(value: FactValue) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:.6f}"
        case datetime():
            return str(round((value - _EPOCH) / timedelta(microseconds=1)))
    return str(value)


def _fact_sql(relation: FactRelation, name: str) -> exp.Expr:
    number = relation.facts.index(name)
    column: exp.Expr = exp.column(f"f{number}", quoted=True)
    if name in relation.judged:
        told = exp.column(relation.judged_column(name), quoted=True)
        expired = _call("STRUCT_EXTRACT", told, exp.Literal.string("expired"))
        column = exp.Coalesce(this=column, expressions=[expired])
    if relation.types[number] is FactType.DATETIME:
        return exp.cast(_call("EPOCH_US", column), "VARCHAR")
    return exp.cast(column, "VARCHAR")


def _joined(parts: list[exp.Expr]) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.paren(whole)


def _words(text: str) -> exp.Expr:
    return exp.Literal.string(text)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def firm_facts(ruleset: Ruleset, mapping: CrmMapping) -> tuple[str, ...]:
    """The facts that change only because data changed, in an order no renaming changes.

    Formulas and models move with the calendar. So does an aggregate over a window; it is left out
    where another fact without a window reads the same related records, since new records show
    there.
    """
    whole = {
        source.related
        for source in mapping.read.values()
        if isinstance(source, AggregateSource) and source.within is None
    }
    moved_by_time = {
        fact
        for fact, source in mapping.read.items()
        if isinstance(source, AggregateSource)
        and source.within is not None
        and source.related in whole
    }
    formulas = {fact.id for fact in ruleset.facts if fact.formula is not None or fact.model}
    firm = {fact.was or fact.id: fact.id for fact in ruleset.facts}
    return tuple(fact for _, fact in sorted(firm.items()) if fact not in formulas | moved_by_time)


def schema_fingerprint(used: Iterable[tuple[ObjectSchema, Iterable[str]]]) -> str:
    """A digest of the fields a plan relies on: type, choices, limits, whether they can be written.

    A field that is gone counts as well.
    """
    tree: list[Any] = []
    for schema, names in used:
        for name in sorted(set(names)):
            field = schema.field(name)
            if field is None:
                tree.append([schema.object, name])
                continue
            choices = sorted(choice.value for choice in field.choices)
            limits = [field.max_length, field.scale, field.read_only]
            tree.append([schema.object, name, field.type.value, choices, limits])
    tree.sort(key=text_of)
    return hashlib.sha256(text_of(tree).encode()).hexdigest()
