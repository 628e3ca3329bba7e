"""Adds cases to ``rules.test.yaml``, and takes them back when the file would not read well."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.rules import load_cases
from crmsync.rules.cases import CASES_FILE
from crmsync.source import Mapping, Sequence, has_errors, read_file


def add_cases(folder: Path, rules: Ruleset, text: str, today: date) -> Path:
    """Put the lines of *text* (made by `case_text`) at the end of the ruleset's cases.

    A file is made where there is none. Raises UsageError, and changes nothing, where ``cases`` is
    not the last block of the file.
    """
    path = folder / CASES_FILE
    if not path.exists():
        old = f"ruleset: {rules.id}\ntoday: {today}\ncases:\n"
        indent = 2
    else:
        old = path.read_text(encoding="utf-8")
        indent = _indent(path)
    body = "".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in text.splitlines())
    new = path.with_name(f".{path.name}.new")
    new.write_text(old.rstrip("\n") + "\n" + body, encoding="utf-8")
    try:
        _, problems = load_cases(folder, rules, name=str(new), path=new)
        if has_errors(problems):
            raise UsageError(
                Text(zh="加入用例后文件读不通", en="with these cases the file would not read"),
                mend=Text(zh="请手工粘贴并修改", en="paste the text by hand and mend it"),
            )
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return path


def _indent(path: Path) -> int:
    node = read_file(path).node
    last = node.entries[-1] if node is not None and node.entries else None
    if last is None or last[0].text != "cases" or not isinstance(last[1], Sequence):
        raise UsageError(
            Text(zh=f"{path.name} 的最后一块不是 cases", en=f"cases is not last in {path.name}"),
            mend=Text(zh="去掉 --write，手工粘贴", en="leave --write out and paste by hand"),
        )
    items = last[1].items
    inner = items[-1] if items else None
    return inner.span.column - 3 if isinstance(inner, Mapping) else 2
