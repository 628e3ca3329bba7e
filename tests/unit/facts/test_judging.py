"""Values people typed in: who, when and why come along, and old ones are missing, as in Python."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.facts.small_world import (
    AS_OF,
    customers_with,
    fact,
    from_field,
    mapping,
    opened,
    rows_of,
    ruleset,
    write_mirror,
)

from crmsync.evaluate import Engine, match_columnar, row_from_facts
from crmsync.facts import relation
from crmsync.model.fact import FactRow, FactType, Judgement
from crmsync.model.mapping import FieldPick, FieldSource, JudgedFields
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType

SCHEMAS = customers_with(
    FieldSchema("Strength", "Strength", FieldType.DECIMAL),
    FieldSchema("By", "By", FieldType.USER),
    FieldSchema("On", "On", FieldType.DATE),
    FieldSchema("Why", "Why", FieldType.LONG_TEXT),
)
YEAR = Period(months=12)
DAYS = [AS_OF - timedelta(days=back) for back in (-1, 0, 1, 59, 364, 365, 366, 800)]
CUSTOMERS = {
    "none": {"Name": "none"},
    "bare": {"Name": "bare", "Strength": Decimal(7)},
    "full": {
        "Name": "full",
        "Strength": Decimal(12),
        "By": "u1",
        "On": AS_OF,
        "Why": "grows",
    },
    "unfit": {"Name": "unfit", "Strength": Decimal(99), "By": "u1", "On": date(2020, 1, 1)},
    **{
        f"d{number}": {"Name": "d", "Strength": Decimal(5), "On": day}
        for number, day in enumerate(DAYS)
    },
}
BESIDE = JudgedFields(FieldPick("By"), FieldPick("On"), FieldPick("Why"))


def rules(valid_for: Period | None) -> Ruleset:
    between = (Decimal(0), Decimal(15))
    strength = fact(
        "strength", FactType.NUMBER, between=between, judged_by="judge", valid_for=valid_for
    )
    return ruleset(strength, fact("name", FactType.TEXT))


def built(valid_for: Period | None, beside: JudgedFields | None = BESIDE) -> FactRelation:
    strength = FieldSource(FieldPick("Strength"), judged=beside)
    read = {"strength": strength, "name": from_field("Name")}
    return relation(rules(valid_for), mapping(read), SCHEMAS, AS_OF)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("judged") / "mirror.duckdb"
    write_mirror(path, CUSTOMERS, schemas=SCHEMAS)
    return path


def test_author_day_and_remark_come_with_the_value(mirror: Path) -> None:
    rows = rows_of(mirror, built(None))
    assert rows["full"].facts["strength"] == 12.0
    assert rows["full"].judged == {"strength": Judgement("u1", AS_OF, "grows")}
    assert rows["none"].judged == rows["bare"].judged == {}
    assert rows["d7"].facts["strength"] == 5.0


def test_an_old_judgement_is_missing_and_still_told(mirror: Path) -> None:
    rows = rows_of(mirror, built(YEAR))
    assert rows["d7"].facts["strength"] is None
    assert rows["d7"].judged["strength"] == Judgement(None, DAYS[7], None, 5.0)
    assert rows["d7"].rejected == ()
    counted = [day for n, day in enumerate(DAYS) if rows[f"d{n}"].facts["strength"] is not None]
    assert counted == [day for day in DAYS if YEAR.before(AS_OF) < day <= AS_OF]


def test_without_a_day_nobody_knows_how_old_a_judgement_is(mirror: Path) -> None:
    rows = rows_of(mirror, built(YEAR))
    assert rows["bare"].facts["strength"] is None
    assert rows["bare"].judged["strength"].expired == 7.0
    assert rows["none"].judged == {}
    unmapped = rows_of(mirror, built(YEAR, None))
    assert unmapped["full"].facts["strength"] is None


def test_a_value_beyond_its_range_is_rejected_not_expired(mirror: Path) -> None:
    row = rows_of(mirror, built(YEAR))["unfit"]
    assert row.facts["strength"] is None
    assert row.rejected == ("strength",)
    assert row.judged["strength"].expired is None


def test_the_mapping_may_ask_for_another_age(mirror: Path) -> None:
    own = JudgedFields(date=FieldPick("On"), valid_for=Period(days=60))
    rows = rows_of(mirror, built(YEAR, own))
    counted = [n for n in range(len(DAYS)) if rows[f"d{n}"].facts["strength"] is not None]
    assert counted == [1, 2, 3]


def as_python(row: FactRow, engine: Engine) -> FactRow:
    """The same customer by way of plain values."""
    given = CUSTOMERS[row.ref.id]
    told = Judgement(given.get("By"), given.get("On"), given.get("Why"))  # type: ignore[arg-type]
    value = given.get("Strength")
    facts = {"strength": value, "name": given["Name"]}
    return row_from_facts(engine, row.ref, facts, AS_OF, {"strength": told})  # type: ignore[arg-type]


@pytest.mark.parametrize("valid_for", [None, YEAR, Period(days=1)], ids=str)
def test_the_columnar_path_and_python_agree(mirror: Path, valid_for: Period | None) -> None:
    engine = Engine(rules(valid_for))
    with opened(mirror) as connection:
        found = list(match_columnar(connection, built(valid_for), engine, AS_OF))
    assert len(found) == len(CUSTOMERS)
    for matched in found:
        wanted = as_python(matched.row, engine)
        assert matched.row.facts == wanted.facts
        told = wanted.judged["strength"]
        empty = Judgement()
        assert matched.row.judged.get("strength", empty) == told
        assert matched.row.rejected == wanted.rejected


def test_a_row_keeps_what_is_told_of_values_that_count() -> None:
    engine = Engine(rules(YEAR))
    told = {"strength": Judgement("u1", AS_OF)}
    row = row_from_facts(engine, RecordRef("a", "1"), {"strength": 3}, AS_OF, told)
    assert (row.facts["strength"], row.judged) == (3.0, told)
