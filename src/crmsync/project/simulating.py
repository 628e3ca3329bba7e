"""``simulate``: the same snapshot under two versions of the rules; nothing is written."""

from __future__ import annotations

import contextlib
import difflib
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.evaluate import SteadyRow
from crmsync.model.decision import Decision
from crmsync.model.guard import GuardLimit
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.evaluating import Population
from crmsync.project.explaining import mirrored_mapping
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.store import Store

EXAMPLES = 3
GIT_TIMEOUT = 20
NONE = "–"
_Placed: TypeAlias = Decision | SteadyRow
"""A customer under one version: decided, or standing where it stood."""


@dataclass(frozen=True, slots=True)
class SimulateReport:
    """Who moves under the edited rules. ``matrix`` counts (tier under the other, tier now)."""

    before: Ruleset
    after: Ruleset
    against: str
    customers: int
    matrix: Mapping[tuple[str, str], int]
    stages: Mapping[tuple[str, str], int]
    tasks: Mapping[str, int]
    """Task id → how many more (or fewer) would be opened."""
    examples: tuple[tuple[str, str, str, str, Decimal | None], ...]
    """id, name, tier under the other, tier now, score now."""
    changed_lines: tuple[tuple[int, str, str], ...]

    @property
    def moved(self) -> int:
        """Customers whose tier differs."""
        return sum(count for (old, new), count in self.matrix.items() if old != new)

    @property
    def guard(self) -> GuardLimit | None:
        """The ruleset's own limit on tier changes."""
        return next((item for item in self.after.guards if item.name == "tier_changes"), None)

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.after.id,
            "against": self.against,
            "customers": self.customers,
            "moved": self.moved,
            "tiers": [
                {"before": old, "after": new, "customers": count}
                for (old, new), count in self.matrix.items()
            ],
            "stages": [
                {"before": old, "after": new, "customers": count}
                for (old, new), count in self.stages.items()
            ],
            "tasks": dict(self.tasks),
        }


def simulate(
    project: Project, folder: Path, connection: ConnectionConfig, against: str
) -> SimulateReport:
    """Evaluate the published mirror under the ruleset as it is and as *against* has it.

    *against* is a folder or a git revision of the project.
    """
    after = load_rules(folder)
    with _other(folder, against) as other, project.store() as store:
        before = load_rules(other)
        changed = _changed_lines(other / "rules.yaml", folder / "rules.yaml")
        pairs = _paired(
            _places(project, store, other, connection, before),
            _places(project, store, folder, connection, after),
        )
        tally = _Tally()
        for old, new in pairs:
            tally.add(old, new)
    return SimulateReport(
        before=before,
        after=after,
        against=against,
        customers=tally.customers,
        matrix=dict(tally.matrix),
        stages=dict(tally.stages),
        tasks={name: count for name, count in sorted(tally.tasks.items()) if count},
        examples=tuple(tally.examples),
        changed_lines=changed,
    )


class _Tally:
    """Counts while two streams of decisions go by."""

    def __init__(self) -> None:
        self.customers = 0
        self.matrix: Counter[tuple[str, str]] = Counter()
        self.stages: Counter[tuple[str, str]] = Counter()
        self.tasks: Counter[str] = Counter()
        self.examples: list[tuple[str, str, str, str, Decimal | None]] = []

    def add(self, old: _Placed, new: _Placed) -> None:
        """One customer under both."""
        self.customers += 1
        tiers = _tier(old), _tier(new)
        self.matrix[tiers] += 1
        if tiers[0] != tiers[1] and len(self.examples) < EXAMPLES:
            self.examples.append((_id(new), _name(old, new), *tiers, _score(new)))
        stages = _stage(old), _stage(new)
        if stages[0] != stages[1]:
            self.stages[stages] += 1
        if isinstance(new, Decision):
            self.tasks.update(task.task_id for task in new.opens)
        if isinstance(old, Decision):
            self.tasks.subtract(task.task_id for task in old.opens)


def _paired(
    before: Iterator[_Placed], after: Iterator[_Placed]
) -> Iterator[tuple[_Placed, _Placed]]:
    """The customers in scope under both, by id."""
    old, new = next(before, None), next(after, None)
    while old is not None and new is not None:
        if _id(old) == _id(new):
            yield old, new
        behind = _id(old) <= _id(new)
        ahead = _id(new) <= _id(old)
        old = next(before, None) if behind else old
        new = next(after, None) if ahead else new


def _id(placed: _Placed) -> str:
    return placed.id if isinstance(placed, SteadyRow) else placed.ref.id


def _name(old: _Placed, new: _Placed) -> str:
    """The name of a customer decided under one of the two at least."""
    return next((item.name for item in (new, old) if isinstance(item, Decision)), "")


def _score(placed: _Placed) -> Decimal | None:
    if isinstance(placed, SteadyRow):
        return placed.score
    return placed.score.total if placed.score is not None else None


def _tier(placed: _Placed) -> str:
    if isinstance(placed, SteadyRow):
        return placed.tier or NONE
    return (placed.tier.after if placed.tier else None) or NONE


def _stage(placed: _Placed) -> str:
    if isinstance(placed, SteadyRow):
        return placed.stage or NONE
    return placed.lifecycle.after if placed.lifecycle else NONE


def _places(
    project: Project, store: Store, folder: Path, connection: ConnectionConfig, rules: Ruleset
) -> Iterator[_Placed]:
    mapping = mirrored_mapping(project, folder, connection, rules)
    people = Population(project, store, rules, mapping, connection.name, project.as_of(rules))
    with people.open() as opened:
        yield from opened.placed()


@contextlib.contextmanager
def _other(folder: Path, against: str) -> Iterator[Path]:
    path = Path(against)
    if (path / "rules.yaml").is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="crmsync-rev-") as temporary:
        target = Path(temporary) / folder.name
        names = _git(folder, "ls-tree", "-r", "--name-only", against, "./").splitlines()
        if "rules.yaml" not in names:
            raise _unknown(against)
        for name in names:
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_git_bytes(folder, "show", f"{against}:./{name}"))
        yield target


def _git(folder: Path, *words: str) -> str:
    return _git_bytes(folder, *words).decode("utf-8")


def _git_bytes(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - fixed program, words are never a shell's
            ["git", "-c", "core.quotePath=false", *words],  # noqa: S607 - found on PATH
            cwd=folder,
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise _unknown(words[-1].partition(":")[0] if ":" in words[-1] else words[-2]) from problem
    return done.stdout


def _unknown(against: str) -> UsageError:
    return UsageError(
        Text(
            zh=f"“{against}”既不是规则集文件夹，也不是含有这套规则的 git 版本",
            en=f"“{against}” is neither a ruleset folder nor a git revision with this ruleset",
        ),
        mend=Text(
            zh="提交一次规则文件夹再比较 HEAD，或指明另一个规则集文件夹",
            en="commit the rules folder and compare with HEAD, or name another ruleset folder",
        ),
    )


def _changed_lines(old: Path, new: Path) -> tuple[tuple[int, str, str], ...]:
    """Lines of the new file that differ: number, text before, text after."""
    before = old.read_text(encoding="utf-8").splitlines()
    after = new.read_text(encoding="utf-8").splitlines()
    rows: list[tuple[int, str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            continue
        for offset in range(max(b - a, d - c)):
            was = before[a + offset].strip() if a + offset < b else ""
            now = after[c + offset].strip() if c + offset < d else ""
            rows.append((c + offset + 1, was, now))
    return tuple(rows)
