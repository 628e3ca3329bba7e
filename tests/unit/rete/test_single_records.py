"""Single records by the rete matcher: the verdicts of the compiled one, unknowns included."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.bench.conditions import AS_OF, said
from tests.bench.conditions import engine as engine_of_sentences
from tests.unit.condition_execution import trees
from tests.unit.evaluate.test_matchers_agree import engine_of, fact_row
from tests.unit.rete.extension import needed

from crmsync.evaluate import front, match
from crmsync.evaluate.rete_check import ReteStatus
from crmsync.evaluate.single import CompiledRecords, ReteRecords
from crmsync.model.fact import FactRow
from crmsync.model.record import RecordRef
from crmsync.model.text import Text

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


ROWS = ({"orders": 3, "grade": "A"}, {"orders": 9}, {"orders": None, "grade": "B"})


def small_world():
    engine = engine_of_sentences(
        [said("orders > 3"), said("grade is A"), said("orders is missing")]
    )
    return engine, [
        FactRow(RecordRef("A", str(n)), "", None, {name: row.get(name) for name in engine.facts})
        for n, row in enumerate(ROWS)
    ]


def test_rows_that_arrive_are_matched_by_the_network():
    engine, rows = small_world()

    found = list(match(rows, engine, AS_OF, arriving=True))

    assert [(row.true, row.unknown) for row in found] == [(0b010, 0), (0b001, 0b010), (0b100, 1)]
    assert found == list(match(rows, engine, AS_OF))


def test_the_compiled_function_takes_over_where_there_is_no_network(monkeypatch):
    engine, rows = small_world()
    none = ReteStatus(usable=False, why=Text.same("no extension"))
    monkeypatch.setattr(front, "rete_status", lambda: none)
    monkeypatch.setattr(front, "ReteRecords", None)  # would raise if it were called

    assert list(match(rows, engine, AS_OF, arriving=True)) == list(match(rows, engine, AS_OF))
