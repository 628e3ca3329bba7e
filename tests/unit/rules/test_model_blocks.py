"""The rfm and clv blocks: read, refused with a place and a mend, linted, mutated, used in cases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.table_writing import put
from tests.unit.rules.writing import SOUND, load_text

from crmsync.condition import verdict
from crmsync.condition.binding import bind
from crmsync.evaluate import Engine, row_from_facts
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType, FactValue
from crmsync.model.frozen import Freeze
from crmsync.model.record import RecordRef
from crmsync.model.rfm import Part
from crmsync.model.ruleset import Ruleset
from crmsync.project.cases import cases_of
from crmsync.project.deciding import decide_case
from crmsync.rules import check, compare, mutants

DAY = date(2026, 11, 22)
FIXED = """\
rfm:
  recency: last_order_on
  frequency: 订单数
  monetary: revenue
  cut:
    recency: [14, 30 days, 75, 180]
    frequency: [2, 3, 5, 8]
    monetary: [500, 1000, 1900, 0.34万]
  segments:
    - {id: best, label: 冠军 | Champions, codes: "5[45]5, 55*"}
    - {id: new, label: 新客 | New, when: [r ≥ 4, f is 1]}
    - {id: rest, label: 其他 | The rest}
"""
DRAWN = """\
rfm:
  recency: last_order_on
  frequency: orders_12m
  monetary: revenue
  cut: quintiles
  freeze: quarter
"""
SIMPLE = """\
clv:
  {model: simple, orders: orders_12m, revenue: revenue,
   horizon: 3 years, margin: 30%, retention: 80%}
"""
FITTED = """\
clv:
  model: bg-nbd
  monetary: gamma-gamma
  horizon: 52 weeks
  first: last_order_on
  last: last_order_on
  orders: orders_12m
  revenue: revenue
