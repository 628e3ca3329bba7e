"""Amounts of several currencies become the rules' own, each record by the rate of its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from tests.unit.facts.small_world import (
    AS_OF,
    ORDERS,
    customers_with,
    fact,
    mapping,
    opened,
    rows_of,
    ruleset,
    write_mirror,
)

from crmsync.config import resolve
from crmsync.errors import ConfigError
from crmsync.facts import lacking_rates, relation
from crmsync.model.fact import FactRow, FactType
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    MoneyTerms,
    Rate,
    Source,
)
from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.project.converting import rate_notes

USD = (Rate(date(2026, 3, 1), Decimal("7.11")), Rate(date(2026, 1, 1), Decimal("7.05005005")))
TERMS = MoneyTerms(
    home="CNY", words={"美元": "USD"}, rates={"USD": USD, "JPY": (Rate(None, Decimal("0.04801")),)}
)
NEW_YEAR = date(2026, 1, 1)
# the currency as the two CRMs keep it: a code to choose, or an option with a label of its own
ZOHO = FieldSchema("Currency", "Currency", FieldType.PICKLIST, (Choice("USD", "USD"),))
FXIAOKE = FieldSchema(
    "Currency",
    "币种",
    FieldType.PICKLIST,
    (Choice("option_1", "美元"), Choice("JPY", "日元"), Choice("option_3", "USD")),
)


def order(amount: object, currency: str | None, day: date | None = AS_OF) -> dict[str, Value]:
    value = None if amount is None else Decimal(str(amount))
    return {"Customer": "c", "Day": day, "Amount": value, "Currency": currency}


def schemas(currency: FieldSchema = ZOHO) -> dict[str, ObjectSchema]:
    own = customers_with(
        FieldSchema("Limit", "Limit", FieldType.CURRENCY),
        FieldSchema("Words", "Words", FieldType.TEXT),
        currency,
    )
    return {**own, "Orders": replace(ORDERS, fields=(*ORDERS.fields, currency))}


CURRENCY = FieldPick("Currency")


def amounts(aggregate: Aggregate, currency: FieldPick | None = CURRENCY) -> AggregateSource:
    return AggregateSource("orders", aggregate, FieldPick("Amount"), currency=currency)


def mapped(read: Mapping[str, Source], terms: MoneyTerms | None = TERMS) -> CrmMapping:
    return replace(mapping(read), money=terms)


def customer(folder: Path, orders: list[dict[str, Value]], **more: object) -> FactRow:
    """The one customer there is, with the facts of *read*."""
    known = schemas(more.pop("currency", ZOHO))  # type: ignore[arg-type]
    path = folder / "mirror.duckdb"
    own = {"Name": "c", **more.pop("own", {})}  # type: ignore[dict-item]
    write_mirror(path, {"c": own}, orders, schemas=known)
    read: dict[str, Source] = more.pop("read", {"sum": amounts(Aggregate.SUM)})  # type: ignore[assignment]
    rules = ruleset(*(fact(name, FactType.MONEY) for name in read))
    day: date = more.pop("as_of", AS_OF)  # type: ignore[assignment]
    terms: MoneyTerms = more.pop("terms", TERMS)  # type: ignore[assignment]
    assert not more
    return rows_of(path, relation(rules, mapped(read, terms), known, day))["c"]


def worth(amount: str, rate: str) -> Decimal:
    """By the rate, to the millionth: what Python's decimals make of it."""
    exact = Decimal(amount) * Decimal(rate)
    return exact.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def test_each_record_is_converted_by_its_own_day_before_anything_is_added(tmp_path: Path) -> None:
    orders = [
        order("100.333333", "USD", NEW_YEAR),
        order("100.333333", "USD", date(2026, 2, 28)),
        order("-20.5", "USD", date(2026, 3, 1)),
        order("9999999", "JPY", date(2020, 1, 1)),
        order("12.34", "CNY", date(2020, 1, 1)),
        order(None, "EUR"),
    ]
    kinds = (Aggregate.SUM, Aggregate.MIN, Aggregate.MAX, Aggregate.FIRST, Aggregate.LAST)
    read: dict[str, Source] = {kind.value: amounts(kind) for kind in kinds}
    row = customer(tmp_path, orders, read=read)
    told = [
        worth("100.333333", "7.05005005"),
        worth("100.333333", "7.05005005"),
        worth("-20.5", "7.11"),
        worth("9999999", "0.04801"),
        Decimal("12.34"),
    ]
    assert row.facts["sum"] == sum(told)
    assert (row.facts["min"], row.facts["max"]) == (min(told), max(told))
    assert row.facts["last"] == told[2]
    assert row.rejected == ()


@pytest.mark.parametrize(
    "lacking",
    [
        order(5, "EUR"),
        order(5, "USD", NEW_YEAR - timedelta(days=1)),
        order(5, "USD", None),
        order(Decimal(10) ** 15, "USD"),
    ],
    ids=["no rate", "no rate yet", "no day", "too large"],
)
def test_one_amount_without_a_rate_makes_the_whole_unknown(
    tmp_path: Path, lacking: dict[str, Value]
) -> None:
    row = customer(tmp_path, [order(1, "USD"), lacking])
    assert row.facts["sum"] is None
    assert row.rejected == ("sum",)


