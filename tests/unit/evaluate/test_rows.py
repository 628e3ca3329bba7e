"""Rows made in Python hold what SQL would have put there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.unit.evaluate.build import REF, TODAY, ruleset

from crmsync.evaluate import Engine, row_from_facts


def test_values_take_their_declared_type_and_misfits_are_named():
    engine = Engine(ruleset())
    facts = {"orders_12m": 6.0, "overdue_days": 1.5, "potential": "很高", "relation": Decimal(21)}

    row = row_from_facts(engine, REF, facts, TODAY)

    assert row.facts["orders_12m"] == 6
    assert isinstance(row.facts["orders_12m"], int)
    assert row.rejected == ("overdue_days", "potential", "relation")
    assert [row.facts[name] for name in row.rejected] == [None, None, None]


def test_absent_facts_take_their_missing_value_or_stay_unknown():
    row = row_from_facts(Engine(ruleset()), REF, {}, TODAY)

    assert row.facts["orders_total"] == 0
    assert row.facts["strategic"] is False
    assert row.facts["margin_12m"] is None


def test_formulas_are_derived_in_order_and_unknown_stays_unknown():
    engine = Engine(ruleset())
    facts = {"last_order_on": date(2026, 8, 14), "usual_gap": 40}

    assert row_from_facts(engine, REF, facts, TODAY).facts["gap_ratio"] == 2.5
    assert row_from_facts(engine, REF, {"usual_gap": 0, **facts}, TODAY).facts["gap_ratio"] == 2.5
    unknown = row_from_facts(engine, REF, {**facts, "usual_gap": 0}, TODAY)
    assert unknown.facts["days_since_order"] == 100.0
    assert unknown.facts["gap_ratio"] is None
