"""Holds a mapping against what the CRM really has: labels become API names, mistakes are named."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from crmsync.config.field_rules import (
    CURRENCIES,
    DATES,
    LOOKUPS,
    NUMBERS,
    OWNERS,
    PERSONS,
    REMARKS,
    TICKS,
    Wanted,
    role_wants,
)
from crmsync.config.lookup import FieldLookup, PeopleLookup
from crmsync.config.mapping_conditions import resolved_condition
from crmsync.errors import ConfigError
from crmsync.model.condition import Condition
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    JudgedFields,
    PeopleSource,
    Related,
    TaskTarget,
    WriteTarget,
)
from crmsync.model.position import Span
from crmsync.model.schema import FieldSchema, ObjectSchema
from crmsync.model.text import Text


def resolve(mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]) -> CrmMapping:
    """The mapping with every field named by its API name, all of them known to exist and to fit.

    *schemas* holds the description of the customer object, of every related object and of the task
    object. Raises ConfigError whose diagnostics hold every problem at once: missing, ambiguous or
    read-only fields, wrong types, values no picklist has.
    """
    work = _Resolver(mapping, schemas)
    found = work.run()
    work.fields.name_unmade()
    if work.problems:
        count = len(work.problems)
        raise ConfigError(
            Text(
                zh=f"映射 {mapping.file or mapping.connector} 与 CRM 不符：{count} 处",
                en=f"the mapping {mapping.file or mapping.connector} does not fit the CRM:"
                f" {count} problem{'s' if count > 1 else ''}",
            ),
            mend=Text(
                zh="crmsync connect 列出缺少的字段，并建立写回字段",
                en="crmsync connect lists what is missing and creates the write-back fields",
            ),
            code="MAP050",
            diagnostics=work.problems,
        )
    return found


class _Resolver:
    def __init__(self, mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]) -> None:
        self.problems: list[Diagnostic] = []
        self._mapping = mapping
        self._schemas = schemas
        self.fields = FieldLookup(schemas, self.problems)
        self._whole = Span(mapping.file, 1, 1, 1, 1)

    def run(self) -> CrmMapping:
        mapping = self._mapping
        if not self.fields.has(mapping.object, self._whole):
            return mapping
        related = {name: self._related(item) for name, item in mapping.related.items()}
        return dataclasses.replace(
            mapping,
            applies_to=self._condition(mapping.object, mapping.applies_to),
            identity_name=self._pick(mapping.identity_name),
            identity_owner=None
            if mapping.identity_owner is None
            else self._pick(mapping.identity_owner),
            related=related,
            read={name: self._source(item) for name, item in mapping.read.items()},
            write={role: self._target(item) for role, item in mapping.write.items()},
            lock_field=None
            if mapping.lock_field is None
            else self._pick(mapping.lock_field, Wanted(TICKS, made=True)),
            tasks=None if mapping.tasks is None else self._tasks(mapping.tasks),
            people={task: self._people(item) for task, item in mapping.people.items()},
        )

    def _pick(self, pick: FieldPick, wanted: Wanted | None = None) -> FieldPick:
        found = self.fields.find(self._mapping.object, pick, wanted)
        return pick if found is None else FieldPick(name=found.name, span=pick.span)

    def _condition(self, object: str, condition: Condition | None) -> Condition | None:
        if condition is None:
            return None
        return resolved_condition(condition, object, self.fields)

    def _related(self, related: Related) -> Related:
        if not self.fields.has(related.object, related.span):
            return related
        via = FieldPick(name=related.via, span=related.span)
        wanted = Wanted(LOOKUPS, target=self._mapping.object)
        day = FieldPick(name=related.date, span=related.span)
        found_via = self.fields.find(related.object, via, wanted)
        found_day = self.fields.find(related.object, day, Wanted(DATES))
        return dataclasses.replace(
            related,
            via=related.via if found_via is None else found_via.name,
            date=related.date if found_day is None else found_day.name,
            where=self._condition(related.object, related.where),
            called=self._below(related, related.called),
            do_not_contact=self._below(related, related.do_not_contact, Wanted(TICKS)),
            fields={name: self._below(related, it) or it for name, it in related.fields.items()},
        )

    def _below(
        self, related: Related, pick: FieldPick | None, wanted: Wanted | None = None
    ) -> FieldPick | None:
        """A field of a related record."""
        found = None if pick is None else self.fields.find(related.object, pick, wanted)
        if pick is None or found is None:
            return pick
        return FieldPick(name=found.name, span=pick.span)

    def _people(self, people: PeopleSource) -> PeopleSource:
        related = self._mapping.related[people.related]
        if not self.fields.known(related.object):
            return people
        if people.where is None:
            return people
        fields = PeopleLookup(self._schemas, self.problems, related.fields)
        where = resolved_condition(people.where, related.object, fields)
        return PeopleSource(people.related, where)

    def _source(self, source: FieldSource | AggregateSource) -> FieldSource | AggregateSource:
        if isinstance(source, FieldSource):
            field = self.fields.find(self._mapping.object, source.field)
            for stored in () if field is None else source.values:
                place = source.places.get(stored, source.field.span)
                self.fields.check_choice(field, stored, place)
            return dataclasses.replace(
                source,
                field=source.field
                if field is None
                else FieldPick(name=field.name, span=source.field.span),
                judged=None if source.judged is None else self._judged(source.judged),
                currency=self._currency(self._mapping.object, source.currency),
            )
        related = self._mapping.related[source.related]
        if not self.fields.known(related.object):
            return source
        of = source.of
        if of is not None:
            summed = source.aggregate in {Aggregate.SUM, Aggregate.AVG}
            found = self.fields.find(related.object, of, Wanted(NUMBERS) if summed else None)
            of = of if found is None else FieldPick(name=found.name, span=of.span)
        where = self._condition(related.object, source.where)
        currency = self._currency(related.object, source.currency)
        return dataclasses.replace(source, of=of, where=where, currency=currency)

    def _currency(self, object: str, pick: FieldPick | None) -> FieldPick | None:
        if pick is None:
            return None
        found = self.fields.find(object, pick, Wanted(CURRENCIES))
        return pick if found is None else FieldPick(name=found.name, span=pick.span)

    def _judged(self, judged: JudgedFields) -> JudgedFields:
        wanted = {"author": PERSONS, "date": DATES, "remark": REMARKS}
        picks = {part: getattr(judged, part) for part in wanted}
        found = {
            part: None if pick is None else self._pick(pick, Wanted(wanted[part]))
            for part, pick in picks.items()
        }
        return JudgedFields(**found, valid_for=judged.valid_for)

    def _target(self, target: WriteTarget) -> WriteTarget:
        wanted = dataclasses.replace(role_wants(target.role), written=True)
        found = self.fields.find(self._mapping.object, target.field, wanted)
        if found is None:
            return target
        for id, value in target.values.items():
            self.fields.check_choice(found, value, target.places.get(id, target.field.span))
        pick = FieldPick(name=found.name, span=target.field.span)
        return dataclasses.replace(target, field=pick)

    def _tasks(self, tasks: TaskTarget) -> TaskTarget:
        place = tasks.places.get
        if not self.fields.has(tasks.object, place("object", self._whole)):
            return tasks
        found: dict[str, FieldSchema | None] = {}
        for role, wanted in _task_fields(tasks):
            pick = FieldPick(name=str(getattr(tasks, role)), span=place(role, self._whole))
            found[role] = self.fields.find(tasks.object, pick, wanted)
        status, priority, via = (found.get(role) for role in ("status", "priority", "via"))
        values = [
            (status, "open", tasks.open),
            (status, "closed", tasks.closed),
            *((priority, f"priorities.{key}", value) for key, value in tasks.priorities.items()),
            *((via, f"channels.{key}", value) for key, value in tasks.channels.items()),
        ]
        for field, key, value in values:
            if field is not None:
                self.fields.check_choice(field, value, place(key, self._whole))
        return tasks


def _task_fields(tasks: TaskTarget) -> Iterator[tuple[str, Wanted]]:
    yield "key", Wanted(written=True)
    yield "subject", Wanted(written=True)
    yield "due", Wanted(DATES, written=True)
    yield "owner", Wanted(OWNERS, written=True)
    yield "about", Wanted(LOOKUPS, written=True)
    yield "status", Wanted(written=True)
    if tasks.person is not None:
        yield "person", Wanted(LOOKUPS, written=True)
    for role in ("priority", "via", "note"):
        if getattr(tasks, role) is not None:
            yield role, Wanted(written=True)
