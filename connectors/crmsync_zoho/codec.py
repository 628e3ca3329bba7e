"""Zoho's values and canonical values, both ways, and Zoho's field descriptions.

Facts (Zoho's field metadata pages and SDK, read 2026-11): moments carry the organisation's offset,
look-ups are objects with ``id``, big integers travel as text, percents as people see them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType

Json: TypeAlias = Any
"""A JSON value on the wire; numbers with a point arrive as Decimal."""

_log = logging.getLogger("crmsync.zoho")

FIELD_TYPES: Mapping[str, FieldType] = {
    "text": FieldType.TEXT,
    "email": FieldType.TEXT,
    "phone": FieldType.TEXT,
    "autonumber": FieldType.TEXT,
    "textarea": FieldType.LONG_TEXT,
    "richtext": FieldType.LONG_TEXT,
    "website": FieldType.URL,
    "picklist": FieldType.PICKLIST,
    "multiselectpicklist": FieldType.MULTI_PICKLIST,
    "boolean": FieldType.BOOLEAN,
    "integer": FieldType.INTEGER,
    "bigint": FieldType.INTEGER,
    "double": FieldType.DECIMAL,
    "currency": FieldType.CURRENCY,
    "percent": FieldType.PERCENT,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "lookup": FieldType.LOOKUP,
    "userlookup": FieldType.USER,
    "ownerlookup": FieldType.USER,
}
CREATE_TYPES: Mapping[FieldType, str] = {
    FieldType.TEXT: "text",
    FieldType.LONG_TEXT: "textarea",
    FieldType.URL: "website",
    FieldType.PICKLIST: "picklist",
    FieldType.MULTI_PICKLIST: "multiselectpicklist",
    FieldType.BOOLEAN: "boolean",
    FieldType.INTEGER: "integer",
    FieldType.DECIMAL: "double",
    FieldType.CURRENCY: "currency",
    FieldType.PERCENT: "percent",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.USER: "userlookup",
}
NUMBERS = frozenset({FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
IDS = frozenset({FieldType.LOOKUP, FieldType.USER})
TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.URL, FieldType.PICKLIST})


class NotWritable(ValueError):
    """A value that cannot be sent; ``code`` becomes the code of the change's refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ZohoFieldInfo:
    """A field as crmsync sees it, and the two things only the wire needs."""

    schema: FieldSchema
    id: str
    data_type: str


def field_info(described: Mapping[str, Json]) -> ZohoFieldInfo:
    """Read one entry of ``settings/fields``."""
    data_type = str(described.get("data_type", ""))
    kind = _kind(data_type, described)
    operations = described.get("operation_type") or {}
    read_only = (
        bool(described.get("field_read_only"))
        or bool(described.get("read_only"))
        or operations.get("api_update") is False
        or data_type in {"formula", "rollup_summary", "autonumber"}
        or kind is FieldType.OTHER
    )
    lookup = described.get("lookup") or {}
    module = lookup.get("module")
    target = module.get("api_name") if isinstance(module, dict) else module
    length, places = described.get("length"), described.get("decimal_place")
    schema = FieldSchema(
        name=str(described["api_name"]),
        label=str(described.get("field_label") or described["api_name"]),
        type=kind,
        choices=_choices(described.get("pick_list_values")),
        read_only=read_only,
        required=bool(described.get("system_mandatory")),
        unique=bool(described.get("unique")),
        max_length=length if isinstance(length, int) and length and kind in TEXTS else None,
        scale=places if isinstance(places, int) and kind in NUMBERS else None,
        target=str(target) if target and kind is FieldType.LOOKUP else None,
    )
    return ZohoFieldInfo(schema, str(described.get("id", "")), data_type)


def _kind(data_type: str, described: Mapping[str, Json]) -> FieldType:
    if data_type in {"formula", "rollup_summary"}:
        inner = described.get(data_type) or {}
        return FIELD_TYPES.get(str(inner.get("return_type", "")), FieldType.OTHER)
    return FIELD_TYPES.get(data_type, FieldType.OTHER)


def _choices(values: Json) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            str(value.get("actual_value") or value.get("display_value")),
            str(value.get("display_value") or value.get("actual_value")),
        )
        for value in values or ()
        if isinstance(value, dict) and value.get("type") != "unused"
    )


def decode(field: FieldSchema, given: Json, record: str = "") -> Value:
    """The canonical value of what Zoho sent; what cannot be one is ``None`` and logged by id."""
    if given is None or given in ("", []):
        return None
    try:
        return _decode(field.type, given)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        _log.warning("record %s: field %s holds no usable value", record, field.name)
        return None


def _decode(kind: FieldType, given: Json) -> Value:
    if kind in TEXTS:
        return _as_text(given)
    if kind in IDS:
        return _as_text(given["id"] if isinstance(given, dict) else given)
    if kind in NUMBERS:
        if isinstance(given, bool):
            raise TypeError
        return Decimal(str(given))
    match kind:
        case FieldType.BOOLEAN:
            if not isinstance(given, bool):
                raise TypeError
            return given
        case FieldType.INTEGER:
            return _as_int(given)
        case FieldType.DATE:
            return date.fromisoformat(given)
        case FieldType.DATETIME:
            return moment(given)
        case FieldType.MULTI_PICKLIST:
            return tuple(sorted({str(item) for item in given})) or None
    return _other(given)


def _as_text(given: Json) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return str(given)
    raise TypeError


def _as_int(given: Json) -> int:
    if isinstance(given, bool):
        raise TypeError
    number = Decimal(str(given))
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _other(given: Json) -> Value:
    if isinstance(given, list):
        names = [item.get("name") if isinstance(item, dict) else item for item in given]
        return tuple(sorted({str(name) for name in names if name is not None})) or None
    if isinstance(given, dict):
        return _as_text(given["id"]) if "id" in given else None
    return given if isinstance(given, bool) else _as_text(given)


def moment(text: str) -> datetime:
    """A moment with its offset, in UTC; raises ValueError without one."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment needs its offset")
    try:
        return found.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError("a moment before the calendar begins") from problem


def stamp(at: datetime) -> str:
    """A moment as Zoho takes it: whole seconds and a full offset."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def encode(info: ZohoFieldInfo, value: Value) -> Json:
    """The wire value of a canonical one; raises NotWritable where the type does not fit."""
    kind = info.schema.type
    if value is None:
        return [] if kind is FieldType.MULTI_PICKLIST else None
    if kind in TEXTS and isinstance(value, str):
        return value or None
    if kind in IDS and isinstance(value, str):
        return {"id": value}
    if kind in NUMBERS and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    if kind is FieldType.BOOLEAN and isinstance(value, bool):
        return value
    if kind is FieldType.INTEGER and isinstance(value, int) and not isinstance(value, bool):
        return str(value) if info.data_type == "bigint" else value
    if kind is FieldType.DATETIME and isinstance(value, datetime) and value.tzinfo is not None:
        return stamp(value)
    if kind is FieldType.DATE and isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if kind is FieldType.MULTI_PICKLIST and isinstance(value, tuple):
        return list(value)
    raise NotWritable("WRONG_TYPE")
