"""The agreement test can fail: seeded mistakes in the generators are found by it."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from sqlglot import exp
from tests.unit.condition_execution import agreement, trees

from crmsync.condition.compiled import PythonWriter, matcher_by
from crmsync.condition.sql import SqlWriter
from crmsync.model.condition import Comparison


class LetsInfinityThrough(SqlWriter):
    def known(self, expression, wanted=None):
        return super().known(expression, wanted) if wanted else self.value(expression)


class RoundsAsTheEngineDoes(SqlWriter):
    def rounded(self, value, digits):
        return exp.Round(this=value, decimals=exp.Literal.number(abs(digits)))


class TrustsEveryNumber(SqlWriter):
    def name(self, name):
        if not name.type.numeric:
            return super().name(name)
        return exp.cast(self._column(name), "DOUBLE")


class TakesLessForAtMost(PythonWriter):
    def compare(self, comparison, left, right):
        wrong = Comparison.LE if comparison is Comparison.LT else comparison
        return super().compare(wrong, left, right)


MUTANTS = [LetsInfinityThrough, RoundsAsTheEngineDoes, TrustsEveryNumber]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_sql_writer_is_caught(mutant):
    def to_sql(expression, column, as_of):
        return mutant(column, as_of).known(expression)

    def differs(sample):
        items, rows = sample
        return agreement.values_by_sql(items, rows, to_sql) != agreement.values_by_trace(
            items, rows
        )

    assert caught(differs, trees.numbers(1))


SLIPS = [('AND "k', 'OR "k'), ('NOT "k', '"k'), ("IS TRUE", "IS NOT FALSE"), ('"p0" - ', "")]


@pytest.mark.parametrize("slip", SLIPS, ids=" → ".join)
def test_a_miswritten_statement_of_masks_is_caught(slip):
    def differs(sample):
        conditions, rows = sample
        try:
            said = agreement.by_masks(conditions, rows, slip)
        except AssertionError:
            return True
        return said != agreement.by_python(conditions, rows)

    assert caught(differs, trees.conditions())


def test_a_wrong_python_writer_is_caught():
    def build(conditions, slots):
        return matcher_by(TakesLessForAtMost(slots), conditions)

    def differs(sample):
        conditions, rows = sample
        try:
            said = agreement.by_python(conditions, rows, build)
        except AssertionError:
            return True
        return said != agreement.by_trace(conditions, rows)

    assert caught(differs, trees.conditions())


def caught(differs, items) -> bool:
    samples = st.tuples(st.lists(items, min_size=4, max_size=8), trees.rows())
    patience = settings(max_examples=400, deadline=None, derandomize=True, phases=[Phase.generate])
    return find(samples, differs, settings=patience) is not None
