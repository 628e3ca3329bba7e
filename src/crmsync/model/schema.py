"""What a CRM says of its objects and fields, and of the account behind a connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FieldType(StrEnum):
    """How a CRM field holds its value, in canonical terms."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    LOOKUP = "lookup"
    USER = "user"
    URL = "url"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist: what is stored, and what people see."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field of an object, as the CRM describes it or as crmsync asks for it."""

    name: str
    label: str
    type: FieldType
    choices: tuple[Choice, ...] = ()
    read_only: bool = False
    required: bool = False
    unique: bool = False
    max_length: int | None = None
    scale: int | None = None
    target: str | None = None
    """For LOOKUP: the object it points to."""


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An object (module, entity) with its fields."""

    object: str
    label: str
    fields: tuple[FieldSchema, ...]

    def field(self, name: str) -> FieldSchema | None:
        """The field of that API name, or ``None``."""
        return next((field for field in self.fields if field.name == name), None)

    def labelled(self, label: str) -> tuple[FieldSchema, ...]:
        """Every field people see under *label* (a CRM may hold doubles)."""
        return tuple(field for field in self.fields if field.label == label)


@dataclass(frozen=True, slots=True)
class ObjectWant:
    """An object to read and the fields wanted of it; nothing else of a record is stored."""

    object: str
    fields: tuple[FieldSchema, ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """The account behind a connection, as the API tells it; plans are pinned to ``id``."""

    id: str
    name: str
    user_id: str
    user_name: str
    time_zone: str | None = None
    currency: str | None = None
    environment: str = "production"
    """``production``, ``sandbox`` (the vendor's test org) or ``practice`` (our own sandbox)."""


@dataclass(frozen=True, slots=True)
class Quota:
    """API calls in the vendor's own unit; ``remaining`` is ``None`` while the vendor is silent.

    ``kept`` of the rest is not ours to spend: it is left to people and other programs.
    ``resets_at`` is when there will be room again.
    """

    unit: str
    used: int
    limit: int | None
    remaining: int | None
    kept: int = 0
    resets_at: datetime | None = None

    @property
    def free(self) -> int | None:
        """What may still be spent; ``None`` while nobody knows."""
        left = self.remaining
        if left is None and self.limit is not None:
            left = self.limit - self.used
        return None if left is None else max(left - self.kept, 0)
