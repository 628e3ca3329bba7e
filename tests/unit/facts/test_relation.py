from __future__ import annotations

import itertools
import random
import statistics
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.facts.small_world import (
    AS_OF,
    SCHEMAS,
    customers_with,
    fact,
    facts_of,
    from_field,
    from_orders,
    is_word,
    mapping,
    opened,
    rows_of,
    ruleset,
    write_mirror,
)

from crmsync.condition import Scope, parse_condition
from crmsync.errors import ConfigError
from crmsync.facts import excluded_count, fact_row, relation, wants
from crmsync.model.condition import (
    Arithmetic,
    Call,
    Compare,
    Comparison,
    Function,
    Literal,
    Name,
    Operator,
)
from crmsync.model.fact import FactType
from crmsync.model.mapping import Aggregate, FieldPick
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow
from crmsync.model.position import NOWHERE
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync.store.mirror import read_meta

A = Aggregate
T = FactType
YEAR = RollingWindow(Period(months=12))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.duckdb"


def order(customer: str | None, day: date | None, amount: str | None = "1", **more: object) -> dict:
    value = None if amount is None else Decimal(amount)
    return {"Customer": customer, "Day": day, "Amount": value, "Status": "Won", **more}


def test_related_records_become_facts(path: Path) -> None:
    rules = ruleset(
        fact("last", T.DATE),
        fact("first", T.DATE),
        fact("count", T.INTEGER),
        fact("sum", T.MONEY),
        fact("avg", T.MONEY),
        fact("low", T.MONEY),
        fact("last_amount", T.MONEY),
        fact("first_amount", T.MONEY),
        fact("statuses", T.INTEGER),
        fact("gap", T.NUMBER),
        fact("gap_mean", T.NUMBER),
        fact("rate", T.PERCENT),
    )
    read = {
        "last": from_orders(A.MAX, "Day"),
        "first": from_orders(A.MIN, "Day"),
        "count": from_orders(A.COUNT),
        "sum": from_orders(A.SUM, "Amount"),
        "avg": from_orders(A.AVG, "Amount"),
        "low": from_orders(A.MIN, "Amount"),
        "last_amount": from_orders(A.LAST, "Amount"),
        "first_amount": from_orders(A.FIRST, "Amount"),
        "statuses": from_orders(A.DISTINCT, "Status"),
        "gap": from_orders(A.GAP),
        "gap_mean": from_orders(A.GAP_MEAN),
        "rate": from_orders(A.AVG, "Rate"),
    }
    write_mirror(
        path,
        {"a": {"Name": "A"}, "b": {"Name": "B"}},
        [
            order("a", date(2026, 1, 1), "10", Rate=Decimal(10)),
            order("a", date(2026, 1, 1), "30", Status="Open", Rate=Decimal(30)),
            order("a", date(2026, 1, 11), "-5.5"),
            order("a", date(2026, 1, 13), "0.000001"),
            order("a", date(2026, 1, 14), None),
            order("a", None, None),
            order(None, date(2026, 3, 1), "99"),
            order("nobody", date(2026, 3, 1), "99"),
        ],
    )
    found = facts_of(path, rules, mapping(read))
    assert found["a"] == {
        "last": date(2026, 1, 14),
        "first": date(2026, 1, 1),
        "count": 6,
        "sum": Decimal("34.500001"),
        "avg": Decimal("8.625000"),
        "low": Decimal("-5.5"),
        "last_amount": Decimal("0.000001"),
        "first_amount": Decimal(10),
        "statuses": 2,
        "gap": 2.0,
        "gap_mean": 13 / 3,
        "rate": 0.2,
    }
    assert set(found["b"].values()) == {None}


def test_nothing_counted_is_unknown_unless_the_fact_says_zero(path: Path) -> None:
    rules = ruleset(
        fact("bare", T.INTEGER),
        fact("zero", T.INTEGER, missing=0),
        fact("bare_12m", T.INTEGER),
        fact("zero_sum", T.MONEY, missing=Decimal(0)),
    )
    read = {
        "bare": from_orders(A.COUNT),
        "zero": from_orders(A.COUNT),
        "bare_12m": from_orders(A.COUNT, within=YEAR),
        "zero_sum": from_orders(A.SUM, "Amount", within=YEAR),
    }
    write_mirror(path, {"a": {}, "old": {}}, [order("old", date(2020, 1, 1))])
    found = facts_of(path, rules, mapping(read))
    assert list(found["a"].values()) == [None, 0, None, Decimal(0)]
    assert list(found["old"].values()) == [1, 1, None, Decimal(0)]


