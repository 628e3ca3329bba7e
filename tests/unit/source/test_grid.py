"""Table files become the same cells in every encoding and format, each knowing where it stands."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.source import workbooks as wb

from crmsync.source.grid import MAX_ROWS, CellKind, Grid
from crmsync.source.grid_csv import CsvText, csv_bytes, csv_text, read_csv
from crmsync.source.grid_reading import read_grid

TEXT = "客户等级,生命周期,接通率\nVIP客户,流失预警,90%\n重要客户,-,85%\n"


def written(folder: Path, data: bytes, name: str = "service.csv") -> Grid:
    (folder / name).write_bytes(data)
    grid, findings = read_grid(folder / name, name)
    assert findings == []
    assert grid is not None
    return grid


def refused(path: Path, sheet: str | None = None) -> list[tuple[str, str]]:
    grid, findings = read_grid(path, path.name, sheet=sheet)
    assert grid is None
    assert all(item.message.zh and item.message.en for item in findings)
    return [(item.code, str(item.span)) for item in findings]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("gb18030"),
        TEXT.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF16_LE + TEXT.replace(",", "\t").encode("utf-16-le"),
        TEXT.replace(",", ";").encode(),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_cells(tmp_path: Path, data: bytes) -> None:
    grid = written(tmp_path, data)

    assert [cell.text for cell in grid.headings] == ["客户等级", "生命周期", "接通率"]
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["VIP客户", "流失预警", "90%"],
        ["重要客户", "-", "85%"],
    ]
    assert str(grid.rows[1][2].span) == "service.csv:3:C3"
    assert grid.rows[1][2].span.short == "service.csv:3:C3"


def test_cells_of_csv_know_line_and_column(tmp_path: Path) -> None:
    grid = written(tmp_path, b'a,b,c\n1,"x, ""y""",  z \n\n2,"two\nlines",3\n')

    (first, second) = grid.rows
    assert [cell.text for cell in first] == ["1", 'x, "y"', "z"]
    assert (first[1].span.line, first[1].span.column) == (2, 4)
    assert (first[2].span.column, first[2].span.end_column) == (16, 17)
    assert [cell.text for cell in second] == ["2", "two\nlines", "3"]
    assert (second[0].span.line, second[0].span.cell) == (4, "A4")
    assert (second[2].span.line, second[2].span.cell) == (5, "C4")


def test_short_rows_are_filled_and_long_ones_refused(tmp_path: Path) -> None:
    grid = written(tmp_path, b"a,b,c\n1\n")
    assert [cell.text for cell in grid.rows[0]] == ["1", "", ""]
    assert grid.rows[0][2].span.cell == "C2"

    (tmp_path / "long.csv").write_bytes(b"a,b\n1,2,3\n")
    assert refused(tmp_path / "long.csv") == [("TABLE009", "long.csv:2:C2")]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", ("TABLE009", "t.csv:1:1")),
        (b" , \n", ("TABLE009", "t.csv:1:1")),
        (b'a,b\n1,"x\n', ("TABLE002", "t.csv:2:B2")),
        (b'a,b\n"x"y,1\n', ("TABLE002", "t.csv:2:A2")),
        (b"PK\x03\x04\x00\x00", ("TABLE002", "t.csv:1:1")),
        (b"\x81\x20\xff\xff", ("TABLE002", "t.csv:1:1")),
        (b"a\n" + b"1\n" * (MAX_ROWS + 1), ("TABLE001", "t.csv:1:1")),
        (b"a" + b",a" * 70 + b"\n1\n", ("TABLE001", "t.csv:1:1")),
        (b"a\n" + b"x" * 3000 + b"\n", ("TABLE009", "t.csv:2:A2")),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(
    tmp_path: Path, data: bytes, found: tuple[str, str]
) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    assert refused(tmp_path / "t.csv") == [found]


def test_absent_big_and_odd_files_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == [("TABLE001", "none.csv:1:1")]
    (tmp_path / "folder.csv").mkdir()
    assert refused(tmp_path / "folder.csv") == [("TABLE001", "folder.csv:1:1")]
    (tmp_path / "big.csv").write_bytes(b"a\n" * 3_000_000)
    assert refused(tmp_path / "big.csv") == [("TABLE001", "big.csv:1:1")]
    (tmp_path / "notes.txt").write_text("a\n")
    assert refused(tmp_path / "notes.txt") == [("TABLE001", "notes.txt:1:1")]


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")))


