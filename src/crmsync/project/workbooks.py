"""``fmt --to xlsx`` and ``fmt --from xlsx``: the matrices of a ruleset edited in a spreadsheet.

What comes back is put into the very places it came from, read as a whole and told in meaning; only
a ruleset that reads without errors is ever written.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crmsync.errors import RulesetError, UsageError
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Lang, Text
from crmsync.project.loading import load_rules
from crmsync.project.places import ruleset_folders
from crmsync.project.workbook_file import About, about_of, save, texts_of
from crmsync.rules import load
from crmsync.rules.differences import differences
from crmsync.rules.sheets import CellEdit, Sheet, sheets_of
from crmsync.rules.splicing import spliced
from crmsync.source import has_errors, read_file
from crmsync.source.grid_csv import CsvText, csv_bytes, csv_text, delimiter_of

RULES = "rules.yaml"


@dataclass(frozen=True, slots=True)
class WorkbookReport:
    """What a workbook would change, in words, and the files that hold it."""

    ruleset: str
    changes: tuple[Text, ...]
    files: tuple[Path, ...]
    written: bool


def to_workbook(ruleset: Path, target: Path, lang: Lang) -> Path:
    """Write the matrices of the ruleset in folder *ruleset* to *target*; never over a file."""
    rules = load_rules(ruleset)
    if target.exists():
        raise UsageError(
            Text(zh=f"{target.name} 已存在", en=f"{target.name} exists already"),
            mend=Text(zh="换一个名称：--output 文件", en="name another file: --output FILE"),
        )
    sheets = _sheets(ruleset, rules, lang)
    if not sheets:
        raise UsageError(
            Text(zh=f"规则集 {rules.id} 里没有表", en=f"ruleset {rules.id} has no matrix"),
            mend=None,
        )
    save(target, sheets, About(rules.id, rules.digest, lang))
    return target


def from_workbook(folder: Path, file: Path, *, write: bool) -> WorkbookReport:
    """What *file* changes in the ruleset of the project it was made of.

    Raises UsageError where it was made of another version or its fixed cells were changed, and
    RulesetError with every finding where the rules would not read any more.
    """
    about, data = about_of(file)
    ruleset, rules = _home(folder, about)
    sheets = _sheets(ruleset, rules, Lang(about.lang))
    edits: list[CellEdit] = []
    changed: dict[Path, bytes] = {}
    for sheet in sheets:
        texts = _even(texts_of(file, data, sheet.name), len(sheet.columns))
        _headings(sheet, texts, file)
        if sheet.table:
            rows = [[cell.text for cell in row] for row in sheet.rows]
            if rows != texts[1:]:
                changed[ruleset / sheet.table] = _csv(ruleset / sheet.table, texts)
        else:
            edits += _edits(sheet, texts[1:], file)
    path = ruleset / RULES
    if edits:
        text = path.read_bytes().decode("utf-8")
        changed[path] = spliced(text, edits).encode("utf-8")
    after = _after(ruleset, changed) if changed else rules
    if write:
        _replace(changed)
    files = tuple(sorted(changed))
    return WorkbookReport(rules.id, differences(rules, after), files, write and bool(changed))


def _sheets(ruleset: Path, rules: Ruleset, lang: Lang) -> list[Sheet]:
    node = read_file(ruleset / RULES).node
    assert node is not None  # it has just been read
    return sheets_of(ruleset, node, rules, lang)


def _home(folder: Path, about: About) -> tuple[Path, Ruleset]:
    """The folder of the ruleset a workbook was made of, unchanged since."""
    for ruleset in ruleset_folders(folder, ()):
        rules, _ = load(ruleset)
        if rules is None or rules.id != about.ruleset:
            continue
        if rules.digest != about.digest:
            raise UsageError(
                Text(
                    zh=f"规则集 {rules.id} 在工作簿写出之后改过，写回会冲掉这些改动",
                    en=f"ruleset {rules.id} has changed since the workbook was written; "
                    "reading it back would undo that",
                ),
                mend=Text(
                    zh="重新运行 crmsync fmt --to xlsx，在新的工作簿里改",
                    en="run crmsync fmt --to xlsx again and edit the new workbook",
                ),
            )
        return ruleset, rules
    raise UsageError(
        Text(
            zh=f"项目里没有可读的规则集 {about.ruleset}",
            en=f"the project has no readable ruleset {about.ruleset}",
        ),
        mend=Text(zh="用 --project 指明项目文件夹", en="name the project's folder with --project"),
    )


def _even(texts: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    rows = [[text.strip() for text in row] for row in texts]
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def _headings(sheet: Sheet, texts: Sequence[Sequence[str]], file: Path) -> None:
    if texts and list(texts[0]) == [column.heading for column in sheet.columns]:
        return
    raise _refused(file, sheet, Text(zh="第一行的标题被改过", en="its headings were changed"))


def _refused(file: Path, sheet: Sheet, why: Text) -> UsageError:
    return UsageError(
        Text(
            zh=f"{file.name} 的工作表“{sheet.name}”：{why.zh}",
            en=f"{file.name}, sheet “{sheet.name}”: {why.en}",
        ),
        mend=Text(
            zh="只改白色的单元格；增减行、改名称请在 rules.yaml 里做（CSV 表可以增减行）",
            en="change white cells only; add or remove rows and names in rules.yaml "
            "(tables in CSV may gain and lose rows)",
        ),
    )


def _edits(sheet: Sheet, texts: Sequence[Sequence[str]], file: Path) -> list[CellEdit]:
    if len(texts) != len(sheet.rows):
        count = f"{len(sheet.rows)} → {len(texts)}"
        words = Text(zh=f"行数变了（{count}）", en=f"the number of rows changed ({count})")
        raise _refused(file, sheet, words)
    edits: list[CellEdit] = []
    for number, (row, line) in enumerate(zip(sheet.rows, texts, strict=True), 2):
        for cell, text in zip(row, line, strict=True):
            if text == cell.text.strip():
                continue
            if cell.place is None or not text:
                words = Text(
                    zh=f"第 {number} 行的“{cell.text}”不能{'清空' if cell.place else '改'}",
                    en=f"“{cell.text}” in row {number} cannot be "
                    f"{'emptied' if cell.place else 'changed'}",
                )
                raise _refused(file, sheet, words)
            edits.append(CellEdit(cell, text))
    return edits


def _csv(path: Path, texts: Sequence[Sequence[str]]) -> bytes:
    """The rows in the file's own encoding, with its own delimiter and line breaks."""
    old = csv_text(path.name, path.read_bytes())
    ending = "\r\n" if "\r\n" in old.text else "\n"
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter_of(old.text), lineterminator=ending).writerows(texts)
    return csv_bytes(CsvText(out.getvalue(), old.encoding))


def _after(ruleset: Path, changed: dict[Path, bytes]) -> Ruleset:
    """The ruleset with the changed files in place, read in a copy of its folder."""
    with tempfile.TemporaryDirectory(prefix="crmsync-fmt-") as temporary:
        copy = Path(temporary) / ruleset.name
        shutil.copytree(ruleset, copy, symlinks=True)
        for path, data in changed.items():
            (copy / path.relative_to(ruleset)).write_bytes(data)
        after, findings = load(copy, name=RULES)
    if after is None or has_errors(findings):
        raise RulesetError(
            Text(
                zh=f"改动后规则集 {ruleset.name} 读不通",
                en=f"with these changes ruleset {ruleset.name} does not read",
            ),
            mend=None,
            diagnostics=findings,
        )
    return after


def _replace(changed: dict[Path, bytes]) -> None:
    for path, data in changed.items():
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(data)
        new.replace(path)
