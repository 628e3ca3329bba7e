"""The table files of one ruleset folder: found, read once, and none from anywhere else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.rules.shape import Findings
from crmsync.source import Scalar, error
from crmsync.source.grid import SUFFIXES, Grid
from crmsync.source.grid_reading import read_grid


class Shelf:
    """Gives out the tables of *folder*; *shown* is what messages call that folder.

    Without a folder (rules read from text alone) every table is a finding.
    """

    def __init__(self, folder: Path | None, shown: str = "") -> None:
        self._folder = folder
        self._shown = shown
        self._read: dict[tuple[str, str | None], tuple[Grid | None, list[Diagnostic]]] = {}

    def again(self) -> Shelf:
        """The same folder as if nothing had been read from it yet."""
        return Shelf(self._folder, self._shown)

    def grid(self, file: Scalar, sheet: Scalar | None, findings: Findings) -> Grid | None:
        """The table *file* names, or ``None`` with findings; a file's own findings come once."""
        path = self._path(file, findings)
        if path is None:
            return None
        chosen = None if sheet is None else sheet.text
        key = (file.text, chosen)
        if key in self._read:
            return self._read[key][0]
        name = f"{self._shown}/{file.text}" if self._shown not in {"", "."} else file.text
        grid, found = read_grid(path, name, sheet=chosen)
        self._read[key] = (grid, found)
        if not path.exists():
            findings.add("TABLE001", file.span, *_absent(file.text, self._folder))
        else:
            findings.extend(found)
        return grid

    def _path(self, file: Scalar, findings: Findings) -> Path | None:
        written = PurePosixPath(file.text)
        outside = written.is_absolute() or ".." in written.parts or "\\" in file.text
        if self._folder is None or outside or ":" in file.text:
            _refuse(findings, file.span)
            return None
        if written.suffix.lower() not in SUFFIXES:
            findings.add(
                "TABLE001",
                file.span,
                Text(zh=f"“{file.text}”不是表格文件", en=f"“{file.text}” is no table file"),
                Text(zh="表格是 .csv 或 .xlsx 文件", en="Tables are .csv or .xlsx files."),
            )
            return None
        path = self._folder / written
        try:
            inside = path.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            _refuse(findings, file.span)
            return None
        return path


def _refuse(findings: Findings, span: Span) -> None:
    findings.all.append(
        error(
            "TABLE001",
            span,
            Text(
                zh="表格必须放在规则集文件夹里，路径写成 tables/名称.csv",
                en="a table lies inside the ruleset's folder and is named like tables/name.csv",
            ),
            Text(
                zh="不能用绝对路径、.. 或指向外面的链接",
                en="No absolute path, no .. and no link that leads outside.",
            ),
        )
    )


def _absent(name: str, folder: Path | None) -> tuple[Text, Text]:
    assert folder is not None
    present = sorted(
        path.relative_to(folder).as_posix()
        for suffix in SUFFIXES
        for path in folder.glob(f"tables/*{suffix}")
    )
    listed = ", ".join(present[:8]) or "–"
    return (
        Text(zh=f"规则集里没有表格 {name}", en=f"the ruleset has no table {name}"),
        Text(zh=f"现有：{listed}", en=f"There are: {listed}"),
    )
