"""A ``when:`` is a sentence, a list of sentences, or any / none / all."""

# ruff: noqa: E501

from __future__ import annotations

import pytest
from tests.unit.condition.language import SCOPE

from crmsync.condition import read_condition, to_text
from crmsync.model.condition import All, AnyOf, Condition, Not
from crmsync.model.diagnostic import Diagnostic
from crmsync.source import read_yaml


def read(text: str) -> tuple[Condition | None, list[Diagnostic]]:
    root, found = read_yaml("rules.yaml", text.encode())
    assert root is not None
    assert found == []
    node = root.get("when")
    assert node is not None
    return read_condition(node, SCOPE)


def meaning(text: str) -> str:
    tree, found = read(text)
    assert found == [], [item.message.en for item in found]
    assert tree is not None
    return to_text(tree, SCOPE)


GOOD = [
    ("when: blacklisted\n", "blacklisted"),
    ('when: "overdue_days > 60"\n', "overdue_days > 60"),
    ("when: [overdue_days > 60]\n", "overdue_days > 60"),
    ("when:\n  - overdue_days > 60\n  - blacklisted\n", "all(overdue_days > 60, blacklisted)"),
    ("when:\n  any:\n    - overdue_days > 60\n    - blacklisted\n", "any(overdue_days > 60, blacklisted)"),
    ("when: {none: [blacklisted]}\n", "none(blacklisted)"),
    ("when: {any: blacklisted}\n", "any(blacklisted)"),
    (
        "when:\n  any:\n    - overdue_days > 60\n    - all:\n        - blacklisted\n        - tier in vip, key\n",
        "any(overdue_days > 60, all(blacklisted, tier in (vip, key)))",
    ),
    (
        "when:\n  all: [blacklisted, strategic]\n  none: [overdue_days > 3]\n",
        "all(all(blacklisted, strategic), none(overdue_days > 3))",
    ),
    ("when:\n  - blacklisted\n  - any: [strategic]\n", "all(blacklisted, any(strategic))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_blocks(text: str, expected: str) -> None:
    assert meaning(text) == expected


def test_the_tree_knows_its_lines() -> None:
    tree, _ = read("x: 1\nwhen:\n  any:\n    - overdue_days > 60\n    - blacklisted\n")
    assert isinstance(tree, AnyOf)
    assert [item.span.line for item in tree.items] == [4, 5]
    assert (tree.items[0].span.column, tree.items[0].span.end_column) == (7, 24)
    none, _ = read("when: {none: [blacklisted]}\n")
    assert isinstance(none, Not)
    both, _ = read("when: [blacklisted, strategic]\n")
    assert isinstance(both, All)


BAD = [
    ("when: {ani: [blacklisted]}\n", "RULE069", 1, 8, "不能是“ani”", "not “ani”"),
    ("when: []\n", "RULE069", 1, 7, "缺条件", "a condition is missing"),
    ("when: {any: []}\n", "RULE069", 1, 13, "缺条件", "a condition is missing"),
    ("when:\n", "RULE069", 1, 6, "缺条件", "a condition is missing"),
    ("when: |\n  blacklisted\n", "RULE069", 1, 7, "多行文字", "block of text"),
    ("when: 3\n", "RULE063", 1, 7, "不是条件", "no condition"),
    ("when: true\n", "RULE063", 1, 7, "不是条件", "no condition"),
]


@pytest.mark.parametrize("case", BAD)
def test_bad_blocks(case: tuple[str, str, int, int, str, str]) -> None:
    text, code, line, column, zh, en = case
    tree, found = read(text)
    assert tree is None
    assert found[0].code == code
    assert (found[0].span.line, found[0].span.column) == (line, column)
    assert zh in found[0].message.zh
    assert en in found[0].message.en


def test_every_sentence_of_a_block_is_read() -> None:
    _, found = read(
        "when:\n  - foo > 1\n  - any: [tier is vipp, blacklisted]\n  - overdue_days => 3\n"
    )
    assert [(item.code, item.span.line) for item in found] == [
        ("RULE101", 2),
        ("RULE103", 3),
        ("RULE051", 4),
    ]


@pytest.mark.parametrize("text", ["when: [tier in vip, key]\n", "when: [客户等级 属于 vip, key]\n"])
def test_a_comma_in_brackets_that_cuts_a_sentence_is_explained(text: str) -> None:
    tree, found = read(text)
    assert tree is None
    assert found[0].mend is not None
    assert "方括号里的逗号" in found[0].mend.zh
    assert "cut the sentence in two" in found[0].mend.en
    assert meaning('when: ["tier in vip, key"]\n') == "tier in vip, key"
