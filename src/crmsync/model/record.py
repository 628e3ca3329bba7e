"""Records as they come out of a CRM: canonical values only, no vendor shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = bool | int | Decimal | str | date | datetime | tuple[str, ...] | None
"""A canonical field value.

Text is ``str`` (``""`` is read as ``None``), picklists are their stored value, several choices a
sorted tuple, numbers ``int`` or ``Decimal`` (never ``float``), moments aware ``datetime`` in UTC,
look-ups the id of the record they point to.
"""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Names one record of a CRM by the CRM's own object name and id (ids are text)."""

    object: str
    id: str

    def __str__(self) -> str:
        return f"{self.object}/{self.id}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read: only the fields that were asked for.

    ``version`` is whatever the CRM can compare on a conditional write, or ``None`` where it has no
    such thing. ``deleted`` records carry no fields; ``merged_into`` is the id of the record one was
    merged into, where the CRM tells.
    """

    ref: RecordRef
    fields: Mapping[str, Value]
    modified_at: datetime
    version: str | None = None
    deleted: bool = False
    merged_into: str | None = None
