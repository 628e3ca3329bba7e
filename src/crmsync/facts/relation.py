"""The relation of facts: one SELECT over the mirror, built in layers.

Source values (scope, related records) → typed by the fact → checked against range and choices →
facts with their defaults → formulas, those that read other formulas after them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from crmsync.condition import condition_sql, declared_sql, expression_sql, names
from crmsync.facts import conversion, judging
from crmsync.facts.grouping import grouped
from crmsync.facts.money import money_of, word_of
from crmsync.facts.related import (
    RelatedTable,
    Setting,
    related_tables,
    summary_alias,
    table,
)
from crmsync.facts.sources import Fields, used
from crmsync.model.condition import Name
from crmsync.model.fact import FactType, FactValue
from crmsync.model.mapping import OWNED_ROLES, AggregateSource, CrmMapping, FieldSource
from crmsync.model.relation import SQL_TYPES, FactRelation
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema


def relation(
    ruleset: Ruleset,
    mapping: CrmMapping,
    schemas: Mapping[str, ObjectSchema],
    as_of: date,
) -> FactRelation:
    """The facts of every record in scope, from a mirror attached as ``mirror``.

    A value its fact's type, range or choices cannot hold is NULL (no default replaces it) and its
    fact is listed in ``rejected``; so is an aggregate over a record whose value could not be
    stored. A count or sum over nothing is unknown unless the fact's ``missing`` says otherwise. A
    numeric fact without a source stays unknown.
    """
    ruleset = judging.judged_terms(ruleset, mapping)
    fields = Fields(mapping, schemas)
    setting = Setting(
        fields=fields,
        mapping=mapping,
        as_of=as_of,
        zone=ruleset.time_zone,
        money=money_of(ruleset, mapping),
    )
    roles = tuple(role for role in OWNED_ROLES if role in mapping.write)
    builder = _Builder(ruleset, setting)
    layers = builder.sources(roles)
    layers = builder.typed(layers)
    layers = builder.checked(layers)
    layers = builder.facts(layers)
    layers = builder.groups(layers)
    layers = builder.formulas(layers)
    layers = builder.population(layers)
    facts = tuple(fact.id for fact in ruleset.facts)
    types = tuple(fact.type for fact in ruleset.facts)
    return FactRelation(
        object=mapping.object,
        select=builder.final(layers, roles),
        facts=facts,
        types=types,
        owned=roles,
        judged=tuple(builder.judged),
    )


def scope(setting: Setting) -> exp.Expr:
    """The mapping's ``applies_to`` on unqualified columns; TRUE when it has none."""
    if setting.mapping.applies_to is None:
        return exp.true()
    return setting.condition(setting.mapping.object, setting.mapping.applies_to)