def test_windows_are_calendar_months_and_never_hold_the_future(path: Path) -> None:
    inside = [date(2025, 4, 1), date(2026, 3, 31)]
    outside = [date(2025, 3, 31), date(2026, 4, 1), date(2026, 12, 31)]
    rules = ruleset(fact("n", T.INTEGER), fact("before", T.INTEGER), fact("month", T.INTEGER))
    read = {
        "n": from_orders(A.COUNT, within=YEAR),
        "before": from_orders(A.COUNT, within=RollingWindow(Period(months=12), Period(months=12))),
        "month": from_orders(A.COUNT, within=RollingWindow(Period(months=1))),
    }
    write_mirror(path, {"a": {}}, [order("a", day) for day in inside + outside])
    found = facts_of(path, rules, mapping(read))["a"]
    assert found == {"n": 2, "before": 1, "month": 1}


def test_a_count_and_a_sum_are_divided_by_the_length_of_their_window(path: Path) -> None:
    rules = ruleset(fact("monthly", T.MONEY), fact("often", T.NUMBER), fact("last", T.NUMBER))
    quarters = CalendarWindow(CalendarUnit.YEAR, 1)
    read = {
        "monthly": replace(from_orders(A.SUM, "Amount", within=YEAR), per=CalendarUnit.MONTH),
        "often": replace(from_orders(A.COUNT, within=YEAR), per=CalendarUnit.QUARTER),
        "last": replace(from_orders(A.COUNT, within=quarters), per=CalendarUnit.QUARTER),
    }
    orders = [order("a", date(2026, 1, 5), "100"), order("a", date(2025, 12, 5), "20")]
    write_mirror(path, {"a": {}, "none": {}}, orders)
    found = facts_of(path, rules, mapping(read))
    assert found["a"] == {"monthly": Decimal(10), "often": 0.5, "last": 0.25}
    assert set(found["none"].values()) == {None}


def test_where_narrows_the_relation_and_the_fact(path: Path) -> None:
    rules = ruleset(fact("won", T.INTEGER), fact("big", T.INTEGER))
    big = Compare(Comparison.GT, Name("Amount", T.NUMBER), Literal(Decimal(5), T.NUMBER))
    read = {"won": from_orders(A.COUNT), "big": from_orders(A.COUNT, where=big)}
    day = date(2026, 1, 1)
    write_mirror(
        path,
        {"a": {}},
        [
            order("a", day, "3"),
            order("a", day, "8"),
            order("a", day, None),
            order("a", day, "9", Status="Lost"),
            order("a", day, "9", Status=None),
        ],
    )
    found = facts_of(path, rules, mapping(read, where=is_word("Status", "Won")))
    assert found["a"] == {"won": 3, "big": 1}


def test_moments_count_on_the_day_they_have_in_the_rulesets_zone(path: Path) -> None:
    rules = ruleset(fact("last", T.DATE), fact("n", T.INTEGER), fact("at", T.DATETIME))
    read = {
        "last": from_orders(A.MAX, "At", related="moments"),
        "n": from_orders(A.COUNT, related="moments", within=RollingWindow(Period(days=1))),
        "at": from_orders(A.MAX, "At", related="moments"),
    }
    evening = datetime(2026, 3, 30, 16, 30, tzinfo=UTC)  # 00:30 on the 31st in Shanghai
    write_mirror(path, {"a": {}}, [{"Customer": "a", "At": evening}])
    found = facts_of(path, rules, mapping(read))["a"]
    assert found == {"last": date(2026, 3, 31), "n": 1, "at": evening}
    london = ruleset(*rules.facts, zone="Europe/London")
    found = facts_of(path, london, mapping(read))["a"]
    assert (found["last"], found["n"]) == (date(2026, 3, 30), None)


