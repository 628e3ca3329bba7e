"""Joins what several rulesets want of one connection."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.model.schema import FieldSchema, ObjectWant


def merge_wants(wants: Iterable[ObjectWant]) -> tuple[ObjectWant, ...]:
    """One want per object with every field once, objects and fields in order of name."""
    fields: dict[str, dict[str, FieldSchema]] = {}
    for want in wants:
        found = fields.setdefault(want.object, {})
        for field in want.fields:
            found.setdefault(field.name, field)
    return tuple(
        ObjectWant(object=name, fields=tuple(found[field] for field in sorted(found)))
        for name, found in sorted(fields.items())
    )
