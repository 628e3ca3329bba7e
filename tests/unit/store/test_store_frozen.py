"""Lines frozen per review period: found by the question asked, kept once, in every version."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmsync.model.frozen import Freeze, FrozenLines, period_of
from crmsync.store import Store

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
HERE = ("crm", "shop")
LINES = FrozenLines(
    name="rfm",
    period="2026-Q4",
    version=1,
    basis="quintiles",
    drawn_on=date(2026, 11, 22),
    customers=100,
    lines={"monetary": (Decimal("0.1"), Decimal("1250.000001"))},
)


def test_lines_come_back_exactly_as_they_were_drawn(store: Store) -> None:
    store.frozen.keep(*HERE, [LINES], at=NOW)
    assert store.frozen.find(*HERE, "rfm", period="2026-Q4", basis="quintiles") == LINES
    assert store.frozen.find("other", "shop", "rfm", period="2026-Q4", basis="quintiles") is None


@pytest.mark.parametrize(("period", "basis"), [("2027-Q1", "quintiles"), ("2026-Q4", "thirds")])
def test_lines_of_another_period_or_question_do_not_count(
    store: Store, period: str, basis: str
) -> None:
    store.frozen.keep(*HERE, [LINES], at=NOW)
    assert store.frozen.find(*HERE, "rfm", period=period, basis=basis) is None
    assert store.frozen.next_version(*HERE, "rfm") == 2


def test_a_version_is_never_changed(store: Store) -> None:
    store.frozen.keep(*HERE, [LINES], at=NOW)
    store.frozen.keep(*HERE, [replace(LINES, customers=7), replace(LINES, version=2)], at=NOW)
    assert [item.version for item in store.frozen.history(*HERE, "rfm")] == [2, 1]
    assert store.frozen.history(*HERE, "rfm")[1] == LINES


@pytest.mark.parametrize(
    ("freeze", "day", "name"),
    [
        (Freeze.MONTH, date(2026, 11, 30), "2026-11"),
        (Freeze.QUARTER, date(2026, 9, 30), "2026-Q3"),
        (Freeze.QUARTER, date(2026, 10, 1), "2026-Q4"),
        (Freeze.HALF_YEAR, date(2026, 6, 30), "2026-H1"),
        (Freeze.HALF_YEAR, date(2026, 7, 1), "2026-H2"),
        (Freeze.YEAR, date(2026, 1, 1), "2026"),
        (Freeze.REVIEW, date(2026, 1, 1), "before any review"),
    ],
)
def test_periods_have_names_people_know(freeze: Freeze, day: date, name: str) -> None:
    assert period_of(freeze, day) == name


def test_a_review_begins_a_period(store: Store) -> None:
    released = date(2026, 9, 1)
    store.reviews.release(*HERE, on=released, by="li", at=NOW, reason=None)
    assert store.reviews.last(*HERE, day=date(2026, 8, 31)) is None
    last = store.reviews.last(*HERE, day=date(2026, 11, 1))
    assert last == released
    assert period_of(Freeze.REVIEW, date(2026, 11, 1), review=last) == "review 2026-09-01"
