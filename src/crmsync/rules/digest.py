"""The digest of a ruleset: two files that decide alike have the same one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

from crmsync.model.ruleset import Ruleset

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_FOR_PEOPLE = frozenset({"span", "label", "note", "file", "digest", "bands", "edges"}) | {
    "wobble",
    "choice_labels",
    "cut_spans",
    "frozen",
}
_FOR_PEOPLE_IN = {
    "Ruleset": frozenset({"title"}),
    "PointLine": frozenset({"text"}),
    "FactDefinition": frozenset({"was"}),
    "TierRow": frozenset({"text", "number"}),
}
_ONLY_WRITTEN = frozenset({"on_merge"})
"""Keys that came later: where a file does not write one, its digest is what it was before."""
_PLACEHOLDERS_IN = {"TaskRule": "title", "Evidence": "text"}
_FACTS_IN = {
    "Name": ("id",),
    "FactDefinition": ("id",),
    "RfmRules": ("reads",),
    "ClvRules": ("orders", "revenue", "first", "last"),
    "Group": ("by", "sums"),
    "Newcomer": ("fact",),
    "TierRules": ("of",),
    "Cut": ("of",),
    "ScopeLine": ("fact",),
    "FactDay": ("fact",),
    "Anniversary": ("fact",),
    "DoneWithin": ("fact",),
    "TaskResult": ("fact",),
}
"""Where the model names facts as words: a renamed fact counts there by its former name."""


def digest_of(ruleset: Ruleset) -> str:
    """SHA-256 over everything that can change a decision or what is written.

    Places, labels, notes, bands, wobbles, comments, layout and spellings of the same condition do
    not count; titles of tasks and reasons of exceptions do, for they are written to the CRM. A fact
    that says what it ``was`` counts by its former name, so renaming one changes nothing.
    """
    return digest_of_parts(ruleset, renamed=ruleset.renamed)


def digest_of_parts(*parts: object, renamed: Mapping[str, str] | None = None) -> str:
    """SHA-256 over parts of a ruleset or a mapping, by the same rules.

    *renamed* is `Ruleset.renamed` of the ruleset they are of.
    """
    former = {now: was for was, now in (renamed or {}).items()}
    tree = _tree(parts[0] if len(parts) == 1 else parts, former)
    text = json.dumps(
        tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _tree(value: object, former: Mapping[str, str]) -> object:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        hidden = _FOR_PEOPLE | _FOR_PEOPLE_IN.get(name, frozenset())
        parts = {
            field.name: _tree(getattr(value, field.name), former)
            for field in dataclasses.fields(value)
            if field.name not in hidden
            and not (field.name in _ONLY_WRITTEN and getattr(value, field.name) is None)
        }
        for key in _FACTS_IN.get(name, ()) if former else ():
            parts[key] = _former(parts[key], former)
        written = _PLACEHOLDERS_IN.get(name) if former else None
        if written is not None:
            parts[written] = _placeholders(parts[written], former)
        return {"is": name, **parts}
    if isinstance(value, Mapping):
        return {str(key): _tree(value[key], former) for key in value}
    if isinstance(value, tuple):
        return [_tree(item, former) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | Decimal):
        return {"n": _plain(Decimal(value))}
    if isinstance(value, float):
        return {"n": _plain(Decimal(repr(value)))}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    raise TypeError(f"{type(value).__name__} has no place in a digest")


def _former(found: object, former: Mapping[str, str]) -> object:
    """Facts named in a tree, by their former names."""
    if isinstance(found, str):
        return former.get(found, found)
    if isinstance(found, list):
        return [_former(item, former) for item in found]
    if isinstance(found, dict):
        return {key: _former(item, former) for key, item in found.items()}
    return found


def _placeholders(title: object, former: Mapping[str, str]) -> object:
    if isinstance(title, dict):
        return {key: _placeholders(text, former) for key, text in title.items()}
    if isinstance(title, str):
        return _PLACEHOLDER.sub(lambda found: f"{{{former.get(found[1], found[1])}}}", title)
    return title


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"
