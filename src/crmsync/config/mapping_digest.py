"""The digest of a mapping: what is read, counted and written, without places and comments."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

from crmsync.condition import to_text
from crmsync.model import condition as tree
from crmsync.model.mapping import CrmMapping

_CONDITIONS = (
    tree.Compare, tree.OneOf, tree.Between, tree.Within, tree.Known, tree.Missing, tree.Holds,
    tree.All, tree.AnyOf, tree.Not,
)  # fmt: skip
_NOT_CONTENT = frozenset({"span", "file", "digest", "places"})


def mapping_digest(mapping: CrmMapping, renamed: Mapping[str, str]) -> CrmMapping:
    """The same mapping with its ``digest``; two files that mean the same have the same one.

    Facts that were *renamed* (`Ruleset.renamed`) count by their former names.
    """
    former = {now: was for was, now in renamed.items()}
    read = {former.get(fact, fact): source for fact, source in mapping.read.items()}
    tree = _tree(dataclasses.replace(mapping, read=read))
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return dataclasses.replace(mapping, digest=hashlib.sha256(text.encode()).hexdigest())


def _tree(value: object) -> object:
    if isinstance(value, _CONDITIONS):
        return to_text(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_tree(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if dataclasses.is_dataclass(value):
        return {
            field.name: _tree(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in _NOT_CONTENT
        }
    if isinstance(value, Mapping):
        return {str(key): _tree(item) for key, item in value.items()}
    return value
