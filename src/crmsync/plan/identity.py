"""Names that are the same whenever the content is: change ids, fact digests, fingerprints."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.model.canonical import encode_value, text_of
from crmsync.model.fact import FactValue
from crmsync.model.mapping import AggregateSource, CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema


def change_id(*parts: str) -> str:
    """A short id made from what the change is about; no clock and no chance in it."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).digest()
    return "c" + base64.b32encode(digest).decode().lower()


def facts_digest(facts: Mapping[str, FactValue], firm: frozenset[str]) -> str:
    """A digest of the *firm* facts of one customer."""
    tree = [(name, encode_value(facts.get(name))) for name in sorted(firm)]
    return hashlib.blake2b(text_of(tree).encode(), digest_size=12).hexdigest()


def firm_facts(ruleset: Ruleset, mapping: CrmMapping) -> frozenset[str]:
    """The facts that change only because data changed.

    Formulas and models move with the calendar. So does an aggregate over a window; it is left out
    where another fact without a window reads the same related records, since new records show
    there.
    """
    whole = {
        source.related
        for source in mapping.read.values()
        if isinstance(source, AggregateSource) and source.within is None
    }
    moved_by_time = {
        fact
        for fact, source in mapping.read.items()
        if isinstance(source, AggregateSource)
        and source.within is not None
        and source.related in whole
    }
    formulas = {fact.id for fact in ruleset.facts if fact.formula is not None or fact.model}
    return frozenset(fact.id for fact in ruleset.facts) - formulas - moved_by_time


def schema_fingerprint(used: Iterable[tuple[ObjectSchema, Iterable[str]]]) -> str:
    """A digest of the fields a plan relies on: type, choices, limits, whether they can be written.

    A field that is gone counts as well.
    """
    tree: list[Any] = []
    for schema, names in used:
        for name in sorted(set(names)):
            field = schema.field(name)
            if field is None:
                tree.append([schema.object, name])
                continue
            choices = sorted(choice.value for choice in field.choices)
            limits = [field.max_length, field.scale, field.read_only]
            tree.append([schema.object, name, field.type.value, choices, limits])
    tree.sort(key=text_of)
    return hashlib.sha256(text_of(tree).encode()).hexdigest()
