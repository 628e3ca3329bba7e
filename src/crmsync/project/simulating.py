"""``simulate``: the same snapshot under two versions of the rules; nothing is written."""

from __future__ import annotations

import contextlib
import difflib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.explaining import mirrored_mapping
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.project.sharing import Shared, mirror_of
from crmsync.project.simulated import NEW, OLD, PEOPLE_OF, SimulateReport, Tally

GIT_TIMEOUT = 20


def simulate(
    project: Project, folder: Path, connection: ConnectionConfig, against: str
) -> SimulateReport:
    """Evaluate the published mirror under the ruleset as it is and as *against* has it.

    *against* is a ruleset folder, a rules file, or a git revision of the project.
    """
    after = load_rules(folder)
    with _other(folder, against) as other, project.store() as store:
        before = load_rules(other)
        changed = _changed_lines(other / "rules.yaml", folder / "rules.yaml")
        with mirror_of(project, connection.name) as mirror:
            shared, each = Shared(store, mirror), dict[str, tuple[str, ...]]()
            for where, rules, table in ((other, before, OLD), (folder, after, NEW)):
                mapping = mirrored_mapping(project, where, connection, rules)
                day = project.as_of(rules)
                people = Population(project, store, rules, mapping, connection.name, day)
                opened = OpenPopulation(people, shared)
                opened.place(table)
                each[table] = opened.people.count(PEOPLE_OF[table])
            tally = Tally(after, mirror, each)
            return SimulateReport(
                before=before,
                after=after,
                against=against,
                customers=tally.customers,
                matrix=tally.matrix,
                stage_matrix=tally.stages,
                tasks={name: count for name, count in tally.tasks.items() if count},
                owners=tally.owners,
                near=tally.near,
                guards=tally.guards(),
                examples=tally.examples,
                changed_lines=changed,
            )


@contextlib.contextmanager
def _other(folder: Path, against: str) -> Iterator[Path]:
    path = Path(against)
    if (path / "rules.yaml").is_file():
        yield path
        return
    if path.is_file():
        with tempfile.TemporaryDirectory(prefix="crmsync-file-") as temporary:
            target = Path(temporary) / folder.name
            shutil.copytree(folder, target)
            shutil.copyfile(path, target / "rules.yaml")
            yield target
        return
    with tempfile.TemporaryDirectory(prefix="crmsync-rev-") as temporary:
        target = Path(temporary) / folder.name
        listed = _git(folder, "ls-tree", "-r", "--name-only", against, "./")
        names = listed.decode("utf-8").splitlines()
        if "rules.yaml" not in names:
            raise _unknown(against)
        for name in names:
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_git(folder, "show", f"{against}:./{name}"))
        yield target


def _git(folder: Path, *words: str) -> bytes:
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
            zh=f"“{against}”不是规则文件夹或文件，也不是含有这套规则的 git 版本",
            en=f"“{against}” is no rules folder or file, and no git revision with this ruleset",
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