def test_an_amount_without_currency_is_the_mappings_own(tmp_path: Path) -> None:
    row = customer(tmp_path, [order(7, None), order(2, " "), order(1, "CNY")])
    assert row.facts["sum"] == Decimal(10)
    other = tmp_path / "other"
    other.mkdir()
    nobody_knows = replace(TERMS, home=None)
    assert customer(other, [order(7, None)], terms=nobody_knows).facts["sum"] is None


def test_a_whole_crm_may_be_in_one_other_currency(tmp_path: Path) -> None:
    read: dict[str, Source] = {"sum": amounts(Aggregate.SUM, None)}
    terms = replace(TERMS, home="JPY")
    assert customer(tmp_path, [order(1000, "USD")], read=read, terms=terms).facts["sum"] == worth(
        "1000", "0.04801"
    )


def test_options_are_known_by_their_labels(tmp_path: Path) -> None:
    orders = [order(10, "option_1"), order(100, "JPY"), order(20, "option_3")]
    row = customer(tmp_path, orders, currency=FXIAOKE)
    assert row.facts["sum"] == worth("30", "7.11") + worth("100", "0.04801")


@pytest.mark.parametrize(
    ("field", "stored", "currency", "as_of", "wanted"),
    [
        ("Limit", Decimal("1000"), "USD", date(2026, 3, 1), worth("1000", "7.11")),
        ("Limit", Decimal("1000"), "USD", date(2026, 2, 28), worth("1000", "7.05005005")),
        ("Limit", Decimal("1000"), "USD", date(2025, 12, 31), None),
        ("Limit", Decimal("1000"), "EUR", AS_OF, None),
        ("Words", "250.5", "USD", AS_OF, worth("250.5", "7.11")),
        ("Words", "about 250", "USD", AS_OF, None),
        ("Limit", None, "EUR", AS_OF, None),
    ],
)
def test_the_customers_own_amount_goes_by_the_rate_of_today(
    tmp_path: Path,
    field: str,
    stored: Value,
    currency: str,
    as_of: date,
    wanted: Decimal | None,
) -> None:
    read: dict[str, Source] = {"limit": FieldSource(FieldPick(field), currency=CURRENCY)}
    own = {field: stored, "Currency": currency}
    row = customer(tmp_path, [], own=own, read=read, as_of=as_of)
    assert row.facts["limit"] == wanted
    assert row.rejected == (("limit",) if wanted is None and stored is not None else ())


def test_currencies_without_a_rate_are_named_with_how_many_amounts(tmp_path: Path) -> None:
    path = tmp_path / "mirror.duckdb"
    orders = [
        order(5, "EUR"),
        order(6, "EUR"),
        order(1, "USD", None),
        order(1, "USD"),
        order(3, ""),
    ]
    own = {"c": {"Name": "c", "Limit": Decimal(9), "Currency": "GBP"}}
    write_mirror(path, own, orders, schemas=schemas())
    read: dict[str, Source] = {
        "sum": amounts(Aggregate.SUM),
        "limit": FieldSource(FieldPick("Limit"), currency=CURRENCY),
    }
    rules = ruleset(*(fact(name, FactType.MONEY) for name in read))
    terms = replace(TERMS, home=None)
    with opened(path) as connection:
        found = list(lacking_rates(connection, rules, mapped(read, terms), schemas(), AS_OF))
        quiet = list(lacking_rates(connection, rules, mapped(read, None), schemas(), AS_OF))
        notes = rate_notes(connection, rules, mapped(read, terms), schemas(), AS_OF)
    assert sorted(found, key=str) == [
        ("limit", "GBP", 1),
        ("sum", "EUR", 2),
        ("sum", "USD", 1),
        ("sum", None, 1),
    ]
    assert quiet == []
    assert [note.en.partition(" amounts")[0] for note in notes if "EUR" in note.en] == ["sum: 2"]


def test_without_terms_amounts_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mirror.duckdb"
    write_mirror(path, {"c": {"Name": "c"}}, [order(5, "USD")], schemas=schemas())
    read: dict[str, Source] = {"sum": amounts(Aggregate.SUM, None)}
    rules = ruleset(fact("sum", FactType.MONEY))
    built = relation(rules, mapped(read, None), schemas(), AS_OF)
    assert rows_of(path, built)["c"].facts["sum"] == 5


def test_the_field_of_the_currency_must_be_there_and_fit() -> None:
    wrong = {"sum": amounts(Aggregate.SUM, FieldPick("Day"))}
    with pytest.raises(ConfigError) as raised:
        resolve(mapped(wrong), schemas())
    assert [item.code for item in raised.value.diagnostics] == ["MAP053"]
    missing = {"sum": amounts(Aggregate.SUM, FieldPick("Curency"))}
    with pytest.raises(ConfigError) as raised:
        resolve(mapped(missing), schemas())
    assert [item.code for item in raised.value.diagnostics] == ["MAP052"]
    labelled = {"sum": amounts(Aggregate.SUM, FieldPick(label="币种"))}
    found = resolve(mapped(labelled), schemas(FXIAOKE)).read["sum"]
    assert found.currency == FieldPick("Currency")
