"""The pages of the command line, in both languages, as they are kept in tests/golden/cli.

``CRMSYNC_GOLDEN=write pytest tests/unit/cli`` writes them anew; look at the difference before
committing it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from crmsync.cli.layout import cells

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests/golden/cli"
LANGUAGES = ("zh", "en")
NAMES = (
    "plan",
    "plan-all",
    "plan-empty",
    "plan-merged",
    "undo-plan",
    "undo",
    "undo-kept",
    "explain-waiting",
    "explain-lacking",
    "runs",
    "run",
    "look-back",
    "look-back-short",
    "cost",
    "simulate",
    "simulate-unchanged",
)
EVERY = [(name, language) for name in NAMES for language in LANGUAGES]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@cache
def told(language: str) -> dict[str, str]:
    """Every page in that language, from a process of its own."""
    code = f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}\nimport runpy"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}\nrunpy.run_module('tests.unit.cli.pages', {{}}, '__main__')",
        ],
        env={**os.environ, "CRMSYNC_LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )
    # A failure is remembered too: a hundred tests need not find it one by one.
    found: dict[str, str] = {} if done.returncode else json.loads(done.stdout)
    return found | {"": done.stderr}


def page(name: str, language: str) -> str:
    pages = told(language)
    assert name in pages, pages[""]
    return pages[name]


def test_every_page_is_named_here() -> None:
    assert (*told("en"),) == (*NAMES, "")


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_page_is_as_it_was(name: str, language: str) -> None:
    file = GOLDEN / f"{name}.{language}.txt"
    text = page(name, language)
    if os.environ.get("CRMSYNC_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_nothing_from_a_crm_reaches_the_terminal_as_a_command(name: str, language: str) -> None:
    assert not CONTROL.search(page(name, language))


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_no_line_ends_in_blanks(name: str, language: str) -> None:
    assert [line for line in page(name, language).splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["plan", "plan-all", "plan-empty", "undo-plan"])
def test_a_plan_prints_its_legend_every_time(name: str, language: str) -> None:
    legend = next(
        line for line in page(name, language).splitlines() if line.startswith(("图例", "Legend"))
    )
    assert all(f"   {mark} " in legend for mark in "*▲▼•~+-!▽")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["plan", "plan-all"])
def test_values_and_reasons_stand_below_one_another(name: str, language: str) -> None:
    """In every block the arrows of its fields stand in one column of the screen; before --all
    always, with it only as far as whole values are no longer than a column."""
    for block in page(name, language).split("\n\n"):
        fields = [line.partition(" → ")[0] for line in block.splitlines() if " → " in line]
        columns = {cells(field) for field in fields if field.startswith("      ~ ")}
        longest = columns and max(columns) > 42
        assert len(columns) <= 1 + bool(name == "plan-all" and longest), block


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_of_figures_end_in_one_place(language: str) -> None:
    lines = page("plan", language).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(("等级分布", "Tiers")))
    rows = lines[start : lines.index("", start)]
    ends = {cells(re.match(r"^.*?\S +(\d+|现在|now)\b", row).group(0)) for row in rows}  # type: ignore[union-attr]
    assert len(rows) == 6
    assert len(ends) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_lines_say_what_stops_the_plan_and_the_command_that_goes_on(language: str) -> None:
    *_, summary, share, count, last = page("plan", language).splitlines()
    assert summary.startswith(("计划：", "Plan: "))
    assert "17.6 %" in share
    assert "tasks_per_owner" in count
    assert "/500" not in count
    assert last.endswith(
        "crmsync apply plan.json --allow tier_changes=18% --allow tasks_per_owner=8"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_plan_says_so_and_suggests_nothing(language: str) -> None:
    text = page("plan-empty", language)
    assert ("没有改动" if language == "zh" else "nothing changes") in text
    assert "apply" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rows_and_columns_of_a_migration_add_up(language: str) -> None:
    lines = page("simulate", language).splitlines()
    edge = [n for n, line in enumerate(lines) if line.startswith("──")]
    rows = [
        [int(cell.strip("[]▲▼")) if cell != "·" else 0 for cell in re.findall(r"\S+", line)[1:]]
        for line in (*lines[edge[0] + 1 : edge[1]], lines[edge[1] + 1])
        for line in [line.replace("no tier", "none")]
    ]
    *body, total = rows
    assert [sum(row[:-1]) for row in body] == [row[-1] for row in body]
    assert [sum(column) for column in zip(*body, strict=True)] == total
    assert total[-1] == 500
