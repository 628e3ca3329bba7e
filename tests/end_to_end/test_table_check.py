"""``check`` names the cell of a table, shows its line in whatever encoding, and explains codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.end_to_end import world

RULESETS = Path(__file__).resolve().parents[2] / "rulesets"
SERVICE = "客户等级,客户经理,排队,拜访周期\nVIP客户,dedicated,front,{visits}\n-,none,normal,\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "rulesets" / "b2b-standard"
    shutil.copytree(RULESETS / "b2b-standard", folder)
    text = (folder / "rules.yaml").read_text(encoding="utf-8")
    begin, end = text.index("service:\n"), text.index("# ── 6 ·")
    rules = text[:begin] + "service: {table: tables/service.csv}\n\n" + text[end:]
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    (folder / "tables").mkdir()
    return tmp_path


def check(project: Path, visits: str, *words: str) -> world.Result:
    path = project / "rulesets" / "b2b-standard" / "tables" / "service.csv"
    path.write_bytes(SERVICE.format(visits=visits).encode("gb18030"))
    return world.run("check", "--project", str(project), *words)


def test_a_sound_table_passes(project: Path) -> None:
    done = check(project, "1 month")
    assert done.code == 0, done.out
    assert "error" not in done.out.splitlines()[0]


def test_a_wrong_cell_is_shown_with_its_line(project: Path) -> None:
    done = check(project, "3 fortnights")
    assert done.code == 1
    assert "--> rulesets/b2b-standard/tables/service.csv:2:D2" in done.out
    line = "VIP客户,dedicated,front,3 fortnights"
    assert f" 2 | {line}" in done.out
    shown = done.out.splitlines()
    caret = shown[shown.index(f" 2 | {line}") + 1]
    assert caret.index("^") == len("   | ") + 7 + len(",dedicated,front,3 ")


def test_the_cell_is_in_the_document(project: Path) -> None:
    document = check(project, "3 fortnights", "--json").document
    places = [item["place"] for item in document["diagnostics"] if item["place"].get("cell")]
    assert [(place["line"], place["cell"]) for place in places] == [(2, "D2")]


def test_fix_leaves_tables_to_people(project: Path) -> None:
    done = check(project, "1 mnth", "--fix")
    assert done.code == 1
    path = project / "rulesets" / "b2b-standard" / "tables" / "service.csv"
    assert path.read_bytes() == SERVICE.format(visits="1 mnth").encode("gb18030")


def test_codes_of_tables_are_explained() -> None:
    done = world.run("check", "--explain", "TABLE010", "--json")
    assert json.loads(done.out)["text"].startswith("TABLE010")
