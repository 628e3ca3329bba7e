"""What each owned field should hold, as the CRM stores it; and back from there to our ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from crmsync.model.decision import Decision
from crmsync.model.equality import same_value
from crmsync.model.mapping import CrmMapping, WriteTarget
from crmsync.model.record import Value
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.state import Standing
from crmsync.model.text import Text

RUN_PLACE = "(run)"
"""Stands for the run's number, which apply puts in."""

ROLE_LABELS: Mapping[str, Text] = {
    "tier": Text("客户等级", "Tier"),
    "tier_since": Text("等级起始日", "Tier since"),
    "score": Text("评分", "Score"),
    "lifecycle": Text("生命周期", "Lifecycle"),
    "lifecycle_since": Text("生命周期起始日", "Lifecycle since"),
    "service": Text("服务标准", "Service level"),
    "segments": Text("客户分群", "Segments"),
    "reason": Text("等级说明", "Reason"),
    "rules_version": Text("规则版本", "Rules"),
    "run": Text("运行编号", "Run"),
    "evaluated_on": Text("评定日期", "Evaluated on"),
    "owner": Text("负责人", "Owner"),
}
NUMERIC: Final = {FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT}
_TEXTUAL = {FieldType.TEXT, FieldType.LONG_TEXT, FieldType.URL}


class FieldValues:
    """Translates between our ids and the values of the CRM's fields, for one plan."""

    def __init__(self, ruleset: Ruleset, mapping: CrmMapping, schema: ObjectSchema) -> None:
        self._ruleset = ruleset
        self._language = ruleset.languages[0] if ruleset.languages else "en"
        self._zone = ZoneInfo(ruleset.time_zone)
        self._targets = dict(mapping.write)
        self._schemas = {
            role: schema.field(field_name(target)) for role, target in mapping.write.items()
        }
        self._ids = {role: self._stored_ids(role) for role in ("tier", "lifecycle")}

    @property
    def fields(self) -> dict[str, str]:
        """Role → API name of the field, in the mapping's order."""
        return {role: field_name(target) for role, target in self._targets.items()}

    def schema(self, role: str) -> FieldSchema | None:
        """The field of *role*, where the account has it."""
        return self._schemas.get(role)

    def leading(self, role: str) -> dict[str, Value]:
        """Tier or stage id → what the field of a leading *role* holds beside it.

        ``None``: the rules say nothing of the field.
        """
        rules = self._ruleset
        if role == "lifecycle":
            stages = rules.lifecycle.stages if rules.lifecycle is not None else ()
            told: dict[str, str | None] = {
                stage.id: self._label(role, stage.id) for stage in stages
            }
        else:
            levels = rules.tier.levels if rules.tier is not None else ()
            told = {level.id: self._led(role, level.id) for level in levels}
        return {
            id: value and fit(value, self._schemas[role], self._zone) for id, value in told.items()
        }

    def segment_labels(self) -> tuple[dict[str, str], bool]:
        """Segment id → what the field holds for it, in file order; and whether it is a text field,
        which holds them in a line."""
        schema = self._schemas.get("segments")
        in_a_line = schema is not None and schema.type in _TEXTUAL
        labels = {item.id: self._label("segments", item.id) for item in self._ruleset.segments}
        if schema is not None and schema.type is FieldType.MULTI_PICKLIST:
            labels = {id: _choice(label, schema) for id, label in labels.items()}
        return labels, in_a_line

    def _led(self, role: str, tier: str) -> str | None:
        if role == "tier":
            return self._label(role, tier)
        return self._service(tier if tier in self._ruleset.service else None)

    def desired(self, decision: Decision) -> dict[str, Value]:
        """What each mapped role should hold; a role the decision says nothing of is left out."""
        wanted: dict[str, Value] = {}
        for role, value in self._told(decision).items():
            if value is not None and role in self._targets:
                wanted[role] = fit(value, self._schemas[role], self._zone)
        return wanted

    def seen(self, role: str, value: Value) -> str | None:
        """What people see for a stored option, where that is not the stored value itself."""
        schema = self._schemas.get(role)
        if schema is None or not isinstance(value, str | tuple):
            return None
        if isinstance(value, tuple):
            labels = {item.value: item.label for item in schema.choices}
            shown = tuple(labels.get(item, item) for item in value)
            return ", ".join(shown) if shown != value else None
        label = next((item.label for item in schema.choices if item.value == value), value)
        return label if label != value else None

    def standing(self, owned: Mapping[str, Value]) -> Standing:
        """Where a customer stands by the CRM's own fields, for one we know nothing of."""
        return Standing(
            tier=self.id_of("tier", owned.get("tier")),
            tier_since=self._day(owned.get("tier_since")),
            tier_first=self._day(owned.get("tier_since")),
            lifecycle=self.id_of("lifecycle", owned.get("lifecycle")),
            lifecycle_since=self._day(owned.get("lifecycle_since")),
        )

    def id_of(self, role: str, stored: Value) -> str | None:
        """The tier or stage a stored value stands for, if any."""
        return next((known for value, known in self._ids[role] if same_value(value, stored)), None)

    def _told(self, decision: Decision) -> dict[str, Value]:
        tier, stage, score = decision.tier, decision.lifecycle, decision.score
        rules = self._ruleset
        return {
            "tier": self._label("tier", tier.after) if tier and tier.after else None,
            "tier_since": tier.since if tier and tier.after else None,
            "lifecycle": self._label("lifecycle", stage.after) if stage else None,
            "lifecycle_since": stage.since if stage else None,
            "score": score.total if score else None,
            "service": self._service(decision.service),
            "segments": self._segments(decision),
            "reason": decision.reason.to(self._language),
            "rules_version": f"{rules.id} v{rules.version}",
            "run": self._run_place(),
            "evaluated_on": decision.as_of,
        }

    def _label(self, role: str, id: str) -> str:
        """The picklist value of an id: by the mapping, else its label in the first language."""
        target = self._targets.get(role)
        if target is not None and id in target.values:
            return target.values[id]
        rules = self._ruleset
        if role == "tier" and rules.tier is not None:
            return rules.tier.level(id).label.to(self._language)
        if role == "lifecycle" and rules.lifecycle is not None:
            return rules.lifecycle.stage(id).label.to(self._language)
        if role == "segments":
            return next(item.label for item in rules.segments if item.id == id).to(self._language)
        return id

    def _service(self, service: str | None) -> str | None:
        """A picklist gets the tier's own label, a text field the entitlements in a line."""
        target, schema = self._targets.get("service"), self._schemas.get("service")
        if service is None or target is None:
            return None
        level = self._ruleset.service.get(service)
        tier = service if level is None else level.tier
        if tier in target.values:
            return target.values[tier]
        picklist = schema is not None and schema.type is FieldType.PICKLIST
        if picklist or level is None or not level.values:
            return self._label("tier", tier)
        return "; ".join(
            f"{item.label.to(self._language) if item.label else item.name}:"
            f" {item.text.to(self._language)}"
            for item in level.values
        )

    def _segments(self, decision: Decision) -> Value:
        """Every segment of the customer: options of a multi-select, else their labels in a line."""
        if decision.segments is None:
            return None
        labels = tuple(self._label("segments", name) for name in decision.segments.after)
        schema = self._schemas.get("segments")
        if schema is not None and schema.type in _TEXTUAL:
            return "; ".join(labels)
        return tuple(sorted(labels))

    def _run_place(self) -> Value:
        schema = self._schemas.get("run")
        numeric = schema is not None and schema.type in NUMERIC | {FieldType.INTEGER}
        return 0 if numeric else RUN_PLACE

    def _stored_ids(self, role: str) -> tuple[tuple[Value, str], ...]:
        rules, schema = self._ruleset, self._schemas.get(role)
        if role == "tier":
            known = [level.id for level in rules.tier.levels] if rules.tier else []
        else:
            known = [stage.id for stage in rules.lifecycle.stages] if rules.lifecycle else []
        return tuple((fit(self._label(role, name), schema, self._zone), name) for name in known)

    def _day(self, value: Value) -> date | None:
        if isinstance(value, datetime):
            return value.astimezone(self._zone).date()
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                return None
        return value if isinstance(value, date) else None


