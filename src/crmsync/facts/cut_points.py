"""Cut points drawn from the buyers of a whole population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlglot import exp

from crmsync.condition.sql import double
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
    The parts are those of NTILE over (value, id); a cut point is the largest value of its part,
    which is the value at one place of the order and hangs on no id. Money is compared as DECIMAL.
    """
    buyers = _buyers(relation, rules, as_of).sql("duckdb")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_BUYERS} AS {buyers}")
    try:
        count = f"SELECT COUNT(*) FROM {_BUYERS}"
        customers = int(connection.execute(count).fetchall()[0][0])
        if customers < rules.classes:
            return DrawnCutPoints(None, customers)
        (found,) = connection.execute(_largest(customers, rules.classes).sql("duckdb")).fetchall()
        cuts = {part: tuple(map(_exact, ends)) for part, ends in zip(Part, found, strict=True)}
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


def _largest(customers: int, classes: int) -> exp.Select:
    """The largest value of every part but the last, a list for each of the three.

    QUANTILE_DISC takes the value at place CEIL(share × customers): half a place below a whole one
    is safe from rounding. It selects, which takes a fraction of the time of a sort.
    """
    share, larger = divmod(customers, classes)
    places = [share * part + min(part, larger) for part in range(1, classes)]
    shares = exp.Array(expressions=[double((place - 0.5) / customers) for place in places])
    return exp.select(
        *(
            exp.Anonymous(this="QUANTILE_DISC", expressions=[exp.column(part.value), shares.copy()])
            for part in Part
        ),
        copy=False,
    ).from_(exp.to_table(_BUYERS), copy=False)


def _exact(value: object) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, Decimal) else Decimal(str(value))
