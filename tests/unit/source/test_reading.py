"""What a good file becomes, and files that are no files."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from crmsync.model.position import Span
from crmsync.source import Mapping, Scalar, ScalarValue, Sequence, Style, read_file, read_yaml


def tree(text: str) -> Mapping:
    node, found = read_yaml(Path("r.yaml"), text.encode())
    assert found == []
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("null", None),
        ("~", None),
        ("", None),
        ("20", 20),
        ("-3", -3),
        ("1.50", Decimal("1.50")),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("30万", "30万"),
        ("20%", "20%"),
        ("'20'", "20"),
        ('"true"', "true"),
        ("≥ 30", "≥ 30"),
        ("-", "-"),
    ],
)
def test_scalars_by_yaml_1_2(written: str, value: ScalarValue) -> None:
    if written == "-":
        written = "'-'"
    node = tree(f"a: {written}\n").get("a")
    assert isinstance(node, Scalar)
    assert node.value == value
    assert type(node.value) is type(value)


def test_a_number_keeps_its_spelling() -> None:
    node = tree("a: 1.50\n").get("a")
    assert isinstance(node, Scalar)
    assert node.text == "1.50"


def test_keys_and_values_know_their_beginning_and_end() -> None:
    root = tree('客户: 😀 高价值  # c\nb: "x y"\n')
    key, value, quoted = root.key("客户"), root.get("客户"), root.get("b")
    assert key is not None
    assert isinstance(value, Scalar)
    assert isinstance(quoted, Scalar)
    assert key.span == Span("r.yaml", 1, 1, 1, 3)
    assert value.span == Span("r.yaml", 1, 5, 1, 10)
    assert quoted.span == Span("r.yaml", 2, 4, 2, 9)
    assert quoted.inner == Span("r.yaml", 2, 5, 2, 8)
    assert quoted.part(2, 3) == Span("r.yaml", 2, 7, 2, 8)


def test_escapes_make_places_inside_a_text_untraceable() -> None:
    value = tree('a: "x\\ty > 3"\n').get("a")
    assert isinstance(value, Scalar)
    assert not value.verbatim
    assert value.part(2, 3) == value.inner


def test_lists_and_nested_mappings() -> None:
    root = tree("a:\n  - 1\n  - {b: 2}\nc: |\n  x\n  y\nd: 3\n")
    items = root.get("a")
    assert isinstance(items, Sequence)
    assert not items.flow
    inner = items.items[1]
    assert isinstance(inner, Mapping)
    assert inner.flow
    assert (inner.span.column, inner.span.end_column) == (5, 11)
    block = root.get("c")
    assert isinstance(block, Scalar)
    assert block.style is Style.BLOCK
    assert block.text == "x\ny\n"
    assert root.get("nothing") is None
    assert root.keys() == ("a", "c", "d")


def test_a_file_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes("\ufeffa: 1\r\n".encode())
    found = read_file(path, name="rulesets/rules.yaml")
    assert found.diagnostics == []
    assert found.text == "a: 1\r\n"
    assert found.node is not None
    assert found.node.span.file == "rulesets/rules.yaml"


def test_utf_16_with_its_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes("客户: 1\n".encode("utf-16"))
    assert read_file(path).node is not None


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    big = tmp_path / "big"
    big.write_bytes(b"a: 1\n" * 300_000)
    said = {
        name: read_file(tmp_path / name, name=name).diagnostics
        for name in ("", "pipe", "loop", "absent", "big")
    }
    assert {name: [item.code for item in found] for name, found in said.items()} == {
        "": ["YAML020"],
        "pipe": ["YAML020"],
        "loop": ["YAML020"],
        "absent": ["YAML020"],
        "big": ["YAML004"],
    }
    assert said["absent"][0].message.zh == "找不到文件 absent"
    assert said["pipe"][0].message.en == "pipe is not a regular file"
    assert said["loop"][0].message.en == "the links of loop go in a circle"
