"""Every verb is documented, speaks both languages, and exit codes are listed once."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from crmsync import errors
from crmsync.cli.main import VERBS
from crmsync.cli.reference import MEANINGS, SHARED, renewed
from crmsync.errors import CrmSyncError, ExitCode

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")])
HAN = re.compile(r"[\u4e00-\u9fff]")
READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
DESCRIBE = """
import json
from crmsync.cli.main import VERBS
from crmsync.cli.reference import commands, section
print(json.dumps({
    "section": section(),
    "short": {verb: text for verb, (_, text) in VERBS.items()},
    "verbs": {
        verb: {
            "help": command.help,
            "options": {
                item.name: item.help for item in command.params if item.param_type_name == "option"
            },
        }
        for verb, command in commands().items()
    },
}))
"""


@cache
def told(language: str) -> Any:
    """What the command line says of itself when it speaks *language*."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{DESCRIBE}"],
        env={**os.environ, "CRMSYNC_LANG": language},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(("file", "language"), READMES.items())
def test_the_readme_holds_the_reference_as_the_commands_tell_it(file: str, language: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert told(language)["section"] in text, "run: make docs"


def test_a_file_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="verbs:begin"):
        renewed("# A page\n")


def test_every_verb_has_its_command_and_the_shared_options() -> None:
    verbs = told("en")["verbs"]
    assert list(verbs) == list(VERBS)
    for verb, command in verbs.items():
        assert set(SHARED) <= set(command["options"]), verb


def test_every_command_in_the_house_is_a_verb() -> None:
    modules = {module for module, _ in VERBS.values()}
    defined = {
        (path.stem, node.name.removesuffix("_command"))
        for path in (ROOT / "src/crmsync/cli").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and any("command" in ast.unparse(item) for item in node.decorator_list)
    }
    assert defined == {(module, verb) for verb, (module, _) in VERBS.items()}
    assert modules == {module for module, _ in defined}


def test_help_is_there_in_both_languages() -> None:
    english, chinese = told("en"), told("zh")
    wrong = []
    for verb in VERBS:
        pairs = {
            "short": (english["short"][verb], chinese["short"][verb]),
            "help": (english["verbs"][verb]["help"], chinese["verbs"][verb]["help"]),
        }
        for name, text in english["verbs"][verb]["options"].items():
            pairs[name] = (text, chinese["verbs"][verb]["options"][name])
        for name, (en, zh) in pairs.items():
            if not en or not zh or HAN.search(en) or not HAN.search(zh):
                wrong.append(f"{verb}.{name}: {en!r} / {zh!r}")
    assert not wrong


def test_every_exit_code_has_a_meaning_in_both_languages() -> None:
    assert list(MEANINGS) == list(ExitCode)
    for meaning in MEANINGS.values():
        assert HAN.search(meaning.zh)
        assert not HAN.search(meaning.en)


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = dict(re.findall(r"[├└│ ]+(\w+) .*exit +(\d+)$", errors.__doc__ or "", re.MULTILINE))

    def below(kind: type[CrmSyncError]) -> dict[str, str]:
        found = {}
        for child in kind.__subclasses__():
            if child.__module__ == "crmsync.errors":
                found |= {child.__name__: str(int(child.exit)), **below(child)}
        return found

    classes = below(CrmSyncError)
    assert drawn == {name: code for name, code in classes.items() if name != "ConnectorError"}


def is_number(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_exit_codes_are_named_never_numbers(path: Path) -> None:
    bare = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "sys.exit",
            "SystemExit",
            "exit",
            "os._exit",
            "ExitCode",
        }:
            bare += [node.lineno for item in node.args if is_number(item)]
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_command"):
            bare += [
                inner.lineno
                for inner in ast.walk(node)
                if isinstance(inner, ast.Return) and is_number(inner.value)
            ]
    assert not bare, f"use ExitCode at lines {bare}"
