"""``connect``: which write-back fields a CRM lacks, shown first and created after a yes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import FieldProvisioner, FieldWorksheet
from crmsync.model.mapping import CrmMapping, FieldPick, WriteTarget
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema, Organization
from crmsync.model.text import Text
from crmsync.project.loading import describe, load_mapping, load_rules
from crmsync.project.opening import Project
from crmsync.project.options import lacking, values_of

_TYPES: Mapping[str, FieldType] = {
    "tier": FieldType.PICKLIST,
    "lifecycle": FieldType.PICKLIST,
    "tier_since": FieldType.DATE,
    "lifecycle_since": FieldType.DATE,
    "evaluated_on": FieldType.DATE,
    "score": FieldType.DECIMAL,
}
_TEXT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class ConnectLook:
    """What the CRM has and lacks. ``worksheet`` is set where the CRM cannot create fields."""

    organization: Organization
    missing: tuple[tuple[str, FieldSchema], ...]
    choices: tuple[tuple[str, str, tuple[str, ...]], ...]
    worksheet: Text | None = None

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "organization": {"id": self.organization.id, "name": self.organization.name},
            "missing": [
                {
                    "object": object,
                    "name": item.name,
                    "label": item.label,
                    "type": item.type.value,
                    "choices": [choice.label for choice in item.choices],
                }
                for object, item in self.missing
            ],
            "choices": [
                {"object": object, "field": name, "add": list(values)}
                for object, name, values in self.choices
            ],
            "worksheet": self.worksheet,
        }


def look(project: Project, connection: ConnectionConfig, folder: Path) -> ConnectLook:
    """Sign in and compare; writes nothing."""
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
        sheet = None
        if (missing or choices) and not isinstance(crm, FieldProvisioner):
            sheet = _worksheet(crm, missing, choices)
    return ConnectLook(organization, tuple(missing), tuple(choices), sheet)


def create_fields(project: Project, connection: ConnectionConfig, found: ConnectLook) -> int:
    """Create what `look` listed; says how many fields were made or extended."""
    with project.connect(connection) as crm:
        assert isinstance(crm, FieldProvisioner)
        for object, wanted in found.missing:
            crm.create_field(object, wanted)
        for object, name, values in found.choices:
            crm.add_choices(object, name, values)
    return len(found.missing) + len(found.choices)


def wanted_fields(rules: Ruleset, mapping: CrmMapping) -> Iterator[tuple[str, FieldSchema]]:
    """Every field crmsync writes or is steered by, as it should be."""
    for target in mapping.write.values():
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


def _worksheet(
    crm: object,
    missing: list[tuple[str, FieldSchema]],
    choices: list[tuple[str, str, tuple[str, ...]]],
) -> Text:
    """What the admin creates by hand, in the connector's own words where it has some."""
    by_object: dict[str, list[FieldSchema]] = {}
    for object, wanted in missing:
        by_object.setdefault(object, []).append(wanted)
    parts: list[Text] = []
    for object, fields in by_object.items():
        if isinstance(crm, FieldWorksheet):
            parts.append(crm.worksheet(object, fields))
        else:
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
    for object, name, values in choices:
        listed = ", ".join(values)
        parts.append(
            Text(
                zh=f"请给 {object}.{name} 补上选项：{listed}",
                en=f"Add these options to {object}.{name}: {listed}",
            )
        )
    return Text(
        zh="\n\n".join(part.zh for part in parts), en="\n\n".join(part.en for part in parts)
    )