class _Builder:
    """Adds one layer of columns after the other; each is a SELECT over the one below."""

    def __init__(self, ruleset: Ruleset, setting: Setting) -> None:
        self._ruleset = ruleset
        self._setting = setting
        self._mapping = setting.mapping
        self._numbers = {fact.id: number for number, fact in enumerate(ruleset.facts)}
        self._sources = used(ruleset, setting.mapping)
        self._types: dict[str, FieldType] = {}
        self.judged = judging.judged_facts(ruleset, self._sources)
        """Facts of which the CRM tells who judged them."""

    def sources(self, roles: Sequence[str]) -> exp.Select:
        """Identity, what stands in owned fields, and one source column per fact."""
        mapping, fields = self._mapping, self._setting.fields
        select = exp.select(
            _named(_of("id"), "id"),
            _named(_or_else(self._field(fields.own(mapping.identity_name)), ""), "name"),
            _named(self._owner(), "owner"),
            _named(_of("_version"), "version"),
            _named(_of("_modified"), "modified_at"),
            _named(self._locked(), "locked"),
        )
        for role in roles:
            field = fields.own(mapping.write[role].field)
            column = FactRelation.owned_column(role)
            select = select.select(_named(_of(field.name), column), copy=False)
        for fact, source in self._sources.items():
            if isinstance(source, FieldSource):
                select = self._field_source(select, fact, source)
        own = exp.select("*").from_(table(mapping.object)).where(scope(self._setting))
        select = select.from_(own.subquery("own", copy=False), copy=False)
        aggregates = {
            fact: source
            for fact, source in self._sources.items()
            if isinstance(source, AggregateSource)
        }
        tables = related_tables(self._setting, aggregates, self._numbers)
        for number, related in enumerate(tables):
            select = self._joined(select, related, summary_alias(number))
        return select

    def typed(self, below: exp.Select) -> exp.Select:
        """``c``: the source value as the fact's type."""
        added = []
        for fact in self._sourced():
            source = _column(f"s{self._numbers[fact.id]}")
            zone = self._ruleset.time_zone
            value = conversion.as_fact(source, self._types[fact.id], fact.type, zone)
            added.append((value, f"c{self._numbers[fact.id]}"))
        return _over(below, added)

    def checked(self, below: exp.Select) -> exp.Select:
        """``t``: the typed value, NULL outside the fact's range or choices."""
        added = []
        for fact in self._sourced():
            number = self._numbers[fact.id]
            added.append((_checked(fact, _column(f"c{number}")), f"t{number}"))
        return _over(below, added)

    def facts(self, below: exp.Select) -> exp.Select:
        """``f`` with its default, and ``x``: whether a value was there and did not fit."""
        added: list[tuple[exp.Expr, str]] = []
        for fact in self._ruleset.facts:
            number = self._numbers[fact.id]
            if fact.formula is not None:
                continue
            if fact.id not in self._sources:
                missing = None if fact.type.numeric else fact.missing
                added.append((_constant(missing, fact.type), f"f{number}"))
                added.append((exp.false(), f"x{number}"))
                continue
            unfit = exp.And(
                this=_known(_column(f"s{number}")), expression=_is_null(_column(f"t{number}"))
            )
            rejected = exp.Or(this=_column(f"b{number}"), expression=exp.paren(unfit, copy=False))
            known: exp.Expr = _column(f"t{number}")
            if fact.id in self.judged:
                counts = judging.counting(number, fact.valid_for, self._setting.as_of)
                added.append((judging.judgement(number, known, counts), f"j{number}"))
                known = exp.case().when(counts.copy(), known.copy())
            default = exp.Coalesce(this=known, expressions=[_constant(fact.missing, fact.type)])
            value = exp.case().when(exp.Not(this=exp.paren(rejected)), default, copy=False)
            added.append((value, f"f{number}"))
            added.append((rejected.copy(), f"x{number}"))
        return _over(below, added)

    def groups(self, below: exp.Select) -> exp.Select:
        """Sums of a whole group in place of each member's own values."""
        group = self._ruleset.group
        if group is None:
            return below
        types = {fact.id: fact.type for fact in self._ruleset.facts}
        columns = {fact: (number, types[fact]) for fact, number in self._numbers.items()}
        return grouped(below, group, columns)

    def formulas(self, below: exp.Select) -> exp.Select:
        """Derived facts, each layer reading only the layers below it."""
        for layer in formula_layers(self._ruleset):
            raw: list[tuple[exp.Expr, str]] = []
            done: list[tuple[exp.Expr, str]] = []
            for fact in layer:
                assert fact.formula is not None
                number = self._numbers[fact.id]
                value = expression_sql(fact.formula, self._fact_column, self._setting.as_of)
                raw.append((value, f"s{number}"))
                done.append((declared_sql(_column(f"s{number}"), fact), f"t{number}"))
            below = _over(_over(below, raw), done)
            final: list[tuple[exp.Expr, str]] = []
            for fact in layer:
                number = self._numbers[fact.id]
                unfit = exp.And(
                    this=_known(_column(f"s{number}")), expression=_is_null(_column(f"t{number}"))
                )
                default = exp.Coalesce(
                    this=_column(f"t{number}"), expressions=[_constant(fact.missing, fact.type)]
                )
                value = exp.case().when(exp.Not(this=exp.paren(unfit)), default)
                final.append((value, f"f{number}"))
                final.append((unfit.copy(), f"x{number}"))
            below = _over(below, final)
        return below

    def population(self, below: exp.Select) -> exp.Select:
        """Only customers the rules are for; one left unknown is not."""
        condition = self._ruleset.population
        if condition is None:
            return below
        inside = condition_sql(condition, self._fact_column, self._setting.as_of)
        whole = exp.select("*").from_(below.subquery("below", copy=False), copy=False)
        return whole.where(inside, copy=False)

    def final(self, below: exp.Select, roles: Sequence[str]) -> exp.Select:
        """Only the promised columns, in order of id."""
        ids = [exp.Literal.string(fact.id) for fact in self._ruleset.facts]
        flags = [_column(f"x{number}") for number in range(len(ids))]
        nothing = exp.cast(exp.Array(expressions=[]), "VARCHAR[]")
        listed = exp.Anonymous(
            this="LIST_WHERE",
            expressions=[
                exp.cast(exp.Array(expressions=ids), "VARCHAR[]"),
                exp.cast(exp.Array(expressions=flags), "BOOLEAN[]"),
            ],
        )
        some = exp.or_(exp.false(), *(flag.copy() for flag in flags), copy=False)
        rejected = exp.case().when(some, listed, copy=False).else_(nothing, copy=False)
        identity = ("id", "name", "owner", "version", "modified_at", "locked")
        columns = [_column(name) for name in identity]
        facts = [_column(f"f{number}") for number in range(len(ids))]
        owned = [_column(FactRelation.owned_column(role)) for role in roles]
        judged = [_column(f"j{self._numbers[fact]}") for fact in self.judged]
        return (
            exp.select(*columns, _named(rejected, "rejected"), *facts, *owned, *judged, copy=False)
            .from_(below.subquery("facts", copy=False), copy=False)
            .order_by(exp.Ordered(this=_column("id")), copy=False)
        )

    def _sourced(self) -> list[FactDefinition]:
        return [fact for fact in self._ruleset.facts if fact.id in self._sources]

    def _fact_column(self, name: Name) -> exp.Expr:
        return _column(f"f{self._numbers[name.id]}")

    def _field(self, field: FieldSchema) -> exp.Expr:
        return conversion.as_fact(
            _of(field.name), field.type, FactType.TEXT, self._ruleset.time_zone
        )

    def _owner(self) -> exp.Expr:
        pick = self._mapping.identity_owner
        return (
            conversion.null("VARCHAR")
            if pick is None
            else self._field(self._setting.fields.own(pick))
        )

    def _locked(self) -> exp.Expr:
        pick = self._mapping.lock_field
        if pick is None:
            return exp.false()
        field = self._setting.fields.own(pick)
        value = conversion.as_fact(
            _of(field.name), field.type, FactType.YES_NO, self._ruleset.time_zone
        )
        return exp.Coalesce(this=value, expressions=[exp.false()])

    def _field_source(self, select: exp.Select, id: str, source: FieldSource) -> exp.Select:
        fact = self._ruleset.fact(id)
        field = self._setting.fields.own(source.field)
        number = self._numbers[id]
        value: exp.Expr = _of(field.name)
        kind = field.type
        known = conversion.translations(field, source.values, fact.choices)
        words = conversion.as_words(_of(field.name), field.type) if known else None
        if words is not None:
            value, kind = conversion.translate(words, known), FieldType.TEXT
        unfit = exp.Anonymous(
            this="LIST_CONTAINS", expressions=[_of("_unfit"), exp.Literal.string(field.name)]
        )
        broken: exp.Expr = exp.Coalesce(this=unfit, expressions=[exp.false()])
        if self._setting.converts(id):
            value, lacking = self._converted(source, value, kind)
            broken, kind = exp.Or(this=broken, expression=exp.paren(lacking)), FieldType.DECIMAL
        self._types[id] = kind
        added = [_named(value, f"s{number}"), _named(broken, f"b{number}")]
        if id in self.judged:
            zone = self._ruleset.time_zone
            added += judging.told(self.judged[id], self._setting.fields, number, zone)
        return select.select(*added, copy=False)

    def _converted(
        self, source: FieldSource, stored: exp.Expr, kind: FieldType
    ) -> tuple[exp.Expr, exp.Expr]:
        """An amount of the customer's own by the rate of today, and whether it could not be."""
        money, code = self._setting.money, None
        assert money is not None
        if source.currency is not None:
            told = self._setting.fields.own(source.currency)
            code = word_of(told, _of(told.name), money.terms.words)
        amount = conversion.as_fact(stored, kind, FactType.MONEY, self._ruleset.time_zone)
        value = money.converted(amount, code, conversion.literal_day(self._setting.as_of))
        lacking = exp.and_(_known(stored.copy()), _is_null(exp.paren(value.copy())))
        return value, lacking

    def _joined(self, select: exp.Select, related: RelatedTable, alias: str) -> exp.Select:
        for column in related.columns:
            number = self._numbers[column.fact]
            self._types[column.fact] = column.type
            broken = exp.Coalesce(this=_of(f"b_{column.alias}", alias), expressions=[exp.false()])
            value = _named(_of(column.alias, alias), f"s{number}")
            select = select.select(value, _named(broken, f"b{number}"), copy=False)
        on = exp.EQ(this=_of("_via", alias), expression=_of("id"))
        below = related.select.subquery(alias, copy=False)
        return select.join(below, on=on, join_type="left", copy=False)