def test_a_value_that_does_not_fit_is_unknown_and_listed(path: Path) -> None:
    extra = (
        FieldSchema("Score", "Score", FieldType.DECIMAL),
        FieldSchema("Potential", "Potential", FieldType.PICKLIST),
        FieldSchema("Count", "Count", FieldType.TEXT),
        FieldSchema("Since", "Since", FieldType.DATE),
    )
    rules = ruleset(
        fact("score", T.NUMBER, between=(Decimal(0), Decimal(15)), missing=0),
        fact("potential", T.CHOICE, choices=("高", "低")),
        fact("count", T.INTEGER),
        fact("since", T.DATE),
    )
    read = {
        "score": from_field("Score"),
        "potential": from_field("Potential", {"High": "高"}),
        "count": from_field("Count"),
        "since": from_field("Since"),
    }
    customers = {
        "fits": {
            "Score": Decimal(15),
            "Potential": "High",
            "Count": "-12",
            "Since": date(2000, 1, 1),
        },
        "not": {
            "Score": Decimal("15.01"),
            "Potential": "Medium",
            "Count": "12 pieces",
            "Since": date(9999, 12, 31),
        },
        "none": {},
    }
    schemas = customers_with(*extra)
    write_mirror(path, customers, schemas=schemas)  # type: ignore[arg-type]
    found = rows_of(path, relation(rules, mapping(read), schemas, AS_OF))
    assert list(found["fits"].facts.values()) == [15.0, "高", -12, date(2000, 1, 1)]
    assert found["fits"].rejected == ()
    assert set(found["not"].facts.values()) == {None}
    assert found["not"].rejected == ("score", "potential", "count", "since")
    assert found["none"].facts["score"] == 0
    assert found["none"].rejected == ()


def test_a_sum_over_an_amount_that_could_not_be_stored_is_unknown_and_listed(path: Path) -> None:
    rules = ruleset(fact("sum", T.MONEY, missing=Decimal(0)), fact("n", T.INTEGER))
    read = {"sum": from_orders(A.SUM, "Amount"), "n": from_orders(A.COUNT)}
    day = date(2026, 1, 1)
    write_mirror(
        path,
        {"a": {}, "b": {}},
        [order("a", day, "5"), order("a", day, "1E+30"), order("b", day, "5")],
    )
    found = rows_of(path, relation(rules, mapping(read), SCHEMAS, AS_OF))
    assert found["a"].facts == {"sum": None, "n": 2}
    assert found["a"].rejected == ("sum",)
    assert found["b"].facts == {"sum": Decimal(5), "n": 1}


def test_a_picklists_label_stands_for_its_stored_value(path: Path) -> None:
    choices = (Choice("opt1", "High"), Choice("opt2", "低"), Choice("opt3", "Other"))
    schemas = customers_with(FieldSchema("P", "P", FieldType.PICKLIST, choices=choices))
    rules = ruleset(fact("p", T.CHOICE, choices=("高", "低")))
    write_mirror(
        path, {"1": {"P": "opt1"}, "2": {"P": "opt2"}, "3": {"P": "opt3"}}, schemas=schemas
    )
    found = facts_of(path, rules, mapping({"p": from_field("P", {"High": "高"})}), schemas)
    assert [row["p"] for row in found.values()] == ["高", "低", None]


def test_identity_owned_fields_and_lock(path: Path) -> None:
    write_mirror(
        path,
        {
            "2": {"Name": "Second", "Owner": "u1", "Tier": "VIP客户", "Lock": True},
            "1": {"Name": None},
        },
    )
    found = rows_of(path, relation(ruleset(), mapping({}), SCHEMAS, AS_OF))
    assert list(found) == ["1", "2"]
    assert (found["1"].name, found["1"].owner, found["1"].locked) == ("", None, False)
    second = found["2"]
    assert (second.name, second.owner, second.locked) == ("Second", "u1", True)
    assert second.owned == {"tier": "VIP客户"}
    assert second.version == "v1"
    assert second.modified_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert str(second.ref) == "Customers/2"


def test_only_records_in_scope_and_the_rest_counted(path: Path) -> None:
    mapped = mapping({}, applies_to=is_word("Kind", "Customer"))
    write_mirror(path, {"1": {"Kind": "Customer"}, "2": {"Kind": "Supplier"}, "3": {"Kind": None}})
    built = relation(ruleset(), mapped, SCHEMAS, AS_OF)
    assert list(rows_of(path, built)) == ["1"]
    with opened(path) as connection:
        assert excluded_count(connection, ruleset(), mapped, SCHEMAS, AS_OF) == 2
        assert excluded_count(connection, ruleset(), mapping({}), SCHEMAS, AS_OF) == 0
        one = fact_row(connection, built, "1")
        assert one is not None
        assert one.ref.id == "1"
        assert fact_row(connection, built, "2") is None
        assert fact_row(connection, built, "' OR 1=1 --") is None


