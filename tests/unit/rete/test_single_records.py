"""Single records by the rete matcher: the verdicts of the compiled one, unknowns included."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.condition_execution import trees
from tests.unit.evaluate.test_matchers_agree import engine_of, fact_row
from tests.unit.rete.extension import needed

from crmsync.evaluate.single import CompiledRecords, ReteRecords

pytestmark = needed


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(trees.conditions(), min_size=1, max_size=12), trees.rows())
def test_true_and_unknown_are_those_of_the_compiled_matcher(conditions, rows):
    engine = engine_of(conditions)
    rete, compiled = ReteRecords(engine), CompiledRecords(engine)

    for number, values in enumerate(rows):
        row = fact_row(number, values)
        assert rete.match(row, trees.AS_OF) == compiled.match(row, trees.AS_OF)
    assert rete.failures == 0
    rete.close()
