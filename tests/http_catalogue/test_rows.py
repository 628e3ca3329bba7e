"""The catalogue is whole: 42 rows, each with tests that are there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.http_catalogue.rows import ROWS

ROOT = Path(__file__).resolve().parents[2]


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_no_row_is_missing() -> None:
    assert list(ROWS) == list(range(1, 43))
    assert len({row.fault for row in ROWS.values()}) == 42


@pytest.mark.parametrize("number", ROWS)
def test_every_row_has_tests_that_exist(number: int) -> None:
    assert ROWS[number].tests
    for test in ROWS[number].tests:
        file, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in functions(file), f"row {number}: {test} is gone"


def test_every_test_of_the_catalogue_belongs_to_a_row() -> None:
    named = {test for row in ROWS.values() for test in row.tests}
    here = {
        f"{path.relative_to(ROOT)}::{name}"
        for path in (ROOT / "tests" / "http_catalogue").glob("test_*.py")
        if path.name != "test_rows.py"
        for name in functions(str(path.relative_to(ROOT)))
        if name.startswith("test_")
    }
    assert {test for test in here - named if test.split("::")[1] not in BESIDE} == set()


BESIDE = {
    "test_relay_alone_changes_nothing",
    "test_a_packed_answer_is_unpacked",
    "test_every_trouble_of_the_contract_has_a_wire",
}
"""Tests of the bench itself."""
