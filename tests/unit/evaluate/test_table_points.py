"""Points from tables: the same verdicts as hand-written conditions, in both matchers."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.condition_execution import trees
from tests.unit.evaluate.build import criterion, of, ruleset
from tests.unit.evaluate.test_matchers_agree import FACTS, relation_of
from tests.unit.rules.table_writing import with_points

from crmsync.condition import parse_condition
from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.matching import match_columnar
from crmsync.evaluate.matching import match_compiled as compiled_rows
from crmsync.model.condition import All, Condition
from crmsync.model.decision import CriterionResult
from crmsync.model.fact import FactRow, FactValue
from crmsync.model.position import NOWHERE, Span
from crmsync.model.record import RecordRef
from crmsync.model.scorecard import PointLine, PointsTable
from crmsync.model.state import CustomerState
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text
from crmsync.rules.language import Language, facts_scope
from crmsync.rules.shape import Findings
from crmsync.rules.table_atoms import Absence, bits
from crmsync.rules.table_columns import Output
from crmsync.rules.table_lints import gap_of
from crmsync.rules.table_space import space_of
from crmsync.rules.tables import DecisionTable, Wanted, typed_table
from crmsync.source.grid import grid_of
from crmsync.source.grid_csv import read_csv

NAMES = ("whole", "ratio", "money", "bought_on", "remark", "kind", "vip")
NUMBERS = st.integers(-3, 12)
CELLS: dict[str, st.SearchStrategy[tuple[str, str]]] = {}


def _numbers(name: str, suffix: str = "") -> st.SearchStrategy[tuple[str, str]]:
    """A cell, and the sentence that means the same of its fact."""

    def ranged(ends: tuple[int, int, str, str]) -> tuple[str, str]:
        low, high = sorted(ends[:2])
        first = "≥" if ends[2] == "[" else ">"
        last = "≤" if ends[3] == "]" else "<"
        sentence = f"all({name} {first} {low}{suffix}, {name} {last} {high}{suffix})"
        return f"{ends[2]}{low}{suffix}..{high}{suffix}{ends[3]}", sentence

    signs = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
    compared = st.tuples(signs, NUMBERS).map(
        lambda pair: (f"{pair[0]} {pair[1]}{suffix}", f"{name} {pair[0]} {pair[1]}{suffix}")
    )
    ranges = st.tuples(NUMBERS, NUMBERS, st.sampled_from("[(]"), st.sampled_from("])[")).map(ranged)
    listed = st.lists(NUMBERS, min_size=2, max_size=3, unique=True).map(
        lambda items: (
            ", ".join(f"{n}{suffix}" for n in items),
            f"{name} in ({', '.join(f'{n}{suffix}' for n in items)})",
        )
    )
    return compared | ranges | listed


def _words(name: str, words: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    one = st.sampled_from(words)
    some = st.lists(one, min_size=2, max_size=3, unique=True)
    return (
        one.map(lambda w: (w, f"{name} is “{w}”"))
        | some.map(lambda ws: (", ".join(ws), f"{name} in ({', '.join(f'“{w}”' for w in ws)})"))
        | some.map(
            lambda ws: (
                f"not({', '.join(ws)})",
                f"none({', '.join(f'{name} is “{w}”' for w in ws)})",
            )
        )
    )


def _cells() -> dict[str, st.SearchStrategy[tuple[str, str]]]:
    null = {
        name: st.sampled_from([("null", f"{name} is missing"), ("not(null)", f"{name} is known")])
        for name in NAMES
    }
    kinds = {
        "whole": _numbers("whole"),
        "ratio": _numbers("ratio", "%"),
        "money": _numbers("money", "万"),
        "bought_on": st.sampled_from(
            [
                (">= 2026-11-21", "bought_on ≥ 2026-11-21"),
                ("[2025-11-22..2026-11-22)", "all(bought_on ≥ 2025-11-22, bought_on < 2026-11-22)"),
                ("within 12 months", "bought_on within 12 months"),
            ]
        ),
        "remark": _words("remark", ["a", "北京", "x'y"]),
        "kind": _words("kind", list(_choices())),
        "vip": st.sampled_from([("yes", "vip is yes"), ("TRUE", "vip"), ("否", "vip is no")]),
    }
    return {name: kinds[name] | null[name] for name in NAMES}


def _choices() -> tuple[str, ...]:
    return ("高", "中", "低")


SCOPED = tuple(replace(fact, choices=_choices()) if fact.id == "kind" else fact for fact in FACTS)
ANYTHING = ("-", "")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[tuple[str, str]]]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    cells = _cells()
    row = st.tuples(*(st.just(ANYTHING) | cells[name] for name in names))
    rows = draw(st.lists(row.map(list), min_size=1, max_size=4))
    return names, rows


def language() -> Language:
    made = Language(facts_scope(SCOPED), ("zh", "en"), Findings())
    made.facts = SCOPED
    return made


def typed(names: list[str], rows: list[list[str]]) -> tuple[DecisionTable, Language]:
    out = io.StringIO()
    csv.writer(out).writerows([[*names, "points"], *([*row, "1"] for row in rows)])
    grid, findings = grid_of("t.csv", read_csv("t.csv", out.getvalue()))
    assert findings == []
    wanted = Wanted(
        Text.same("test"), (Output("points", Text.same("points")),), tuple(HitPolicy), Text.same("")
    )
    reader = language()
    table = typed_table(grid, reader, wanted, hit=HitPolicy.FIRST, span=NOWHERE)
    assert table is not None, reader.findings.all
    return table, reader


def by_hand(names: list[str], row: list[tuple[str, str]], handled: set[str]) -> Condition:
    parts: list[Condition] = []
    scope = facts_scope(SCOPED)
    for name, (_, sentence) in zip(names, row, strict=True):
        if not sentence:
            continue
        asks = sentence.endswith(("missing", "known"))
        written = sentence if asks or name not in handled else f"all({name} is known, {sentence})"
        found, problems = parse_condition(written, Span("h", 1, 1, 1, 1 + len(written)), scope)
        assert found is not None, (written, problems)
        parts.append(found)
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def engine_of(conditions: Sequence[Condition]) -> CompiledRuleset:
    lines = tuple(PointLine(item, Decimal(1), "") for item in conditions)
    card = replace(
        ruleset().scorecards[0],
        criteria=(criterion("c", 1, PointsTable(of("orders_total"), lines)),),
    )
    plain = replace(ruleset(), tier=None, lifecycle=None, tasks=())
    return CompiledRuleset(replace(plain, facts=SCOPED, scorecards=(card,)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), trees.rows())
def test_a_table_and_the_same_conditions_by_hand_give_equal_verdicts(
    made: tuple[list[str], list[list[tuple[str, str]]]], values: list[tuple[object, ...]]
) -> None:
    names, rows = made
    table, _ = typed(names, [[cell for cell, _ in row] for row in rows])
    handled = {
        name
        for at, name in enumerate(names)
        if any(row[at][1].endswith(("missing", "known")) for row in rows)
    }
    hand = [by_hand(names, row, handled) for row in rows]
    facts = [
        FactRow(
            RecordRef("t", str(n)),
            "",
            None,
            dict(zip(trees.SLOTS, row, strict=True)),
            owned={"tier": None},
        )
        for n, row in enumerate(values)
    ]
    from_table = [row.when for row in table.rows]
    engine = engine_of([*from_table, *hand])
    compiled = list(compiled_rows(facts, engine, trees.AS_OF))
    with duckdb.connect() as connection:
        relation = relation_of(connection, facts)
        columnar = sorted(
            match_columnar(connection, relation, engine, trees.AS_OF),
            key=lambda item: int(item.row.ref.id),
        )
    verdicts = [
        [[(m.true >> bit & 1, m.unknown >> bit & 1) for bit in places] for m in found]
        for conditions in (from_table, hand)
        for places in ([engine.test(condition).bit for condition in conditions],)
        for found in (compiled, columnar)
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2] == verdicts[3]


@settings(max_examples=40, deadline=None)
@given(tables())
def test_a_gap_that_is_told_is_a_gap_when_fed_back(
    made: tuple[list[str], list[list[tuple[str, str]]]],
) -> None:
    names, rows = made
    table, reader = typed(names, [[cell for cell, _ in row] for row in rows])
    gap = gap_of(table, reader)
    if gap is None:
        return
    conditions = [row.when for row in table.rows]
    engine = engine_of(conditions)
    row = FactRow(RecordRef("t", "1"), "", None, gap)
    (matched,) = compiled_rows([row], engine, trees.AS_OF)
    assert all(not matched.true >> engine.test(item).bit & 1 for item in conditions)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), trees.rows())
def test_what_is_told_of_two_rows_holds_when_fed_back(
    made: tuple[list[str], list[list[tuple[str, str]]]], values: list[tuple[object, ...]]
) -> None:
    names, rows = made
    table, reader = typed(names, [[cell for cell, _ in row] for row in rows])
    space, waiting = (
        space_of(table, {fact.id: fact for fact in reader.facts}, Absence(stops=stops))
        for stops in (False, True)
    )
    if not space.exact:
        return
    conditions = [row.when for row in table.rows]
    engine = engine_of(conditions)
    places = [engine.test(item).bit for item in conditions]

    def verdicts(facts: Mapping[str, FactValue]) -> tuple[set[int], set[int]]:
        row = FactRow(RecordRef("t", "1"), "", None, dict(facts), owned={"tier": None})
        (matched,) = compiled_rows([row], engine, trees.AS_OF)
        fit = {n for n, bit in enumerate(places) if matched.true >> bit & 1}
        return fit, fit | {n for n, bit in enumerate(places) if matched.unknown >> bit & 1}

    def hit(facts: Mapping[str, FactValue]) -> set[int]:
        return verdicts(facts)[0]

    # What is told speaks of choices that are among their options, or missing.
    options = {fact.id: {None, *fact.choices} for fact in reader.facts if fact.choices}
    known = [dict(zip(trees.SLOTS, row, strict=True)) for row in values]
    known += [{**facts, name: None} for facts in known for name in names]
    anybody = [
        verdicts(facts)  # type: ignore[arg-type]
        for facts in known
        if all(facts[name] in options.get(name, {facts[name]}) for name in names)
    ]
    for first in range(len(conditions)):
        before = (1 << first) - 1
        for told, stopping in ((space, 0), (waiting, 1)):
            for other in bits(told.covering(first)):
                assert all(other in found[stopping] for found in anybody if first in found[0])
            reached, exact, _ = told.gap(before, first)
            if reached is not None:
                found = verdicts({**known[0], **reached})  # type: ignore[dict-item]
                assert first in found[0]
                assert not any(number < first for number in found[stopping])
            elif exact:
                assert all(
                    first not in found[0] or any(number < first for number in found[stopping])
                    for found in anybody
                )
        for second in range(first):
            both = space.common(first, second)
            assert (both is not None) == bool(space.meeting(first) >> second & 1)
            if both is not None:
                assert {first, second} <= hit(both)
            else:
                assert not any({first, second} <= found for found, _ in anybody)


def test_a_row_that_nothing_fits_is_covered_by_every_other_row_and_no_more() -> None:
    table, reader = typed(["kind"], [["高"], ["not(高, 中, 低)"], ["-"]])
    space = space_of(table, {fact.id: fact for fact in reader.facts}, Absence())

    assert not space.possible(1)
    assert list(bits(space.covering(1))) == [0, 2]


# ── points ─────────────────────────────────────────────────────────────────────────────────────


def scored(table: str, hit: str, facts: dict[str, FactValue]) -> CriterionResult:
    with tempfile.TemporaryDirectory() as folder:
        made, found = with_points(Path(folder), table, hit)
    assert made is not None, found
    engine, today, ref = Engine(made), date(2026, 3, 15), RecordRef("Accounts", "1")
    (matched,) = match_compiled([row_from_facts(engine, ref, facts, today)], engine, today)
    decision = decide(engine, matched, CustomerState(ref), EvaluationContext(as_of=today))
    assert decision.score is not None
    return next(item for item in decision.score.criteria if item.id == "frequency")


TABLE = "订单数,潜力,分数\n>= 12,高,20\n>= 6,-,15\n-,中,8\n>= 1,-,3\n"


@pytest.mark.parametrize(
    ("hit", "orders", "potential", "ends", "hits"),
    [
        ("first", 12, "高", (20, 20), ">= 12 · 高"),
        ("first", 12, None, (15, 20), None),
        ("first", 7, None, (15, 15), ">= 6 · -"),
        ("first", 0, "低", (0, 0), "–"),
        ("first", 0, None, (0, 8), None),
        ("priority", 7, "中", (15, 15), ">= 6 · -"),
        ("collect max", 7, "中", (15, 15), ">= 6 · - + - · 中 + >= 1 · -"),
        ("collect min", 7, "中", (3, 3), ">= 6 · - + - · 中 + >= 1 · -"),
        ("collect min", 7, None, (3, 3), ">= 6 · - + >= 1 · -"),
        ("collect sum", 2, "中", (11, 11), "- · 中 + >= 1 · -"),
        ("collect sum", 7, "中", (20, 20), ">= 6 · - + - · 中 + >= 1 · -"),
        ("collect sum", 2, None, (3, 11), None),
        ("collect count", 7, "中", (3, 3), ">= 6 · - + - · 中 + >= 1 · -"),
    ],
)
def test_points_by_hit_policy(
    hit: str, orders: int, potential: str | None, ends: tuple[int, int], hits: str | None
) -> None:
    result = scored(TABLE, hit, {"orders_12m": orders, "potential": potential})
    assert (result.low, result.high) == ends
    assert result.missing is (hits is None)
    if hits is not None:
        assert result.hit == hits
        assert hits == "–" or result.span.short.startswith("f.csv:")


def test_a_row_for_null_takes_the_customers_without_a_value() -> None:
    table = "潜力,分数\n高,20\nnull,4\n-,8\n"
    assert scored(table, "first", {"potential": None}).low == 4
    assert scored(table, "first", {"potential": "高"}).low == 20
    assert scored(table, "first", {"potential": "低"}).low == 8
