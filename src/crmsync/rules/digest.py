"""The digest of a ruleset: two files that decide alike have the same one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

from crmsync.model.ruleset import Ruleset

_FOR_PEOPLE = frozenset({"span", "label", "note", "file", "digest", "bands", "edges"}) | {
    "wobble",
    "choice_labels",
    "cut_spans",
    "frozen",
}
_FOR_PEOPLE_IN = {
    "Ruleset": frozenset({"title"}),
    "PointLine": frozenset({"text"}),
    "TierRow": frozenset({"text", "number"}),
}


def digest_of(ruleset: Ruleset) -> str:
    """SHA-256 over everything that can change a decision or what is written.

    Places, labels, notes, bands, wobbles, comments, layout and spellings of the same condition do
    not count; titles of tasks and reasons of exceptions do, for they are written to the CRM.
    """
    return digest_of_parts(ruleset)


def digest_of_parts(*parts: object) -> str:
    """SHA-256 over parts of a ruleset or a mapping, by the same rules."""
    tree = _tree(parts[0] if len(parts) == 1 else parts)
    text = json.dumps(
        tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _tree(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        hidden = _FOR_PEOPLE | _FOR_PEOPLE_IN.get(name, frozenset())
        parts = {
            field.name: _tree(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in hidden
        }
        return {"is": name, **parts}
    if isinstance(value, Mapping):
        return {str(key): _tree(value[key]) for key in value}
    if isinstance(value, tuple):
        return [_tree(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | Decimal):
        return {"n": _plain(Decimal(value))}
    if isinstance(value, float):
        return {"n": _plain(Decimal(repr(value)))}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    raise TypeError(f"{type(value).__name__} has no place in a digest")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"
