"""Wire values ↔ canonical values, driven by what the tenant's describe says of each field.

Numbers are text on the wire, dates milliseconds at the start of the day in the field's zone, people
lists even when there is one, options stored values. Percentages are the figure people see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync.model.text import Text

TYPES = {
    "text": FieldType.TEXT,
    "phone_number": FieldType.TEXT,
    "email": FieldType.TEXT,
    "auto_number": FieldType.TEXT,
    "long_text": FieldType.LONG_TEXT,
    "html_rich_text": FieldType.LONG_TEXT,
    "select_one": FieldType.PICKLIST,
    "record_type": FieldType.PICKLIST,
    "select_many": FieldType.MULTI_PICKLIST,
    "true_or_false": FieldType.BOOLEAN,
    "number": FieldType.DECIMAL,
    "count": FieldType.DECIMAL,
    "currency": FieldType.CURRENCY,
    "percentile": FieldType.PERCENT,
    "date": FieldType.DATE,
    "date_time": FieldType.DATETIME,
    "object_reference": FieldType.LOOKUP,
    "master_detail": FieldType.LOOKUP,
    "employee": FieldType.USER,
    "url": FieldType.URL,
}
COMPUTED = frozenset({"formula", "count", "quote", "auto_number"})
SYSTEM = frozenset(
    {
        "_id",
        "create_time",
        "created_by",
        "extend_obj_data_id",
        "is_deleted",
        "last_modified_by",
        "last_modified_time",
        "life_status",
        "lock_rule",
        "lock_status",
        "lock_user",
        "version",
    }
)
"""Fields the CRM keeps itself, whatever describe says of them."""
NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.URL})
ONE_IN_A_LIST = frozenset({"employee", "department"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"GMT([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


class Unwritable(Exception):
    """A value the field cannot hold; ``code`` is ours, the text says why without the value."""

    def __init__(self, code: str, why: Text) -> None:
        super().__init__(why.en)
        self.code = code
        self.why = why


class Unreadable(Exception):
    """A wire value that does not have the form its type is documented to have."""


@dataclass(frozen=True, slots=True)
class FieldCodec:
    """One field: its schema, and how its values travel."""

    schema: FieldSchema
    wire_type: str
    zone: tzinfo

    def read(self, value: Any) -> Value:  # noqa: ANN401 - wire JSON
        """The canonical value; raises Unreadable."""
        if value is None or value in ("", []):
            return None
        kind = self.schema.type
        if kind in NUMBERS:
            return self._number(value)
        if kind is FieldType.BOOLEAN:
            if not isinstance(value, bool):
                raise Unreadable
            return value
        if kind is FieldType.DATETIME:
            return self._moment(value)
        if kind is FieldType.DATE:
            return self._moment(value).astimezone(self.zone).date()
        if self.wire_type in ONE_IN_A_LIST:
            return _words(value[0] if isinstance(value, list) else value)
        if isinstance(value, list):
            return tuple(sorted({_words(item) for item in value}))
        if kind is FieldType.OTHER and not isinstance(value, str):
            return str(value)
        return _words(value)

    def write(self, value: Value) -> Any:  # noqa: ANN401 - wire JSON
        """The wire value; raises Unwritable."""
        if value is None:
            return None
        kind = self.schema.type
        if kind in NUMBERS:
            return self._plain(value)
        if kind is FieldType.BOOLEAN and isinstance(value, bool):
            return value
        if kind is FieldType.DATETIME and isinstance(value, datetime) and value.tzinfo:
            return _milliseconds(value)
        if kind is FieldType.DATE and type(value) is date:
            return _milliseconds(datetime.combine(value, time(), self.zone))
        if kind is FieldType.MULTI_PICKLIST and isinstance(value, tuple):
            return [self._choice(item) for item in value]
        if isinstance(value, tuple) and kind is FieldType.OTHER:
            return list(value)
        if not isinstance(value, str) or kind in {
            FieldType.BOOLEAN,
            FieldType.DATE,
            FieldType.DATETIME,
            FieldType.MULTI_PICKLIST,
        }:
            raise _wrong_type(kind)
        if kind is FieldType.PICKLIST:
            return self._choice(value)
        if self.wire_type in ONE_IN_A_LIST:
            return [value]
        return self._text(value)

    def filter_text(self, value: Value) -> str:
        """*value* as an entry of ``field_values``; raises Unwritable."""
        wire = self.write(value)
        if isinstance(wire, list):
            if len(wire) != 1:
                raise _wrong_type(self.schema.type)
            return str(wire[0])
        return str(wire).lower() if isinstance(wire, bool) else str(wire)

    def _number(self, value: Any) -> int | Decimal:  # noqa: ANN401 - wire JSON
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
            raise Unreadable
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise Unreadable from None
        if not number.is_finite():
            raise Unreadable
        if self.schema.type is FieldType.INTEGER:
            if number != number.to_integral_value():
                raise Unreadable
            return int(number)
        return number

    def _moment(self, value: Any) -> datetime:  # noqa: ANN401 - wire JSON
        if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unreadable
        try:
            return EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            raise Unreadable from None

    def _plain(self, value: Value) -> str:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise _wrong_type(self.schema.type)
        number = Decimal(value)
        if not number.is_finite():
            raise _wrong_type(self.schema.type)
        places = self.schema.scale
        if places is not None and number != round(number, places):
            raise Unwritable(
                "TOO_MANY_DECIMALS",
                Text(
                    zh=f"字段只保留 {places} 位小数", en=f"the field holds {places} decimal places"
                ),
            )
        text = f"{number if places is None else round(number, places):f}"
        if not _NUMBER.fullmatch(text):
            raise _wrong_type(self.schema.type)
        return text

    def _choice(self, value: str) -> str:
        if any(choice.value == value for choice in self.schema.choices):
            return value
        raise Unwritable(
            "NOT_A_CHOICE",
            Text(zh="该值不在字段的选项里", en="the value is not one of the field's options"),
        )

    def _text(self, value: str) -> str:
        longest = self.schema.max_length
        if longest is not None and len(value) > longest:
            raise Unwritable(
                "TOO_LONG",
                Text(
                    zh=f"超过字段的最大长度 {longest}",
                    en=f"longer than the field's {longest} characters",
                ),
            )
        return value


def codecs(described: Mapping[str, Any], time_zone: str) -> dict[str, FieldCodec]:
    """The fields of ``data.describe.fields``, by API name; fields switched off are left out."""
    default = ZoneInfo(time_zone)
    found: dict[str, FieldCodec] = {}
    for name, entry in described.items():
        if not isinstance(entry, Mapping) or entry.get("is_active") is False:
            continue
        found[name] = FieldCodec(
            field_schema(name, entry), _kind(entry), _zone(entry.get("time_zone"), default)
        )
    return found


def field_schema(name: str, entry: Mapping[str, Any]) -> FieldSchema:
    """One entry of a describe reply in canonical terms."""
    wire_type, scale = _kind(entry), _count(entry.get("decimal_places"))
    kind = TYPES.get(wire_type, FieldType.OTHER)
    if kind is FieldType.DECIMAL and scale == 0:
        kind = FieldType.INTEGER
    return FieldSchema(
        name=name,
        label=str(entry.get("label") or name),
        type=kind,
        choices=_choices(entry.get("options")),
        read_only=_read_only(name, entry),
        required=entry.get("is_required") is True,
        unique=entry.get("is_unique") is True,
        max_length=_count(entry.get("max_length")) or None,
        scale=scale,
        target=entry.get("target_api_name") if kind is FieldType.LOOKUP else None,
    )


def _read_only(name: str, entry: Mapping[str, Any]) -> bool:
    declared = entry.get("type")
    return name in SYSTEM or declared in COMPUTED or entry.get("is_readonly") is True


def _kind(entry: Mapping[str, Any]) -> str:
    declared = str(entry.get("type", ""))
    if declared in {"formula", "quote", "count"}:
        declared = str(entry.get("return_type") or entry.get("quote_field_type") or declared)
    return declared


def _choices(options: Any) -> tuple[Choice, ...]:  # noqa: ANN401 - wire JSON
    if not isinstance(options, Sequence) or isinstance(options, str):
        return ()
    found = []
    for option in options:
        if not isinstance(option, Mapping) or option.get("not_usable") is True:
            continue
        value = option.get("value", option.get("api_name"))
        if isinstance(value, str):
            found.append(Choice(value, str(option.get("label") or value)))
    return tuple(found)


def _count(value: Any) -> int | None:  # noqa: ANN401 - wire JSON
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _zone(text: Any, default: tzinfo) -> tzinfo:  # noqa: ANN401 - wire JSON
    found = _ZONE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return default
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-offset if found[1] == "-" else offset)


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _words(value: Any) -> str:  # noqa: ANN401 - wire JSON
    if not isinstance(value, str):
        raise Unreadable
    return value


def _wrong_type(kind: FieldType) -> Unwritable:
    return Unwritable(
        "WRONG_TYPE",
        Text(zh=f"值与字段类型 {kind} 不符", en=f"the value does not fit a {kind} field"),
    )
