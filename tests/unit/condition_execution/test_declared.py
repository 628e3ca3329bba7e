from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from crmsync.condition import compile_expression, declared_sql, declared_value, expression_sql
from crmsync.model.condition import Arithmetic, Call, Function, Literal, Name, Operator
from crmsync.model.fact import FactType, FactValue
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text

AS_OF = date(2026, 3, 31)
T = FactType
ODD = [
    0.0,
    -0.0,
    0.1 + 0.2,
    0.5,
    1e-7,
    5e-7,
    -5e-7,
    1.0000005,
    2.675,
    1e16,
    2.0**53,
    2.0**53 + 2,
    12345678901.123457,
    9.999999999999999e21,
    1e22,
    -1e300,
    5e-324,
]


def fact(type: FactType, **more: object) -> FactDefinition:
    return FactDefinition("x", Text.same("x"), type, formula=Name("s", T.NUMBER), **more)  # type: ignore[arg-type]


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(autouse=True, scope="module")
def engine() -> Iterator[None]:
    with connected() as CONNECTION["one"]:
        yield


CONNECTION: dict[str, duckdb.DuckDBPyConnection] = {}


def ask(query: str, values: list[object] | None = None) -> list[tuple[object, ...]]:
    return CONNECTION["one"].execute(query, values or []).fetchall()


def by_sql(values: list[float], wanted: FactDefinition) -> list[object]:
    node = declared_sql(exp.column("s"), wanted)
    query = f"SELECT {node.sql('duckdb')} FROM (SELECT unnest(?::DOUBLE[]) AS s)"
    return [row[0] for row in ask(query, [values])]


def by_python(values: list[float], wanted: FactDefinition) -> list[object]:
    return [declared_value(value, wanted)[0] for value in values]


NUMERIC = [
    fact(T.NUMBER),
    fact(T.INTEGER),
    fact(T.MONEY),
    fact(T.PERCENT, between=(Decimal(0), Decimal(1))),
    fact(T.MONEY, between=(Decimal("0.3"), Decimal("2.675"))),
    fact(T.INTEGER, between=(Decimal(-1), Decimal(10) ** 16)),
]


@pytest.mark.parametrize("wanted", NUMERIC, ids=lambda item: f"{item.type}{item.between or ''}")
def test_odd_numbers_become_the_same_fact_in_python_and_sql(wanted: FactDefinition) -> None:
    assert by_sql(ODD, wanted) == by_python(ODD, wanted)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_any_number_becomes_the_same_fact_in_python_and_sql(values: list[float]) -> None:
    for wanted in NUMERIC:
        assert by_sql(values, wanted) == by_python(values, wanted)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_money_of_ordinary_size_too(values: list[float]) -> None:
    money = fact(T.MONEY)
    assert by_sql(values, money) == by_python(values, money)
    for value, rounded in zip(values, by_python(values, money), strict=True):
        assert isinstance(rounded, Decimal)
        assert math.isclose(rounded, value, rel_tol=1e-15, abs_tol=5.1e-7)


@pytest.mark.parametrize(
    ("type", "value", "kept"),
    [
        (T.INTEGER, 12.0, (12, False)),
        (T.INTEGER, 12.5, (None, True)),
        (T.INTEGER, None, (None, False)),
        (T.NUMBER, True, (None, True)),
        (T.NUMBER, "5", (None, True)),
        (T.MONEY, 1.0000005, (Decimal("1.000001"), False)),
        (T.DATE, date(2026, 1, 1), (date(2026, 1, 1), False)),
        (T.DATE, datetime(2026, 1, 1, tzinfo=UTC), (None, True)),
        (T.DATETIME, datetime(2026, 1, 1), (datetime(2026, 1, 1, tzinfo=UTC), False)),
        (T.TEXT, "a", ("a", False)),
        (T.TEXT, 5.0, (None, True)),
        (T.YES_NO, False, (False, False)),
        (T.YES_NO, 1, (None, True)),
    ],
)
def test_a_result_of_the_wrong_kind_is_rejected(
    type: FactType, value: FactValue, kept: tuple[FactValue, bool]
) -> None:
    assert declared_value(value, fact(type)) == kept


def test_an_unknown_result_takes_the_default_and_a_rejected_one_does_not() -> None:
    capped = fact(T.NUMBER, between=(Decimal(0), Decimal(1)), missing=0.5)
    assert declared_value(None, capped) == (0.5, False)
    assert declared_value(2.0, capped) == (None, True)
    choice = fact(T.CHOICE, choices=("高", "低"))
    assert declared_value("高", choice) == ("高", False)
    assert declared_value("中", choice) == (None, True)


def test_a_formula_of_another_kind_never_breaks_the_statement() -> None:
    words = FactDefinition("x", Text.same("x"), T.NUMBER, formula=Literal("abc", T.TEXT))
    node = declared_sql(exp.Literal.string("abc"), words)
    assert ask(f"SELECT {node.sql('duckdb')}") == [(None,)]
    assert declared_value("abc", words) == (None, True)


def test_a_moment_and_a_day_come_back_as_their_types() -> None:
    moment = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
    name = Name("m", T.DATETIME)
    wanted = FactDefinition("x", Text.same("x"), T.DATETIME, formula=name)
    raw = expression_sql(name, lambda _: exp.column("m"), AS_OF)
    typed = declared_sql(exp.column("s"), wanted)
    query = (
        f"SELECT {typed.sql('duckdb')} FROM (SELECT {raw.sql('duckdb')} AS s "
        "FROM (SELECT TIMESTAMP '2026-01-01 08:30:00' AS m))"
    )
    assert ask(query) == [(moment.replace(tzinfo=None),)]
    assert declared_value(compile_expression(name, ["m"])([moment], AS_OF), wanted) == (
        moment,
        False,
    )


def test_a_ratio_computed_both_ways_is_the_same_fact() -> None:
    share = Arithmetic(
        Operator.SUBTRACT,
        Literal(1, T.INTEGER),
        Arithmetic(Operator.DIVIDE, Name("a", T.MONEY), Name("b", T.MONEY)),
    )
    rounded = Call(Function.ROUND, (share, Literal(2, T.INTEGER)))
    rows = [(Decimal("1.1"), Decimal("3.3")), (Decimal(0), Decimal(0)), (None, Decimal(1))]
    for formula in (share, rounded):
        wanted = FactDefinition("x", Text.same("x"), T.PERCENT, formula=formula)
        run = compile_expression(formula, ["a", "b"])
        python = [declared_value(run(row, AS_OF), wanted)[0] for row in rows]
        raw = expression_sql(formula, lambda name: exp.column(name.id), AS_OF).sql("duckdb")
        typed = declared_sql(exp.column("s"), wanted).sql("duckdb")
        sql = []
        for a, b in rows:
            found = ask(
                f"SELECT {typed} FROM (SELECT {raw} AS s FROM (SELECT "
                "?::DECIMAL(28, 6) AS a, ?::DECIMAL(28, 6) AS b))",
                [a, b],
            )
            sql.append(found[0][0])
        assert sql == python
