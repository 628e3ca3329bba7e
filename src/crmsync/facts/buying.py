"""The buying histories a clv model is fitted to."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlglot import exp

from crmsync.facts import conversion
from crmsync.facts.clv_fit import Histories
from crmsync.model.clv import ClvRules
from crmsync.model.relation import FactRelation

if TYPE_CHECKING:
    import duckdb

_DAYS_A_WEEK = 7.0


def histories(
    connection: duckdb.DuckDBPyConnection, relation: FactRelation, rules: ClvRules, as_of: date
) -> Histories:
    """Every buyer of the population, in order of id: repeat orders, times in weeks, net revenue.

    A buyer has at least one order and first and last days that fit one another and *as_of*; a
    single order with two different days is a contradiction and left out.
    """
    assert rules.first is not None
    assert rules.last is not None
    first, last, orders, revenue = (
        exp.column(relation.column(name))
        for name in (rules.first, rules.last, rules.orders, rules.revenue)
    )
    facts = relation.select.copy()
    facts.set("order", None)
    inner = exp.select(
        exp.column("id"),
        exp.alias_(exp.cast(orders, "DOUBLE"), "orders"),
        exp.alias_(exp.Sub(this=last, expression=first), "active"),
        exp.alias_(exp.Sub(this=conversion.literal_day(as_of), expression=first.copy()), "age"),
        exp.alias_(exp.cast(revenue, "DOUBLE"), "revenue"),
    ).from_(facts.subquery("facts", copy=False), copy=False)
    one = exp.Literal.number(1)
    active, count = exp.column("active"), exp.column("orders")
    query = (
        exp.select("orders", "active", "age", "revenue")
        .from_(inner.subquery("known", copy=False), copy=False)
        .where(
            exp.GTE(this=count, expression=one),
            exp.GTE(this=active, expression=exp.Literal.number(0)),
            exp.LTE(this=active.copy(), expression=exp.column("age")),
            exp.paren(
                exp.Or(
                    this=exp.GT(this=count.copy(), expression=one.copy()),
                    expression=exp.EQ(this=active.copy(), expression=exp.Literal.number(0)),
                )
            ),
        )
        .order_by(exp.column("id"))
    )
    rows = connection.execute(query.sql("duckdb")).fetchall()
    return Histories(
        repeats=tuple(row[0] - 1 for row in rows),
        last=tuple(row[1] / _DAYS_A_WEEK for row in rows),
        age=tuple(row[2] / _DAYS_A_WEEK for row in rows),
        revenue=tuple(None if row[3] is None else float(row[3]) for row in rows),
    )
