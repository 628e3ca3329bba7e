"""When two canonical values are the same: what keeps plans from changing nothing for ever."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from crmsync.model.record import Value


def same_value(one: Value, other: Value) -> bool:
    """Equal for a person: numbers by amount, text by its NFC form, empty text as nothing.

    ``True`` is not 1, and a moment is not its date.
    """
    one, other = _plain(one), _plain(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return Decimal(one) == Decimal(other)
    return type(one) is type(other) and one == other


def same_values(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether every field of *one* holds the same in *other*; a missing field is empty."""
    return all(same_value(value, other.get(name)) for name, value in one.items())


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value) or None
    if isinstance(value, tuple):
        return tuple(sorted(unicodedata.normalize("NFC", item) for item in value)) or None
    return value
