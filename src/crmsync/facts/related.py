"""Aggregates over related records: one grouped subquery per object and look-up field."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from crmsync.condition import condition_sql
from crmsync.facts import conversion
from crmsync.facts.money import Money, word_of
from crmsync.facts.sources import Fields, related_of
from crmsync.model.condition import Condition, Name
from crmsync.model.fact import FactType
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    Related,
)
from crmsync.model.period import parts_in
from crmsync.model.relation import FactRelation
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


def summaries(relation: FactRelation) -> list[exp.Subquery]:
    """The parts of *relation* with one row per customer, summed up from related records.

    They are where the time goes: each reads every order of everybody. They hang on nothing around
    them, so a table of the same rows may stand in their place.
    """
    found = relation.select.find_all(exp.Subquery)
    return [part for part in found if _SUMMARY.fullmatch(part.alias)]


def summary_alias(number: int) -> str:
    """What the relation calls the subquery of a `RelatedTable`."""
    return f"r{number}"


_SUMMARY = re.compile(r"r\d+")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of one relation is built with."""

    fields: Fields
    mapping: CrmMapping
    as_of: date
    zone: str
    money: Money | None = None
    """How amounts are converted, where they are."""

    def converts(self, fact: str) -> bool:
        """Whether the values of *fact* are amounts to convert."""
        return self.money is not None and fact in self.money.facts

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
    unfit: dict[str, exp.Expr] = {}
    for fact, alias, source in sources:
        related = related_of(setting.mapping, source)
        field = None
        if source.of is not None:
            field = setting.fields.picked(object, source.of)
        fits = _fits(setting, related, source)
        amount = _amount(setting, related, (fact, source), field)
        value = exp.Filter(
            this=_aggregate(setting, related, source, amount),
            expression=exp.Where(this=fits),
        )
        select = select.select(_named(_counted(source, value), alias), copy=False)
        lacking = None if field is None or not setting.converts(fact) else amount
        broken = _broken(field, fits, lacking)
        if field is not None and lacking is None:
            unfit[f"b_{alias}"] = broken
        else:
            select = select.select(_named(broken, f"b_{alias}"), copy=False)
        kind = FieldType.DECIMAL if lacking is not None else _result_type(source, field)
        columns.append(RelatedColumn(fact, source, alias, kind))
    select = select.from_(table(object), copy=False).where(_known(_column(via)), copy=False)
    select = select.group_by(_column(via), copy=False)
    if unfit:
        select = _beside(select, unfit, object, via)
    return RelatedTable(select=select, columns=tuple(columns))


def _beside(sums: exp.Select, unfit: dict[str, exp.Expr], object: str, via: str) -> exp.Select:
    """*sums* with what tells of values that could not be stored: read from the few records that
    have any, which costs a third less than asking every record for its list."""
    lost = exp.select(
        _named(_column(via), "_via"), *(_named(value, name) for name, value in unfit.items())
    ).from_(table(object))
    lost = lost.where(_known(_column(via)), _known(_column("_unfit"))).group_by(_column(via))
    flags = [
        _named(exp.Coalesce(this=_column(name, "lost"), expressions=[exp.false()]), name)
        for name in unfit
    ]
    whole = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier("sums")), *flags)
    whole = whole.from_(sums.subquery("sums", copy=False), copy=False)
    same = exp.EQ(this=_column("_via", "sums"), expression=_column("_via", "lost"))
    return whole.join(lost.subquery("lost", copy=False), on=same, join_type="left", copy=False)


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


def _amount(
    setting: Setting,
    related: Related,
    asked: tuple[str, AggregateSource],
    field: FieldSchema | None,
) -> exp.Expr:
    """What is aggregated: the field's value, an amount in the rules' own currency."""
    fact, source = asked
    if field is None:
        return exp.Star()
    money = setting.money
    if money is None or not setting.converts(fact):
        return _column(field.name)
    value = conversion.as_fact(_column(field.name), field.type, FactType.MONEY, setting.zone)
    word = _word(setting, money, related.object, source.currency)
    return money.converted(value, word, _day(setting, related))


def _word(setting: Setting, money: Money, object: str, pick: FieldPick | None) -> exp.Expr | None:
    """What stands in a currency field."""
    if pick is None:
        return None
    told = setting.fields.picked(object, pick)
    return word_of(told, _column(told.name), money.terms.words)


def unconverted(setting: Setting, fact: str, source: AggregateSource) -> exp.Select:
    """``code`` of every counted record whose amount has no rate."""
    related = related_of(setting.mapping, source)
    assert setting.money is not None
    assert source.of is not None
    field = setting.fields.picked(related.object, source.of)
    amount = _amount(setting, related, (fact, source), field)
    word = _word(setting, setting.money, related.object, source.currency)
    found = exp.select(_named(setting.money.code(word), "code")).from_(table(related.object))
    counted = _known(_column(related.via)), _fits(setting, related, source)
    return found.where(*counted, _known(_column(field.name)), exp.Not(this=_known(amount)))


def unconverted_own(setting: Setting, source: FieldSource) -> exp.Select:
    """``code`` of every customer whose own amount has no rate today."""
    object, money = setting.mapping.object, setting.money
    assert money is not None
    field = setting.fields.own(source.field)
    amount = conversion.as_fact(_column(field.name), field.type, FactType.MONEY, setting.zone)
    word = _word(setting, money, object, source.currency)
    value = money.converted(amount, word, conversion.literal_day(setting.as_of))
    found = exp.select(_named(money.code(word), "code")).from_(table(object))
    return found.where(_known(_column(field.name)), exp.Not(this=_known(value)))


def _aggregate(
    setting: Setting, related: Related, source: AggregateSource, value: exp.Expr
) -> exp.Expr:
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


def _broken(field: FieldSchema | None, fits: exp.Expr, amount: exp.Expr | None = None) -> exp.Expr:
    """Whether a counted record's value could not be stored, or its *amount* not converted: what
    the rest of them come to is not the whole."""
    if field is None:
        return exp.false()
    test: exp.Expr = exp.Anonymous(
        this="LIST_CONTAINS", expressions=[_column("_unfit"), exp.Literal.string(field.name)]
    )
    if amount is not None:
        lacks = exp.Is(this=exp.paren(amount.copy()), expression=exp.null())
        test = exp.or_(test, exp.and_(_known(_column(field.name)), lacks))
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


def _column(name: str, owner: str | None = None) -> exp.Column:
    return exp.column(name, table=owner, quoted=True)


def _known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.paren(value, copy=False), expression=exp.null()))


def _named(value: exp.Expr, name: str) -> exp.Expr:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))
