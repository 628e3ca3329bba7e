"""Options a picklist of the CRM must offer before any tier or stage can be written into it."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.errors import ConfigError
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import CrmMapping, WriteTarget
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync.source import error


def values_of(rules: Ruleset, target: WriteTarget) -> tuple[str, ...]:
    """Every value *target* may be given; empty for roles that are no closed set."""
    given, role = target.values, target.role
    first = rules.languages[0] if rules.languages else "zh"
    if role == "tier" and rules.tier is not None:
        return tuple(given.get(i.id) or i.label.to(first) for i in rules.tier.levels)
    if role == "lifecycle" and rules.lifecycle is not None:
        return tuple(given.get(i.id) or i.label.to(first) for i in rules.lifecycle.stages)
    if role == "segments":
        return tuple(given.get(i.id) or i.label.to(first) for i in rules.segments)
    return ()


def lacking(present: FieldSchema, values: tuple[str, ...]) -> tuple[str, ...]:
    """Those of *values* that the CRM's field knows neither as stored value nor as label."""
    if present.type not in {FieldType.PICKLIST, FieldType.MULTI_PICKLIST}:
        return ()
    known = {choice.label for choice in present.choices}
    known |= {choice.value for choice in present.choices}
    return tuple(value for value in values if value not in known)


def require_options(
    rules: Ruleset, mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]
) -> None:
    """Raise ConfigError naming every option that a resolved mapping's fields still lack.

    Without this the plan would be made and the CRM would refuse those rows one by one.
    """
    found: list[Diagnostic] = []
    for target in mapping.write.values():
        field = schemas[mapping.object].field(target.field.name or "")
        new = () if field is None else lacking(field, values_of(rules, target))
        if field is not None and new:
            zh, en = "、".join(f"“{item}”" for item in new), ", ".join(f"“{item}”" for item in new)
            found.append(
                error(
                    "MAP058",
                    target.field.span,
                    Text(
                        zh=f"CRM 的字段“{field.label}”缺少选项 {zh}",
                        en=f"the CRM's field “{field.label}” lacks the option {en}",
                    ),
                    Text(
                        zh="运行 crmsync connect 补上选项，或在映射的 values 里写明已有的值",
                        en="Run crmsync connect to add it, or name the existing value under values"
                        " in the mapping.",
                    ),
                )
            )
    if found:
        raise ConfigError(
            Text(
                zh=f"映射 {mapping.file or mapping.connector} 与 CRM 不符：缺少选项",
                en=f"the mapping {mapping.file or mapping.connector} does not fit the CRM:"
                " options are missing",
            ),
            mend=Text(zh="运行 crmsync connect", en="Run crmsync connect."),
            code="MAP050",
            diagnostics=found,
        )
