# ruff: noqa: E501 - tables of words read best in one line
"""Every mistake people make in YAML has a code, the right place and words in both languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.model.diagnostic import Severity
from crmsync.source import apply_fixes, read_yaml, render

CASES = [
    # name, text, code, line, column, zh, en
    (
        "full-width colon",
        "a:\n  max：20\n  b: 3\n",
        "YAML010",
        2,
        6,
        "全角冒号",
        "full-width colon",
    ),
    ("two of them", "- a\n- id: x\n  max：20\n  of：b\n", "YAML010", 3, 6, "“max”", "after “max”"),
    ("Chinese keys", "facts:\n  客户：1\n  性质：2\n", "YAML010", 2, 5, "“客户”", "after “客户”"),
    ("full-width colon at the end", "a: 1\nmax：20\n", "YAML010", 2, 4, "全角冒号", "full-width"),
    (
        "full-width colon in braces",
        "a: {id：vip, b: 2}\n",
        "YAML010",
        1,
        7,
        "全角冒号",
        "full-width",
    ),
    ("full-width colon in a list", "a:\n  - when：x\n", "YAML010", 2, 9, "“when”", "after “when”"),
    (
        "value begins with >",
        "a:\n  days: > 90\n",
        "YAML011",
        2,
        9,
        "值不能以“>”开头",
        "cannot begin",
    ),
    ("value begins with >2", "a:\n  days: >2\nb: 1\n", "YAML011", 2, 9, "“>”", "“>”"),
    ("list item begins with >", "a:\n  - > 90\n", "YAML011", 2, 5, "“>”", "“>”"),
    ("> in braces", "points: {> 90: 3}\n", "YAML011", 1, 10, "“>”", "“>”"),
    (
        "full-width indent",
        "a:\n　　b: 1\n    c: 2\n",
        "YAML003",
        2,
        1,
        "全角空格",
        "full-width space",
    ),
    (
        "no-break space indent",
        "a:\n  b: 1\n\u00a0\u00a0c: 2\n",
        "YAML003",
        3,
        1,
        "U+00A0",
        "U+00A0",
    ),
    ("accepted as a key", "a: 1\n\u3000b: 2\n", "YAML003", 2, 1, "全角空格", "full-width space"),
    (
        "space after colon",
        "a:\n  - b:　c\n",
        "YAML003",
        2,
        7,
        "冒号后面是全角空格",
        "after the colon",
    ),
    ("zero width", "a: vi\u200bp\n", "YAML003", 1, 6, "U+200B", "invisible character U+200B"),
    (
        "full-width comma",
        "a: {id: key，label: x}\n",
        "YAML016",
        1,
        12,
        "全角逗号",
        "full-width comma",
    ),
    (
        "full-width comma in a list",
        "a: [高，中]\n",
        "YAML016",
        1,
        6,
        "全角逗号",
        "full-width comma",
    ),
    (
        "comma in braces",
        "a: {b: Days, overdue}\n",
        "YAML015",
        1,
        14,
        "“overdue”没有值",
        "“overdue” has",
    ),
    (
        "same key twice",
        "a: 1\nb: 2\na: 3\n",
        "YAML002",
        3,
        1,
        "写了两次（第一次在第 1 行）",
        "appears twice",
    ),
    ("tab", "a:\n\tb: 1\n", "YAML012", 2, 1, "第 2 行用 Tab 缩进", "line 2 is indented with a tab"),
    ("second colon", "a: b: c\n", "YAML013", 1, 5, "第二个“: ”", "a second “: ”"),
    ("open quote", 'a: "abc\nb: 3\n', "YAML014", 1, 4, "没有配对", "never closes"),
    ("open quote, closed later", 'a: "abc\nb: "def"\n', "YAML014", 1, 4, "引号", "quote"),
    ("open brace", "a: {b: 1\nc: 3\n", "YAML014", 1, 4, "“{”没有配对的“}”", "“{” never closes"),
    ("open bracket", "a: [1, 2\nc: 3\n", "YAML014", 1, 4, "“[”没有配对的“]”", "“[” never closes"),
    ("open bracket at the end", "a: [", "YAML014", 1, 4, "“[”没有配对的“]”", "“[” never closes"),
    ("open brace at the end", "a: 1\nb: {c: [1], d", "YAML014", 2, 4, "“{”", "“{” never closes"),
    ("two commas", "a: [1,, 2]\n", "YAML018", 1, 7, "逗号或“]”", "a comma or “]”"),
    ("curly quotes", "a: “b”\n", "YAML017", 1, 4, "中文引号", "curly quotes are kept"),
    (
        "no space after colon",
        "a:\n  max:20\n  b: 1\n",
        "YAML022",
        2,
        6,
        "空格",
        "a space must follow",
    ),
    ("no space in braces", "a: {id:vip}\n", "YAML022", 1, 7, "空格", "a space must follow"),
    (
        "leading zero",
        "phone: 0123456\n",
        "YAML009",
        1,
        8,
        "前导零会丢失",
        "leading zero of “0123456”",
    ),
    ("exponent", "a: 1e3\n", "YAML009", 1, 4, "不是普通写法的数字", "not a plain number"),
    ("hexadecimal", "a: 0x1F\n", "YAML009", 1, 4, "“0x1F”", "“0x1F”"),
    ("underscores", "a: 1_000\n", "YAML009", 1, 4, "“1_000”", "“1_000”"),
    ("infinity", "a: .inf\n", "YAML009", 1, 4, "“.inf”", "“.inf”"),
    ("anchor", "a: &x 1\n", "YAML007", 1, 4, "锚点", "anchors (&)"),
    ("alias to itself", "a: &x [*x]\n", "YAML007", 1, 4, "锚点", "anchors (&)"),
    ("alias", "b: *x\n", "YAML007", 1, 4, "引用", "aliases (*)"),
    ("merge", "a:\n  <<: {b: 1}\n", "YAML007", 2, 3, "合并", "merge keys"),
    ("tag", "a: !!python/object/apply:os.system [x]\n", "YAML008", 1, 4, "标签", "tags (!)"),
    ("bare tag", "a: ! b\n", "YAML008", 1, 4, "标签", "tags (!)"),
    ("two documents", "a: 1\n---\nb: 2\n", "YAML006", 2, 1, "第 2 行出现了第二个 ---", "at line 2"),
    ("empty", "", "YAML005", 1, 1, "键: 值", "top is empty"),
    ("comment only", "# x\n", "YAML005", 1, 1, "键: 值", "key: value"),
    ("a list", "- a\n", "YAML005", 1, 1, "键: 值", "key: value"),
    ("a word", "a\n", "YAML005", 1, 1, "键: 值", "key: value"),
    ("control character", "a: \x00b\n", "YAML019", 1, 4, "U+0000", "U+0000"),
    ("line separator", "a: b\u2028c\n", "YAML019", 1, 5, "U+2028", "U+2028"),
    ("at sign", "a: @foo\n", "YAML021", 1, 4, "“@”开头", "cannot begin with “@”"),
    ("star", "a: * b\n", "YAML021", 1, 4, "“*”开头", "cannot begin with “*”"),
    ("indent below a value", "a: 1\n  b: 2\n", "YAML018", 2, 3, "缩进更深", "indented below"),
    ("no colon", "a:\n  b\n  c: 3\n", "YAML018", 2, 3, "没有“: ”", "no “: ”"),
    ("text after a quote", 'a: "x" y\n', "YAML018", 1, 8, "引号后面", "after the closing quote"),
    ("dash in the line", "a: - b\n", "YAML018", 1, 4, "另起一行", "its own line"),
    ("bracket too many", "a: [1]]\n", "YAML018", 1, 7, "接不上", "does not fit"),
    ("bar and text", "a: | b\n", "YAML018", 1, 6, "不能再写文字", "nothing may follow"),
    ("complex key", "? [a]\n: b\n", "YAML018", 1, 3, "键必须是一个词", "a single word"),
    ("too deep", "a: " + "[" * 25 + "]" * 25 + "\n", "YAML004", 1, 23, "20 层", "20 levels"),
    ("very deep", "[" * 200_000, "YAML004", 1, 21, "20 层", "20 levels"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_mistake(case: tuple[str, str, str, int, int, str, str]) -> None:
    _, text, code, line, column, zh, en = case
    _, found = read_yaml("x.yaml", text.encode())
    match = next((item for item in found if item.code == code), None)
    assert match is not None, [(item.code, item.message.en) for item in found]
    assert (match.span.line, match.span.column) == (line, column)
    assert zh in match.message.zh
    assert en in match.message.en
    assert match.span.file == "x.yaml"


FIXABLE = [
    ("a:\n  max：20\n  of： b\n", "a:\n  max: 20\n  of: b\n"),
    ("a: {id: key，label: x}\n", "a: {id: key, label: x}\n"),
    ("a: [高，中]\n", "a: [高, 中]\n"),
    ("a: {b: Days, overdue}\n", 'a: {b: "Days, overdue"}\n'),
    ("a: {b: “x, y”}\n", 'a: {b: "x, y"}\n'),
    ("a:\n\tb: 1\n", "a:\n  b: 1\n"),
    ("a:\n　　b: 1\n    c: 2\n", "a:\n    b: 1\n    c: 2\n"),
    ("a:\n　　b: 1\n  c: 2\n", "a:\n  b: 1\n  c: 2\n"),
    ("a: b: c # d\n", 'a: "b: c" # d\n'),
    ("a: “b”\n", 'a: "b"\n'),
    ("a: {id:vip, n:2}\n", "a: {id: vip, n: 2}\n"),
    ("a: vi\u200bp\r\nb: 1\r\n", "a: vip\r\nb: 1\r\n"),
]


@pytest.mark.parametrize(("text", "mended"), FIXABLE)
def test_mechanical_mends(text: str, mended: str) -> None:
    _, found = read_yaml("x.yaml", text.encode())
    fixed, count = apply_fixes(text, found)
    assert fixed == mended
    assert count >= 1
    assert read_yaml("x.yaml", fixed.encode())[1] == []


def test_a_key_written_twice_shows_both_places() -> None:
    node, found = read_yaml("x.yaml", b"a: 1\nb: 2\na: 3\n")
    assert node is not None
    assert node.keys() == ("a", "b")
    (label,) = found[0].labels
    assert (label.span.line, label.text.zh, label.text.en) == (
        1,
        "第一次写在这里",
        "first written here",
    )


def test_gbk_is_named_with_its_mend() -> None:
    _, found = read_yaml("x.yaml", "a: 1\ntitle: 客户分级\n".encode("gbk"))
    assert [item.code for item in found] == ["YAML001"]
    assert (found[0].span.line, found[0].span.column) == (2, 8)
    assert "GBK" in found[0].message.zh
    assert found[0].mend is not None
    assert "crmsync fmt --from gbk" in found[0].mend.en


def test_bytes_that_are_no_text() -> None:
    _, found = read_yaml("x.yaml", b"a: \xff\xff\n")
    assert [item.code for item in found] == ["YAML001"]
    assert found[0].message.en == "the file is not UTF-8 text"


def test_a_file_over_the_limit_is_refused_before_reading() -> None:
    _, found = read_yaml("x.yaml", b"a" * 1_000_001)
    assert [item.code for item in found] == ["YAML004"]
    assert found[0].message.en == "the file is 1.0 MB; the limit is 1 MB"


def test_billion_laughs_is_refused_at_the_first_anchor() -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a]\n" for n in range(30))
    _, found = read_yaml("x.yaml", bomb.encode())
    assert {item.code for item in found} == {"YAML007"}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa: 1\r\nb: 2\r\n",
        "a: 中文：说明，没有问题\n",
        "note: 政府：土地；企业：增长\nb: [a, b]\n",
        "when:\n  - “近12个月，订单数” ≥ 3\n",
        "text: |\n  max：20\n  \tx\nb: 1\n",
        "note: 政府\n  说明：土地\n",
        "cron: 30 2 * * *\n",
        "a: 'it''s'\n",
        "at: 12:30:00\nday: 2026-11-22\nNO: on\n",
    ],
)
def test_good_text_stays_without_a_finding(text: str) -> None:
    node, found = read_yaml("x.yaml", text.encode())
    assert found == []
    assert node is not None


SEEDS = [case[1] for case in CASES if len(case[1]) < 500]
PIECES = st.sampled_from(
    ["：", "，", "　", "\t", "\n", ": ", "- ", "{", "}", "[", "]", '"', "'", ">", "|", "#", "&a", "*a",
     "!", "\u200b", "\x00", "高", "a", "0", "%", "@", "?", "---\n", "\r"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 60), PIECES), max_size=6))
def test_no_text_makes_the_reader_raise(seed: str, edits: list[tuple[int, str]]) -> None:
    text = seed
    for at, piece in edits:
        text = text[:at] + piece + text[at:]
    node, found = read_yaml("x.yaml", text.encode())
    lines = text.count("\n") + text.count("\r") + 1
    for item in found:
        assert 1 <= item.span.line <= lines
        assert item.message.zh
        assert item.message.en
    if node is None:
        assert any(item.severity is Severity.ERROR for item in found)
    apply_fixes(text, found)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    read_yaml("x.yaml", data)


HOSTILE = [
    "a: {b: x，y " + '\\"' * 200_000,
    "a: b: c\n" + ": " * 200_000,
    "max：20\n" * 50_000 + "b: 3\n",
    "a:\n" + " " * 400_000 + "b: > 3",
    "a: [" + "x，" * 80_000 + "]",
    "a: {" + ", ".join(f"k{n}" for n in range(50_000)) + "}",
    "\u3000b: 1\n" * 40_000,
    "[" * 400_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12].strip() for text in HOSTILE])
def test_hostile_text_is_read_in_good_time(text: str) -> None:
    begin = time.process_time()
    _, found = read_yaml("x.yaml", text.encode())
    render(found, {"x.yaml": text})
    assert time.process_time() - begin < 5
    assert 0 < len(found) <= 400
