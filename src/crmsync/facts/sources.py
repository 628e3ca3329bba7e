"""Which CRM fields a ruleset's facts come from, by object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crmsync.condition import names
from crmsync.errors import ConfigError
from crmsync.model.condition import Condition
from crmsync.model.mapping import (
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    PeopleSource,
    Related,
)
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema, ObjectWant
from crmsync.model.text import Text

RECORD_ID = FieldSchema(name="id", label="id", type=FieldType.TEXT, read_only=True)
"""The record's own id, in whatever case a mapping writes it."""


def wants(
    ruleset: Ruleset, mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]
) -> tuple[ObjectWant, ...]:
    """The objects and fields to read for *ruleset* through a resolved *mapping*; nothing more.

    Raises ConfigError (MAP091) naming a field or object *schemas* does not have.
    """
    fields = Fields(mapping, schemas)
    found: dict[str, dict[str, FieldSchema]] = {}
    for owner, name in _named(ruleset, mapping):
        own = found.setdefault(owner, {})
        field = fields.field(owner, name)
        if field is not RECORD_ID:
            own[field.name] = field
    return tuple(
        ObjectWant(object=name, fields=tuple(own[field] for field in sorted(own)))
        for name, own in sorted(found.items())
    )


@dataclass(frozen=True, slots=True)
class Fields:
    """Looks fields up in the schemas a mapping was resolved against."""

    mapping: CrmMapping
    schemas: Mapping[str, ObjectSchema]

    def field(self, object: str, name: str) -> FieldSchema:
        """The field; raises ConfigError when the object has no such field."""
        if name.casefold() == "id":
            return RECORD_ID
        schema = self.schemas.get(object)
        found = schema.field(name) if schema is not None else None
        if found is None:
            raise ConfigError(
                Text(
                    zh=f"{object} 没有字段 {name}",
                    en=f"{object} has no field {name}",
                ),
                mend=Text(
                    zh="运行 crmsync connect 查看字段；映射改动后再运行 crmsync pull",
                    en="See the fields with crmsync connect; after changing the mapping run "
                    "crmsync pull.",
                ),
                code="MAP091",
            )
        return found

    def picked(self, object: str, pick: FieldPick) -> FieldSchema:
        """The field a resolved pick names."""
        return self.field(object, _name(pick))

    def own(self, pick: FieldPick) -> FieldSchema:
        """A field of the customer object."""
        return self.picked(self.mapping.object, pick)


def used(ruleset: Ruleset, mapping: CrmMapping) -> dict[str, FieldSource | AggregateSource]:
    """The sources of facts the ruleset declares and does not derive itself, in its order."""
    return {
        fact.id: mapping.read[fact.id]
        for fact in ruleset.facts
        if fact.formula is None and fact.id in mapping.read
    }


def related_of(mapping: CrmMapping, source: AggregateSource) -> Related:
    """The relation a source names; raises ConfigError when the mapping declares no such one."""
    found = mapping.related.get(source.related)
    if found is None:
        raise ConfigError(
            Text(
                zh=f"映射没有声明关联“{source.related}”",
                en=f"the mapping declares no relation “{source.related}”",
            ),
            mend=Text(zh="在 related: 中声明它", en="Declare it under related:."),
            code="MAP092",
        )
    return found


def _named(ruleset: Ruleset, mapping: CrmMapping) -> Iterator[tuple[str, str]]:
    own = mapping.object
    yield own, "id"
    for pick in (mapping.identity_name, mapping.identity_owner, mapping.lock_field):
        if pick is not None:
            yield own, _name(pick)
    for target in mapping.write.values():
        yield own, _name(target.field)
    yield from ((own, name) for name in _condition_names(mapping.applies_to))
    for source in used(ruleset, mapping).values():
        if isinstance(source, FieldSource):
            yield own, _name(source.field)
            if source.currency is not None:
                yield own, _name(source.currency)
            for pick in () if source.judged is None else source.judged.picks():
                yield own, _name(pick)
            continue
        related = related_of(mapping, source)
        yield related.object, related.via
        yield related.object, related.date
        for pick in (source.of, source.currency):
            if pick is not None:
                yield related.object, _name(pick)
        for condition in (related.where, source.where):
            yield from ((related.object, name) for name in _condition_names(condition))
    for people in mapping.people.values():
        yield from _of_people(mapping.related[people.related], people)


def _of_people(related: Related, people: PeopleSource) -> Iterator[tuple[str, str]]:
    """What is read of people below customers; no more of them than a task needs."""
    yield related.object, "id"
    yield related.object, related.via
    for pick in (related.called, related.do_not_contact):
        if pick is not None:
            yield related.object, _name(pick)
    for condition in (related.where, people.where):
        yield from ((related.object, name) for name in _condition_names(condition))


def _condition_names(condition: Condition | None) -> frozenset[str]:
    return frozenset() if condition is None else names(condition)


def _name(pick: FieldPick) -> str:
    if pick.name is None:
        raise ConfigError(
            Text(
                zh=f"字段 {pick} 只有名称，还没有对应到 CRM 字段",
                en=f"the field {pick} is known by its label only, not yet by its CRM name",
            ),
            mend=Text(zh="运行 crmsync connect", en="Run crmsync connect."),
            code="MAP093",
        )
    return pick.name
