"""What each column of a table is: an input headed by a fact, an output, or a note for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crmsync.condition import Scope, ScopeName
from crmsync.condition.scope import fold
from crmsync.model.diagnostic import Label
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.rules.shape import Findings
from crmsync.source.grid import Cell, Grid

_STATE = {
    "客户等级": "tier",
    "客户级别": "tier",
    "level": "tier",
    "阶段": "lifecycle",
    "生命周期阶段": "lifecycle",
    "客户阶段": "lifecycle",
    "stage": "lifecycle",
}
"""What people call the tier and the stage in a heading, where no fact has that name."""
REMARKS = frozenset({"备注", "说明", "remark", "remarks", "note", "notes"})


def _as_written(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Output:
    """One output: its key, what people head its column with, and whether a row may leave it out.

    ``also``: further headings, each with a suffix its bare cells are read with (``接通秒数`` holds
    numbers of seconds).
    """

    key: str
    label: Text
    required: bool = False
    also: tuple[str, ...] = ()
    written: Callable[[str], str] = _as_written

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every heading it goes by."""
        return tuple(dict.fromkeys((self.key, *self.label.all(), *self.also)))


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns by their number, from 0."""

    inputs: Mapping[int, ScopeName]
    outputs: Mapping[int, Output]


def columns_of(
    grid: Grid, scope: Scope, outputs: tuple[Output, ...], findings: Findings
) -> Columns:
    """Finds out what the headings mean; unknown, empty and repeated ones are findings."""
    by_heading = {fold(word): output for output in outputs for word in output.spellings}
    inputs: dict[int, ScopeName] = {}
    found: dict[int, Output] = {}
    first: dict[str, Span] = {}
    for number, heading in enumerate(grid.headings):
        word = " ".join(heading.text.split())
        if not word:
            _unnamed(heading, findings)
            continue
        output, names = by_heading.get(fold(word)), scope.named(word)
        state = scope.find(_STATE.get(fold(word), ""))
        if not names and state is not None:
            names = (state,)
        key = "" if output is None else output.key
        if output is not None:
            found[number] = output
        elif len(names) == 1:
            inputs[number], key = names[0], f"input {names[0].id}"
        elif not names and fold(word) in REMARKS:
            continue
        else:
            _unknown(heading, word, names, (scope, outputs), findings)
            continue
        _once(first, key, heading, findings)
    present = {output.key for output in found.values()}
    for output in outputs:
        if output.required and output.key not in present:
            _lacking(grid, output, findings)
    return Columns(inputs, found)


def _unnamed(heading: Cell, findings: Findings) -> None:
    findings.add(
        "TABLE005",
        heading.span,
        Text(zh="这一列没有标题", en="this column has no heading"),
        Text(zh="写上事实或输出的名称", en="Name a fact or an output."),
    )


def _once(first: dict[str, Span], key: str, heading: Cell, findings: Findings) -> None:
    before = first.setdefault(key, heading.span)
    if before is not heading.span:
        findings.add(
            "TABLE005",
            heading.span,
            Text(zh=f"“{heading.text}”有两列", en=f"“{heading.text}” heads two columns"),
            Text(zh="去掉或改名其中一列", en="Drop or rename one of them."),
            labels=(Label(before, Text(zh="第一列", en="the first one")),),
        )


def _unknown(
    heading: Cell,
    word: str,
    names: tuple[ScopeName, ...],
    known: tuple[Scope, tuple[Output, ...]],
    findings: Findings,
) -> None:
    scope, outputs = known
    if names:
        listed = "、".join(name.id for name in names)
        findings.add(
            "TABLE005",
            heading.span,
            Text(
                zh=f"“{word}”是几个事实的名称：{listed}",
                en=f"“{word}” names several facts: {listed}",
            ),
            Text(zh="标题写事实的 id", en="Head the column with the fact's id."),
        )
        return
    spellings = [*(word for output in outputs for word in output.spellings), *scope.spellings()]
    findings.unknown(
        "TABLE005",
        heading.span,
        Text(
            zh=f"标题“{word}”既不是事实，也不是这张表的输出",
            en=f"the heading “{word}” is neither a fact nor an output of this table",
        ),
        word,
        spellings,
    )


def _lacking(grid: Grid, output: Output, findings: Findings) -> None:
    findings.add(
        "TABLE008",
        grid.headings[0].span,
        Text(
            zh=f"{grid.name} 缺少“{output.label.zh}”（{output.key}）列",
            en=f"{grid.name} has no column “{output.key}” ({output.label.en})",
        ),
        Text(zh="加上这一列", en="Add the column."),
    )
