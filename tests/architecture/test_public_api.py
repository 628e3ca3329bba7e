"""What an embedding program may rely on is one short list, and asking for it costs nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import crmsync

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"httpx", "pydantic", "duckdb", "sqlalchemy", "sqlglot", "yaml", "lark", "rich"}
LIST = {
    "ApplyAsk",
    "ApplyReport",
    "Applying",
    "CrmSyncError",
    "Decision",
    "PlanAsk",
    "PlanMade",
    "Project",
    "Ruleset",
    "__version__",
    "check",
    "explain_record",
    "load_plan",
    "load_rules",
    "make_plan",
    "make_undo",
    "open_project",
    "sync",
}


def loaded_after(program: str) -> set[str]:
    """The top packages a fresh interpreter holds after running *program*."""
    dump = "\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys\nsys.path[:0] = {sys.path!r}\n{program}{dump}"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = json.loads(done.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in names if not name.startswith("crmsync.")} | {
        name for name in names if name.startswith("crmsync.")
    }


def test_the_list_is_the_one_written_here() -> None:
    assert set(crmsync.__all__) == LIST
    assert dir(crmsync) == sorted(LIST)


def test_every_name_is_there_and_documented() -> None:
    for name in sorted(LIST - {"__version__"}):
        assert (getattr(crmsync, name).__doc__ or "").strip(), name


def test_what_a_type_checker_sees_is_what_a_program_gets() -> None:
    tree = ast.parse((ROOT / "src/crmsync/__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == crmsync._HOMES


def test_no_name_is_also_a_package_of_ours() -> None:
    rooms = {path.name.removesuffix(".py") for path in (ROOT / "src/crmsync").iterdir()}
    assert not rooms & LIST


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'aply'"):
        _ = crmsync.aply


def test_importing_crmsync_imports_nothing_else() -> None:
    loaded = loaded_after("import crmsync")
    assert not {name for name in loaded if name.startswith("crmsync.")}
    assert not loaded & HEAVY


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["pln"]])
def test_the_verb_list_costs_no_heavy_import(words: list[str]) -> None:
    program = (
        f"sys.argv = ['crmsync', *{words!r}]\n"
        "from crmsync.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    loaded = loaded_after(program)
    assert "crmsync.cli.main" in loaded
    assert not loaded & HEAVY


def test_the_probe_can_see_a_heavy_import() -> None:
    assert "httpx" in loaded_after("import httpx")
