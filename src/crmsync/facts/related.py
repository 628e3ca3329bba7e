"""Aggregates over related records: one grouped subquery per object and look-up field."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from crmsync.condition import condition_sql
from crmsync.facts import conversion
from crmsync.facts.sources import Fields, related_of
from crmsync.model.condition import Condition, Name
from crmsync.model.fact import FactType
from crmsync.model.mapping import Aggregate, AggregateSource, CrmMapping, Related
from crmsync.model.period import parts_in
from crmsync.model.schema import FieldSchema, FieldType

_GAPS = frozenset({Aggregate.GAP, Aggregate.GAP_MEAN})


@dataclass(frozen=True, slots=True)
class RelatedColumn:
    """One aggregate of a subquery: its alias there, and what kind of value it holds."""

    fact: str
    source: AggregateSource
    alias: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class RelatedTable:
    """A subquery with one row per customer: ``_via`` and the columns. ``broken`` columns
    (``b_`` + alias) are true where a counted record's value could not be stored."""

    select: exp.Select
    columns: tuple[RelatedColumn, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of one relation is built with."""

    fields: Fields
    mapping: CrmMapping
    as_of: date
    zone: str

    def condition(self, object: str, condition: Condition) -> exp.Expr:
        """A condition on the fields of *object*, columns unqualified.

        A mapping's condition gives each field the type its use asks for: text where it only asks
        whether there is a value.
        """

        def column(name: Name) -> exp.Expr:
            field = self.fields.field(object, name.id)
            value = _column(field.name)
            if name.type is FactType.TEXT and not conversion.is_text(field.type):
                return exp.cast(value, "VARCHAR")
            return conversion.as_fact(value, field.type, name.type, self.zone)

        return condition_sql(condition, column, self.as_of)


def table(object: str) -> exp.Table:
    """The mirror table of an object."""
    return exp.table_(object, db="main", catalog="mirror", quoted=True)


def related_tables(
    setting: Setting, sources: dict[str, AggregateSource], numbers: dict[str, int]
) -> tuple[RelatedTable, ...]:
    """Subqueries for every aggregate: one pass per object and look-up field, and one per gap.

    *numbers* gives each fact's place in the ruleset, which names its column (``s3``).
    """
    passes: dict[tuple[str, str], list[tuple[str, AggregateSource]]] = {}
    tables = []
    for fact, source in sources.items():
        related = related_of(setting.mapping, source)
        if source.aggregate in _GAPS:
            tables.append(_gap_table(setting, fact, source, f"s{numbers[fact]}"))
        else:
            passes.setdefault((related.object, related.via), []).append((fact, source))
    grouped = [
        _grouped(setting, name, via, [(fact, f"s{numbers[fact]}", one) for fact, one in own])
        for (name, via), own in passes.items()
    ]
    return (*grouped, *tables)


def _grouped(
    setting: Setting, object: str, via: str, sources: list[tuple[str, str, AggregateSource]]
) -> RelatedTable:
    columns = []
    select = exp.select(_named(_column(via), "_via"))
    for fact, alias, source in sources:
        related = related_of(setting.mapping, source)
        field = None
        if source.of is not None:
            field = setting.fields.picked(object, source.of)
        fits = _fits(setting, related, source)
        value = exp.Filter(
            this=_aggregate(setting, related, source, field),
            expression=exp.Where(this=fits),
        )
        select = select.select(_named(_counted(source, value), alias), copy=False)
        broken = _broken(field, fits)
        select = select.select(_named(broken, f"b_{alias}"), copy=False)
        columns.append(RelatedColumn(fact, source, alias, _result_type(source, field)))
    select = select.from_(table(object), copy=False).where(_known(_column(via)), copy=False)
    select = select.group_by(_column(via), copy=False)
    return RelatedTable(select=select, columns=tuple(columns))


def _gap_table(setting: Setting, fact: str, source: AggregateSource, alias: str) -> RelatedTable:
    related = related_of(setting.mapping, source)
    day = _day(setting, related)
    days = (
        exp.select(
            _named(_column(related.via), "_via"),
            _named(day, "_day"),
        )
        .distinct()
        .from_(table(related.object))
        .where(_known(_column(related.via)), _known(day.copy()), _fits(setting, related, source))
    )
    before = exp.Window(
        this=exp.Lag(this=_column("_day")),
        partition_by=[_column("_via")],
        order=exp.Order(expressions=[exp.Ordered(this=_column("_day"))]),
    )
    gaps = exp.select(
        _column("_via"),
        _named(exp.Sub(this=_column("_day"), expression=before), "_gap"),
    ).from_(days.subquery("days", copy=False), copy=False)
    kind = exp.Median if source.aggregate is Aggregate.GAP else exp.Avg
    select = (
        exp.select(
            _column("_via"),
            _named(kind(this=_column("_gap")), alias),
            _named(exp.false(), f"b_{alias}"),
        )
        .from_(gaps.subquery("gaps", copy=False), copy=False)
        .where(_known(_column("_gap")))
        .group_by(_column("_via"))
    )
    column = RelatedColumn(fact, source, alias, FieldType.DECIMAL)
    return RelatedTable(select=select, columns=(column,))


def _aggregate(
    setting: Setting, related: Related, source: AggregateSource, field: FieldSchema | None
) -> exp.Expr:
    value = exp.Star() if field is None else _column(field.name)
    match source.aggregate:
        case Aggregate.COUNT:
            return exp.Count(this=value)
        case Aggregate.DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[value]))
        case Aggregate.SUM | Aggregate.AVG:
            return exp.Sum(this=value)
        case Aggregate.MIN:
            return exp.Min(this=value)
        case Aggregate.MAX:
            return exp.Max(this=value)
        case _:
            place = exp.Tuple(expressions=[_day(setting, related), _column("id")])
            kind = exp.ArgMin if source.aggregate is Aggregate.FIRST else exp.ArgMax
            return kind(this=value, expression=place)


def _counted(source: AggregateSource, value: exp.Filter) -> exp.Expr:
    """Nothing counted is unknown, as nothing summed is: a fact says so itself with ``missing: 0``.

    An average is the exact sum over the count, so the order of rows cannot show in it.
    """
    if source.per is not None and source.within is not None:
        parts = parts_in(source.within, source.per)
        whole = _counted(dataclasses.replace(source, per=None), value)
        return exp.Div(
            this=exp.cast(whole, "DOUBLE"),
            expression=exp.cast(exp.Literal.number(parts or 1), "DOUBLE"),
        )
    if source.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}:
        return exp.Nullif(this=value, expression=exp.Literal.number(0))
    if source.aggregate is Aggregate.AVG:
        count = exp.Filter(
            this=exp.Count(this=value.this.this.copy()), expression=value.expression.copy()
        )
        return exp.Div(
            this=exp.cast(value, "DOUBLE"),
            expression=exp.Nullif(this=count, expression=exp.Literal.number(0)),
        )
    return value


def _broken(field: FieldSchema | None, fits: exp.Expr) -> exp.Expr:
    if field is None:
        return exp.false()
    test = exp.Anonymous(
        this="LIST_CONTAINS", expressions=[_column("_unfit"), exp.Literal.string(field.name)]
    )
    anywhere = exp.Filter(this=exp.LogicalOr(this=test), expression=exp.Where(this=fits.copy()))
    return exp.Coalesce(this=anywhere, expressions=[exp.false()])


def _fits(setting: Setting, related: Related, source: AggregateSource) -> exp.Expr:
    parts: list[exp.Expr] = [
        setting.condition(related.object, condition)
        for condition in (related.where, source.where)
        if condition is not None
    ]
    if source.within is not None:
        after, until = source.within.bounds(setting.as_of)
        day = _day(setting, related)
        parts.append(exp.GT(this=day, expression=conversion.literal_day(after)))
        parts.append(exp.LTE(this=day.copy(), expression=conversion.literal_day(until)))
    if source.aggregate in {Aggregate.FIRST, Aggregate.LAST}:
        parts.append(_known(_day(setting, related)))
    fits: exp.Expr = exp.true()
    for number, part in enumerate(parts):
        fits = exp.And(this=fits, expression=exp.paren(part, copy=False)) if number else part
    return fits


def _day(setting: Setting, related: Related) -> exp.Expr:
    field = setting.fields.field(related.object, related.date)
    column = _column(field.name)
    if field.type is FieldType.DATETIME:
        return conversion.local_day(column, setting.zone)
    return column if field.type is FieldType.DATE else conversion.null("DATE")


def _result_type(source: AggregateSource, field: FieldSchema | None) -> FieldType:
    match source.aggregate:
        case Aggregate.COUNT | Aggregate.DISTINCT:
            return FieldType.INTEGER if source.per is None else FieldType.DECIMAL
        case Aggregate.SUM | Aggregate.AVG if field is not None:
            return FieldType.PERCENT if field.type is FieldType.PERCENT else FieldType.DECIMAL
        case _:
            return FieldType.DECIMAL if field is None else field.type


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.paren(value, copy=False), expression=exp.null()))


def _named(value: exp.Expr, name: str) -> exp.Expr:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))
