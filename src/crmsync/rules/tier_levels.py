"""The levels of the tier block, their lines, and what the lines are held against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from crmsync.model.condition import Name
from crmsync.model.cut import Cut
from crmsync.model.diagnostic import Label
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierTable
from crmsync.rules.cuts import read_cut
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings, Seen, identifier, items, number
from crmsync.rules.tier_table import read_tier_table
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar


@dataclass(frozen=True, slots=True)
class Ladder:
    """The levels with the fact their lines are held against (``None``: the score), or their table
    instead of lines."""

    levels: tuple[Level, ...] = ()
    of: Name | None = None
    table: TierTable | None = None
    tabled: bool = False
    """Whether a table is named, be it sound or not."""


@dataclass(slots=True)
class _Read:
    """Levels while they are being read: the typed level and where its lines stand."""

    level: Level
    enter: Span | None
    keep: Span | None


def read_levels(node: Node, language: Language, *, scored: bool = False) -> Ladder:
    """The levels alone, with their table if they have one: conditions may name them before the
    rest is read. *scored*: whether there is a score the table may look at."""
    if not isinstance(node, MappingNode):
        return Ladder()
    block = Block(node, language.findings, languages=language.languages)
    if block.take("table") is not None:
        levels = _levels(block, language, None, lined=False)
        table = read_tier_table(block, levels, language, scored=scored)
        return Ladder(levels, table=table, tabled=True)
    of = _of(block.scalar("of"), language)
    levels = _levels(block, language, None if of is None else of.type)
    cuts = [cut for level in levels for cut in (level.enter_cut, level.keep_cut) if cut is not None]
    covered = {cut.of: cut for cut in cuts if cut.of is not None}
    if of is None and covered and _all_cover(levels) and len(covered) == 1:
        (fact,) = covered
        kind = language.type_of_fact(fact)
        of = None if kind is None else Name(fact, kind)
    for fact, cut in covered.items():
        if of is None or of.id != fact:
            language.findings.add(
                "RULE261",
                cut.span,
                Text(
                    zh=f"“{cut.text}”要按 {fact} 排名，而其他线看的是{of.id if of else '评分'}",
                    en=f"“{cut.text}” ranks by {fact}, while the other lines look at "
                    f"{of.id if of else 'the score'}",
                ),
                Text(
                    zh=f"在 tier 下写 of: {fact}，所有线都按它",
                    en=f"Write of: {fact} under tier, so that every line looks at it.",
                ),
            )
    return Ladder(levels, of)


def _of(found: Scalar | None, language: Language) -> Name | None:
    if found is None:
        return None
    expression = language.expression(found)
    if isinstance(expression, Name) and expression.type.numeric:
        return expression
    if expression is not None:
        language.findings.add(
            "RULE260",
            found.span,
            Text(
                zh=f"of 应是一个数值类的事实，不是“{found.text}”",
                en=f"of names one numeric fact, which “{found.text}” is not",
            ),
            Text(
                zh="先在 facts 里用 formula 声明一个事实",
                en="Declare a fact with that formula first.",
            ),
        )
    return None


def _all_cover(levels: tuple[Level, ...]) -> bool:
    """Whether no level has a line of another kind."""
    return not any(
        level.enter is not None
        or level.keep is not None
        or any(cut is not None and cut.of is None for cut in (level.enter_cut, level.keep_cut))
        for level in levels
    )


def _levels(
    block: Block, language: Language, kind: FactType | None, *, lined: bool = True
) -> tuple[Level, ...]:
    findings = language.findings
    seen = Seen(findings)
    read = [
        item
        for entry in items(block.need("levels"), findings)
        if (item := _level(entry, language, seen, kind)) is not None
    ]
    ranked = [item for item in read if not item.level.by_exception_only]
    if block.take("levels") is not None and len(ranked) < 2:
        findings.add(
            "RULE206",
            block.place("levels"),
            Text(
                zh="至少要有两个不靠例外就能达到的等级",
                en="at least two levels must be reachable without an exception",
            ),
            Text(zh="再写一个有 enter 的等级", en="Write another level with an enter line."),
        )
    for position, item in enumerate(ranked):
        if lined:
            _line_order(item, ranked[position + 1 :], findings)
        elif item.enter is not None or item.keep is not None:
            _line_beside_table(item, findings)
    return tuple(item.level for item in read)


def _line_beside_table(item: _Read, findings: Findings) -> None:
    findings.add(
        "RULE205",
        item.enter or item.keep or item.level.span,
        Text(
            zh=f"等级由表格决定，“{item.level.id}”不能再有升级线或保级线",
            en=f"the table decides the tier: “{item.level.id}” has no enter or keep line beside it",
        ),
        Text(
            zh="去掉它；表格里用“保级”列（keep）写可保住的等级",
            en="Remove it; the table says what may be kept in a column “keep”.",
        ),
    )


def _level(node: Node, language: Language, seen: Seen, kind: FactType | None) -> _Read | None:
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    only = block.flag("by_exception_only")
    enter, enter_cut = _line(block, "enter", language, kind)
    keep, keep_cut = _line(block, "keep", language, kind)
    label = block.label("label", default=None if name is None else name.text)
    block.finish()
    if name is None:
        return None
    seen.add(identifier(name, findings), name.span)
    lines = [line for line in (enter, keep, enter_cut, keep_cut) if line is not None]
    if only and lines:
        findings.add(
            "RULE205",
            block.span,
            Text(
                zh=f"“{name.text}”只由例外设定，不能有升级线或保级线",
                en=f"“{name.text}” is set by exceptions only and has no enter or keep line",
            ),
            Text(zh="去掉 enter 和 keep", en="Remove enter and keep."),
        )
    level = Level(
        id=name.text,
        label=label or Text.same(name.text),
        enter=enter,
        keep=keep if keep is not None or keep_cut is not None else enter,
        by_exception_only=only,
        enter_cut=enter_cut,
        keep_cut=keep_cut,
        span=block.span,
    )
    written = {key for key in ("enter", "keep") if block.node.get(key) is not None}
    return _Read(
        level,
        block.place("enter") if "enter" in written else None,
        block.place("keep") if "keep" in written else None,
    )


def _line(
    block: Block, key: str, language: Language, kind: FactType | None
) -> tuple[Decimal | None, Cut | None]:
    """A number in the measure's own unit, or a cut across the population."""
    found = block.scalar(key)
    if found is None:
        return None, None
    cut = read_cut(found, language)
    if cut is not None:
        return None, cut
    if kind is None:
        return number(found, block.findings), None
    return language.number(found, kind), None


