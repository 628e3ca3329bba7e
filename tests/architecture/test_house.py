"""The plan of the house holds: layers, no cycles, sizes, no connector named by the core."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "crmsync"
CONNECTORS = ROOT / "connectors"

# A room may import the rooms named here and itself; `model` and `errors` are open to all.
STAGES = {"ingest", "facts", "rules", "evaluate", "plan", "apply"}
BELOW_STAGES = {"config", "condition", "connector", "source", "store"}
LAYERS: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "source": set(),
    "condition": {"source"},
    "connector": {"source"},
    "store": set(),
    "config": {"connector", "condition", "source"},
    **dict.fromkeys(STAGES, BELOW_STAGES),
    "project": STAGES | BELOW_STAGES | {"testing"},
    "schedule": {"project", "config", "store"},
    "picture": set(),
    "cli": {"project", "schedule", "source", "connector", "picture"},
    "web": {"project", "picture"},
    "testing": {"connector", "source"},
}
CONNECTOR_MAY = {"connector", "source", "model", "errors"}

# Counted exceptions to the sizes; mending one means deleting its line.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
WIDE_FUNCTIONS: dict[str, int] = {}
MAX_FILE, MAX_FUNCTION, MAX_PARAMETERS = 400, 60, 6


def modules() -> Iterator[Path]:
    for folder in (CORE, CONNECTORS):
        yield from sorted(
            path for path in folder.rglob("*.py") if "migrations/versions" not in path.as_posix()
        )


def name_of(path: Path) -> str:
    base = CORE.parent if path.is_relative_to(CORE) else CONNECTORS
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def imports_of(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield ".".join([*package[: len(package) - node.level + 1], node.module or ""]), node
            else:
                yield node.module or "", node


def room(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "crmsync":
        return None
    return parts[1] if len(parts) > 1 else ""


PATHS = list(modules())


def ids(path: Path) -> str:
    return name_of(path)


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_imports_follow_the_layers(path: Path) -> None:
    own = name_of(path).split(".")
    wrong = []
    for module, node in imports_of(path):
        target = room(module)
        if module.split(".")[0].startswith("crmsync_") and own[0] != module.split(".")[0]:
            wrong.append(f"line {node.lineno}: {module} (a connector is reached by entry point)")
        if target in {None, "model", "errors", ""}:
            continue
        if own[0].startswith("crmsync_"):
            allowed = CONNECTOR_MAY | (
                {"testing"} if own[1:] and own[1].startswith("sandbox") else set()
            )
        elif len(own) == 1:
            allowed = set(LAYERS)
        else:
            allowed = LAYERS.get(own[1], set()) | {own[1]}
        if target not in allowed:
            wrong.append(f"line {node.lineno}: {module}")
    assert not wrong, f"{name_of(path)} reaches into rooms it may not use: {wrong}"


def test_every_room_is_on_the_plan() -> None:
    rooms = {
        path.name.removesuffix(".py")
        for path in CORE.iterdir()
        if not path.name.startswith("__")
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert rooms <= set(LAYERS)


def test_no_module_cycles() -> None:
    known = {name_of(path): path for path in PATHS}
    graph: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        for node in tree_of(path).body:
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            for alias in node.names:
                target = f"{node.module}.{alias.name}"
                for candidate in (target, node.module):
                    if candidate in known and candidate != name:
                        graph[name].add(candidate)
                        break
    # a package's __init__ re-exports its modules: its modules must not import the package itself
    state: dict[str, int] = {}
    trail: list[str] = []

    def visit(node: str) -> None:
        state[node] = 1
        trail.append(node)
        for target in sorted(graph[node]):
            assert state.get(target) != 1, f"import cycle: {' → '.join([*trail, target])}"
            if target not in state:
                visit(target)
        trail.pop()
        state[node] = 2

    for name in sorted(graph):
        if name not in state:
            visit(name)


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_own_packages_are_imported_at_the_top(path: Path) -> None:
    if ".cli" in name_of(path):
        pytest.skip("commands import when they run, to keep --help quick")
    tree = tree_of(path)
    inside = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crmsync")
    ]
    assert not inside, f"own packages imported inside functions at lines {inside}"


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_sizes(path: Path) -> None:
    text = text_of(path)
    lines = text.count("\n")
    relative = path.relative_to(ROOT).as_posix()
    assert lines <= LONG_FILES.get(relative, MAX_FILE), f"{relative} has {lines} lines"
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        place = f"{relative}:{node.name}"
        length = (node.end_lineno or 0) - node.lineno + 1
        assert length <= LONG_FUNCTIONS.get(place, MAX_FUNCTION), f"{place} has {length} lines"
        spec = node.args
        command = any(
            "command" in ast.dump(item) or "option" in ast.dump(item)
            for item in node.decorator_list
        )
        count = len(
            [
                a
                for a in spec.posonlyargs + spec.args + spec.kwonlyargs
                if a.arg not in {"self", "cls"}
            ]
        )
        if not command:
            assert count <= WIDE_FUNCTIONS.get(place, MAX_PARAMETERS), (
                f"{place} takes {count} parameters"
            )


def test_size_exceptions_are_still_needed() -> None:
    for relative, limit in LONG_FILES.items():
        lines = (ROOT / relative).read_text(encoding="utf-8").count("\n")
        assert MAX_FILE < lines <= limit, f"{relative}: {lines} lines; mend or delete the exception"


def test_the_core_names_no_connector() -> None:
    names = [path.name.removeprefix("crmsync_") for path in CONNECTORS.iterdir() if path.is_dir()]
    guilty = []
    for path in sorted(CORE.rglob("*.py")):
        tree = tree_of(path)
        strings = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in strings:
            if id(node) not in documentation and node.value.lower() in names:
                guilty.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not guilty


def test_durable_rules_is_imported_in_one_module_at_most() -> None:
    users = [
        path.name
        for path in PATHS
        if any(
            module.split(".")[0] in {"durable", "durable_rules_engine"}
            for module, _ in imports_of(path)
        )
    ]
    assert len(users) <= 1
