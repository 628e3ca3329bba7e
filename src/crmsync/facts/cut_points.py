"""Cut points drawn from the buyers of a whole population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlglot import exp

from crmsync.facts import conversion
from crmsync.model.fact import FactType
from crmsync.model.relation import FactRelation
from crmsync.model.rfm import CutPoints, Part, RfmRules

if TYPE_CHECKING:
    import duckdb

_BUYERS = "rfm_buyers"
"""The temporary table of the buyers' three values: facts are worked out once, not for each cut."""


@dataclass(frozen=True, slots=True)
class DrawnCutPoints:
    """The cut points and how many buyers shaped them; ``cuts`` is ``None`` for too few."""

    cuts: CutPoints | None
    customers: int


def draw_cut_points(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, rules: RfmRules, as_of: date
) -> DrawnCutPoints:
    """Cut each value of the buyers into ``rules.classes`` parts of equal size.

    A buyer has a recency (not in the future), a frequency above 0 and a known monetary value.
    NTILE runs over (value, id), so one order of rows gives one set of tiles on any machine; a cut
    point is the largest value of its tile. Money is compared as DECIMAL.
    """
    buyers = _buyers(relation, rules, as_of).sql("duckdb")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_BUYERS} AS {buyers}")
    try:
        count = f"SELECT COUNT(*) FROM {_BUYERS}"
        customers = int(connection.execute(count).fetchall()[0][0])
        if customers < rules.classes:
            return DrawnCutPoints(None, customers)
        cuts = {}
        for part in Part:
            rows = connection.execute(_tiles(part, rules.classes).sql("duckdb")).fetchall()
            cuts[part] = tuple(_exact(row[0]) for row in rows[:-1])
        return DrawnCutPoints(cuts, customers)
    finally:
        connection.execute(f"DROP TABLE {_BUYERS}")


def _buyers(relation: FactRelation, rules: RfmRules, as_of: date) -> exp.Select:
    values = {part: _value(relation, rules, part, as_of) for part in Part}
    facts = relation.select.copy()
    facts.set("order", None)
    inner = exp.select(
        exp.column("id"), *(exp.alias_(value, part.value) for part, value in values.items())
    ).from_(facts.subquery("facts", copy=False), copy=False)
    zero = exp.Literal.number(0)
    tests: Sequence[exp.Expr] = (
        exp.GTE(this=exp.column(Part.RECENCY.value), expression=zero),
        exp.GT(this=exp.column(Part.FREQUENCY.value), expression=zero.copy()),
        exp.Not(this=exp.Is(this=exp.column(Part.MONETARY.value), expression=exp.null())),
    )
    return exp.select("*").from_(inner.subquery("known", copy=False), copy=False).where(*tests)


def _value(relation: FactRelation, rules: RfmRules, part: Part, as_of: date) -> exp.Expr:
    fact = rules.reads[part]
    column = exp.column(relation.column(fact))
    if relation.types[relation.facts.index(fact)] is FactType.DATE:
        return exp.paren(exp.Sub(this=conversion.literal_day(as_of), expression=column))
    return column


def _tiles(part: Part, classes: int) -> exp.Select:
    value = exp.column(part.value)
    order = exp.Order(expressions=[exp.Ordered(this=value), exp.Ordered(this=exp.column("id"))])
    tile = exp.Window(
        this=exp.Anonymous(this="NTILE", expressions=[exp.Literal.number(classes)]), order=order
    )
    tiles = exp.select(value.copy(), exp.alias_(tile, "tile")).from_(
        exp.to_table(_BUYERS), copy=False
    )
    return (
        exp.select(exp.Max(this=value.copy()))
        .from_(tiles.subquery("tiles", copy=False), copy=False)
        .group_by(exp.column("tile"))
        .order_by(exp.column("tile"))
    )


def _exact(value: object) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, Decimal) else Decimal(str(value))
