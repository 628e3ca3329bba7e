"""Decision tables: input columns typed by their facts, output columns, rows and a hit policy.

Every block that is a matrix reads its table here and makes its own rules of the rows, so that a
table means exactly what the same conditions written by hand would mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crmsync.condition import ScopeName
from crmsync.condition.cells import ANYTHING
from crmsync.model.condition import All, Condition, Known, Missing, Name
from crmsync.model.position import Span
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text
from crmsync.rules.hits import ordered
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings
from crmsync.rules.table_cells import cell_test, handles_missing
from crmsync.rules.table_columns import Output, columns_of
from crmsync.source import Scalar, Style
from crmsync.source.grid import Cell, Grid
from crmsync.source.scalars import plain_value

MAX_TESTS = 8_000
"""Cells of one table that ask something."""

KEYS = ("table", "hit", "sheet")
_LETTERS = {
    "U": HitPolicy.UNIQUE,
    "F": HitPolicy.FIRST,
    "A": HitPolicy.ANY,
    "P": HitPolicy.PRIORITY,
    "O": HitPolicy.OUTPUT_ORDER,
    "R": HitPolicy.RULE_ORDER,
    "C": HitPolicy.COLLECT,
    "C+": HitPolicy.COLLECT_SUM,
    "C<": HitPolicy.COLLECT_MIN,
    "C>": HitPolicy.COLLECT_MAX,
    "C#": HitPolicy.COLLECT_COUNT,
}
_CHINESE = {
    "唯一": HitPolicy.UNIQUE,
    "首个": HitPolicy.FIRST,
    "首行": HitPolicy.FIRST,
    "任意": HitPolicy.ANY,
    "优先级": HitPolicy.PRIORITY,
    "输出顺序": HitPolicy.OUTPUT_ORDER,
    "规则顺序": HitPolicy.RULE_ORDER,
    "收集": HitPolicy.COLLECT,
    "收集求和": HitPolicy.COLLECT_SUM,
    "收集最小": HitPolicy.COLLECT_MIN,
    "收集最大": HitPolicy.COLLECT_MAX,
    "收集计数": HitPolicy.COLLECT_COUNT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a block expects of its table: its outputs, and the hit policies that make sense.

    ``of`` names the block in messages; ``why_not`` says why other policies do not fit it.
    """

    of: Text
    outputs: tuple[Output, ...]
    policies: tuple[HitPolicy, ...]
    why_not: Text
    inputs_needed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a test per input column (``None``: any value) and its outputs that are not empty.

    ``number`` is the row as a spreadsheet counts it, ``text`` what people read of its inputs.
    """

    tests: tuple[Condition | None, ...]
    outputs: Mapping[str, Scalar]
    span: Span
    number: int
    text: str

    @property
    def when(self) -> Condition:
        """All of its tests; always true for a row that takes anything."""
        tests = tuple(test for test in self.tests if test is not None)
        return tests[0] if len(tests) == 1 else All(tests, self.span)

    @property
    def anything(self) -> bool:
        """Whether it fits everybody."""
        return all(test is None for test in self.tests)


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A table, typed. ``span`` is the place of its ``table:`` line."""

    file: str
    hit: HitPolicy
    inputs: tuple[ScopeName, ...]
    rows: tuple[Row, ...]
    span: Span = field(compare=False)
    headings: tuple[Span, ...] = field(default=(), compare=False)

    def said(self, first: int, second: int) -> bool:
        """Whether two rows have the same outputs."""
        one, other = self.rows[first].outputs, self.rows[second].outputs
        return {k: v.text for k, v in one.items()} == {k: v.text for k, v in other.items()}

    def deciding(self, ranks: Sequence[int]) -> tuple[int, ...]:
        """The numbers of the rows in the order in which the first that fits decides; *ranks* of
        their outputs."""
        return ordered(self.hit, len(self.rows), lambda number: ranks[number])


def read_table(block: Block, language: Language, wanted: Wanted) -> DecisionTable | None:
    """The table a block names under ``table:``, with ``hit:`` (default: first) and ``sheet:``.

    Input columns are headed by the id or a label of a name in the language's scope, outputs by
    their key or a label; a column headed 备注 or remark is for people. ``None`` with findings when
    anything in it cannot be read; every cell is looked at first.
    """
    findings = language.findings
    file = block.scalar("table", required=True)
    sheet = block.scalar("sheet")
    hit = _hit(block, wanted)
    if file is None:
        return None
    grid = language.shelf.grid(file, sheet, findings)
    if grid is None or hit is None:
        return None
    return typed_table(grid, language, wanted, hit=hit, span=file.span)


