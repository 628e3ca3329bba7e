"""Whether the sources of facts are fresh and whole, as the mapping demands, and which facts suffer.

A stale or partial source holds demotions and moves that hang on it; everything else goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb

from crmsync.model.mapping import CrmMapping, FieldSource
from crmsync.model.plan import PlanCounts
from crmsync.model.source import SourceTerms, Unfresh
from crmsync.model.text import Text
from crmsync.store.mirror import MirrorMeta
from crmsync.store.mirror_columns import quoted


@dataclass(frozen=True, slots=True)
class SourceFigure:
    """One mirrored object: its records, and the local day any of them last changed in the CRM."""

    object: str
    rows: int
    newest: date | None

    def age(self, as_of: date) -> int:
        """Days since the newest change; a source without records has none."""
        return 0 if self.newest is None else max(0, (as_of - self.newest).days)


def source_figures(
    mirror: duckdb.DuckDBPyConnection, meta: MirrorMeta, mapping: CrmMapping, zone: str
) -> dict[str, SourceFigure]:
    """The figures of every object the facts come from, by object."""
    found = {}
    for name in sorted(objects_of(mapping)):
        if name not in meta.objects:
            continue
        newest = mirror.execute(
            f"SELECT max(_modified) FROM mirror.main.{quoted(name)}"
        ).fetchall()[0][0]
        local = newest and newest.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        found[name] = SourceFigure(name, meta.objects[name].rows, local)
    return found


def objects_of(mapping: CrmMapping) -> frozenset[str]:
    """Every object a fact of the mapping comes from."""
    return frozenset({mapping.object, *(item.object for item in mapping.related.values())})


def unfresh(
    figures: Mapping[str, SourceFigure],
    mapping: CrmMapping,
    as_of: date,
    *,
    previous: PlanCounts | None,
) -> tuple[Unfresh, ...]:
    """The sources that do not meet the mapping's terms, with the facts that come from them."""
    found = []
    for object, terms in sorted(mapping.sources.items()):
        figure = figures.get(object)
        if figure is None:
            continue
        before = previous.sources.get(object) if previous else None
        reasons = [*_old(figure, terms, as_of), *_short(figure, terms, before)]
        if reasons:
            text = Text(
                zh="；".join(reason.zh for reason in reasons),
                en="; ".join(reason.en for reason in reasons),
            )
            found.append(Unfresh(object, text, _facts(mapping, object)))
    return tuple(found)


def remembered(
    figures: Mapping[str, SourceFigure],
    held: Mapping[str, Unfresh],
    previous: PlanCounts | None,
) -> dict[str, int]:
    """The records of each source that the next plan compares with.

    While a source is held, what it had when it was whole stays the measure: a loss that lasts two
    nights is not taken for the way things are.
    """
    before = previous.sources if previous else {}
    return {
        object: max(figure.rows, before.get(object, 0)) if object in held else figure.rows
        for object, figure in figures.items()
    }


def _old(figure: SourceFigure, terms: SourceTerms, as_of: date) -> Iterator[Text]:
    age, limit = figure.age(as_of), terms.fresh_within
    if limit is not None and age > limit:
        yield Text(
            zh=f"{figure.object} 已 {age} 天没有任何变化（应在 {limit} 天内）",
            en=f"nothing of {figure.object} has changed for {age} days (fresh within {limit})",
        )


def _short(figure: SourceFigure, terms: SourceTerms, before: int | None) -> Iterator[Text]:
    share = terms.whole_from
    if share is not None and before and Decimal(figure.rows) < share * before:
        yield Text(
            zh=f"{figure.object} 只有 {figure.rows} 条，上次是 {before} 条（应不少于 {share:.0%}）",
            en=f"{figure.object} holds {figure.rows} records, {before} last time"
            f" (whole from {share:.0%})",
        )


def _facts(mapping: CrmMapping, object: str) -> tuple[str, ...]:
    def source(fact: str) -> str:
        found = mapping.read[fact]
        if isinstance(found, FieldSource):
            return mapping.object
        return mapping.related[found.related].object

    return tuple(sorted(fact for fact in mapping.read if source(fact) == object))