"""


def with_block(block: str, *, rule: str | None = None) -> str:
    text = SOUND.replace("\nscore:\n", f"\n{block}\nscore:\n", 1)
    if rule is not None:
        line = f"    - {{id: by-model, reason: 模型 | Model, when: {rule}, at_least: key}}\n"
        text = text.replace("  exceptions:\n", f"  exceptions:\n{line}", 1)
    return text


def read(folder: Path, text: str) -> Ruleset:
    ruleset, found = load_text(folder, text)
    assert ruleset is not None, [(item.code, item.message.en, str(item.span)) for item in found]
    return ruleset


def codes(folder: Path, text: str) -> list[tuple[str, str]]:
    ruleset, found = load_text(folder, text)
    findings = [*found, *(() if ruleset is None else check(ruleset))]
    lines = text.splitlines()
    return [
        (item.code, lines[item.span.line - 1][item.span.column - 1 : item.span.end_column - 1])
        for item in findings
        if item.code[:6] in {"RULE24", "RULE00", "RULE02", "RULE10"} or item.code == "RULE215"
    ]


def facts(ruleset: Ruleset, **given: FactValue) -> dict[str, FactValue]:
    engine = Engine(ruleset)
    return dict(row_from_facts(engine, RecordRef("case", "1"), given, DAY).facts)


def test_fixed_cut_points_give_classes_code_and_segment(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(FIXED))
    assert ruleset.rfm is not None
    assert ruleset.rfm.cuts == {
        Part.RECENCY: (14, 30, 75, 180),
        Part.FREQUENCY: (2, 3, 5, 8),
        Part.MONETARY: (500, 1000, 1900, 3400),
    }
    found = facts(
        ruleset, last_order_on=date(2026, 11, 8), orders_12m=8, revenue=Decimal("3399.99")
    )
    classes = [found[name] for name in ("rfm_r", "rfm_f", "rfm_m", "rfm_code", "rfm_segment")]
    assert classes == [5, 5, 4, 554, "best"]


@pytest.mark.parametrize(
    ("days", "orders", "revenue", "code", "segment"),
    [
        (0, 0, "0", 511, "new"),
        (14, 1, "499.999999", 511, "new"),
        (15, 2, "500", 422, "rest"),
        (31, 3, "1000", 333, "rest"),
        (76, 5, "1900", 244, "rest"),
        (181, 8, "3400", 155, "rest"),
        (14, 5, "3400", 545, "best"),
    ],
)
def test_each_edge_belongs_to_the_better_class(
    tmp_path: Path, days: int, orders: int, revenue: str, code: int, segment: str
) -> None:
    ruleset = read(tmp_path, with_block(FIXED))
    day = date.fromordinal(DAY.toordinal() - days)
    found = facts(ruleset, last_order_on=day, orders_12m=orders, revenue=Decimal(revenue))
    assert (found["rfm_code"], found["rfm_segment"]) == (code, segment)


def test_somebody_who_never_bought_has_no_code(tmp_path: Path) -> None:
    found = facts(read(tmp_path, with_block(FIXED)), orders_12m=0)
    assert found["rfm_f"] == 1
    assert (found["rfm_r"], found["rfm_code"]) == (None, None)


def test_drawn_classes_are_unknown_until_lines_are_bound(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(DRAWN, rule="rfm_r ≥ 4"))
    assert ruleset.rfm is not None
    assert ruleset.rfm.freeze is Freeze.QUARTER
    given = {"last_order_on": date(2026, 11, 20), "orders_12m": 1, "revenue": Decimal(10)}
    assert facts(ruleset, **given)["rfm_r"] is None
    bound = bind(
        ruleset,
        cuts={
            Part.RECENCY: (Decimal(2), Decimal(5), Decimal(9), Decimal(40)),
            Part.FREQUENCY: (Decimal(1), Decimal(1), Decimal(2), Decimal(7)),
            Part.MONETARY: (Decimal(1), Decimal(10), Decimal(20), Decimal(30)),
        },
    )
    assert bound.digest == ruleset.digest
    # equal values share the lower class: one order is not more than one
    assert facts(bound, **given)["rfm_code"] == 512


def test_classes_may_be_given_where_lines_are_drawn(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(DRAWN))
    found = facts(ruleset, rfm_r=5, rfm_f=4, rfm_m=5)
    assert found["rfm_code"] == 545


def test_segments_can_be_named_by_label_in_conditions(tmp_path: Path) -> None:
    text = with_block(FIXED, rule="RFM 分群 是 冠军")
    assert facts(read(tmp_path, text), last_order_on=DAY)["rfm_segment"] == "new"


@pytest.mark.parametrize(
    ("block", "change", "code", "place"),
    [
        (FIXED, ("recency: last_order_on", "recency: potential"), "RULE242", "potential"),
        (FIXED, ("frequency: 订单数", "frequency: orders_13m"), "RULE101", "orders_13m"),
        (FIXED, ("[2, 3, 5, 8]", "[2, 5, 3, 8]"), "RULE240", "[2, 5, 3, 8]"),
        (FIXED, ("5[45]5, 55*", "5[45]5, 5*"), "RULE241", "5*"),
        (FIXED, ("  segments:", "  freeze: year\n  segments:"), "RULE020", "freeze"),
        (FIXED, ("r ≥ 4, f is 1", "f is 7"), "RULE244", "new"),
        (FIXED, ("    - {id: rest, label: 其他 | The rest}\n", ""), "RULE245", "new"),
        (DRAWN, ("quintiles", "quintile"), "RULE004", "quintile"),
        (DRAWN, ("  freeze: quarter\n", ""), "RULE002", "recency"),
        (SIMPLE, ("80%}", "120%}"), "RULE243", "120%"),
        (SIMPLE, ("3 years", "30 years"), "RULE243", "30 years"),
        (SIMPLE, (", retention: 80%", ""), "RULE002", "model"),
        (SIMPLE, ("margin: 30%", "margin: 30%, freeze: year"), "RULE020", "year"),
        (FITTED, ("  first: last_order_on\n", ""), "RULE002", "model"),
        (FITTED, ("bg-nbd", "bg-nbq"), "RULE004", "bg-nbq"),
    ],
)
def test_a_mistake_is_told_at_its_place(
    tmp_path: Path, block: str, change: tuple[str, str], code: str, place: str
) -> None:
    assert change[0] in block
    text = with_block(block.replace(*change), rule="orders_12m > 3")
    assert (code, place) in codes(tmp_path, text)


def test_a_model_must_not_read_its_own_result(tmp_path: Path) -> None:
    text = with_block(FIXED).replace(
        "  days: {", "  twice: {type: number, formula: rfm_r * 2}\n  days: {"
    )
    text = text.replace("frequency: 订单数", "frequency: twice")
    assert any(code == "RULE215" for code, _ in codes(tmp_path, text))


def test_a_fact_may_not_take_a_model_s_name(tmp_path: Path) -> None:
    text = with_block(SIMPLE).replace("  days: {", "  clv: {type: money}\n  days: {")
    assert ("RULE007", "clv") in codes(tmp_path, text)


@pytest.mark.parametrize(
    "change",
    [("3, 5, 8", "3, 5, 9"), ("[14,", "[13,"), ("f is 1", "f is 2"), ("quintiles", "quartiles")],
)
def test_what_decides_is_in_the_digest(tmp_path: Path, change: tuple[str, str]) -> None:
    block = DRAWN if change[0] in DRAWN else FIXED
    first = read(tmp_path, with_block(block)).digest
    assert read(tmp_path, with_block(block.replace(*change))).digest != first
    named = block.replace("冠军 | Champions", "好客户 | Good")
    assert read(tmp_path, with_block(named)).digest == first


def test_the_plain_formula_is_average_order_times_frequency_margin_and_lifetime(
    tmp_path: Path,
) -> None:
    ruleset = read(tmp_path, with_block(SIMPLE))
    found = facts(ruleset, orders_12m=4, revenue=Decimal(1000))
    lifetime = 1 + 0.8 + 0.8**2
    assert float(str(found["clv"])) == pytest.approx((1000 / 4) * 4 * 0.3 * lifetime)
    assert found["expected_orders"] == pytest.approx(4 * lifetime)
    assert facts(ruleset, orders_12m=0, revenue=Decimal(0))["clv"] == 0
    assert "p_alive" not in found


def test_a_window_of_half_a_year_counts_twice_and_a_part_of_a_year_in_part(tmp_path: Path) -> None:
    block = SIMPLE.replace("3 years", "18 months, window: 6 months")
    found = facts(read(tmp_path, with_block(block)), orders_12m=4, revenue=Decimal(1000))
    assert float(str(found["clv"])) == pytest.approx(2000 * 0.3 * (1 + 0.5 * 0.8))


def test_the_facts_of_a_fit_may_be_given_and_used(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(FITTED, rule="活跃概率 < 20%"))
    types = {fact.id: fact.type for fact in ruleset.facts if fact.model == "clv"}
    assert types == {
        "clv": FactType.MONEY,
        "expected_orders": FactType.NUMBER,
        "p_alive": FactType.PERCENT,
    }
    assert facts(ruleset, p_alive=0.1)["p_alive"] == 0.1


def test_every_cut_point_and_segment_is_mutated(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(FIXED))
    places = [item.place for item in mutants(ruleset) if item.place.startswith("rfm.")]
    assert places.count("rfm.cut.recency") >= 8
    assert {"rfm.segments.best", "rfm.segments.new", "rfm.cut.monetary"} <= set(places)
    changed = next(item for item in mutants(ruleset) if item.place == "rfm.cut.recency")
    assert changed.change.before == "14"
    edge = {"last_order_on": date(2026, 11, 8), "orders_12m": 1}
    assert facts(ruleset, **edge)["rfm_r"] == 5
    assert facts(changed.ruleset, **edge)["rfm_r"] == 4


def test_the_rates_and_spans_of_the_plain_formula_are_mutated(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(SIMPLE))
    places = {item.place for item in mutants(ruleset)}
    assert {"clv.margin", "clv.retention", "clv.horizon", "clv.window"} <= places


CASES = """\
ruleset: small
today: 2026-11-22
cases:
  - name: by cut points of its own
    facts: {last_order_on: 2026-11-20, orders_12m: 3, revenue: 900}
    cut_points: {recency: [2, 9, 30, 90], frequency: [1, 2, 3, 4], monetary: [10, 99, 500, 899]}
    expect: {tier: key, tier_because: by-model}
  - name: by the class itself
    facts: {rfm_r: 3, orders_12m: 3}
    expect: {tier: none}