def field_name(target: WriteTarget) -> str:
    """The API name of a resolved target."""
    assert target.field.name is not None, "the mapping is resolved before planning"
    return target.field.name


def fit(value: Value, schema: FieldSchema | None, zone: ZoneInfo) -> Value:
    """*value* as this field will give it back, so that writing it once is enough."""
    if schema is None or value is None:
        return value
    if schema.type in _TEXTUAL:
        return _text(value)[: schema.max_length]
    if schema.type is FieldType.PICKLIST:
        return _choice(_text(value), schema)
    if schema.type is FieldType.MULTI_PICKLIST and isinstance(value, tuple):
        return tuple(sorted(_choice(label, schema) for label in value))
    if schema.type is FieldType.INTEGER and isinstance(value, Decimal):
        return int(value.quantize(Decimal(1), ROUND_HALF_UP))
    if schema.type in NUMERIC and isinstance(value, int | Decimal):
        number = Decimal(value)
        if schema.scale is None:
            return number
        return number.quantize(Decimal(1).scaleb(-schema.scale), ROUND_HALF_UP)
    if schema.type is FieldType.DATETIME and type(value) is date:
        return datetime.combine(value, time(), zone)
    return value


def _text(value: Value) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).strip()


def _choice(label: str, schema: FieldSchema) -> str:
    """A label people see becomes the stored value; an unknown one goes as it is, to be refused."""
    if any(choice.value == label for choice in schema.choices):
        return label
    return next((choice.value for choice in schema.choices if choice.label == label), label)
