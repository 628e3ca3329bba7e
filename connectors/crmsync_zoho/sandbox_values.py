"""Zoho's wire values in the sandbox: what it accepts for a field, how it shows a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync_zoho.sandbox_replies import BadValue, Json
from crmsync_zoho.sandbox_schema import ZohoField

TYPES = {
    "textarea": FieldType.LONG_TEXT,
    "picklist": FieldType.PICKLIST,
    "multiselectpicklist": FieldType.MULTI_PICKLIST,
    "boolean": FieldType.BOOLEAN,
    "integer": FieldType.INTEGER,
    "bigint": FieldType.INTEGER,
    "currency": FieldType.CURRENCY,
    "double": FieldType.DECIMAL,
    "percent": FieldType.PERCENT,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "lookup": FieldType.LOOKUP,
    "ownerlookup": FieldType.USER,
    "userlookup": FieldType.USER,
    "website": FieldType.URL,
}
INTEGER_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value check may look at: other records, users, the organisation's time zone.

    ``name_of`` gives the name of a record or user, ``None`` when there is none.
    """

    zone: tzinfo
    record_name: Callable[[str | None, str], str | None]
    user_name: Callable[[str], str | None]


def schema_of(field: ZohoField) -> FieldSchema:
    """The field in the store's terms."""
    return FieldSchema(
        field.api_name,
        field.label,
        TYPES.get(field.data_type, FieldType.TEXT),
        choices=tuple(Choice(value, value) for value in field.choices),
        read_only=field.read_only,
        required=field.mandatory,
        unique=field.unique,
        max_length=field.length or None,
        target=field.target,
    )


def accept(field: ZohoField, given: Json, path: str, around: Surroundings) -> Value:
    """The canonical value of what a client sent; raises BadValue with Zoho's code."""
    if given is None or given in ("", []):
        if field.mandatory:
            raise BadValue(
                "MANDATORY_NOT_FOUND",
                "the field must have a value",
                api_name=field.api_name,
                json_path=path,
            )
        return None
    checker = _CHECKERS.get(field.data_type, _text)
    return checker(field, given, path, around)


def show(field: ZohoField, value: Value, around: Surroundings) -> Json:
    """A stored value as Zoho sends it."""
    if value is None:
        return [] if field.data_type == "multiselectpicklist" else _absent(field)
    if field.data_type == "lookup":
        text = str(value)
        return {"name": around.record_name(field.target, text), "id": text}
    if field.data_type in {"ownerlookup", "userlookup"}:
        text = str(value)
        return {"name": around.user_name(text), "id": text}
    if isinstance(value, datetime):
        return stamp(value, around.zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if field.data_type == "bigint" else value


def stamp(moment: datetime, zone: tzinfo) -> str:
    """A moment as Zoho writes it: seconds, and the organisation's offset instead of ``Z``."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _absent(field: ZohoField) -> Json:
    return False if field.data_type == "boolean" else None


def _wrong(field: ZohoField, path: str, **details: Json) -> BadValue:
    return BadValue(
        "INVALID_DATA", "invalid data", api_name=field.api_name, json_path=path, **details
    )


def _text(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if not isinstance(given, str):
        raise _wrong(field, path, expected_data_type="string")
    if field.length and len(given) > field.length:
        raise _wrong(field, path, maximum_length=field.length)
    if field.data_type == "email" and "@" not in given:
        raise _wrong(field, path, expected_data_type="email")
    return given


def _choice(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if not isinstance(given, str):
        raise _wrong(field, path, expected_data_type="string")
    if given not in field.choices:
        raise _wrong(field, path, supported_values=list(field.choices))
    return given


def _choices(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise _wrong(field, path, expected_data_type="jsonarray")
    if not set(given) <= set(field.choices):
        raise _wrong(field, path, supported_values=list(field.choices))
    return tuple(sorted(set(given)))


def _boolean(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if not isinstance(given, bool):
        raise _wrong(field, path, expected_data_type="boolean")
    return given


def _integer(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if isinstance(given, bool) or not isinstance(given, int):
        raise _wrong(field, path, expected_data_type="integer")
    if len(str(abs(given))) > INTEGER_DIGITS:
        raise _wrong(field, path, maximum_length=INTEGER_DIGITS)
    return given


def _big_integer(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    text = given if isinstance(given, str) else str(given)
    if isinstance(given, bool) or not text.removeprefix("-").isdecimal():
        raise _wrong(field, path, expected_data_type="bigint")
    return int(text)


def _number(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _wrong(field, path, expected_data_type="double")
    return Decimal(str(given)).quantize(Decimal(1).scaleb(-field.decimals), ROUND_HALF_UP)


def _date(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    try:
        if isinstance(given, str) and len(given) == len("2026-11-22"):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise _wrong(field, path, expected_data_type="date")


def _datetime(field: ZohoField, given: Json, path: str, _: Surroundings) -> Value:
    moment = read_stamp(given)
    if moment is None:
        raise _wrong(field, path, expected_data_type="datetime")
    return moment


def read_stamp(given: Json) -> datetime | None:
    """A moment with its offset, in whole seconds and UTC; ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC).replace(microsecond=0)


def reference(given: Json) -> str | None:
    """The id in a look-up value or an id: number, text or an object with ``id``."""
    if isinstance(given, dict):
        given = given.get("id")
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    text = str(given)
    return text if text.isascii() and text.isdigit() else None


def _lookup(field: ZohoField, given: Json, path: str, around: Surroundings) -> Value:
    found = reference(given)
    if found is None:
        raise _wrong(field, path, expected_data_type="jsonobject")
    if around.record_name(field.target, found) is None:
        raise _wrong(field, f"{path}.id")
    return found


def _user(field: ZohoField, given: Json, path: str, around: Surroundings) -> Value:
    found = reference(given)
    if found is None:
        raise _wrong(field, path, expected_data_type="jsonobject")
    if around.user_name(found) is None:
        raise _wrong(field, f"{path}.id")
    return found


_CHECKERS: dict[str, Callable[[ZohoField, Json, str, Surroundings], Value]] = {
    "picklist": _choice,
    "multiselectpicklist": _choices,
    "boolean": _boolean,
    "integer": _integer,
    "bigint": _big_integer,
    "currency": _number,
    "double": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
    "lookup": _lookup,
    "ownerlookup": _user,
    "userlookup": _user,
}
