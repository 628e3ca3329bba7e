"""The README's program does what it says, against a practice CRM over a real socket."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, customers, orders, practice

import crmsync
from crmsync.connector import connectors

ROOT = Path(__file__).resolve().parents[2]
NAMES = [spec.name for spec in connectors() if spec.sandbox]


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with practice(request.param, tmp_path / "project") as made:
        people = customers(8)
        made.sandbox.load_over_http(people, orders(people, date.today()))
        made.init("retail-rfm")
        made.create_fields()
        yield made


def program(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    (found,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_both_readmes_hold_the_same_program() -> None:
    chinese, english = (ast.parse(program(page)) for page in ("README.zh-CN.md", "README.md"))
    assert ast.dump(chinese) == ast.dump(english)


def test_the_program_in_the_readme_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    names: dict[str, Any] = {}
    exec(program("README.md"), names)  # our own page, run as a reader would
    report: crmsync.ApplyReport = names["report"]
    assert report.complete
    assert report.written == 8
    undo: crmsync.PlanMade = names["undo"]
    assert undo.header.undoes == report.run.id
    assert undo.header.counts.fields > 0
    assert crmsync.load_plan(names["project"], undo.path).digest == undo.digest
