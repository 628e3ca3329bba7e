"""Small rulesets with tables: the sound one, a criterion or block of it taken from a file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.rules.writing import load_text, sound

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import PointsMatrix

POINTS = "    points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}\n"
SERVICE = """\
  vip: {manager: dedicated, answer_within: 20 s, answer_target: 90%, visit_every: 1 month}
  key: {manager: shared, queue: normal, callback_within: 24 hours}
  basic: {manager: none, queue: normal}
  blocked: {manager: none, queue: last}
"""


def put(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / "tables" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def with_points(
    folder: Path, table: str | bytes, hit: str = "first", name: str = "f.csv", more: str = ""
) -> tuple[Ruleset | None, list[Diagnostic]]:
    """The criterion ``frequency`` from a table."""
    put(folder, name, table)
    lines = f"    table: tables/{name}\n    hit: {hit}\n{more}"
    text = sound((POINTS, lines))
    return load_text(folder, text.replace("    of: orders_12m\n", "", 1))


def matrix(folder: Path, table: str, hit: str = "first", name: str = "f.csv") -> PointsMatrix:
    """The points of that criterion; there must be no error."""
    ruleset, findings = with_points(folder, table, hit, name)
    assert ruleset is not None, findings
    points = ruleset.scorecards[0].criteria[0].points
    assert isinstance(points, PointsMatrix)
    return points


def with_service(
    folder: Path, table: str, hit: str = "first", name: str = "service.csv"
) -> tuple[Ruleset | None, list[Diagnostic]]:
    """The service block from a table."""
    put(folder, name, table)
    return load_text(folder, sound((SERVICE, f"  table: tables/{name}\n  hit: {hit}\n")))


def with_tasks(folder: Path, tasks: str, table: str) -> tuple[Ruleset | None, list[Diagnostic]]:
    """The task ``call`` replaced by *tasks*, which names ``tables/t.csv``."""
    put(folder, "t.csv", table)
    text = sound()
    begin, end = text.index("  - id: call\n"), text.index("  - id: ask\n")
    return load_text(folder, text[:begin] + tasks + text[end:])


def codes(findings: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(item.code, str(item.span)) for item in findings]
