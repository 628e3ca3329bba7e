"""Every code anybody can meet has a long help in both languages, and no help is idle."""

from __future__ import annotations

import re

import pytest
from tests.unit.rules.writing import ROOT

from crmsync.model.diagnostic import Diagnostic
from crmsync.rules import CATALOGUE, explain

_CODE = re.compile(r'"((?:YAML|RULE|MAP|CONF|TEST|TABLE)[0-9]{3})"')
FAMILIES = ("YAML", "RULE", "TEST", "MAP", "CONF", "TABLE")
SHAPES = {
    *(f"TEST00{number}" for number in range(1, 10)),
    *(f"{family}00{number}" for family in ("CONF", "MAP") for number in range(4, 10)),
}
"""Put together as they are given: two readers of shapes serve several kinds of file."""
CASE_FAILED = "TEST100"
"""Given by whoever runs the cases."""


def emitted() -> set[str]:
    found: set[str] = set()
    for root in (ROOT / "src", ROOT / "connectors"):
        for path in root.rglob("*.py"):
            if not path.name.startswith("help_"):
                found |= set(_CODE.findall(path.read_text(encoding="utf-8")))
    return found


def test_every_emitted_code_is_explained() -> None:
    assert sorted(emitted() - CATALOGUE.keys()) == []


def test_every_explained_code_is_emitted() -> None:
    assert sorted(CATALOGUE.keys() - emitted() - SHAPES - {CASE_FAILED}) == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_help_is_whole_in_both_languages(code: str) -> None:
    zh, en = explain(code, "zh"), explain(code, "en")
    assert zh is not None
    assert en is not None
    assert zh.startswith(code)
    assert en.startswith(code)
    assert re.search(r"[\u4e00-\u9fff]", zh)
    assert len(en) > 40
    assert CATALOGUE[code].title.en.isprintable()


def test_an_unknown_code_has_no_help() -> None:
    assert explain("RULE999", "en") is None


def test_codes_are_found_however_they_are_typed() -> None:
    assert explain(" rule203 ", "zh") == explain("RULE203", "zh")


def test_families_are_the_ones_diagnostics_promise() -> None:
    assert Diagnostic.__doc__ is not None
    for code in CATALOGUE:
        assert code.rstrip("0123456789") in FAMILIES
