"""``connect``: which write-back fields a CRM lacks, shown first and created after a yes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import FieldProvisioner, FieldWorksheet
from crmsync.model.fact import FactType
from crmsync.model.mapping import OWNER, CrmMapping, FieldPick, FieldSource, WriteTarget
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema, Organization
from crmsync.model.text import Text
from crmsync.project.loading import describe, load_mapping, load_rules, resolved
from crmsync.project.opening import Project
from crmsync.project.options import lacking, values_of

_TYPES: Mapping[str, FieldType] = {
    "tier": FieldType.PICKLIST,
    "lifecycle": FieldType.PICKLIST,
    "segments": FieldType.MULTI_PICKLIST,
    "tier_since": FieldType.DATE,
    "lifecycle_since": FieldType.DATE,
    "evaluated_on": FieldType.DATE,
    "score": FieldType.DECIMAL,
}
_FACT_TYPES: Mapping[FactType, FieldType] = {
    FactType.DATE: FieldType.DATE,
    FactType.DATETIME: FieldType.DATETIME,
    FactType.INTEGER: FieldType.INTEGER,
    FactType.NUMBER: FieldType.DECIMAL,
    FactType.MONEY: FieldType.CURRENCY,
    FactType.PERCENT: FieldType.PERCENT,
    FactType.TEXT: FieldType.TEXT,
    FactType.CHOICE: FieldType.PICKLIST,
    FactType.YES_NO: FieldType.BOOLEAN,
}
_TEXT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class LackingSource:
    """A field the mapping reads a fact from and the CRM does not have, as it would have to be."""

    fact: Text
    object: str
    field: FieldSchema


@dataclass(frozen=True, slots=True)
class ConnectLook:
    """What the CRM has and lacks. ``missing`` and ``choices`` are for the fields crmsync writes;
    ``sources`` are the company's own, which facts are read from. ``worksheet`` is set where the CRM
    cannot create fields."""

    organization: Organization
    missing: tuple[tuple[str, FieldSchema], ...]
    choices: tuple[tuple[str, str, tuple[str, ...]], ...]
    sources: tuple[LackingSource, ...] = ()
    worksheet: Text | None = None

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "organization": {"id": self.organization.id, "name": self.organization.name},
            "missing": [_document(object, item) for object, item in self.missing],
            "choices": [
                {"object": object, "field": name, "add": list(values)}
                for object, name, values in self.choices
            ],
            "sources": [
                {"fact": item.fact, **_document(item.object, item.field)} for item in self.sources
            ],
            "worksheet": self.worksheet,
        }


def look(project: Project, connection: ConnectionConfig, folder: Path) -> ConnectLook:
    """Sign in and compare; writes nothing.

    Where every field is there the mapping is held against the CRM whole: raises ConfigError for
    everything else that does not fit.
    """
    rules = load_rules(folder)
    mapping = load_mapping(folder, connection.connector, rules)
    with project.reader(connection) as crm:
        organization = crm.check()
        schemas = describe(crm, mapping)
        missing: list[tuple[str, FieldSchema]] = []
        choices: list[tuple[str, str, tuple[str, ...]]] = []
        for object, wanted in wanted_fields(rules, mapping):
            present = _present(schemas[object], wanted)
            if present is None:
                missing.append((object, wanted))
                continue
            new = lacking(present, tuple(choice.value for choice in wanted.choices))
            if new:
                choices.append((object, present.name, new))
        sources = _lacking_sources(rules, mapping, schemas)
        found = ConnectLook(organization, tuple(missing), tuple(choices), sources)
        if not (missing or choices or sources):
            resolved(mapping, schemas)
        elif not isinstance(crm, FieldProvisioner):
            found = replace(found, worksheet=_worksheet(crm, found, schemas))
    return found


def create_fields(
    project: Project, connection: ConnectionConfig, found: ConnectLook, *, sources: bool = False
) -> int:
    """Create the fields crmsync writes that `look` found missing, with *sources* also those facts
    are read from; says how many were made or extended."""
    extra = found.sources if sources else ()
    with project.connect(connection) as crm:
        assert isinstance(crm, FieldProvisioner)
        for object, wanted in found.missing:
            crm.create_field(object, wanted)
        for object, name, values in found.choices:
            crm.add_choices(object, name, values)
        for item in extra:
            crm.create_field(item.object, item.field)
    return len(found.missing) + len(found.choices) + len(extra)


def wanted_fields(rules: Ruleset, mapping: CrmMapping) -> Iterator[tuple[str, FieldSchema]]:
    """Every field crmsync writes or is steered by, as it should be."""
    for role, target in mapping.write.items():
        if role != OWNER:  # every record has one
            yield mapping.object, _field(rules, target)
    if mapping.lock_field is not None:
        name, label = _names(mapping.lock_field)
        yield mapping.object, FieldSchema(name, label, FieldType.BOOLEAN)
    if mapping.tasks is not None:
        name, label = _names(FieldPick(name=mapping.tasks.key))
        yield (
            mapping.tasks.object,
            FieldSchema(name, label, FieldType.TEXT, unique=True, max_length=64),
        )


def _lacking_sources(
    rules: Ruleset, mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]
) -> tuple[LackingSource, ...]:
    facts = {fact.id: fact for fact in rules.facts}
    found: list[LackingSource] = []
    for id, source in mapping.read.items():
        fact = facts.get(id)
        if fact is None or not isinstance(source, FieldSource):
            continue
        name, label = _names(source.field)
        choices = tuple(source.values) or fact.choices
        field = FieldSchema(
            name,
            label,
            _FACT_TYPES[fact.type],
            choices=tuple(Choice(value, value) for value in choices),
            max_length=_TEXT_LENGTH if fact.type is FactType.TEXT else None,
        )
        schema = schemas[mapping.object]
        for wanted in (field, *_beside(source)):
            if _present(schema, wanted) is None and name.casefold() != "id":
                found.append(LackingSource(fact.label, mapping.object, wanted))
    return tuple(found)


def _beside(source: FieldSource) -> Iterator[FieldSchema]:
    """The fields of author, day and remark beside a judged value."""
    if source.judged is None:
        return
    parts = ("author", FieldType.TEXT), ("date", FieldType.DATE), ("remark", FieldType.TEXT)
    for part, kind in parts:
        pick = getattr(source.judged, part)
        if pick is not None:
            length = _TEXT_LENGTH if kind is FieldType.TEXT else None
            yield FieldSchema(*_names(pick), kind, max_length=length)


def _document(object: str, item: FieldSchema) -> dict[str, Any]:
    return {
        "object": object,
        "name": item.name,
        "label": item.label,
        "type": item.type.value,
        "choices": [choice.label for choice in item.choices],
    }


def _field(rules: Ruleset, target: WriteTarget) -> FieldSchema:
    name, label = _names(target.field)
    type = _TYPES.get(target.role, FieldType.TEXT)
    values = values_of(rules, target)
    return FieldSchema(
        name,
        label,
        type,
        choices=tuple(Choice(value, value) for value in values),
        max_length=_TEXT_LENGTH if type is FieldType.TEXT else None,
        scale=1 if type is FieldType.DECIMAL else None,
    )


def _names(pick: FieldPick) -> tuple[str, str]:
    """API name and label: a label made from the name where only the name is given."""
    if pick.label is not None:
        return pick.name or "", pick.label
    assert pick.name is not None
    return pick.name, pick.name.replace("_", " ")


def _present(schema: ObjectSchema, wanted: FieldSchema) -> FieldSchema | None:
    if wanted.name:
        return schema.field(wanted.name)
    return next(iter(schema.labelled(wanted.label)), None)


def _worksheet(crm: object, found: ConnectLook, schemas: Mapping[str, ObjectSchema]) -> Text:
    """What the admin creates by hand, in the connector's own words where it has some."""
    parts = _sheets(crm, found.missing)
    for object, name, values in found.choices:
        listed = ", ".join(values)
        field = schemas[object].field(name)
        label = name if field is None else field.label
        parts.append(
            Text(
                zh=f"请给 {object} 的字段“{label}”补上选项：{listed}",
                en=f"Add these options to the field “{label}” of {object}: {listed}",
            )
        )
    if found.sources:
        parts.append(
            Text(
                zh="以下字段是指标的来源，CRM 里没有这些名称。企业已有同义字段的，把它的名称写进"
                "映射文件；没有的，请一并建立：",
                en="Facts are read from the fields below; the CRM has none of these names. Where"
                " the company keeps them under another name, write that name into the mapping;"
                " otherwise create them too:",
            )
        )
        parts += _sheets(crm, [(item.object, item.field) for item in found.sources])
    return Text(
        zh="\n\n".join(part.zh for part in parts), en="\n\n".join(part.en for part in parts)
    )


def _sheets(crm: object, wanted: Iterable[tuple[str, FieldSchema]]) -> list[Text]:
    by_object: dict[str, list[FieldSchema]] = {}
    for object, field in wanted:
        by_object.setdefault(object, []).append(field)
    parts: list[Text] = []
    for object, fields in by_object.items():
        if isinstance(crm, FieldWorksheet):
            parts.append(crm.worksheet(object, fields))
            continue
        lines = "\n".join(
            f"  {item.label}  {item.type.value}  "
            f"{', '.join(choice.label for choice in item.choices)}".rstrip()
            for item in fields
        )
        parts.append(
            Text(
                zh=f"请在 {object} 上手工建立这些字段：\n{lines}",
                en=f"Create these fields on {object} by hand:\n{lines}",
            )
        )
    return parts
