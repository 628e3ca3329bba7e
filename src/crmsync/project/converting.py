"""What a run says of amounts it could not convert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb

from crmsync.facts import lacking_rates
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.text import Text


def rate_notes(
    mirror: duckdb.DuckDBPyConnection,
    rules: Ruleset,
    mapping: CrmMapping,
    schemas: Mapping[str, ObjectSchema],
    as_of: date,
) -> tuple[Text, ...]:
    """A sentence for every currency that amounts are in and that has no rate on their day."""
    if mapping.money is None:
        return ()
    return tuple(
        _note(rules.fact(fact).label, code, count)
        for fact, code, count in lacking_rates(mirror, rules, mapping, schemas, as_of)
    )


def _note(label: Text, code: str | None, count: int) -> Text:
    if code is None:
        return Text(
            zh=f"{label.zh}：{count} 笔金额没有货币，这些客户的{label.zh}未知",
            en=f"{label.en}: {count} amounts name no currency; it is unknown for those customers",
        )
    return Text(
        zh=f"{label.zh}：{count} 笔 {code} 金额当天没有汇率，这些客户的{label.zh}未知",
        en=f"{label.en}: {count} amounts in {code} have no rate for their day; it is unknown for "
        "those customers",
    )
