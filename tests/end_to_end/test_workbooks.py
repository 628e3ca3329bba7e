"""A ruleset goes through a spreadsheet and comes back: unchanged, or changed in meaning."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.end_to_end import world

from crmsync.model.ruleset import Ruleset
from crmsync.rules import load

openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")
RULESETS = Path(__file__).resolve().parents[2] / "rulesets"
SERVICE = """\
客户等级,生命周期,客户经理,排队优先级,接通秒数,接通率目标,回访时限,拜访周期
VIP客户,流失预警,dedicated,front,20,90%,1 hour,2 weeks
VIP客户,-,dedicated,front,20,90%,2 hours,1 month
重要客户,-,shared,normal,20,85%,24 hours,1 quarter
普通客户,-,pool,normal,20,85%,,
黑名单,-,none,last,,,,
-,-,none,normal,,,,
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(RULESETS / "b2b-standard", tmp_path / "rulesets" / "b2b-standard")
    return tmp_path


def with_table(project: Path, encoding: str = "gb18030") -> Path:
    folder = project / "rulesets" / "b2b-standard"
    text = (folder / "rules.yaml").read_text(encoding="utf-8")
    begin, end = text.index("service:\n"), text.index("# ── 6 ·")
    text = text[:begin] + "service: {table: tables/service.csv}   # 见表格\n\n" + text[end:]
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    (folder / "tables").mkdir()
    (folder / "tables" / "service.csv").write_bytes(SERVICE.encode(encoding))
    return folder


def run(project: Path, *words: str) -> world.Result:
    return world.run("fmt", "--project", str(project), *words)


def loaded(project: Path) -> Ruleset:
    ruleset, findings = load(project / "rulesets" / "b2b-standard")
    assert ruleset is not None, findings
    return ruleset


def made(project: Path, *words: str) -> Path:
    file = project / "book.xlsx"
    done = run(project, "--to", "xlsx", "--output", str(file), *words)
    assert done.code == 0, done.err
    return file


def edited(file: Path, sheet: str, cells: dict[str, object]) -> None:
    book = openpyxl.load_workbook(file)
    for place, value in cells.items():
        book[sheet][place] = value
    book.save(file)


def test_an_unchanged_workbook_is_the_same_ruleset(project: Path) -> None:
    with_table(project)
    before, text = loaded(project), files_of(project)
    file = made(project)
    openpyxl.load_workbook(file).save(file)  # opened and saved by a spreadsheet

    done = run(project, "--from", "xlsx", str(file), "--write")

    assert done.code == 0, done.err
    assert done.out == ""
    assert files_of(project) == text
    assert loaded(project).digest == before.digest


def files_of(project: Path) -> dict[str, bytes]:
    folder = project / "rulesets"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_changes_are_told_in_meaning_and_written_on_demand(project: Path) -> None:
    before = files_of(project)
    file = made(project)
    edited(file, "Tiers", {"C2": 78, "D3": 52})
    edited(file, "Points", {"C7": ">= 10", "D8": 14})
    edited(file, "Service", {"B4": "shared", "F4": "4 hours"})

    shown = run(project, "--from", "xlsx", str(file))
    assert shown.code == 0, shown.err
    orders = "Frequency: “Orders, 12 months”"
    assert shown.out.splitlines() == [
        f"{orders} at least 6 gives 15 → 14",
        "VIP: enter 80 → 78",
        "Key: keep 54 → 52",
        "Standard: manager pool → shared",
        f"{orders} at least 12 gives 20 → “Orders, 12 months” at least 10 gives 20",
        "new: Standard: called back within 4 hours",
    ]
    assert files_of(project) == before

    written = run(project, "--from", "xlsx", str(file), "--write")
    assert written.out == shown.out
    after = loaded(project)
    assert after.tier is not None
    assert [str(level.enter) for level in after.tier.levels[:2]] == ["78", "60"]
    assert after.service["standard"].value("callback_within") is not None
    old = before["b2b-standard/rules.yaml"].decode().splitlines()
    new = (project / "rulesets/b2b-standard/rules.yaml").read_text("utf-8").splitlines()
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 4


