"""Which ruleset folders a verb is about."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.model.text import Text


def ruleset_folders(folder: Path, asked: Sequence[Path]) -> tuple[Path, ...]:
    """The folders *asked* for, else every ``rulesets/*/`` of the project, else *folder* itself."""
    if asked:
        return tuple(_ruleset(path, folder) for path in asked)
    inside = sorted((folder / "rulesets").glob("*"))
    found = tuple(path for path in inside if os.path.lexists(path / "rules.yaml"))
    if found:
        return found
    if os.path.lexists(folder / "rules.yaml"):
        return (folder,)
    raise UsageError(
        Text(zh=f"{folder} 里没有规则集", en=f"{folder} holds no ruleset"),
        mend=Text(
            zh="指明规则集文件夹，或用 crmsync init 新建项目",
            en="name a ruleset folder, or make a project with crmsync init",
        ),
    )


def _ruleset(path: Path, folder: Path) -> Path:
    for candidate in (path, folder / path, folder / "rulesets" / path):
        if candidate.is_dir() and os.path.lexists(candidate / "rules.yaml"):
            return candidate
        if candidate.name == "rules.yaml" and os.path.lexists(candidate):
            return candidate.parent
    raise UsageError(
        Text(zh=f"{path} 不是规则集文件夹", en=f"{path} is no ruleset folder"),
        mend=Text(zh="规则集文件夹里要有 rules.yaml", en="a ruleset folder holds a rules.yaml"),
    )
