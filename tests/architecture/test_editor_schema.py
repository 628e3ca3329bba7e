"""The schemas editors get know every key the readers read, and are the ones the code makes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmsync.rules.json_schema import SCHEMAS, committed, generated

HAN = re.compile("[\u4e00-\u9fff]")
ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "src/crmsync/rules"
ASKING = {
    *("take", "need", "scalar", "word", "label", "number", "whole", "flag", "one_of", "lacks"),
    "place",
}
"""How a `Block` is asked for a key."""
CASE_FILES = {"cases.py", "case_facts.py", "case_state.py", "case_lines.py"}
NOT_KEYS = {"given", "author", "date", "remark"}
"""Words that are no keys there; the last three are asked for only to say where they belong."""


def strings(node: ast.AST | None, known: dict[str, ast.AST]) -> set[str]:
    """Every string a literal, or the module constant it names, holds."""
    found: set[str] = set()
    for item in () if node is None else ast.walk(node):
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            found.add(item.value)
        if isinstance(item, ast.Name) and item.id in known:
            found |= strings(known[item.id], {k: v for k, v in known.items() if k != item.id})
    return found


def constants(tree: ast.Module) -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
    return found


def keys_asked(path: Path) -> Iterator[str]:
    """Keys a reader asks for, written at the call or looped over beside it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = constants(tree)
    loops: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        looped = isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name)
        if looped and not any(isinstance(part, ast.Call) for part in ast.walk(node.iter)):
            loops.setdefault(node.target.id, set()).update(strings(node.iter, known))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        asked = isinstance(node.func, ast.Attribute) and node.func.attr in ASKING
        block = [arg for arg in node.args if isinstance(arg, ast.Name) and "block" in arg.id]
        for argument in node.args if asked or block else ():
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
                if asked:
                    break
            if asked and isinstance(argument, ast.Name):
                yield from loops.get(argument.id, set())
            if asked:
                break


def properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for part in schema.values():
            yield from properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from properties(part)


READERS = sorted(path for path in RULES.glob("*.py") if path.name != "shape.py")


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.name)
def test_every_key_a_reader_asks_for_is_in_the_schema(path: Path) -> None:
    name = "cases.schema.json" if path.name in CASE_FILES else "rules.schema.json"
    known = set(properties(json.loads(generated(name))))
    missing = sorted(set(keys_asked(path)) - known - NOT_KEYS)
    assert not missing, (
        f"{path.name} reads {missing}: describe them in src/crmsync/rules/json_schema/ in both "
        "languages, then run: make schema"
    )


def test_the_search_for_keys_finds_them() -> None:
    found = {key for path in READERS for key in keys_asked(path)}
    assert {"demote_after", "points", "formula", "lasting", "once_per", "new_tasks"} <= found


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_the_one_the_code_makes(name: str) -> None:
    assert committed(name) == generated(name), "run: make schema"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_explained_in_both_languages(name: str) -> None:
    silent = []

    def look(part: Any, where: str) -> None:
        if isinstance(part, dict):
            assert "title" not in part or isinstance(part["title"], dict), where
            for key, value in part.get("properties", {}).items():
                words = value.get("markdownDescription", "")
                zh, _, en = words.partition("\n\n")
                if not HAN.search(zh) or not en or HAN.search(re.sub("“[^”]*”", "", en)):
                    silent.append(f"{where}.{key}: {words!r}")
            for key, value in part.items():
                look(value, f"{where}.{key}" if key != "properties" else where)
        elif isinstance(part, list):
            for value in part:
                look(value, where)

    look(json.loads(generated(name)), name)
    assert not silent
