"""P17: three matchers, one verdict; and no value of a wrong type that matches by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as starting_with
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from sqlglot import exp
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.condition_execution import agreement, trees
from tests.unit.condition_execution import test_mutants_are_caught as sql_mutants
from tests.unit.evaluate.build import criterion, ruleset
from tests.unit.rete import test_three_matchers_agree as three
from tests.unit.rete.extension import missing

from crmsync.condition import Scope, ScopeName, parse_condition
from crmsync.evaluate import match_columnar, match_compiled, row_from_facts
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.single import ReteRecords
from crmsync.model.condition import Condition, Name
from crmsync.model.fact import FactType, MatchedRow
from crmsync.model.position import NOWHERE
from crmsync.model.record import RecordRef
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import PointLine, PointsTable, Scorecard
from crmsync.model.text import Text

Sample = tuple[list[Condition], int]
AS_OF = trees.AS_OF


def agreeing(scale: Scale, place: Path) -> Figure:
    """Generated conditions over awkward records, by every matcher; then by broken ones."""
    rows, rete = scale.of(20, 320), not missing()
    trials = wrong = 0
    for conditions, seed in samples(scale.of(6, 220), scale.seed):
        records = three.drawn(seed, rows)
        expected = agreement.by_python(conditions, records)
        said = [agreement.by_sql(conditions, records), agreement.by_masks(conditions, records)]
        if rete:
            said.append(agreement.by_rete(conditions, records))
        trials += len(conditions) * rows * (1 + len(said))
        wrong += sum(
            one != other
            for found in said
            for mine, theirs in zip(found, expected, strict=True)
            for one, other in zip(mine, theirs, strict=True)
        )
    unseen = list(_unseen(rete=rete)) if scale.full else []
    engines = "compiled, columnar, rete" if rete else "compiled, columnar"
    note = ", ".join([engines, *unseen])
    return Figure(
        trials, "verdicts", {"wrong verdicts": wrong, "mutants not caught": len(unseen)}, note
    )


def samples(count: int, seed: int) -> list[Sample]:
    """So many lists of conditions, each with the seed of its records; the same for one *seed*."""
    found: list[Sample] = []

    lists = st.lists(trees.conditions(), min_size=three.WIDTH, max_size=three.WIDTH)

    @starting_with(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(lists, st.integers(0, 2**32))
    def collect(conditions: list[Condition], number: int) -> None:
        found.append((conditions, number ^ seed))

    collect()
    return found


def _unseen(*, rete: bool) -> Iterator[str]:
    """The broken engines that no generated condition gives away."""
    broken = [(sql_mutants.test_a_wrong_sql_writer_is_caught, sql_mutants.MUTANTS)]
    if rete:
        broken.append((three.test_a_wrong_network_is_caught, three.MUTANTS))
    for trial, mutants in broken:
        for mutant in mutants:
            if not _caught(trial, mutant):
                yield mutant.__name__


def _caught(trial: Callable[[Any], None], mutant: Any) -> bool:
    """Whether the search of *trial* finds an input on which *mutant* is wrong."""
    try:
        trial(mutant)
    except NoSuchExample:
        return False
    return True


# ── operators × kinds of values ────────────────────────────────────────────────────────────────

OPERATORS = (
    "x = 5",
    "x != 5",
    "x < 5",
    "x ≤ 5",
    "x > 5",
    "x ≥ 5",
    "x between 1 and 10",
    "x in 5, 6",
    "x not in 5, 6",
    "x is known",
    "x is missing",
    "d within 12 months",
)
NOTHING = "????????? - + ?".replace(" ", "")
EXPECTED: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("missing", (), NOTHING),
    ("null", (None,), NOTHING),
    ("empty text", ("",), NOTHING),
    ("blank text", (" ",), NOTHING),
    ("a number as text", ("5",), NOTHING),
    ("text", ("abc",), NOTHING),
    ("true", (True,), NOTHING),
    ("empty list", ([],), NOTHING),
    ("empty object", ({},), NOTHING),
    ("NaN", (float("nan"),), NOTHING),
    ("infinity", (float("inf"),), NOTHING),
    ("2^53 + 1, read as a double", (2**53 + 1,), "-+--++--++-?"),
    ("1e308", (1e308,), "-+--++--++-?"),
    ("a moment without zone", (datetime(2026, 11, 1, 23, 30),), NOTHING),
)
"""Kind, value, and the verdict of each operator: ``+`` true, ``-`` false, ``?`` unknown."""


def cells(scale: Scale, place: Path) -> Figure:
    """12 operators × 14 kinds of values, each cell with its expectation, by every matcher."""
    engine = _engine()
    wrong: list[str] = []
    trials = 0
    for name, match in _matchers(engine):
        for kind, given_value, expected in EXPECTED:
            facts: dict[str, Any] = {}
            if given_value:
                facts = {"x": given_value[0], "d": given_value[0]}
            row = row_from_facts(engine, RecordRef("Accounts", "1"), facts, AS_OF)
            said = _signs(match(replace(row, name="Example")), len(OPERATORS))
            trials += len(OPERATORS)
            wrong += [
                f"{name}: {operator} on {kind} is {found}"
                for operator, found, wanted in zip(OPERATORS, said, expected, strict=True)
                if found != wanted
            ]
    return Figure(trials, "cells", {"wrong verdicts": len(wrong)}, "; ".join(wrong[:5]))


def _engine() -> CompiledRuleset:
    kinds = {"x": FactType.NUMBER, "d": FactType.DATE}
    scope = Scope(tuple(ScopeName(name, kind, None, ()) for name, kind in kinds.items()))
    conditions = []
    for text in OPERATORS:
        found, problems = parse_condition(text, NOWHERE, scope)
        assert found is not None, problems
        conditions.append(found)
    facts = tuple(FactDefinition(name, Text.same(name), kind) for name, kind in kinds.items())
    lines = tuple(PointLine(item, Decimal(1), "") for item in conditions)
    points = PointsTable(Name("x", FactType.NUMBER), lines)
    card = Scorecard("cells", (criterion("cells", 1, points),))
    plain = replace(ruleset(), tier=None, lifecycle=None, tasks=(), service={})
    return CompiledRuleset(replace(plain, facts=facts, scorecards=(card,)))


Match = Callable[[Any], MatchedRow]


def _matchers(engine: CompiledRuleset) -> Iterator[tuple[str, Match]]:
    yield "compiled", lambda row: next(match_compiled([row], engine, AS_OF))
    yield "columnar", lambda row: _columnar(engine, row)
    if not missing():
        rete = ReteRecords(engine)
        yield "rete", lambda row: rete.match(row, AS_OF)
        rete.close()


def _columnar(engine: CompiledRuleset, row: Any) -> MatchedRow:
    with duckdb.connect() as connection:
        relation = _relation(connection, row)
        (matched,) = match_columnar(connection, relation, engine, AS_OF)
    return matched


def _relation(connection: duckdb.DuckDBPyConnection, row: Any) -> Any:
    connection.execute(
        "CREATE TABLE facts AS SELECT '1' AS id, 'Example' AS name, 'u1' AS owner, "
        "NULL::VARCHAR AS version, NULL::TIMESTAMP AS modified_at, FALSE AS locked, "
        "[]::VARCHAR[] AS rejected, ?::DOUBLE AS f0, ?::DATE AS f1",
        [row.facts["x"], row.facts["d"]],
    )
    select = exp.select("*").from_("facts").order_by("id")
    return FactRelation("Accounts", select, ("x", "d"), (FactType.NUMBER, FactType.DATE))


def _signs(matched: MatchedRow, count: int) -> str:
    return "".join(
        "+" if matched.true >> bit & 1 else "?" if matched.unknown >> bit & 1 else "-"
        for bit in range(count)
    )


SAYS = Text(
    zh="缺失、空或类型不对的数据绝不会碰巧命中规则；三种匹配器判定一致",
    en="Missing, empty or wrongly typed data never matches by accident; three matchers agree",
)
PROOFS = (
    Proof(
        "P17",
        "matchers",
        SAYS,
        Text(
            zh="随机条件 × 刁钻记录，编译、列式、rete 逐一比对；改坏的引擎必须被揭穿",
            en="generated conditions × awkward records by compiled, columnar and rete; "
            "broken engines must be caught",
        ),
        agreeing,
    ),
    Proof(
        "P17",
        "cells",
        SAYS,
        Text(
            zh="12 个运算 × 14 类值，每格都写明应得的结果，三种匹配器各验一遍",
            en="12 operators × 14 kinds of values, each cell with its written verdict, "
            "by three matchers",
        ),
        cells,
    ),
)