@pytest.mark.parametrize(
    ("sentence", "inside"),
    [
        ("Day is missing", ["none"]),
        ("Size is known", ["big", "small"]),
        ("Test is not yes", ["small"]),
        ("Test", ["big"]),
        ("Size ≥ 5万", ["big"]),
        ("Share > 20%", ["big"]),
        ("Day within 12 months", ["big"]),
        ("Moment > 2026-03-30", ["big"]),
        ("Kind in Customer, Partner", ["big", "small"]),
        ("Kinds is a", ["small"]),
        ("Size > Share", ["big", "small"]),
    ],
)
def test_conditions_on_crm_fields_of_every_type(
    path: Path, sentence: str, inside: list[str]
) -> None:
    schemas = customers_with(
        FieldSchema("Day", "Day", FieldType.DATE),
        FieldSchema("Moment", "Moment", FieldType.DATETIME),
        FieldSchema("Size", "Size", FieldType.CURRENCY),
        FieldSchema("Share", "Share", FieldType.PERCENT),
        FieldSchema("Test", "Test", FieldType.BOOLEAN),
        FieldSchema("Kinds", "Kinds", FieldType.MULTI_PICKLIST),
    )
    customers = {
        "big": {
            "Day": date(2026, 1, 1),
            "Moment": datetime(2026, 3, 30, 20, tzinfo=UTC),
            "Size": Decimal(50000),
            "Share": Decimal(21),
            "Test": True,
            "Kind": "Customer",
            "Kinds": ("a", "b"),
        },
        "small": {
            "Day": date(2020, 1, 1),
            "Moment": datetime(2026, 3, 30, 2, tzinfo=UTC),
            "Size": Decimal(49999),
            "Share": Decimal(20),
            "Test": False,
            "Kind": "Partner",
            "Kinds": ("a",),
        },
        "none": {},
    }
    write_mirror(path, customers, schemas=schemas)  # type: ignore[arg-type]
    condition, findings = parse_condition(sentence, NOWHERE, Scope(open_names=True))
    assert not findings
    mapped = mapping({}, applies_to=condition)
    assert list(rows_of(path, relation(ruleset(), mapped, schemas, AS_OF))) == inside


def test_formulas_read_facts_and_other_formulas(path: Path) -> None:
    days = Call(Function.DAYS_SINCE, (Name("last", T.DATE),))
    ratio = Arithmetic(Operator.DIVIDE, Name("days", T.NUMBER), Name("gap", T.NUMBER))
    rules = ruleset(
        fact("ratio", T.NUMBER, formula=ratio),
        fact("last", T.DATE),
        fact("days", T.INTEGER, formula=days),
        fact("gap", T.NUMBER),
        fact("capped", T.NUMBER, formula=ratio, between=(Decimal(0), Decimal(1)), missing=0),
        fact("known", T.NUMBER, formula=ratio, missing=-1),
    )
    read = {"last": from_orders(A.MAX, "Day"), "gap": from_orders(A.GAP)}
    write_mirror(
        path,
        {"a": {}, "b": {}},
        [order("a", date(2026, 3, 1)), order("a", date(2026, 3, 11)), order("b", date(2026, 3, 1))],
    )
    found = rows_of(path, relation(rules, mapping(read), SCHEMAS, AS_OF))
    assert found["a"].facts == {
        "ratio": 2.0,
        "last": date(2026, 3, 11),
        "days": 20,
        "gap": 10.0,
        "capped": None,
        "known": 2.0,
    }
    assert found["a"].rejected == ("capped",)
    assert found["b"].facts["ratio"] is None
    assert found["b"].facts["known"] == -1
    assert found["b"].facts["capped"] == 0


def test_a_fact_without_a_source(path: Path) -> None:
    rules = ruleset(fact("number", T.INTEGER, missing=0), fact("flag", T.YES_NO, missing=False))
    write_mirror(path, {"1": {}})
    assert facts_of(path, rules, mapping({}))["1"] == {"number": None, "flag": False}