"""


def test_cases_give_cut_points_or_classes(tmp_path: Path) -> None:
    ruleset = read(tmp_path, with_block(DRAWN, rule="rfm_r is 5"))
    (tmp_path / "rules.test.yaml").write_text(CASES, encoding="utf-8")
    engine = Engine(ruleset)
    first, second = cases_of(tmp_path, ruleset).cases
    assert compare(first, decide_case(engine, first)) == ()
    assert decide_case(engine, first).facts["rfm_code"] == 535
    assert decide_case(engine, second).facts["rfm_r"] == 3


# ── segments from a table ──────────────────────────────────────────────────────────────────────

CODES = """\
代码,分群,名称
"5[45]5, 55*",best,冠军 | Champions
1*5,gone,
-,rest,其他 | The rest
"""


def tabled(folder: Path, table: str, more: str = "") -> tuple[Ruleset | None, list[str]]:
    """`FIXED` with its segments from a table; the codes of everything found."""
    put(folder, "rfm.csv", table)
    segments = f"  segments: {{table: tables/rfm.csv{more}}}\n"
    text = with_block(FIXED[: FIXED.index("  segments:\n")] + segments)
    ruleset, found = load_text(folder, text)
    findings = [*found, *(() if ruleset is None else check(ruleset))]
    return ruleset, [item.code for item in findings if item.code[:6] in {"RULE24", "TABLE0"}]


def test_a_table_of_codes_means_what_the_list_means(tmp_path: Path) -> None:
    ruleset, found = tabled(tmp_path, CODES)
    assert ruleset is not None
    assert ruleset.rfm is not None
    assert found == []
    assert [(item.id, item.label.en) for item in ruleset.rfm.segments] == [
        ("best", "Champions"),
        ("gone", "gone"),
        ("rest", "The rest"),
    ]
    assert ruleset.rfm.segments[0].span.short == "rfm.csv:2:A2"
    listed = read(tmp_path, with_block(FIXED))
    assert listed.rfm is not None
    assert ruleset.rfm.segments[0].when == listed.rfm.segments[0].when


@pytest.mark.parametrize(
    ("classes", "expected"),
    [((5, 5, 1), "best"), ((4, 4, 1), "best"), ((4, 1, 1), "new"), ((2, 2, 2), "rest")],
)
def test_rows_of_one_segment_stand_apart_where_they_are_written(
    tmp_path: Path, classes: tuple[int, int, int], expected: str
) -> None:
    rows = "R,F,分群\n5,5,best\n>= 4,1,new\n>= 4,-,best\n-,-,rest\n"
    ruleset, found = tabled(tmp_path, rows)
    assert ruleset is not None
    assert found == []
    assert ruleset.rfm is not None
    values = dict(zip(("rfm_r", "rfm_f", "rfm_m"), classes, strict=True))
    fitting = (
        item.id
        for item in ruleset.rfm.segments
        if item.when is None or verdict(item.when, values, DAY) is Verdict.TRUE
    )
    assert next(fitting) == expected


@pytest.mark.parametrize(
    ("table", "more", "code"),
    [
        ("R,分群\n>= 3,a\n>= 4,b\n-,c\n", "", "TABLE012"),
        ("R,分群\n>= 3,a\n>= 4,b\n", ", hit: unique", "TABLE010"),
        ("R,分群\n>= 3,a\n>= 4,b\n", ", hit: any", "TABLE010"),
        ("R,分群\n>= 3,a\n", ", hit: priority", "TABLE007"),
        ("代码,分群\n66,a\n-,b\n", "", "RULE241"),
        ("R,分群\n>= 3,a\n", "", "RULE245"),
        ("R,名称\n>= 3,a\n", "", "TABLE008"),
        ("R,分群,金额\n>= 3,a,1\n", "", "TABLE005"),
    ],
)
def test_mistakes_in_a_table_of_segments_are_named(
    tmp_path: Path, table: str, more: str, code: str
) -> None:
    assert code in tabled(tmp_path, table, more)[1]


def test_other_blocks_may_name_the_segments_of_a_table(tmp_path: Path) -> None:
    put(tmp_path, "rfm.csv", CODES)
    block = FIXED[: FIXED.index("  segments:\n")] + "  segments: {table: tables/rfm.csv}\n"
    ruleset = read(tmp_path, with_block(block, rule="rfm_segment is 冠军"))
    found = facts(ruleset, last_order_on=date(2026, 11, 20), orders_12m=9, revenue=Decimal(9000))
    assert found["rfm_segment"] == "best"
