"""Which amounts could not be converted: the currencies a mapping has no rate for, and how many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from sqlglot import exp

from crmsync.facts.money import money_of
from crmsync.facts.related import Setting, unconverted, unconverted_own
from crmsync.facts.sources import Fields, used
from crmsync.model.mapping import AggregateSource, CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema

if TYPE_CHECKING:
    import duckdb

MOST = 5
"""Currencies told of one source, the most frequent first."""


def lacking_rates(
    connection: duckdb.DuckDBPyConnection,
    ruleset: Ruleset,
    mapping: CrmMapping,
    schemas: Mapping[str, ObjectSchema],
    as_of: date,
) -> Iterator[tuple[str, str | None, int]]:
    """``(fact, currency, records)`` for amounts that count and have no rate.

    ``None``: nothing tells the currency. Asks nothing of a mapping without currencies.
    """
    setting = Setting(
        fields=Fields(mapping, schemas),
        mapping=mapping,
        as_of=as_of,
        zone=ruleset.time_zone,
        money=money_of(ruleset, mapping),
    )
    for fact, source in used(ruleset, mapping).items():
        if not setting.converts(fact):
            continue
        if isinstance(source, AggregateSource):
            query = unconverted(setting, fact, source)
        else:
            query = unconverted_own(setting, source)
        counted = exp.select("code", exp.alias_(exp.Count(this=exp.Star()), "n"))
        counted = counted.from_(query.subquery("lacking", copy=False), copy=False)
        counted = counted.group_by("code", copy=False).order_by("n DESC", "code", copy=False)
        for code, count in connection.execute(counted.limit(MOST).sql("duckdb")).fetchall():
            yield fact, code, count
