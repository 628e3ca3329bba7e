"""Rows of a sandbox and what is told of every write: who, when, from which value to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crmsync.model.record import Value


class Origin(StrEnum):
    """Who is behind a write: the API, a person in the CRM's own pages, or its automation.

    LOADED is practice data, whether it came over the API or directly; DEFAULT what the CRM fills in
    by itself as a record is created.
    """

    API = "api"
    PERSON = "person"
    AUTOMATION = "automation"
    LOADED = "loaded"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: a user id of the sandbox and where the write comes from."""

    user: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stood after one write. ``written_at`` is exact, ``modified_at`` as coarse as
    the vendor's clock."""

    object: str
    id: str
    values: Mapping[str, Value]
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str
    written_at: datetime
    revision: int = 1
    deleted_at: datetime | None = None
    deleted_by: str | None = None

    @property
    def deleted(self) -> bool:
        """Whether it lies in the recycle bin."""
        return self.deleted_at is not None

    def get(self, field: str) -> Value:
        """The value of a field; an empty one is ``None``."""
        return self.values.get(field)


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """One field of one record got a value. ``old`` is ``None`` for a new record."""

    object: str
    id: str
    field: str
    old: Value
    new: Value
    by: str
    origin: Origin
    at: datetime
    read_only: bool = False
    """Happened while the test said that nothing may be written."""


@dataclass(frozen=True, slots=True)
class Save:
    """One save of one record in its own history; ``at`` is as coarse as the vendor's clock.

    ``changes`` maps a field to the values before and after.
    """

    number: int
    by: Actor
    at: datetime
    created: bool
    changes: Mapping[str, tuple[Value, Value]]


def differences(before: Row | None, after: Row, by: Actor, read_only: bool) -> Iterator[FieldWrite]:
    """Every field in which *after* is not what *before* was."""
    old: Mapping[str, Value] = before.values if before else {}
    for name in sorted({*old, *after.values}):
        was, now = old.get(name), after.get(name)
        if was != now or type(was) is not type(now):
            yield FieldWrite(
                after.object,
                after.id,
                name,
                was,
                now,
                by.user,
                by.origin,
                after.written_at,
                read_only,
            )
