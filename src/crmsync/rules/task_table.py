"""Tasks from a table: every row is a task rule, its keys the columns, its condition the inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crmsync.model.condition import All, AnyOf, Condition, Not
from crmsync.model.table import LISTING, SINGLE, HitPolicy
from crmsync.model.task import Priority, TaskRule
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block
from crmsync.rules.table_atoms import Absence
from crmsync.rules.table_columns import Output
from crmsync.rules.table_lints import lint_table
from crmsync.rules.tables import KEYS, DecisionTable, Row, Wanted, read_table
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, Style

_PRIORITIES = {
    "高": "high",
    "中": "normal",
    "普通": "normal",
    "低": "low",
}
_RANKS = {item.value: rank for rank, item in enumerate(Priority)}


def _priority(text: str) -> str:
    return _PRIORITIES.get(text.strip(), text)


OUTPUTS = (
    Output("id", Text(zh="任务", en="task")),
    Output("title", Text(zh="标题", en="title")),
    Output("event", Text(zh="事件", en="event")),
    Output("owner", Text(zh="负责人", en="owner")),
    Output("fallback_owner", Text(zh="备用负责人", en="fallback owner")),
    Output("due", Text(zh="期限", en="due")),
    Output("priority", Text(zh="优先级", en="priority"), written=_priority),
    Output("once_per", Text(zh="每次", en="once per")),
    Output("via", Text(zh="渠道", en="via")),
)
"""The keys of a task that may head a column; every other heading is an input."""

_ABSENCE = Absence(stops=True)
"""A row waits while it is not known whether an earlier one fits."""

_WANTED = Wanted(
    of=Text(zh="任务", en="a table of tasks"),
    outputs=OUTPUTS,
    policies=(*(item for item in HitPolicy if item in SINGLE | LISTING),),
    why_not=Text(zh="任务不能合成一个数", en="tasks do not add up to a number"),
    inputs_needed=False,
)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One row as the task block it stands for, and the condition its inputs make.

    ``again``: an earlier row of the table has the same id; at most one of them can fire.
    """

    node: MappingNode
    when: Condition | None
    again: bool = False

    def under(self, task: TaskRule) -> TaskRule:
        """*task* with the row's condition beside its own."""
        if self.when is None:
            return task
        both = self.when if task.when is None else All((task.when, self.when), self.when.span)
        return replace(task, when=both)


def is_table(node: Node) -> bool:
    """Whether an entry of the task list is a table."""
    return isinstance(node, MappingNode) and node.get("table") is not None


def task_rows(node: MappingNode, language: Language) -> Iterator[TaskRow]:
    """The rows of one ``table:`` entry; keys beside it hold for every row that lacks the column."""
    block = Block(node, language.findings, languages=language.languages)
    table = read_table(block, language, _WANTED)
    if table is None:
        return
    for part in _by_event(table):
        language.findings.extend(
            lint_table(part, language, gaps=None, order=_order(part), absence=_ABSENCE)
        )
    if not table.hit.single and not _named(table, node, language):
        return
    earlier: dict[str, list[Row]] = {}
    ids: set[tuple[str, str]] = set()
    for row in (table.rows[number] for number in _order(table)):
        event = _event(row)
        before = earlier.setdefault(event, [])
        entry = _entry(node, row)
        name = entry.get("id")
        key = (event, name.text if isinstance(name, Scalar) else "")
        known = key in ids
        ids.add(key)
        yield TaskRow(entry, _when(table, row, before), again=known and table.hit.single)
        before.append(row)


def _event(row: Row) -> str:
    return row.outputs["event"].text if "event" in row.outputs else ""


def _by_event(table: DecisionTable) -> Iterator[DecisionTable]:
    """The rows of each event as a table of their own: rows of several never meet."""
    for event in dict.fromkeys(map(_event, table.rows)):
        yield replace(table, rows=tuple(row for row in table.rows if _event(row) == event))


def _order(table: DecisionTable) -> tuple[int, ...]:
    return table.deciding([_rank(row) for row in table.rows])


def _rank(row: Row) -> int:
    found = row.outputs.get("priority")
    return _RANKS.get("normal" if found is None else found.text, len(_RANKS))


def _when(table: DecisionTable, row: Row, before: list[Row]) -> Condition | None:
    """The row's own tests and, where only one row may count, none of the rows before it."""
    own = None if row.anything else row.when
    if not table.hit.single or table.hit is HitPolicy.UNIQUE or not before:
        return own
    others = Not(AnyOf(tuple(item.when for item in before), row.span), row.span)
    return others if own is None else All((own, others), row.span)


def _entry(node: MappingNode, row: Row) -> MappingNode:
    """The task block a row stands for."""
    shared = [
        (key, value)
        for key, value in node.entries
        if key.text not in KEYS and key.text not in row.outputs
    ]
    own = [
        (Scalar(key, key, Style.PLAIN, value.span, value.span), value)
        for key, value in row.outputs.items()
    ]
    return MappingNode((*shared, *own), row.span)


def _named(table: DecisionTable, node: MappingNode, language: Language) -> bool:
    """Where several rows may fire at once, each must be a task of its own."""
    names = [row.outputs["id"].text for row in table.rows if "id" in row.outputs]
    if len(names) == len(table.rows) and len(set(names)) == len(names):
        return True
    if len(table.rows) == 1 and node.get("id") is not None:
        return True
    language.findings.add(
        "TABLE008",
        table.headings[0] if table.headings else table.span,
        Text(
            zh=f"命中策略“{table.hit.value}”会让几行同时生效：每行要有自己的任务 id",
            en=f"with the hit policy “{table.hit.value}” several rows may fire: each needs an id "
            "of its own",
        ),
        Text(zh="加一列“id”（任务），或改用 hit: first", en="Add a column “id”, or hit: first."),
    )
    return False
