"""Compiled Python, SQL and the trace agree on true and on unknown, for generated conditions."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.condition_execution import agreement, trees

from crmsync.condition import names, normal_form
from crmsync.model.condition import All, AnyOf, Not, OneOf, Within

PATIENT = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@PATIENT
@given(st.lists(trees.conditions(), min_size=1, max_size=5), trees.rows())
def test_three_engines_give_the_same_verdicts(conditions, rows):
    expected = agreement.by_trace(conditions, rows)

    assert agreement.by_python(conditions, rows) == expected
    assert agreement.by_sql(conditions, rows) == expected
    assert agreement.by_masks(conditions, rows) == expected


@PATIENT
@given(st.lists(trees.conditions(0), min_size=10, max_size=30), trees.rows())
def test_the_masks_agree_leaf_by_leaf(conditions, rows):
    assert agreement.by_masks(conditions, rows) == agreement.by_python(conditions, rows)


@PATIENT
@given(st.lists(st.one_of(trees.numbers(), trees.days()), min_size=3, max_size=6), trees.rows())
def test_three_engines_compute_the_same_values(expressions, rows):
    expected = agreement.values_by_trace(expressions, rows)

    assert agreement.values_by_python(expressions, rows) == expected
    assert agreement.values_by_sql(expressions, rows) == expected


@PATIENT
@given(trees.conditions())
def test_the_normal_form_keeps_not_only_above_lists_and_windows(condition):
    form = normal_form(condition)

    assert all(
        isinstance(node.item, OneOf | Within) for node in logic(form) if isinstance(node, Not)
    )
    assert names(form) == names(condition)


def logic(condition):
    """The nodes of *condition* down to its leaves, not into their values."""
    yield condition
    if isinstance(condition, All | AnyOf):
        for item in condition.items:
            yield from logic(item)
    elif isinstance(condition, Not):
        yield from logic(condition.item)
