"""The shipped mappings fit the practice tenant once its administrator did what the sheet says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.connectors.fxiaoke.fxiaoke_open import opened

from crmsync.config.mapping_file import read_mapping
from crmsync.config.resolving import resolve
from crmsync.model.fact import FactType
from crmsync.model.mapping import CrmMapping, FieldSource
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync.rules.reading import load
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

RULESETS = Path(__file__).resolve().parents[3] / "rulesets"
TYPES = {
    "tier": FieldType.PICKLIST,
    "lifecycle": FieldType.PICKLIST,
    "tier_since": FieldType.DATE,
    "lifecycle_since": FieldType.DATE,
    "score": FieldType.DECIMAL,
}
READ = {
    FactType.DATE: FieldType.DATE,
    FactType.INTEGER: FieldType.INTEGER,
    FactType.NUMBER: FieldType.DECIMAL,
    FactType.MONEY: FieldType.CURRENCY,
    FactType.YES_NO: FieldType.BOOLEAN,
}


def shipped(name: str) -> tuple[Ruleset, CrmMapping]:
    rules, problems = load(RULESETS / name)
    assert rules is not None, problems
    mapping, problems = read_mapping(RULESETS / name / "mapping" / "fxiaoke.yaml", rules)
    assert mapping is not None
    assert problems == []
    return rules, mapping


def wanted(rules: Ruleset, mapping: CrmMapping) -> list[FieldSchema]:
    assert rules.tier is not None
    assert rules.lifecycle is not None
    labels = {
        "tier": [level.label.zh for level in rules.tier.levels],
        "lifecycle": [stage.label.zh for stage in rules.lifecycle.stages],
    }
    fields = [
        FieldSchema(
            "",
            target.field.label or "",
            TYPES.get(role, FieldType.TEXT),
            choices=tuple(Choice(label, label) for label in labels.get(role, ())),
            scale=1 if role == "score" else None,
        )
        for role, target in mapping.write.items()
    ]
    assert mapping.lock_field is not None
    return [*fields, FieldSchema("", mapping.lock_field.label or "", FieldType.BOOLEAN)]


def read_from(rules: Ruleset, mapping: CrmMapping) -> list[FieldSchema]:
    """The account's own fields that the facts come from."""
    return [
        FieldSchema("", source.field.label or "", READ[rules.fact(id).type])
        for id, source in mapping.read.items()
        if isinstance(source, FieldSource)
    ]


@pytest.mark.parametrize("name", ["b2b-standard", "retail-rfm", "saas-health"])
def test_a_shipped_mapping_fits_after_the_worksheet(sandbox: FxiaokeSandbox, name: str) -> None:
    rules, mapping = shipped(name)
    fields = wanted(rules, mapping)
    connector = opened(sandbox)
    assert f"处理 {len(fields)} 个字段" in connector.worksheet("AccountObj", fields).zh
    sandbox.make_fields_by_hand("AccountObj", fields)
    if name == "saas-health":  # the practice tenant has the fields the others read
        sandbox.make_fields_by_hand("AccountObj", read_from(rules, mapping))
    assert "都已就绪" in connector.worksheet("AccountObj", fields).zh
    assert mapping.tasks is not None
    objects = {mapping.object, mapping.tasks.object, *(r.object for r in mapping.related.values())}
    found = resolve(mapping, {item: connector.describe(item) for item in objects})
    connector.close()
    names = [target.field.name or "" for target in found.write.values()]
    assert len(set(names)) == len(mapping.write)
    assert all(item.startswith("field_") and item.endswith("__c") for item in names)
