"""What a CRM field must be like for the use a mapping makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from crmsync.model.schema import FieldType

ANY: frozenset[FieldType] = frozenset(FieldType)
TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.URL})
LABELS = frozenset({FieldType.PICKLIST, FieldType.TEXT, FieldType.LONG_TEXT})
SETS = frozenset({FieldType.MULTI_PICKLIST, FieldType.TEXT, FieldType.LONG_TEXT})
DATES = frozenset({FieldType.DATE, FieldType.DATETIME})
NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
LOOKUPS = frozenset({FieldType.LOOKUP, FieldType.TEXT, FieldType.OTHER})
OWNERS = frozenset({FieldType.USER, FieldType.LOOKUP, FieldType.TEXT, FieldType.OTHER})
TICKS = frozenset({FieldType.BOOLEAN})
CURRENCIES = frozenset({FieldType.PICKLIST, FieldType.TEXT, FieldType.LOOKUP, FieldType.OTHER})
PERSONS = frozenset({*OWNERS, FieldType.PICKLIST})
REMARKS = frozenset({*TEXTS, FieldType.PICKLIST, FieldType.OTHER})

_ROLES = {
    "tier": LABELS,
    "lifecycle": LABELS,
    "service": LABELS,
    "segments": SETS,
    "tier_since": DATES,
    "lifecycle_since": DATES,
    "evaluated_on": DATES,
    "score": NUMBERS,
    "reason": TEXTS,
    "rules_version": TEXTS,
    "run": TEXTS | NUMBERS,
    "owner": OWNERS,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The types that will do; ``written`` fields may not be read-only; ``target`` is the object a
    look-up must point to, where the CRM says what it points to. ``made``: connect creates it."""

    types: frozenset[FieldType] = ANY
    written: bool = False
    target: str | None = None
    made: bool = False


def role_wants(role: str) -> Wanted:
    """What a field crmsync writes must be like."""
    return Wanted(_ROLES.get(role, ANY), written=True)
