# ruff: noqa: E501 - tables of words read best in one line
"""Findings look as the mock-up shows them, in every format."""

from __future__ import annotations

import json

from crmsync.model.diagnostic import Diagnostic, Fix, Label, Severity
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import nearest, render

RULES = "rulesets/b2b-standard/rules.yaml"
MAPPING = "rulesets/b2b-standard/mapping/zoho.yaml"
LINES = {
    46: "    max: 20",
    47: "    points: {≥ 6: 15, ≥ 12: 20, ≥ 3: 10, ≥ 1: 5, otherwise: 0}",
    48: "  - id: monetary",
    84: '      reason: "逾期超过60天，最高为普通客户 | More than 60 days overdue: Standard at most"',
    85: "      when: 最长预期天数 大于 60",
    86: "      at_most: standard",
}
TEXT = "\n".join(LINES.get(number, "#") for number in range(1, 90)) + "\n"
FILES = {RULES: TEXT, MAPPING: "a: 1\n", "rulesets/b2b-standard/rules.test.yaml": ""}


def span(line: int, column: int, end: int, file: str = RULES) -> Span:
    return Span(file, line, column, line, end)


NAME = Diagnostic(
    "RULE101",
    Severity.ERROR,
    span(85, 13, 19),
    Text(zh="没有名为“最长预期天数”的事实", en="no fact is called “最长预期天数”"),
    Text(zh="是不是“最长逾期天数”？", en="Did you mean “最长逾期天数”?"),
    fix=Fix(span(85, 13, 19), "最长逾期天数"),
)
UNREACHABLE = Diagnostic(
    "RULE203",
    Severity.ERROR,
    span(47, 22, 26),
    Text(
        zh="“≥ 12”永远不会命中：上面的“≥ 6”已经包含它",
        en="“≥ 12” can never be reached: “≥ 6” above it already fits",
    ),
    Text(zh="把最大的值放在最前面", en="Put the highest line first."),
    labels=(Label(span(47, 14, 17), Text(zh="这一行先命中", en="this line wins")),),
)
SOURCE = Diagnostic(
    "MAP002",
    Severity.WARNING,
    span(5, 1, 1, MAPPING),
    Text(zh="事实“growth_12m”在 zoho-prod 中没有来源", en="“growth_12m” has no source"),
)

FULL_ZH = """\
错误[RULE203]: “≥ 12”永远不会命中：上面的“≥ 6”已经包含它
  --> rulesets/b2b-standard/rules.yaml:47:22
   |
46 |     max: 20
47 |     points: {≥ 6: 15, ≥ 12: 20, ≥ 3: 10, ≥ 1: 5, otherwise: 0}
   |              --- 这一行先命中
   |                      ^^^^
48 |   - id: monetary
   |
   = 建议: 把最大的值放在最前面

错误[RULE101]: 没有名为“最长预期天数”的事实
  --> rulesets/b2b-standard/rules.yaml:85:13
   |
84 |       reason: "逾期超过60天，最高为普通客户 | More than 60 days overdue: Standard at most"
85 |       when: 最长预期天数 大于 60
   |             ^^^^^^^^^^^^
86 |       at_most: standard
   |
   = 建议: 是不是“最长逾期天数”？     用 crmsync check --fix 改正

警告[MAP002]: 事实“growth_12m”在 zoho-prod 中没有来源
  --> rulesets/b2b-standard/mapping/zoho.yaml:5:1

3 个文件：2 个错误（1 个可自动改正），1 个警告。说明： crmsync check --explain RULE203
"""


def test_full_in_chinese_looks_like_the_mock_up() -> None:
    assert render([SOURCE, NAME, UNREACHABLE], FILES, lang="zh") == FULL_ZH


def test_a_label_on_another_line_brings_its_own_lines() -> None:
    far = Diagnostic(
        "YAML002",
        Severity.ERROR,
        span(85, 7, 11),
        Text(zh="写了两次", en="appears twice"),
        labels=(Label(span(46, 5, 8), Text(zh="第一次", en="first written here")),),
    )
    assert render([far], FILES, lang="en").splitlines()[:14] == [
        "error[YAML002]: appears twice",
        "  --> rulesets/b2b-standard/rules.yaml:85:7",
        "   |",
        "45 | #",
        "46 |     max: 20",
        "   |     --- first written here",
        "47 | " + LINES[47],
        ".. |",
        "84 | " + LINES[84],
        "85 | " + LINES[85],
        "   |       ^^^^",
        "86 | " + LINES[86],
        "   |",
        "",
    ]


def test_summary_in_english_counts_in_words() -> None:
    assert render([NAME], {RULES: TEXT}, lang="en").endswith(
        "1 file: 1 error (1 fixable), 0 warnings. More: crmsync check --explain RULE101\n"
    )
    assert render([], FILES, lang="en") == "3 files: no problems.\n"
    assert render([], FILES, lang="zh") == "3 个文件：没有问题。\n"


def test_concise_is_one_line_each() -> None:
    assert render([NAME, SOURCE], FILES, format="concise", lang="en") == (
        f"{RULES}:85:13: error[RULE101] no fact is called “最长预期天数”. Did you mean “最长逾期天数”?\n"
        f"{MAPPING}:5:1: warning[MAP002] “growth_12m” has no source\n"
    )


def test_github_escapes_what_its_commands_reserve() -> None:
    odd = Diagnostic(
        "X001", Severity.WARNING, span(1, 2, 4, "a,b.yaml"), Text.same("100%"), Text.same("mend")
    )
    assert render([odd], {}, format="github") == (
        "::warning file=a%2Cb.yaml,line=1,col=2,endLine=1,endColumn=4,title=X001::100%25%0Amend\n"
    )


def test_json_is_one_document_in_both_languages() -> None:
    document = json.loads(render([NAME, SOURCE], FILES, format="json"))
    assert next(iter(document)) == "schema"
    assert document["schema"] == "crmsync.diagnostics/1"
    first = document["diagnostics"][0]
    assert first["code"] == "RULE101"
    assert first["place"] == {
        "file": RULES, "line": 85, "column": 13, "end_line": 85, "end_column": 19,
    }  # fmt: skip
    assert first["message"]["zh"].startswith("没有名为")
    assert first["fix"]["replacement"] == "最长逾期天数"
    assert document["summary"] == {"errors": 1, "warnings": 1, "fixable": 1}


def test_terminal_escapes_in_a_file_are_not_passed_on() -> None:
    item = Diagnostic("X001", Severity.ERROR, span(1, 1, 3, "f"), Text.same("bad \x1b[31m"))
    shown = render([item], {"f": "a\x1b[2Jb\n"})
    assert "\x1b" not in shown


def test_a_very_long_line_is_cut_around_the_place() -> None:
    long = "x" * 5000 + "here" + "y" * 5000
    item = Diagnostic("X001", Severity.ERROR, span(1, 5001, 5005, "f"), Text.same("bad"))
    lines = render([item], {"f": long}).splitlines()
    assert all(len(line) < 200 for line in lines)
    caret = next(line for line in lines if "^" in line)
    source = next(line for line in lines if "here" in line)
    assert source.index("here") == caret.index("^^^^")


def test_nearest_names() -> None:
    known = ["最长逾期天数", "累计订单数", "overdue_days", "margin_12m"]
    assert nearest("最长预期天数", known) == "最长逾期天数"
    assert nearest("overdue_day", known) == "overdue_days"
    assert nearest("OverdueDays", known) == "overdue_days"
    assert nearest("客户", known) is None
