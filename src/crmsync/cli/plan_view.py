"""A plan as a person reads it: legend, customers, tiers before and after, one summary line last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from rich.text import Text as Styled

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import bar, cells, clean, pad, right, table, value_text
from crmsync.model.plan import (
    Direction,
    FieldDelta,
    GuardResult,
    PlanHeader,
    PlanKind,
    PlanLine,
    RecordChange,
    TaskClose,
    TaskCreate,
    Withheld,
)
from crmsync.model.record import RecordRef

MARKS = {
    Direction.FIRST: ("*", "cyan"),
    Direction.RISE: ("▲", "green"),
    Direction.FALL: ("▼", "red"),
    Direction.STAGE: ("•", "blue"),
    Direction.OTHER: ("~", "yellow"),
}
# How many customers of each kind a plan shows before "--all".
SAMPLE = 3


@dataclass(slots=True)
class _Block:
    """Everything that happens to one customer."""

    ref: RecordRef
    name: str
    owner: str | None = None
    change: RecordChange | None = None
    tasks: list[TaskCreate | TaskClose] = field(default_factory=list)

    @property
    def direction(self) -> Direction:
        return self.change.direction if self.change else Direction.OTHER


def legend() -> Styled:
    """What the signs mean, printed every time."""
    line = Styled(say("图例   ", "Legend   "))
    for mark, color, words in (
        ("*", "cyan", say("首次定级", "first assignment")),
        ("▲", "green", say("升级", "rise")),
        ("▼", "red", say("降级", "fall")),
        ("•", "blue", say("仅生命周期", "stage only")),
        ("~", "yellow", say("修改", "set")),
        ("+", "green", say("新建任务", "new task")),
        ("-", "red", say("关闭任务", "close task")),
    ):
        line.append(mark, style=color).append(f" {words}   ")
    return line


def customers(lines: Iterable[PlanLine], *, every: bool) -> Iterator[Styled]:
    """The customers of the plan: all of them, or a few of each kind and the count of the rest."""
    shown: dict[Direction, int] = {}
    left = 0
    for block in _blocks(lines):
        if block.change is not None and not block.change.fields and not block.tasks:
            continue
        count = shown.get(block.direction, 0)
        if not every and count >= SAMPLE:
            left += 1
            continue
        shown[block.direction] = count + 1
        yield from _block(block)
    if left:
        yield Styled(
            say(f"  … 其余 {left} 个客户用 --all 查看", f"  … {left} more customers: --all"),
            style="dim",
        )


def _blocks(lines: Iterable[PlanLine]) -> Iterator[_Block]:
    """Group neighbouring lines of one customer: plans keep them together."""
    block: _Block | None = None
    for line in lines:
        if isinstance(line, RecordChange):
            ref, owner = line.ref, line.owner
        elif isinstance(line, TaskCreate | TaskClose):
            ref, owner = line.about, None
        else:
            continue
        if block is None or block.ref != ref:
            if block is not None:
                yield block
            block = _Block(ref, line.name, owner)
        if isinstance(line, RecordChange):
            block.change = line
        else:
            block.tasks.append(line)
    if block is not None:
        yield block


def _block(block: _Block) -> Iterator[Styled]:
    mark, color = MARKS[block.direction]
    head = Styled("  ").append(mark, style=color)
    head.append(f" {clean(block.name)}", style="bold").append(f"  {block.ref.id}", style="dim")
    if block.owner:
        head.append(
            say(f"  负责人 {clean(block.owner)}", f"  owner {clean(block.owner)}"), style="dim"
        )
    yield head
    if block.change is not None:
        deltas = block.change.fields
        width = max((cells(delta.label.to(LANG)) for delta in deltas), default=0)
        before = max((cells(_before(delta)) for delta in deltas), default=0)
        after = max((cells(_after(delta)) for delta in deltas), default=0)
        for delta in deltas:
            yield _delta(delta, (width, min(before, 24), min(after, 32)))
        for note in block.change.notes:
            yield Styled(f"        {note.to(LANG)}", style="dim")
    for task in block.tasks:
        yield _task(task)
    yield Styled("")


def _delta(delta: FieldDelta, widths: tuple[int, int, int]) -> Styled:
    label, before, after = widths
    line = Styled("      ").append("~ ", style="yellow")
    line.append(pad(delta.label.to(LANG), label)).append("  ")
    line.append(pad(_before(delta), before), style="dim").append(" → ")
    line.append(pad(_after(delta), after)).append("  ")
    line.append(delta.why.to(LANG) if delta.role != "reason" else "", style="dim")
    return line


def _before(delta: FieldDelta) -> str:
    return clean(delta.before_label) if delta.before_label else value_text(delta.before)


def _after(delta: FieldDelta) -> str:
    return clean(delta.after_label) if delta.after_label else value_text(delta.after)


def _task(task: TaskCreate | TaskClose) -> Styled:
    if isinstance(task, TaskCreate):
        line = Styled("      ").append("+ ", style="green")
        line.append(say("任务  ", "task  ")).append(clean(task.title.to(LANG)))
        due = say(f"   {task.due:%m-%d} 到期", f"   due {task.due:%m-%d}")
        owner = f"   → {clean(task.owner)}" if task.owner else ""
        return line.append(due + owner, style="dim")
    line = Styled("      ").append("- ", style="red")
    return line.append(say("关闭任务  ", "close task  ")).append(task.text.to(LANG), style="dim")


def distribution(header: PlanHeader, names: dict[str, str]) -> list[str]:
    """Tiers now and after the plan, with bars."""
    before, after = header.counts.tiers_before, header.counts.tiers_after
    order = [*names, *sorted((set(before) | set(after)) - set(names))]
    rows = [
        (
            say("等级分布", "Tiers"),
            say("现在", "now"),
            say("计划后", "after"),
            say("变化", "change"),
            "",
        )
    ]
    most = max([*after.values(), 1])
    for tier in order:
        now, then = before.get(tier, 0), after.get(tier, 0)
        if not now and not then:
            continue
        change = f"{then - now:+d}" if then != now else "·"
        rows.append((f"  {names.get(tier, tier)}", str(now), str(then), change, bar(then, most)))
    return table(rows, align="lrrrl")


def summary(header: PlanHeader) -> str:
    """The one line that says what the plan would do."""
    counts = header.counts
    if header.kind is PlanKind.UNDO:
        return say(
            f"撤销计划：{counts.other + counts.falls + counts.rises} 个客户恢复，"
            f"{counts.closed_tasks} 个任务关闭，{counts.withheld} 处保留（之后有人改过）。",
            f"Undo: {counts.other + counts.falls + counts.rises} customers go back,"
            f" {counts.closed_tasks} tasks close, {counts.withheld} kept (changed since).",
        )
    return say(
        f"计划：{counts.firsts} 首次定级，{counts.rises} 升级，{counts.falls} 降级，"
        f"{counts.stage_only} 仅生命周期，{counts.other} 其他字段，{counts.new_tasks} 个新任务，"
        f"{counts.closed_tasks} 个关闭；{counts.unchanged} 条不变"
        + (f"，其中 {counts.notices} 条降级预告。" if counts.notices else "。"),
        f"Plan: {counts.firsts} first assignments, {counts.rises} rise, {counts.falls} fall,"
        f" {counts.stage_only} stage only, {counts.other} other, {counts.new_tasks} new tasks,"
        f" {counts.closed_tasks} closed; {counts.unchanged} unchanged"
        + (f", {counts.notices} of them about to fall." if counts.notices else "."),
    )


def causes(header: PlanHeader) -> str:
    """Why things change: data, a rule edit, or time alone."""
    names = {
        "first assignment": say("首次", "first assignment"),
        "data changed": say("数据变化", "data changed"),
        "rule changed": say("规则变化", "rule changed"),
        "time passed": say("时间推移", "time passed"),
    }
    found = [f"{names.get(name, name)} {n}" for name, n in header.counts.by_cause.items() if n]
    return say("原因：", "Because: ") + ", ".join(found) if found else ""


def guard_text(guard: GuardResult) -> str:
    """One tripped guard: its name, the figure, the limit, the place and the one consent."""
    figure = _figure(guard.figure, share=guard.share)
    limit = _figure(guard.limit, share=guard.share)
    place = f" ({guard.place})" if guard.place else ""
    return say(
        f"变更上限 {guard.name}：{figure}（{guard.count}/{guard.of}），超过上限 {limit}{place}。"
        f"写入前需要 --allow {guard.allow}",
        f"Guard {guard.name}: {figure} ({guard.count} of {guard.of}) is over the limit of"
        f" {limit}{place}. To write anyway: --allow {guard.allow}",
    )


def _figure(value: Decimal, *, share: bool) -> str:
    if not share:
        return f"{value.normalize():f}"
    return f"{(value * 100).quantize(Decimal('0.1')):f}".removesuffix(".0") + " %"


def withheld_lines(withheld: Iterable[Withheld], *, every: bool) -> list[str]:
    """Rows that must not change now, and why."""
    rows = list(withheld)
    lines = [
        f"  ! {clean(row.name)}  {row.ref.id}  {row.text.to(LANG)}"
        for row in (rows if every else rows[:5])
    ]
    if len(rows) > len(lines):
        more = len(rows) - len(lines)
        lines.append(say(f"  ! … 另有 {more} 条，用 --all 查看", f"  ! … {more} more: --all"))
    return lines


def notice_lines(header: PlanHeader, *, every: bool) -> list[str]:
    """Customers who fall soon unless something happens; empty when there are none."""
    told = header.notices if every else header.notices[:SAMPLE]
    if not told:
        return []
    count = header.counts.notices
    lines = [
        say(
            f"降级预告：{count} 个客户现在不变，但即将降级",
            f"Notice: {count} customers do not change now but are about to fall",
        )
    ]
    lines += [f"  ▽ {clean(item.name)}  {item.ref.id}  {item.text.to(LANG)}" for item in told]
    left = count - len(told)
    if left:
        more = "" if every else say("，用 --all 查看", ": --all")
        lines.append(say(f"  ▽ … 另有 {left} 个{more}", f"  ▽ … {left} more{more}"))
    return lines


def right_aligned(figures: list[tuple[str, str]]) -> list[str]:
    """Two columns: a name and a figure pushed to the right."""
    width = max(cells(name) for name, _ in figures)
    size = max(cells(value) for _, value in figures)
    return [f"{pad(name, width)}  {right(value, size)}" for name, value in figures]
