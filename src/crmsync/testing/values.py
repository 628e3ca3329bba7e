"""Checks a vendor makes on incoming values, in canonical terms; each sandbox words the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema, FieldType
from crmsync.testing.records import RecordStore
from crmsync.testing.rows import Row


class Complaint(StrEnum):
    """What is wrong with a value."""

    UNKNOWN_FIELD = "unknown field"
    READ_ONLY = "read only"
    WRONG_TYPE = "wrong type"
    NOT_A_CHOICE = "not a choice"
    TOO_LONG = "too long"
    REQUIRED = "required"
    DUPLICATE = "duplicate"
    NO_TARGET = "no such record"


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """One complaint about one field; ``other`` is the record that already holds a unique value."""

    field: str
    complaint: Complaint
    schema: FieldSchema | None = None
    other: Row | None = None


_NUMBER_TYPES = frozenset({FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
_TEXT_TYPES = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.URL, FieldType.OTHER})
_ID_TYPES = frozenset({FieldType.LOOKUP, FieldType.USER})


def problems(
    store: RecordStore, object: str, values: Mapping[str, Value], *, id: str | None = None
) -> Iterator[ValueProblem]:
    """Everything wrong with *values* for a new record, or for the record *id*."""
    table = store.table(object)
    for name, value in values.items():
        schema = table.field(name)
        if schema is None:
            yield ValueProblem(name, Complaint.UNKNOWN_FIELD)
        elif (found := _complaint(schema, value)) is not None:
            yield ValueProblem(name, found, schema)
        elif schema.unique and value is not None:
            others = (row for row in store.find_by(object, name, value) if row.id != id)
            yield from (ValueProblem(name, Complaint.DUPLICATE, schema, row) for row in others)
        elif schema.type is FieldType.LOOKUP and not _target_exists(store, schema, value):
            yield ValueProblem(name, Complaint.NO_TARGET, schema)
    if id is None:
        for schema in table.schema.fields:
            if schema.required and values.get(schema.name) is None:
                yield ValueProblem(schema.name, Complaint.REQUIRED, schema)


def _target_exists(store: RecordStore, schema: FieldSchema, value: Value) -> bool:
    if value is None or schema.target is None or schema.target not in store.objects():
        return True
    row = store.find(schema.target, str(value))
    return row is not None and not row.deleted


def _complaint(schema: FieldSchema, value: Value) -> Complaint | None:
    if schema.read_only:
        return Complaint.READ_ONLY
    if value is None:
        return Complaint.REQUIRED if schema.required else None
    if not _fits_type(schema.type, value):
        return Complaint.WRONG_TYPE
    if schema.choices and not _is_choice(schema, value):
        return Complaint.NOT_A_CHOICE
    if schema.max_length is not None and isinstance(value, str) and len(value) > schema.max_length:
        return Complaint.TOO_LONG
    return None


def _is_choice(schema: FieldSchema, value: Value) -> bool:
    known = {choice.value for choice in schema.choices}
    return all(item in known for item in (value if isinstance(value, tuple) else (value,)))


def _fits_type(type: FieldType, value: Value) -> bool:
    match type:
        case FieldType.BOOLEAN:
            return isinstance(value, bool)
        case FieldType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case FieldType.DATETIME:
            return isinstance(value, datetime) and value.tzinfo is not None
        case FieldType.DATE:
            return isinstance(value, date) and not isinstance(value, datetime)
        case FieldType.MULTI_PICKLIST:
            return isinstance(value, tuple)
        case _ if type in _NUMBER_TYPES:
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case _ if type in _TEXT_TYPES or type in _ID_TYPES or type is FieldType.PICKLIST:
            return isinstance(value, str)
    return True
