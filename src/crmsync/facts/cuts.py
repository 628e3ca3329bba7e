"""Draws cut lines across a relation of facts, in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crmsync.model.cut import Cut, CutKind
from crmsync.model.relation import FactRelation

if TYPE_CHECKING:
    import duckdb

_INSIDE: Mapping[CutKind, str] = {
    CutKind.TOP: "place <= CAST(? AS BIGINT)",
    # the place before is still short of the share
    CutKind.SHARE: "place - 1 < CAST(? AS DECIMAL(18, 9)) * people",
    CutKind.COVERS: "weight > 0 AND before < CAST(? AS DECIMAL(9, 6)) * whole",
}


def draw_cuts(
    connection: duckdb.DuckDBPyConnection,
    relation: FactRelation,
    fact: str,
    cuts: Mapping[str, Cut],
) -> tuple[dict[str, Decimal], int]:
    """The line of each cut over a numeric *fact*, and how many customers have a value of it.

    A cut nobody is inside of (an empty population, no amount above 0) has no line. Which of two
    equal customers stands first makes no difference: the line is their common value.
    """
    column = relation.column(fact)
    inner = relation.select.sql("duckdb")
    picked = ", ".join(f"MIN(v) FILTER ({_INSIDE[cut.kind]})" for cut in cuts.values())
    query = f"""
        WITH known AS (
            SELECT {column} AS v, GREATEST(TRY_CAST({column} AS DECIMAL(38, 6)), 0) AS weight
            FROM ({inner}) AS facts WHERE {column} IS NOT NULL
        ), ranked AS (
            SELECT v, weight, COUNT(*) OVER () AS people, SUM(weight) OVER () AS whole,
                ROW_NUMBER() OVER (ORDER BY v DESC) AS place,
                SUM(weight) OVER (
                    ORDER BY v DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) - weight AS before
            FROM known
        )
        SELECT COALESCE(MAX(people), 0), {picked} FROM ranked
    """
    amounts = [str(cut.amount) for cut in cuts.values()]
    ((people, *found),) = connection.execute(query, amounts).fetchall()
    lines = {
        name: _exact(value) for name, value in zip(cuts, found, strict=True) if value is not None
    }
    return lines, int(people)


def _exact(value: Any) -> Decimal:  # noqa: ANN401 - a column of any numeric type
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
