"""The matrices of a ruleset as sheets people can edit, each cell knowing what it stands for.

Points, tier lines and service come from ``rules.yaml``, tables from their CSV files. A cell is
either fixed (an id, a label), or carries the place its text goes back to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crmsync.condition.scope import fold
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Lang, Text
from crmsync.rules.service import COLUMNS
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar
from crmsync.source import Sequence as SequenceNode
from crmsync.source.grid import Grid
from crmsync.source.grid_reading import read_grid


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar of ``rules.yaml``; *flow* when it stands between brackets or braces."""

    scalar: Scalar
    flow: bool


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A key a block does not have yet."""

    block: MappingNode
    key: str


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One cell; without a place it is not to be edited."""

    text: str
    place: Written | Unwritten | None = None


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A heading, and the words offered below it (any other text may be typed as well)."""

    heading: str
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One matrix. ``table`` is the CSV file whose rows it is: those may come and go."""

    name: str
    columns: tuple[SheetColumn, ...]
    rows: tuple[tuple[SheetCell, ...], ...]
    table: str = ""


_TIER = Text(zh="等级", en="Tiers")
_SCORE = Text(zh="评分", en="Points")
_SERVICE = Text(zh="服务标准", en="Service")


def sheets_of(folder: Path, node: MappingNode, ruleset: Ruleset, lang: Lang) -> list[Sheet]:
    """Every matrix of a ruleset that reads without errors, with headings in *lang*."""
    found = [_points(node, ruleset, lang), _levels(node, ruleset, lang)]
    found.append(_service(node, ruleset, lang))
    names = dict.fromkeys(file for file in _tables(node) if file.endswith(".csv"))
    grids = [(name, read_grid(folder / name, name)[0]) for name in names]
    found += [_table(name, grid, ruleset, lang) for name, grid in grids if grid is not None]
    return [sheet for sheet in found if sheet.rows]


def _points(node: MappingNode, ruleset: Ruleset, lang: Lang) -> Sheet:
    rows = [
        (SheetCell(id), SheetCell(label), SheetCell(key.text, Written(key, flow)), cell)
        for id, label, lines in _point_lines(node, ruleset, lang)
        for flow in (lines.flow,)
        for key, value in lines.entries
        if isinstance(value, Scalar)
        for cell in (SheetCell(value.text, Written(value, flow)),)
    ]
    headings = (
        Text(zh="评分项", en="Criterion"),
        Text(zh="名称", en="Label"),
        Text(zh="条件", en="Test"),
        Text(zh="分数", en="Points"),
    )
    columns = tuple(SheetColumn(item.to(lang)) for item in headings)
    return Sheet(_SCORE.to(lang), columns, tuple(rows))


def _point_lines(
    node: MappingNode, ruleset: Ruleset, lang: Lang
) -> Iterator[tuple[str, str, MappingNode]]:
    labels = {c.id: c.label.to(lang) for card in ruleset.scorecards for c in card.criteria}
    for criterion in _criteria(node):
        id = _text(criterion, "id")
        blocks: list[Node | None] = [criterion]
        for key in ("sum_of", "best_of", "average_of"):
            parts = criterion.get(key)
            blocks += parts.items if isinstance(parts, SequenceNode) else ()
        for block in blocks:
            for key in ("points", "scale"):
                lines = block.get(key) if isinstance(block, MappingNode) else None
                if isinstance(lines, MappingNode):
                    yield id, labels.get(id, id), lines


def _criteria(node: MappingNode) -> Iterator[MappingNode]:
    cards = node.get("scorecards")
    lists = [node.get("score")]
    if isinstance(cards, SequenceNode):
        lists += [card.get("score") for card in cards.items if isinstance(card, MappingNode)]
    for found in lists:
        if isinstance(found, SequenceNode):
            yield from (item for item in found.items if isinstance(item, MappingNode))