def typed_table(
    grid: Grid, language: Language, wanted: Wanted, *, hit: HitPolicy, span: Span
) -> DecisionTable | None:
    """A grid of cells as a decision table; see `read_table`."""
    findings = language.findings
    before = len(findings.all)
    columns = columns_of(grid, language.scope, wanted.outputs, findings)
    inputs = [(at, name) for at, name in columns.inputs.items()]
    if not inputs and wanted.inputs_needed and len(findings.all) == before:
        findings.add(
            "TABLE005",
            grid.headings[0].span,
            Text(
                zh=f"{grid.name} 没有输入列：至少一列的标题要是事实",
                en=f"{grid.name} has no input column: at least one heading must name a fact",
            ),
            Text(
                zh="把一列的标题写成事实的名称", en="Write a fact's name at the head of a column."
            ),
        )
    if not _bearable(grid, inputs, findings):
        return None
    tests = _tests(grid, inputs, language)
    rows = [
        Row(
            tests=tuple(tests[at][number] for at, _ in inputs),
            outputs=_outputs(cells, columns.outputs, wanted.outputs, findings),
            span=cells[0].span,
            number=_row_number(cells[0]),
            text=_text(cells, inputs),
        )
        for number, cells in enumerate(grid.rows)
    ]
    if not rows:
        findings.add(
            "TABLE009",
            grid.headings[0].span,
            Text(zh="标题下面没有一行", en="there is no row below the headings"),
            Text(zh="写上至少一行", en="Write at least one row."),
        )
    if len(findings.all) != before:
        return None
    names = tuple(name for _, name in inputs)
    headings = tuple(grid.headings[at].span for at, _ in inputs)
    return DecisionTable(grid.name, hit, names, tuple(rows), span, headings)


def _bearable(grid: Grid, inputs: Sequence[tuple[int, ScopeName]], findings: Findings) -> bool:
    """Whether not more cells ask something than can be read while a person waits."""
    asking = sum(row[at].text.strip() not in ANYTHING for row in grid.rows for at, _ in inputs)
    if asking > MAX_TESTS:
        findings.add(
            "TABLE001",
            grid.headings[0].span,
            Text(
                zh=f"{grid.name} 有 {asking} 格条件，上限 {MAX_TESTS}",
                en=f"{asking} cells of {grid.name} ask something; the limit is {MAX_TESTS}",
            ),
            Text(zh="拆成几张表", en="Make it several tables."),
        )
    return asking <= MAX_TESTS


def _hit(block: Block, wanted: Wanted) -> HitPolicy | None:
    found = block.scalar("hit")
    if found is None:
        return HitPolicy.FIRST
    word = " ".join(found.text.replace("(", " ").replace(")", " ").split())
    close = word.upper().replace(" ", "").replace("（", "").replace("）", "")
    policy = _LETTERS.get(close) or _CHINESE.get(close)
    if policy is None and word.casefold() in set(HitPolicy):
        policy = HitPolicy(word.casefold())
    if policy is None:
        block.findings.unknown(
            "TABLE007",
            found.span,
            Text(zh=f"没有命中策略“{found.text}”", en=f"there is no hit policy “{found.text}”"),
            found.text,
            [*(item.value for item in HitPolicy), *_CHINESE],
        )
        return None
    if policy not in wanted.policies:
        listed = [item.value for item in wanted.policies]
        block.findings.add(
            "TABLE007",
            found.span,
            Text(
                zh=f"{wanted.of.zh}不能用命中策略“{policy.value}”：{wanted.why_not.zh}",
                en=f"{wanted.of.en} cannot use the hit policy “{policy.value}”: "
                f"{wanted.why_not.en}",
            ),
            Text(zh=f"可用：{'、'.join(listed)}", en=f"One of {', '.join(listed)}."),
        )
        return None
    return policy


def _tests(
    grid: Grid, inputs: Sequence[tuple[int, ScopeName]], language: Language
) -> dict[int, list[Condition | None]]:
    """The tests of every input column. A column in which some cell asks for ``null`` takes a
    missing value for a value: its other cells are false then, not unknown."""
    found: dict[int, list[Condition | None]] = {}
    for at, name in inputs:
        operand = Name(name.id, name.type, grid.headings[at].span)
        column = [cell_test(row[at], name, operand, language) for row in grid.rows]
        if any(handles_missing(test) for test in column):
            column = [_when_known(test, operand) for test in column]
        found[at] = column
    return found


def _when_known(test: Condition | None, operand: Name) -> Condition | None:
    if test is None or isinstance(test, Missing | Known):
        return test
    return All((Known(operand, test.span), test), test.span)


def _outputs(
    cells: tuple[Cell, ...],
    columns: Mapping[int, Output],
    wanted: tuple[Output, ...],
    findings: Findings,
) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for at, output in columns.items():
        cell = cells[at]
        if cell.text.strip() not in {"", "-", "－", "–"}:
            found[output.key] = scalar_of(cell, output.written(cells[at].text))
        elif output.required:
            findings.add(
                "TABLE008",
                cell.span,
                Text(zh=f"这里要写{output.label.zh}", en=f"{output.label.en} must be written here"),
                Text(zh="填上这一格", en="Fill in the cell."),
            )
    return found


def scalar_of(cell: Cell, text: str | None = None) -> Scalar:
    """A cell as the plain scalar a rule file would hold in its place."""
    written = (cell.text if text is None else text).strip()
    return Scalar(written, plain_value(written), Style.PLAIN, cell.span, cell.span)


def _row_number(cell: Cell) -> int:
    digits = "".join(char for char in cell.span.cell.rpartition("!")[2] if char.isdigit())
    return int(digits or cell.span.line)


def _text(cells: tuple[Cell, ...], inputs: Sequence[tuple[int, ScopeName]]) -> str:
    words = [" ".join(cells[at].text.split()) or "-" for at, _ in inputs]
    return " · ".join(words)
