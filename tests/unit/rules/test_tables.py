"""Decision tables: headings, cells, hit policies and what is said when they cannot be meant."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.unit.rules.table_writing import codes, matrix, put, with_points
from tests.unit.rules.writing import sound
from tests.unit.source import workbooks as wb

from crmsync.condition import to_text
from crmsync.model.scorecard import PointsMatrix
from crmsync.rules import load
from crmsync.rules.reading import read_rules
from crmsync.source import read_yaml

TWO = """\
订单数,潜力,分数,备注
>= 12,高,20,好
>= 12,-,15,
[1..12),"高, 中",10,
-,not(高),5,
-,-,0,
"""


def written(points: PointsMatrix) -> list[str]:
    return ["" if line.when is None else to_text(line.when) for line in points.lines]


def test_rows_become_conditions_in_order(tmp_path: Path) -> None:
    points = matrix(tmp_path, TWO)

    assert [item.id for item in points.inputs] == ["orders_12m", "potential"]
    assert written(points) == [
        "all(orders_12m ≥ 12, potential is 高)",
        "orders_12m ≥ 12",
        "all(all(orders_12m ≥ 1, orders_12m < 12), potential in (高, 中))",
        "not(potential is 高)",
        "",
    ]
    assert [str(line.points) for line in points.lines] == ["20", "15", "10", "5", "0"]
    assert points.lines[0].text == ">= 12 · 高"
    assert points.lines[2].span.short == "f.csv:4:A4"


def test_headings_go_by_id_and_label_of_either_language(tmp_path: Path) -> None:
    first = matrix(tmp_path, "orders_12m,points\n>= 12,20\n-,0\n")
    second = matrix(tmp_path, "Orders,分数\n>= 12,20\n-,0\n")
    third = matrix(tmp_path, "订单数,Points\n>= 12,20\n-,0\n")
    assert first == second == third


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("高", "RULE060"),
        ("[20..10)", "RULE067"),
        ("90%", "RULE060"),
        ("2026-01-01", "RULE060"),
        ("yes", "RULE060"),
        ("(1..", "RULE050"),
        ("1 fortnight", "RULE057"),
    ],
)
def test_a_cell_that_does_not_fit_its_column_is_named(tmp_path: Path, cell: str, code: str) -> None:
    ruleset, found = with_points(tmp_path, f"潜力,订单数,分数\n高,{cell},20\n-,-,0\n")
    assert ruleset is None
    assert codes(found)[0] == (code, "tables/f.csv:2:B2")


def test_an_unknown_option_is_named_with_the_nearest(tmp_path: Path) -> None:
    ruleset, found = with_points(tmp_path, "潜力,分数\n极高,20\n-,0\n".encode("gb18030"))
    assert ruleset is None
    assert codes(found) == [("RULE103", "tables/f.csv:2:A2")]
    assert found[0].mend is not None
    assert "高" in found[0].mend.zh


def test_an_unknown_heading_is_named_with_the_nearest(tmp_path: Path) -> None:
    ruleset, found = with_points(tmp_path, "订单总数,分数\n1,20\n-,0\n")
    assert ruleset is None
    assert codes(found) == [("TABLE005", "tables/f.csv:1:A1")]
    assert found[0].mend is not None
    assert "订单数" in found[0].mend.zh


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("订单数,订单数,分数\n1,2,20\n", ("TABLE005", "tables/f.csv:1:B1")),
        ("订单数,Orders,分数\n1,2,20\n", ("TABLE005", "tables/f.csv:1:B1")),
        ("订单数,,分数\n1,2,20\n", ("TABLE005", "tables/f.csv:1:B1")),
        ("分数\n20\n", ("TABLE005", "tables/f.csv:1:A1")),
        ("订单数\n1\n", ("TABLE008", "tables/f.csv:2:A2")),
        ("订单数,分数\n1,\n", ("TABLE008", "tables/f.csv:2:A2")),
        ("订单数,分数\n", ("TABLE009", "tables/f.csv:1:A1")),
        ("订单数,分数\n1,21\n", ("RULE202", "tables/f.csv:2:B2")),
        ("订单数,分数\n1,-3\n", ("RULE005", "tables/f.csv:2:B2")),
        ("订单数,分数\n1,many\n", ("RULE005", "tables/f.csv:2:B2")),
    ],
)
def test_headings_and_outputs_that_cannot_be_meant(
    tmp_path: Path, table: str, found: tuple[str, str]
) -> None:
    ruleset, findings = with_points(tmp_path, table)
    assert ruleset is None
    assert found in codes(findings)


def test_every_wrong_cell_is_said_at_once(tmp_path: Path) -> None:
    _, found = with_points(tmp_path, "订单数,潜力,分数\nx,极高,20\n,中,many\n")
    assert {str(item.span) for item in found} >= {"tables/f.csv:2:A2", "tables/f.csv:2:B2"}


# ── workbooks ──────────────────────────────────────────────────────────────────────────────────


def xlsx(folder: Path, rows: list[list[str]]) -> None:
    (folder / "tables").mkdir(exist_ok=True)
    cells = {
        f"{'ABCDEFG'[at]}{n}": cell
        for n, row in enumerate(rows, 1)
        for at, cell in enumerate(row)
        if cell
    }
    wb.workbook(folder / "tables" / "f.xlsx", {"Sheet1": cells})


def load_xlsx(folder: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    old = "    of: orders_12m\n    max: 20\n    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
    text = sound((old, "    max: 20\n    table: tables/f.xlsx\n"), *changes)
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    _, found = load(folder, name="rules.yaml")
    return codes(found)


def test_a_workbook_reads_like_the_csv(tmp_path: Path) -> None:
    head = [wb.text("订单数"), wb.text("潜力"), wb.text("黑名单"), wb.text("分数")]
    xlsx(
        tmp_path,
        [
            head,
            [wb.text(">= 12"), wb.text("高"), wb.truth(False), wb.number(20)],
            [wb.number(7), wb.text("-"), wb.text("-"), wb.number(7.5)],
            [wb.text("-"), "", "", wb.number(0)],
        ],
    )
    assert load_xlsx(tmp_path) == []
    ruleset, _ = load(tmp_path, name="rules.yaml")
    assert ruleset is not None
    points = ruleset.scorecards[0].criteria[0].points
    assert isinstance(points, PointsMatrix)
    assert written(points) == [
        "all(orders_12m ≥ 12, potential is 高, blacklisted is no)",
        "orders_12m is 7",
        "",
    ]
    assert points.lines[1].span.short == "f.xlsx:Sheet1!A3"


def test_a_workbook_cell_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    head = [wb.text("note"), wb.text("订单数"), wb.text("分数")]
    note = ("facts:\n", "facts:\n  note: {type: text, label: 记号 | Note}\n")
    xlsx(
        tmp_path,
        [
            head,
            [wb.number(7), wb.number(45231, wb.DATE), wb.number(20)],
            [wb.text("007"), wb.number(0.9, wb.PERCENT), wb.truth(True)],
            ["", wb.formula("A1"), wb.number(1)],
            [wb.number(45231, wb.DATE), "", wb.number(0)],
        ],
    )
    assert load_xlsx(tmp_path, note) == [("TABLE004", "tables/f.xlsx:Sheet1!B4")]
    xlsx(
        tmp_path,
        [
            head,
            [wb.number(7), wb.number(45231, wb.DATE), wb.number(20)],
            [wb.text("007"), wb.number(0.9, wb.PERCENT), wb.truth(True)],
            [wb.number(45231, wb.DATE), "", wb.number(0)],
        ],
    )
    assert sorted(load_xlsx(tmp_path, note)) == [
        ("RULE060", "tables/f.xlsx:Sheet1!B2"),
        ("RULE060", "tables/f.xlsx:Sheet1!B3"),
        ("TABLE006", "tables/f.xlsx:Sheet1!A2"),
        ("TABLE006", "tables/f.xlsx:Sheet1!A4"),
    ]


# ── files ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["../f.csv", "/etc/passwd.csv", "tables/../../f.csv", "C:/f.csv", "tables\\\\f.csv"]
)
def test_no_table_from_outside_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "f.csv").write_text("订单数,分数\n-,0\n")
    old = "    of: orders_12m\n    max: 20\n    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
    text = sound((old, f'    max: 20\n    table: "{name}"\n'))
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    _, found = load(folder, name="rules.yaml")
    assert [item.code for item in found] == ["TABLE001"]


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("订单数,分数\n-,0\n")
    (folder / "tables").mkdir()
    (folder / "tables" / "f.csv").symlink_to(tmp_path / "secret.csv")
    old = "    of: orders_12m\n    max: 20\n    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
    text = sound((old, "    max: 20\n    table: tables/f.csv\n"))
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    _, found = load(folder, name="rules.yaml")
    assert [item.code for item in found] == ["TABLE001"]


def test_an_absent_table_is_said_with_those_there_are(tmp_path: Path) -> None:
    put(tmp_path, "other.csv", "订单数,分数\n-,0\n")
    old = "    of: orders_12m\n    max: 20\n    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
    (tmp_path / "rules.yaml").write_text(
        sound((old, "    max: 20\n    table: tables/f.csv\n")), encoding="utf-8"
    )
    _, found = load(tmp_path, name="rules.yaml")
    assert [item.code for item in found] == ["TABLE001"]
    assert found[0].mend is not None
    assert "tables/other.csv" in found[0].mend.en


def test_rules_without_a_folder_have_no_tables() -> None:
    old = "    of: orders_12m\n    max: 20\n    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
    node, _ = read_yaml("r.yaml", sound((old, "    max: 20\n    table: t.csv\n")).encode())
    assert node is not None
    ruleset, found = read_rules(node)
    assert ruleset is None
    assert [item.code for item in found] == ["TABLE001"]


# ── policies ───────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_policy_is_said_with_the_nearest(tmp_path: Path) -> None:
    _, found = with_points(tmp_path, "订单数,分数\n-,0\n", "colect sum")
    assert [item.code for item in found] == ["TABLE007"]
    assert found[0].mend is not None
    assert "collect sum" in found[0].mend.en


@pytest.mark.parametrize("hit", ["collect", "rule order", "output order", "R", "C"])
def test_a_criterion_needs_a_policy_that_gives_one_number(tmp_path: Path, hit: str) -> None:
    _, found = with_points(tmp_path, "订单数,分数\n-,0\n", hit)
    assert [item.code for item in found] == ["TABLE007"]
    assert "one number" in found[0].message.en


@pytest.mark.parametrize(
    "hit", ["unique", "first", "any", "priority", "collect (sum)", "C+", "collect count", "C#"]
)
def test_policies_go_by_dmn_name_or_letter(tmp_path: Path, hit: str) -> None:
    ruleset, found = with_points(tmp_path, "订单数,分数\n-,20\n", hit)
    assert ruleset is not None, found


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("唯一", "unique"), ("首个", "first"), ("首行", "F"), ("任意", "any"), ("优先级", "P"),
        ("收集（求和）", "collect sum"), ("收集 最小", "C<"), ("收集最大", "C>"),
        ("收集计数", "C#"),
    ],
)  # fmt: skip
def test_policies_go_by_chinese_names(tmp_path: Path, chinese: str, english: str) -> None:
    table = "订单数,分数\n-,20\n"
    assert matrix(tmp_path, table, chinese) == matrix(tmp_path, table, english)


@pytest.mark.parametrize("hit", ["输出顺序", "规则顺序", "收集"])
def test_a_list_of_rows_is_refused_for_points_in_chinese_too(tmp_path: Path, hit: str) -> None:
    _, found = with_points(tmp_path, "订单数,分数\n-,0\n", hit)
    assert [item.code for item in found] == ["TABLE007"]


def test_priority_puts_the_best_points_first(tmp_path: Path) -> None:
    points = matrix(tmp_path, "订单数,分数\n>= 1,5\n>= 12,20\n-,0\n", "priority")
    assert [str(line.points) for line in points.lines] == ["20", "5", "0"]


# ── lints ──────────────────────────────────────────────────────────────────────────────────────


def test_unique_refuses_rows_that_overlap_with_an_example(tmp_path: Path) -> None:
    ruleset, found = with_points(
        tmp_path, '订单数,潜力,分数\n>= 12,高,20\n>= 6,"高, 中",10\n< 6,-,0\n', "unique"
    )
    assert ruleset is None
    assert codes(found)[0] == ("TABLE010", "tables/f.csv:3:A3")
    assert "订单数 等于 12" in found[0].message.zh
    assert "潜力 是 高" in found[0].message.zh


def test_any_refuses_overlaps_that_differ_only(tmp_path: Path) -> None:
    same = '订单数,潜力,分数\n>= 12,-,20\n-,高,20\n< 12,"中, 低",0\n'
    ruleset, found = with_points(tmp_path, same, "any")
    assert ruleset is not None, found
    ruleset, found = with_points(tmp_path, same.replace("-,高,20", "-,高,15"), "any")
    assert ruleset is None
    assert [item.code for item in found] == ["TABLE010"]


def test_a_row_that_is_covered_before_is_never_reached(tmp_path: Path) -> None:
    table = "订单数,潜力,分数\n>= 6,-,20\n< 6,高,15\n< 9,高,10\n-,-,0\n"
    ruleset, found = with_points(tmp_path, table)
    assert ruleset is None
    assert codes(found) == [("TABLE012", "tables/f.csv:4:A4")]


@pytest.mark.parametrize("last", ["-,-,0", "-,> 3,10"])
def test_a_row_for_anything_takes_the_customers_without_a_value(tmp_path: Path, last: str) -> None:
    table = f'潜力,订单数,分数\n"高, 中, 低",>= 6,20\n"高, 中, 低",< 6,15\n{last}\n'
    ruleset, found = with_points(tmp_path, table)
    assert ruleset is not None
    assert found == []
    _, found = with_points(tmp_path, table.replace(last, f"null,-,1\nnot(null),-,2\n{last}"))
    assert codes(found) == [("TABLE012", "tables/f.csv:6:A6")]


def test_a_row_no_value_fits_is_never_reached(tmp_path: Path) -> None:
    _, found = with_points(tmp_path, "评分,分数\n> 40,20\n-,0\n")
    assert codes(found) == [("TABLE012", "tables/f.csv:2:A2")]


def test_doubled_rows_are_said(tmp_path: Path) -> None:
    table = "订单数,潜力,分数\n>= 6,高,20\n≥ 6,高,15\n-,-,0\n"
    ruleset, found = with_points(tmp_path, table)
    assert ruleset is None
    assert codes(found) == [("TABLE013", "tables/f.csv:3:A3")]
    ruleset, found = with_points(tmp_path, table, "collect sum")
    assert ruleset is not None
    assert codes(found) == [("TABLE013", "tables/f.csv:3:A3")]


def test_a_gap_is_a_warning_with_the_edge_that_was_left_out(tmp_path: Path) -> None:
    table = '评分,潜力,分数\n> 20,-,20\n"[0..20)",-,0\n'
    ruleset, found = with_points(tmp_path, table)
    assert ruleset is not None
    assert codes(found) == [("TABLE011", "tables/f.csv:1:A1")]
    assert "20" in found[0].message.en


def test_a_table_with_a_last_row_of_dashes_has_no_gap(tmp_path: Path) -> None:
    ruleset, found = with_points(tmp_path, TWO)
    assert ruleset is not None
    assert found == []


def test_a_table_of_many_rows_is_proved_in_good_time(tmp_path: Path) -> None:
    """Two thousand rows, each below the one before: as many as a table may have."""
    rows = "".join(f"< {2000 - n},-,{n % 21}\n" for n in range(1999))
    begin = time.process_time()
    ruleset, found = with_points(tmp_path, f"订单数,潜力,分数\n{rows}-,-,0\n")
    assert time.process_time() - begin < 5
    assert ruleset is None
    assert {item.code for item in found} == {"TABLE012"}
    assert 20 <= len(found) <= 50


def test_a_table_that_asks_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    columns = ["订单数", "成交额", "评分", "未下单天数", "潜力", "分数"]
    rows = "> 1,> 1,> 1,> 1,高,1\n" * 1601
    _, found = with_points(tmp_path, f"{','.join(columns)}\n{rows}")
    assert codes(found) == [("TABLE001", "tables/f.csv:1:A1")]
    assert found[0].message.en.startswith("8005 cells of tables/f.csv ask something")