def test_rows_of_a_table_come_and_go_in_its_own_encoding(project: Path) -> None:
    folder = with_table(project)
    file = made(project)
    book = openpyxl.load_workbook(file)
    sheet = book["service"]
    sheet["H3"] = "2 weeks"
    sheet.insert_rows(5)
    for at, word in enumerate(["普通客户", "流失预警", "shared", "normal", 20, "85%"], 1):
        sheet.cell(5, at).value = word
    book.save(file)

    done = run(project, "--from", "xlsx", str(file), "--write")

    assert done.code == 0, done.err
    assert "VIP: visit every 1 month → 2 weeks" in done.out
    assert "new: Standard · At risk: manager shared" in done.out
    text = (folder / "tables" / "service.csv").read_bytes().decode("gb18030")
    assert text.splitlines()[4] == "普通客户,流失预警,shared,normal,20,85%,,"
    assert "standard/at_risk" in loaded(project).service


def test_words_never_become_formulas(project: Path) -> None:
    folder = with_table(project, "utf-8")
    path = folder / "tables" / "service.csv"
    rows = path.read_text("utf-8").splitlines()
    words = ["备注", "=1+1", "+A1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "x"]
    path.write_text("\n".join(f"{a},{b}" for a, b in zip(rows, words, strict=True)) + "\n", "utf-8")
    file = made(project)

    sheet = openpyxl.load_workbook(file)["service"]
    column = [sheet.cell(row, 9) for row in range(2, 7)]
    assert [cell.value for cell in column] == words[1:6]
    assert {cell.data_type for cell in column} == {"s"}
    assert all(cell.quotePrefix for cell in column)
    assert run(project, "--from", "xlsx", str(file)).out == ""


def test_choices_tiers_and_stages_are_offered(project: Path) -> None:
    with_table(project)
    sheet = openpyxl.load_workbook(made(project))["service"]
    offered = {str(rule.sqref)[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert offered["A"] == '"VIP,Key,Standard,Basic,Blocked"'
    assert offered["B"] is not None
    assert "At risk" in offered["B"]
    assert offered["C"] == '"dedicated,shared,pool,agent,none"'


@pytest.mark.parametrize(
    ("cells", "sheet", "said"),
    [
        ({"A2": "VIP"}, "Tiers", "cannot be changed"),
        ({"C2": None}, "Tiers", "cannot be emptied"),
        ({"A9": "new"}, "Tiers", "number of rows"),
        ({"C1": "Line"}, "Tiers", "headings"),
        ({"C2": "=1+1"}, "Tiers", "Tiers!C2"),
    ],
)
def test_other_edits_are_refused_with_their_place(
    project: Path, cells: dict[str, object], sheet: str, said: str
) -> None:
    before = files_of(project)
    file = made(project)
    edited(file, sheet, cells)
    done = run(project, "--from", "xlsx", str(file), "--write")
    assert done.code == 2
    assert said in done.err
    assert files_of(project) == before


def test_a_change_that_does_not_read_is_refused_whole(project: Path) -> None:
    before = files_of(project)
    file = made(project)
    edited(file, "Tiers", {"C2": "many", "D3": 52})
    done = run(project, "--from", "xlsx", str(file), "--write")
    assert done.code == 1
    assert "many" in done.err
    assert files_of(project) == before


def test_a_workbook_of_another_version_is_refused(project: Path) -> None:
    file = made(project)
    path = project / "rulesets/b2b-standard/rules.yaml"
    path.write_text(path.read_text("utf-8").replace("enter: 80", "enter: 81"), "utf-8")
    done = run(project, "--from", "xlsx", str(file))
    assert done.code == 2
    assert "has changed since" in done.err


def test_foreign_files_and_existing_targets_are_refused(project: Path) -> None:
    file = project / "other.xlsx"
    openpyxl.Workbook().save(file)
    assert run(project, "--from", "xlsx", str(file)).code == 2
    assert "no workbook written by" in run(project, "--from", "xlsx", str(file)).err
    (project / "text.xlsx").write_text("no workbook")
    assert run(project, "--from", "xlsx", str(project / "text.xlsx")).code == 2
    made(project)
    again = run(project, "--to", "xlsx", "--output", str(project / "book.xlsx"))
    assert again.code == 2
    assert "exists already" in again.err


def test_without_openpyxl_the_extra_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    done = run(project, "--to", "xlsx", "--output", str(project / "book.xlsx"))
    assert done.code == 2
    assert "crmsync[xlsx]" in done.err


def test_the_changes_are_a_document_with_json(project: Path) -> None:
    file = made(project)
    edited(file, "Tiers", {"C2": 78})
    done = run(project, "--from", "xlsx", str(file), "--json")
    document = json.loads(done.out)
    assert document["schema"] == "crmsync.workbook.changes/1"
    assert document["changes"] == [{"zh": "VIP客户: 升级线 80 → 78", "en": "VIP: enter 80 → 78"}]
    assert document["written"] is False
