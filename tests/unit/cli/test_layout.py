"""Columns line up for readers of Chinese, and text from a CRM is only text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.cli.layout import (
    bar,
    cells,
    clean,
    fact_text,
    figure_text,
    number_text,
    pad,
    right,
    shortened,
    table,
    value_text,
)
from crmsync.model.fact import FactType

MIXED = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("VIP", 3),
        ("客户", 4),
        ("VIP客户", 7),
        ("é", 1),
        ("e\u0301", 1),
        ("🍵", 2),
        ("❤\ufe0f", 1),
        ("", 0),
    ],
)
def test_a_width_is_counted_in_screen_columns(text: str, width: int) -> None:
    assert cells(text) == width


@given(MIXED, st.integers(0, 40))
def test_padding_fills_to_the_column_and_cuts_nothing(text: str, width: int) -> None:
    assert cells(pad(text, width)) == cells(right(text, width)) == max(width, cells(text))
    assert pad(text, width).startswith(text)
    assert right(text, width).endswith(text)


@given(MIXED, st.integers(1, 40))
def test_shortened_text_fits_and_begins_alike(text: str, width: int) -> None:
    short = shortened(text, width)
    assert cells(short) <= width
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(MIXED)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    kept = clean(text)
    assert len(kept) == len(text)
    assert not [
        char
        for char in kept
        if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} and char not in "\u200c\u200d"
    ]


def test_what_people_write_stays_as_it_is() -> None:
    for name in ("北京“茶”庄（总店）", "Müller & Söhne", "👩\u200d🌾 Farm", "می\u200cخواهم"):
        assert clean(name) == name


@given(st.lists(st.tuples(MIXED, MIXED, MIXED), min_size=1, max_size=6))
def test_columns_of_a_table_begin_and_end_together(rows: list[tuple[str, str, str]]) -> None:
    rows = [tuple(clean(cell).strip() + "x" for cell in row) for row in rows]  # type: ignore[misc]
    widths = [max(cells(row[column]) for row in rows) for column in range(3)]
    for row, line in zip(rows, table(rows, align="lrl"), strict=True):
        first, second = pad(row[0], widths[0]), right(row[1], widths[1])
        assert line == f"{first}  {second}  {row[2]}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (Decimal("1457.550000"), "1,457.55"),
        (Decimal("1E+3"), "1,000"),
        (0.1 + 0.2, "0.3"),
        (-1472000, "-1,472,000"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 2, 5, tzinfo=UTC), "2026-11-22 02:05"),
        (("b2b", "茶\x1b[2J"), "b2b, 茶�[2J"),
        ("line\nbreak", "line�break"),
    ],
)
def test_values_read_as_people_write_them(value: object, shown: str) -> None:
    assert value_text(value) == shown  # type: ignore[arg-type]


def test_numbers_never_turn_into_exponents() -> None:
    assert number_text(Decimal("1E+12")) == "1,000,000,000,000"
    assert number_text(1e-9) == "0"


def test_a_share_is_shown_in_percent_by_its_type() -> None:
    assert fact_text(0.344, FactType.PERCENT) == "34.4%"
    assert fact_text(0.344, FactType.NUMBER) == "0.34"
    assert fact_text(None, FactType.PERCENT) == "–"


@pytest.mark.parametrize(
    ("value", "share", "shown"),
    [
        (Decimal("0.176"), True, "17.6 %"),
        (Decimal("0.10"), True, "10 %"),
        (Decimal(1), True, "100 %"),
        (Decimal(200), False, "200"),
        (Decimal("1E+2"), False, "100"),
    ],
)
def test_figures_of_guards(value: Decimal, share: bool, shown: str) -> None:
    assert figure_text(value, share=share) == shown


def test_the_smallest_count_above_none_has_a_sliver() -> None:
    assert bar(0, 500) == ""
    assert bar(1, 500) == "▏"
    assert bar(500, 500, width=10) == "█" * 10
    assert bar(0, 0) == ""
