"""The customers of a plan, one block each: what moves, from what to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.text import Text as Styled

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, pad, shortened, value_text
from crmsync.model.plan import (
    Direction,
    FieldDelta,
    PlanLine,
    RecordChange,
    Takeover,
    TaskClose,
    TaskCreate,
)
from crmsync.model.record import RecordRef
from crmsync.model.task import Priority
from crmsync.model.text import Text

MARKS = {
    Direction.FIRST: ("*", "cyan", Text(zh="首次定级", en="first assignment")),
    Direction.RISE: ("▲", "green", Text(zh="升级", en="rise")),
    Direction.FALL: ("▼", "red", Text(zh="降级", en="fall")),
    Direction.STAGE: ("•", "blue", Text(zh="仅生命周期", en="stage only")),
    Direction.OTHER: ("~", "yellow", Text(zh="修改", en="set")),
}
# How many customers of each kind a plan shows before "--all".
SAMPLE = 3
# What a reader looks for first; the other fields are written beside them.
LEADING = ("tier", "lifecycle")
# Columns are at least and (before "--all") at most this wide, so that blocks line up.
LABEL, BEFORE, AFTER = (12, 16), (12, 20), (12, 28)


@dataclass(slots=True)
class _Block:
    """Everything that happens to one customer."""

    ref: RecordRef
    name: str
    owner: str | None = None
    change: RecordChange | None = None
    takeover: Takeover | None = None
    tasks: list[TaskCreate | TaskClose] = field(default_factory=list)

    @property
    def direction(self) -> Direction:
        return self.change.direction if self.change else Direction.OTHER


def legend() -> Styled:
    """What the signs mean, printed every time."""
    signs = [(mark, color, words.to(LANG)) for mark, color, words in MARKS.values()]
    signs += [
        ("+", "green", say("新建任务", "new task")),
        ("-", "red", say("关闭任务", "close task")),
        ("!", "yellow", say("暂缓", "withheld")),
        ("▽", "magenta", say("即将降级", "about to fall")),
    ]
    line = Styled(say("图例", "Legend"))
    for mark, color, words in signs:
        line.append("   ").append(mark, style=color).append(f" {words}")
    return line


def customers(lines: Iterable[PlanLine], *, every: bool) -> Iterator[Styled]:
    """The customers of the plan: all of them, or a few of each kind and the count of the rest."""
    shown: dict[Direction, int] = {}
    left = 0
    for block in _blocks(lines):
        empty = block.takeover is None and not block.tasks
        if empty and block.change is not None and not block.change.fields:
            continue
        count = shown.get(block.direction, 0)
        if not every and count >= SAMPLE:
            left += 1
            continue
        shown[block.direction] = count + 1
        yield from _block(block, every=every)
        yield Styled("")
    if left:
        words = say(f"  … 其余 {left} 个客户用 --all 查看", f"  … {left} more customers: --all")
        yield Styled(words, style="dim")
        yield Styled("")


def _blocks(lines: Iterable[PlanLine]) -> Iterator[_Block]:
    """Group neighbouring lines of one customer: plans keep them together."""
    block: _Block | None = None
    for line in lines:
        if isinstance(line, RecordChange):
            ref, owner = line.ref, line.owner
        elif isinstance(line, TaskCreate | TaskClose):
            ref, owner = line.about, None
        elif isinstance(line, Takeover):
            ref, owner = line.ref, None
        else:
            continue
        if block is None or block.ref != ref:
            if block is not None:
                yield block
            block = _Block(ref, line.name, owner)
        if isinstance(line, RecordChange):
            block.change, block.owner = line, line.owner
        elif isinstance(line, Takeover):
            block.takeover = line
        else:
            block.tasks.append(line)
    if block is not None:
        yield block


def _block(block: _Block, *, every: bool) -> Iterator[Styled]:
    mark, color, _ = MARKS[block.direction]
    head = Styled("  ").append(mark, style=color)
    head.append(f" {clean(block.name)}", style="bold").append(f"  {block.ref.id}", style="dim")
    if block.owner:
        owner = clean(block.owner)
        head.append(say(f"  负责人 {owner}", f"  owner {owner}"), style="dim")
    yield head
    if block.takeover is not None:
        line = Styled("      ").append("⇐ ", style="cyan")
        word = (
            say("还回  ", "gives back  ") if block.takeover.back else say("接管  ", "takes over  ")
        )
        yield line.append(word).append(clean(block.takeover.text.to(LANG)), style="dim")
    if block.change is not None:
        yield from _fields(block.change, every=every)
        for note in block.change.notes:
            yield Styled(f"        {clean(note.to(LANG))}", style="dim")
    for task in block.tasks:
        yield _task(task)


def _fields(change: RecordChange, *, every: bool) -> Iterator[Styled]:
    """A row for each field; before ``--all`` only for those a reader looks for first."""
    rows = [delta for delta in change.fields if every or delta.role in LEADING]
    beside = [delta for delta in change.fields if delta not in rows]
    if not rows:
        rows, beside = beside, []
    texts = [_texts(delta, every=every) for delta in rows]
    widths = tuple(
        max(least, *(min(cells(text[column]), most) for text in texts))
        for column, (least, most) in enumerate((LABEL, BEFORE, AFTER))
        if texts
    )
    for delta, text in zip(rows, texts, strict=True):
        yield _row(delta, text, widths)
    if beside:
        names = say("、", ", ").join(delta.label.to(LANG) for delta in beside)
        line = Styled("      ").append("~ ", style="yellow")
        yield line.append(say(f"同时写入  {names}", f"also  {names}"), style="dim")


def _texts(delta: FieldDelta, *, every: bool) -> tuple[str, str, str]:
    before = clean(delta.before_label) if delta.before_label else value_text(delta.before)
    after = clean(delta.after_label) if delta.after_label else value_text(delta.after)
    if not every:
        before, after = shortened(before, BEFORE[1]), shortened(after, AFTER[1])
    return delta.label.to(LANG), before, after


def _row(delta: FieldDelta, text: tuple[str, str, str], widths: tuple[int, ...]) -> Styled:
    label, before, after = (pad(part, width) for part, width in zip(text, widths, strict=True))
    line = Styled("      ").append("~ ", style="yellow")
    line.append(label).append("  ")
    line.append(before, style="dim").append(" → ")
    line.append(after).append("  ")
    # The reason field holds the very sentences that stand beside the other rows.
    line.append(clean(delta.why.to(LANG)) if delta.role != "reason" else "", style="dim")
    line.rstrip()
    return line


def _task(task: TaskCreate | TaskClose) -> Styled:
    if isinstance(task, TaskCreate):
        line = Styled("      ").append("+ ", style="green")
        line.append(say("新建任务  ", "new task  ")).append(clean(task.title.to(LANG)))
        due = say(f"   {task.due:%m-%d} 到期", f"   due {task.due:%m-%d}")
        urgent = say("  高", "  high") if task.priority == Priority.HIGH else ""
        owner = f"   → {clean(task.owner)}" if task.owner else ""
        return line.append(due + urgent + owner, style="dim")
    line = Styled("      ")
    if task.reopen:
        line.append("+ ", style="green").append(say("重开任务  ", "reopen task  "))
    else:
        line.append("- ", style="red").append(say("关闭任务  ", "close task  "))
    return line.append(clean(task.text.to(LANG)), style="dim")
