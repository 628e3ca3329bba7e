"""The ready rulesets: inside the installed package, else the repository's own folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.model.text import Text


def rulesets_folder() -> Path:
    """Where the shipped rulesets lie; raises UsageError when the installation lacks them."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "rulesets", package.parents[1] / "rulesets"):
        if folder.is_dir():
            return folder
    raise UsageError(
        Text(zh="安装包里没有规则集文件夹", en="this installation holds no rulesets folder"),
        mend=Text(zh="请重新安装 crmsync", en="install crmsync again"),
    )


def shipped_rulesets() -> tuple[str, ...]:
    """The names of the ready rulesets."""
    return tuple(
        sorted(path.name for path in rulesets_folder().iterdir() if (path / "rules.yaml").is_file())
    )


def shipped_ruleset(name: str) -> Path:
    """The folder of one ready ruleset; raises UsageError with the nearest name."""
    names = shipped_rulesets()
    if name in names:
        return rulesets_folder() / name
    near = difflib.get_close_matches(name, names, n=1)
    known = ", ".join(names)
    raise UsageError(
        Text(zh=f"没有名为“{name}”的现成规则集", en=f"no ready ruleset is called “{name}”"),
        mend=Text(
            zh=f"是不是“{near[0]}”？" if near else f"可选：{known}",
            en=f"Did you mean “{near[0]}”?" if near else f"There are: {known}",
        ),
    )
