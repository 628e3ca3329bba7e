"""The statement Spark gets: written whole, safe with any text, refused where it cannot be said.

That a real Spark gives the same verdicts is what ``make spark`` shows.
"""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one
from tests.unit.evaluate.build import TODAY, ruleset

from crmsync.errors import UsageError
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.spark import spark_sql
from crmsync.evaluate.verdict_sql import WORD
from crmsync.model.condition import Call, Compare, Comparison, Function, Literal, Name
from crmsync.model.fact import FactType
from crmsync.model.position import NOWHERE


def test_every_condition_of_a_ruleset_is_said_in_sparks_own_words():
    engine = CompiledRuleset(ruleset())

    statement = spark_sql("facts", engine.facts, engine.conditions, TODAY)

    tree = parse_one(statement, dialect="spark")
    assert 0 < len(engine.conditions) <= WORD
    assert [column.alias_or_name for column in tree.selects] == ["id", "t0", "u0"]
    called = {node.name.upper() for node in tree.find_all(exp.Anonymous)}
    assert not called & {"ISFINITE", "EPOCH_US"}


def test_text_of_a_rule_file_stays_text():
    name = Name("remark", FactType.TEXT, NOWHERE)
    text = "O'Brien \\ ${x}"
    condition = Compare(Comparison.EQ, name, Literal(text, FactType.TEXT, NOWHERE), NOWHERE)

    tree = parse_one(spark_sql("facts", ["remark"], [condition], TODAY), dialect="spark")

    assert text in {node.this for node in tree.find_all(exp.Literal) if node.is_string}


def test_days_are_counted_and_not_taken_for_an_interval():
    name = Name("bought_on", FactType.DATE, NOWHERE)
    age = Call(Function.DAYS_SINCE, (name,), NOWHERE)
    old = Compare(Comparison.GT, age, Literal(90, FactType.INTEGER, NOWHERE), NOWHERE)

    tree = parse_one(spark_sql("facts", ["bought_on"], [old], TODAY), dialect="spark")

    assert tree.find(exp.DateDiff)


def test_what_spark_has_no_word_for_is_refused():
    orders = tuple(
        Name(name, FactType.NUMBER, NOWHERE) for name in ("a", "b", "c", "d", "e", "f", "g")
    )
    alive = Call(Function.P_ALIVE, orders, NOWHERE)
    condition = Compare(Comparison.LT, alive, Literal(0.5, FactType.NUMBER, NOWHERE), NOWHERE)

    with pytest.raises(UsageError) as raised:
        spark_sql("facts", [name.id for name in orders], [condition], TODAY)

    assert "Spark" in raised.value.message.en
    assert raised.value.mend is not None