@settings(deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=2), min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
)
def test_any_text_survives_quoting_and_encoding(rows: list[list[str]], encoding: str) -> None:
    text = "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows
    )
    found = csv_text("t.csv", csv_bytes(CsvText(text, encoding)))

    cells = [[cell.text for cell in row] for row in read_csv("t.csv", found.text)]

    assert found.encoding == (encoding if text.encode() or encoding != "utf-8" else "utf-8")
    assert cells == [[cell.strip() for cell in row] for row in rows]


# ── workbooks ──────────────────────────────────────────────────────────────────────────────────


def test_a_sheet_that_does_not_begin_in_a1_keeps_its_references(tmp_path: Path) -> None:
    cells = {"B3": wb.text("a"), "C3": wb.text("b"), "B4": wb.text("x"), "C4": wb.number(2)}
    path = wb.workbook(tmp_path / "t.xlsx", {"S": {"A1": wb.text(""), **cells}})
    grid, findings = read_grid(path, "t.xlsx")

    assert findings == []
    assert grid is not None
    assert grid.headings[1].span.cell == "S!B3"
    assert [cell.text for cell in grid.rows[0]] == ["", "x", "2"]
    assert str(grid.rows[0][2].span) == "t.xlsx:S!C4"


def test_values_read_as_people_would_write_them(tmp_path: Path) -> None:
    row = {
        "A2": wb.number(0.9, wb.PERCENT),
        "B2": wb.number(0.145, wb.CUSTOM_PERCENT),
        "C2": wb.number(0.9),
        "D2": wb.number(20),
        "E2": wb.number("72.299999999999997"),
        "F2": wb.number(45231, wb.DATE),
        "G2": wb.truth(True),
        "H2": wb.text("20"),
        "I2": wb.formula("1+1", "2"),
        "J2": wb.number("1E+16"),
    }
    head = {f"{letter}1": wb.text(letter) for letter in "ABCDEFGHIJ"}
    path = wb.workbook(tmp_path / "t.xlsx", {"S": {**head, **row}})
    grid, findings = read_grid(path, "t.xlsx")

    assert findings == []
    assert grid is not None
    assert [(cell.text, cell.kind) for cell in grid.rows[0]] == [
        ("90%", CellKind.PERCENT),
        ("14.5%", CellKind.PERCENT),
        ("0.9", CellKind.NUMBER),
        ("20", CellKind.NUMBER),
        ("72.3", CellKind.NUMBER),
        ("2023-11-01", CellKind.DATE),
        ("yes", CellKind.YES_NO),
        ("20", CellKind.WRITTEN),
        ("2", CellKind.NUMBER),
        ("10000000000000000", CellKind.NUMBER),
    ]


def test_formulas_without_value_merged_cells_and_errors_are_refused(tmp_path: Path) -> None:
    cells = {
        "A1": wb.text("a"),
        "B1": wb.text("b"),
        "A2": wb.formula("B2*2"),
        "B2": wb.formula("NA()", "#N/A", 't="e"'),
        "A9": wb.formula("SUM(A1:A2)"),
    }
    path = wb.workbook(tmp_path / "t.xlsx", {"S": cells}, merged="A3:B4")

    assert sorted(refused(path)) == [
        ("TABLE004", "t.xlsx:S!A2"),
        ("TABLE004", "t.xlsx:S!A3"),
        ("TABLE004", "t.xlsx:S!A9"),
        ("TABLE004", "t.xlsx:S!B2"),
    ]


def test_the_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    sheets = {"一": {"A1": wb.text("a"), "A2": wb.number(1)}, "二": {"A1": wb.text("b")}}
    path = wb.workbook(tmp_path / "t.xlsx", sheets)

    grid, _ = read_grid(path, "t.xlsx", sheet="二")
    assert grid is not None
    assert grid.headings[0].text == "b"
    assert refused(path, "三") == [("TABLE003", "t.xlsx:1:1")]


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_broken_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.xlsx").write_bytes(data)
    assert refused(tmp_path / "t.xlsx") == [("TABLE002", "t.xlsx:1:1")]