def test_wants_are_the_mapped_fields_and_no_others() -> None:
    rules = ruleset(fact("n", T.INTEGER), fact("sum", T.MONEY))
    read = {
        "n": from_orders(A.COUNT, where=is_word("Status", "Won")),
        "sum": from_orders(A.SUM, "Amount"),
        "not_declared": from_field("Kind"),
    }
    asked = {
        want.object: [field.name for field in want.fields]
        for want in wants(rules, mapping(read), SCHEMAS)
    }
    assert asked == {
        "Customers": ["Lock", "Name", "Owner", "Tier"],
        "Orders": ["Amount", "Customer", "Day", "Status"],
    }


def test_the_mirror_itself_knows_enough_to_build_the_relation_again(path: Path) -> None:
    choices = (Choice("opt1", "高"), Choice("opt2", "低"))
    schemas = customers_with(FieldSchema("P", "P", FieldType.PICKLIST, choices=choices))
    rules = ruleset(fact("p", T.CHOICE, choices=("高", "低")), fact("n", T.INTEGER))
    mapped = mapping({"p": from_field("P"), "n": from_orders(A.COUNT)})
    write_mirror(path, {"1": {"P": "opt2"}}, [order("1", date(2026, 1, 1))], schemas)
    with opened(path) as connection:
        kept = read_meta(connection).schemas()
    again = relation(rules, mapped, kept, AS_OF)
    assert again.select.sql("duckdb") == relation(rules, mapped, schemas, AS_OF).select.sql(
        "duckdb"
    )
    assert rows_of(path, again)["1"].facts == {"p": "低", "n": 1}


def test_a_field_the_crm_does_not_have_is_named() -> None:
    with pytest.raises(ConfigError, match="Customers has no field Gone"):
        wants(ruleset(fact("x", T.TEXT)), mapping({"x": from_field("Gone")}), SCHEMAS)
    label = from_field("Gone")
    unresolved = type(label)(FieldPick(label="客户等级"), {})
    with pytest.raises(ConfigError, match="known by its label only"):
        wants(ruleset(fact("x", T.TEXT)), mapping({"x": unresolved}), SCHEMAS)


@pytest.mark.parametrize("seed", range(5))
def test_aggregates_equal_plain_python(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    customers = [f"c{number:02d}" for number in range(20)]
    orders = [
        order(
            chance.choice([*customers, None]),
            chance.choice([None, date(2024 + chance.randrange(3), chance.randrange(1, 13), 28)]),
            chance.choice(
                [None, "0", f"{chance.randrange(-9999, 9999)}.{chance.randrange(100):02d}"]
            ),
            Status=chance.choice(["Won", "Lost", None]),
        )
        for _ in range(400)
    ]
    rules = ruleset(
        fact("n", T.INTEGER),
        fact("sum", T.MONEY),
        fact("last", T.DATE),
        fact("gap", T.NUMBER),
        fact("kinds", T.INTEGER),
    )
    read = {
        "n": from_orders(A.COUNT),
        "sum": from_orders(A.SUM, "Amount", within=YEAR),
        "last": from_orders(A.MAX, "Day"),
        "gap": from_orders(A.GAP),
        "kinds": from_orders(A.DISTINCT, "Amount"),
    }
    write_mirror(path, {customer: {} for customer in customers}, orders)
    found = facts_of(path, rules, mapping(read, where=is_word("Status", "Won")))
    for customer in customers:
        own = [row for row in orders if row["Customer"] == customer and row["Status"] == "Won"]
        days = sorted({row["Day"] for row in own if row["Day"] is not None})
        amounts = [
            row["Amount"]
            for row in own
            if row["Amount"] is not None
            and row["Day"] is not None
            and date(2025, 3, 31) < row["Day"] <= AS_OF
        ]
        gaps = [(after - before).days for before, after in itertools.pairwise(days)]
        kinds = {row["Amount"] for row in own if row["Amount"] is not None}
        assert found[customer] == {
            "n": len(own) or None,
            "sum": sum(amounts) if amounts else None,
            "last": days[-1] if days else None,
            "gap": float(statistics.median(gaps)) if gaps else None,
            "kinds": len(kinds) or None,
        }