def _levels(node: MappingNode, ruleset: Ruleset, lang: Lang) -> Sheet:
    tier = node.get("tier")
    levels = tier.get("levels") if isinstance(tier, MappingNode) else None
    labels = {} if ruleset.tier is None else {i.id: i.label.to(lang) for i in ruleset.tier.levels}
    ranked = [] if ruleset.tier is None else [level.id for level in ruleset.tier.ranked]
    rows = []
    for level in levels.items if isinstance(levels, SequenceNode) else ():
        if not isinstance(level, MappingNode):
            continue
        id = _text(level, "id")
        lined = id in ranked[:-1]
        lines = [_cell(level, key) if lined else SheetCell("") for key in ("enter", "keep")]
        rows.append((SheetCell(id), SheetCell(labels.get(id, id)), *lines))
    headings = (
        Text(zh="等级", en="Tier"),
        Text(zh="名称", en="Label"),
        Text(zh="升级线", en="Enter"),
        Text(zh="保级线", en="Keep"),
    )
    if all(not cell.text for row in rows for cell in row[2:]):
        rows = []
    return Sheet(_TIER.to(lang), tuple(SheetColumn(i.to(lang)) for i in headings), tuple(rows))


def _service(node: MappingNode, ruleset: Ruleset, lang: Lang) -> Sheet:
    block = node.get("service")
    if not isinstance(block, MappingNode):
        return Sheet(_SERVICE.to(lang), (), ())
    lines = [
        (key.text, value)
        for key, value in block.entries
        if isinstance(value, MappingNode) and key.text != "columns"
    ]
    declared = block.get("columns")
    extra = declared.keys() if isinstance(declared, MappingNode) else ()
    names = [*COLUMNS, *(name for name in extra if name not in COLUMNS)]
    columns = [SheetColumn(Text(zh="等级", en="Tier").to(lang))]
    for name in names:
        column = COLUMNS.get(name)
        label = name if column is None else column.label.to(lang)
        offered = () if column is None or column.words is None else tuple(column.words)
        columns.append(SheetColumn(label, offered))
    rows = [(SheetCell(tier), *(_cell(line, name) for name in names)) for tier, line in lines]
    return Sheet(_SERVICE.to(lang), tuple(columns), tuple(rows))


def _cell(block: MappingNode, key: str) -> SheetCell:
    found = block.get(key)
    if found is None:
        return SheetCell("", Unwritten(block, key))
    if not isinstance(found, Scalar):
        return SheetCell("")
    return SheetCell(found.text, Written(found, block.flow))


def _text(block: MappingNode, key: str) -> str:
    found = block.get(key)
    return found.text if isinstance(found, Scalar) else ""


# ── tables ─────────────────────────────────────────────────────────────────────────────────────


def _tables(node: Node) -> Iterator[str]:
    """Every table file the rules name, in file order."""
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _tables(item)
    if isinstance(node, MappingNode):
        for key, value in node.entries:
            if key.text == "table" and isinstance(value, Scalar):
                yield value.text
            yield from _tables(value)


def _table(name: str, grid: Grid, ruleset: Ruleset, lang: Lang) -> Sheet:
    columns = tuple(
        SheetColumn(cell.text, _offered(cell.text, ruleset, lang)) for cell in grid.headings
    )
    rows = tuple(tuple(SheetCell(cell.text) for cell in row) for row in grid.rows)
    return Sheet(name.rpartition("/")[2].removesuffix(".csv")[:31], columns, rows, name)


_TIER_HEADINGS = frozenset({"tier", "等级", "客户等级", "level", "keep", "保级"})


def _offered(heading: str, ruleset: Ruleset, lang: Lang) -> tuple[str, ...]:
    word = fold(heading)
    for fact in ruleset.facts:
        if word in {fold(spelling) for spelling in (fact.id, *fact.label.all())}:
            return fact.choices
    if word in _TIER_HEADINGS and ruleset.tier is not None:
        return tuple(level.label.to(lang) for level in ruleset.tier.levels)
    if word in {"lifecycle", "stage", "生命周期", "阶段"} and ruleset.lifecycle is not None:
        return tuple(stage.label.to(lang) for stage in ruleset.lifecycle.stages)
    for name, column in COLUMNS.items():
        if word in {fold(name), *map(fold, column.label.all())} and column.words is not None:
            return tuple(column.words)
    return ()


# ── edits ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class CellEdit:
    """A new text for a cell that has a place."""

    cell: SheetCell
    text: str


def same_rows(rows: Sequence[Sequence[SheetCell]], texts: Sequence[Sequence[str]]) -> bool:
    """Whether a sheet still says what it said."""
    return [[cell.text for cell in row] for row in rows] == [list(row) for row in texts]