def _line_order(item: _Read, below: list[_Read], findings: Findings) -> None:
    level = item.level
    if below and not _enters(level):
        findings.add(
            "RULE002",
            level.span,
            Text(
                zh=f"等级“{level.id}”缺少 enter（只有最低一级可以没有）",
                en=f"level “{level.id}” has no enter line (only the lowest may go without)",
            ),
            Text(zh="写上 enter，如 enter: 60", en="Write an enter line, such as enter: 60."),
        )
    if not below and item.enter is not None:
        findings.add(
            "RULE205",
            item.enter,
            Text(
                zh=f"最低一级“{level.id}”不能有升级线，否则有的客户没有等级",
                en=f"the lowest level “{level.id}” takes no enter line: "
                "some customers would have no tier",
            ),
            Text(zh="去掉它，或在下面再加一级", en="Remove it, or add a level below."),
        )
    _keep_order(item, findings)
    if below:
        _next_lower(item, below[0], findings)


def _enters(level: Level) -> bool:
    return level.enter is not None or level.enter_cut is not None


def _keep_order(item: _Read, findings: Findings) -> None:
    level = item.level
    lines = _comparable((level.enter, level.enter_cut), (level.keep, level.keep_cut))
    if lines is None or lines[1] <= lines[0]:
        return
    enter, keep = _told(level.enter, level.enter_cut), _told(level.keep, level.keep_cut)
    findings.add(
        "RULE204",
        item.keep or level.span,
        Text(
            zh=f"保级线 {keep} 高于升级线 {enter}：刚升级就会被降级",
            en=f"the keep line {keep} is above the enter line {enter}: "
            "a customer would fall the day it rises",
        ),
        Text(
            zh="保级线应低于升级线几分",
            en="Set keep a few points below enter.",
        ),
    )


def _next_lower(item: _Read, other: _Read, findings: Findings) -> None:
    level, lower = item.level, other.level
    lines = _comparable((level.enter, level.enter_cut), (lower.enter, lower.enter_cut))
    if lines is None or lines[1] < lines[0]:
        return
    above, below = _told(level.enter, level.enter_cut), _told(lower.enter, lower.enter_cut)
    findings.add(
        "RULE205",
        other.enter or lower.span,
        Text(
            zh=f"“{lower.id}”的升级线 {below} 不低于上一级“{level.id}”的 {above}",
            en=f"“{lower.id}” enters at {below}, not below “{level.id}” above it ({above})",
        ),
        Text(zh="等级从高到低排列", en="Write the best level first."),
        labels=_label(item.enter, Text(zh="上一级的线", en="the level above")),
    )


_Line = tuple[Decimal | None, Cut | None]


def _comparable(one: _Line, other: _Line) -> tuple[Decimal, Decimal] | None:
    """Both lines as numbers that are higher the harder they are; only lines of one kind compare."""
    if one[0] is not None and other[0] is not None:
        return one[0], other[0]
    if (
        one[1] is None
        or other[1] is None
        or (one[1].kind, one[1].of) != (other[1].kind, other[1].of)
    ):
        return None
    return -one[1].amount, -other[1].amount


def _told(line: Decimal | None, cut: Cut | None) -> str:
    return str(line) if cut is None else cut.text


def _label(span: Span | None, text: Text) -> tuple[Label, ...]:
    return () if span is None else (Label(span, text),)