def formula_layers(ruleset: Ruleset) -> list[list[FactDefinition]]:
    """Formula facts grouped so that each group reads only facts before it.

    Raises ValueError for formulas that read each other in a circle, which ``check`` refuses.
    """
    waiting = [fact for fact in ruleset.facts if fact.formula is not None]
    ready = {fact.id for fact in ruleset.facts if fact.formula is None}
    layers: list[list[FactDefinition]] = []
    while waiting:
        layer = [
            fact for fact in waiting if fact.formula is not None and names(fact.formula) <= ready
        ]
        if not layer:
            raise ValueError(f"formulas in a circle: {[fact.id for fact in waiting]}")
        layers.append(layer)
        ready |= {fact.id for fact in layer}
        waiting = [fact for fact in waiting if fact.id not in ready]
    return layers


def _checked(fact: FactDefinition, value: exp.Expr) -> exp.Expr:
    if fact.between is not None and fact.type.numeric:
        low, high = (_decimal(end) for end in fact.between)
        inside: exp.Expr = exp.Between(this=value, low=low, high=high)
    elif fact.choices and fact.type is FactType.CHOICE:
        inside = exp.In(
            this=value, expressions=[exp.Literal.string(choice) for choice in fact.choices]
        )
    else:
        return value
    return exp.case().when(inside, value.copy())


def _decimal(value: Decimal) -> exp.Expr:
    return exp.cast(exp.Literal.string(repr(float(value))), "DOUBLE")


def _constant(value: FactValue, type: FactType) -> exp.Expr:
    if value is None:
        return conversion.null(SQL_TYPES[type])
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, datetime):
        text = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    else:
        text = str(value)
    return exp.cast(exp.Literal.string(text), SQL_TYPES[type])


def _over(below: exp.Select, added: Sequence[tuple[exp.Expr, str]]) -> exp.Select:
    columns = [_named(value, name) for value, name in added]
    return exp.select("*", *columns).from_(below.subquery("below", copy=False), copy=False)


def _named(value: exp.Expr, name: str) -> exp.Expr:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _of(name: str, owner: str = "own") -> exp.Column:
    return exp.column(name, table=owner, quoted=True)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _or_else(value: exp.Expr, default: str) -> exp.Expr:
    return exp.Coalesce(this=value, expressions=[exp.Literal.string(default)])


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=value, expression=exp.null())


def _known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=_is_null(value))
