"""The tier block: levels, how they change, and exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crmsync.model.diagnostic import Label
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.model.tier import (
    DownChange,
    ExceptionAction,
    Level,
    Patience,
    TierException,
    TierRules,
    UpChange,
)
from crmsync.rules.language import Language
from crmsync.rules.shape import (
    Block,
    Findings,
    Seen,
    head,
    identifier,
    items,
    not_yet,
    number,
)
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

_DOWN_KEYS = ("demote_after", "hold", "grace", "max_step", "when", "notice")
_LATER: Mapping[str, Text | None] = {
    "table": Text(zh="请改用评分卡和升级线", en="Use a scorecard and enter lines."),
    "of": Text(zh="请改用只有一项的评分卡", en="Use a scorecard with a single criterion."),
    "override": None,
    "overrides": None,
}


@dataclass(slots=True)
class _Read:
    """Levels while they are being read: the typed level and where its lines stand."""

    level: Level
    enter: Span | None
    keep: Span | None


class Levels:
    """Finds a tier by id or label."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self._by_name: dict[str, Level] = {}
        for level in levels:
            self._by_name.setdefault(level.id, level)
        for level in levels:
            for words in level.label.all():
                self._by_name.setdefault(words, level)
        self.ids = tuple(level.id for level in levels)

    def find(self, found: Scalar, findings: Findings) -> Level | None:
        """The level *found* names; an unknown one is a finding."""
        level = self._by_name.get(found.text)
        if level is None:
            findings.unknown(
                "RULE110",
                found.span,
                Text(zh=f"没有等级“{found.text}”", en=f"there is no tier “{found.text}”"),
                found.text,
                self._by_name,
            )
        return level


def read_levels(node: Node, language: Language) -> tuple[Level, ...]:
    """The levels alone: conditions may name them before the rest is read."""
    if not isinstance(node, MappingNode):
        return ()
    return _levels(Block(node, language.findings, languages=language.languages), language)


def read_tier(node: Node, levels: tuple[Level, ...], language: Language) -> TierRules | None:
    """Read the tier block; *levels* come from `read_levels`."""
    block = Block.of(node, language.findings, later=_LATER, languages=language.languages)
    if block is None:
        return None
    block.take("levels")
    change = block.take("change")
    up, down = UpChange(), DownChange()
    if change is not None:
        up, down = _change(change, language)
    names = Levels(levels)
    seen = Seen(language.findings)
    exceptions = tuple(
        item
        for entry in (items(block.take("exceptions"), block.findings))
        if (item := _exception(entry, names, language, seen)) is not None
    )
    block.finish()
    return TierRules(levels=levels, up=up, down=down, exceptions=exceptions, span=block.span)


# ── levels ─────────────────────────────────────────────────────────────────────────────────────


def _levels(block: Block, language: Language) -> tuple[Level, ...]:
    findings = language.findings
    seen = Seen(findings)
    read = [
        item
        for entry in items(block.need("levels"), findings)
        if (item := _level(entry, language, seen)) is not None
    ]
    ranked = [item for item in read if not item.level.by_exception_only]
    if block.take("levels") is not None and len(ranked) < 2:
        findings.add(
            "RULE206",
            block.place("levels"),
            Text(
                zh="至少要有两个按分数达到的等级",
                en="at least two levels must be reachable by score",
            ),
        )
    for position, item in enumerate(ranked):
        _line_order(item, ranked[position + 1 :], findings)
    return tuple(item.level for item in read)


def _level(node: Node, language: Language, seen: Seen) -> _Read | None:
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    only = block.flag("by_exception_only")
    enter, keep = _line(block, "enter"), _line(block, "keep")
    label = block.label("label", default=None if name is None else name.text)
    block.finish()
    if name is None:
        return None
    seen.add(identifier(name, findings), name.span)
    if only and (enter is not None or keep is not None):
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
        keep=keep if keep is not None else enter,
        by_exception_only=only,
        span=block.span,
    )
    return _Read(
        level,
        block.place("enter") if enter is not None else None,
        block.place("keep") if keep is not None else None,
    )


def _line(block: Block, key: str) -> Decimal | None:
    node = block.take(key)
    if isinstance(node, Scalar) and node.text.startswith(("top ", "covers ")):
        not_yet(
            node.span,
            node.text.split(" ", maxsplit=1)[0],
            block.findings,
            Text(zh="请写一个分数", en="Write a number of points."),
        )
        return None
    if node is None:
        return None
    if isinstance(node, Scalar):
        return number(node, block.findings)
    block.scalar(key)
    return None


def _line_order(item: _Read, below: list[_Read], findings: Findings) -> None:
    level = item.level
    if below and level.enter is None:
        findings.add(
            "RULE002",
            level.span,
            Text(
                zh=f"等级“{level.id}”缺少 enter（只有最低一级可以没有）",
                en=f"level “{level.id}” has no enter line (only the lowest may go without)",
            ),
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
    if level.enter is not None and level.keep is not None and level.keep > level.enter:
        findings.add(
            "RULE204",
            item.keep or level.span,
            Text(
                zh=f"保级线 {level.keep} 高于升级线 {level.enter}：刚升级就会被降级",
                en=f"the keep line {level.keep} is above the enter line {level.enter}: "
                "a customer would fall the day it rises",
            ),
            Text(
                zh="保级线应低于升级线几分",
                en="Set keep a few points below enter.",
            ),
        )
    for other in below:
        if level.enter is not None and other.level.enter is not None:
            if other.level.enter >= level.enter:
                findings.add(
                    "RULE205",
                    other.enter or other.level.span,
                    Text(
                        zh=f"“{other.level.id}”的升级线 {other.level.enter} 不低于上一级"
                        f"“{level.id}”的 {level.enter}",
                        en=f"“{other.level.id}” enters at {other.level.enter}, not below "
                        f"“{level.id}” above it ({level.enter})",
                    ),
                    Text(zh="等级从高到低排列", en="Write the best level first."),
                    labels=_label(item.enter, Text(zh="上一级的线", en="the level above")),
                )
            break


def _label(span: Span | None, text: Text) -> tuple[Label, ...]:
    return () if span is None else (Label(span, text),)


# ── change ─────────────────────────────────────────────────────────────────────────────────────


def _change(node: Node, language: Language) -> tuple[UpChange, DownChange]:
    """Flat keys mean *down*, except ``max_step``, which means both directions."""
    block = Block.of(node, language.findings)
    if block is None:
        return UpChange(), DownChange()
    flat = {key: value for key in _DOWN_KEYS if (value := block.take(key)) is not None}
    down = _down(block, DownChange(span=block.span), language)
    both = down.max_step if "max_step" in flat else None
    up = UpChange(max_step=both, span=block.span)
    above = block.take("up")
    if above is not None:
        up = _up(above, up, language)
    below = block.take("down")
    if below is not None:
        inner = Block.of(below, language.findings)
        if inner is not None:
            _said_twice(inner, flat, block, language.findings)
            down = replace(_down(inner, down, language), span=inner.span)
            inner.finish()
    block.finish()
    return up, down


def _said_twice(inner: Block, flat: Mapping[str, Node], outer: Block, findings: Findings) -> None:
    for key in flat:
        if key != "max_step" and inner.node.get(key) is not None:
            findings.add(
                "RULE020",
                inner.place(key),
                Text(zh=f"“{key}”写了两次", en=f"“{key}” is written twice"),
                Text(
                    zh="change 下直接写的键就是指 down，留一处即可",
                    en="A key right under change means down already; keep one.",
                ),
                labels=(Label(outer.place(key), Text(zh="这里已写", en="written here")),),
            )


def _up(node: Node, default: UpChange, language: Language) -> UpChange:
    block = Block.of(node, language.findings)
    if block is None:
        return default
    hold = language.days(block.scalar("hold"))
    step = block.whole("max_step", least=1)
    block.finish()
    return UpChange(
        hold=default.hold if hold is None else hold,
        max_step=default.max_step if step is None else step,
        span=block.span,
    )


def _down(block: Block, default: DownChange, language: Language) -> DownChange:
    hold = language.days(block.scalar("hold"))
    grace = language.days(block.scalar("grace"))
    notice = language.days(block.scalar("notice"))
    step = block.whole("max_step", least=1)
    when = block.one_of("when", ("any time", "at review"))
    return replace(
        default,
        demote_after=_patience(block.scalar("demote_after"), language) or default.demote_after,
        hold=default.hold if hold is None else hold,
        grace=default.grace if grace is None else grace,
        notice=default.notice if notice is None else notice,
        max_step=default.max_step if step is None else step,
        at_review=default.at_review if when is None else when == "at review",
    )


def _patience(found: Scalar | None, language: Language) -> Patience | None:
    if found is None:
        return None
    count, _, unit = found.text.strip().partition(" ")
    number = int(count) if count.isascii() and count.isdigit() else 0
    if unit.strip() in {"evaluation", "evaluations", "次评估"} and number > 0:
        return Patience(evaluations=number)
    days = language.days(found)
    return None if days is None else Patience(days=days)


# ── exceptions ─────────────────────────────────────────────────────────────────────────────────


def _exception(node: Node, levels: Levels, language: Language, seen: Seen) -> TierException | None:
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    when = block.need("when")
    condition = None if when is None else language.condition(when)
    reason = block.label("reason", default=None if name is None else name.text)
    chosen = [
        (action, found) for action in ExceptionAction if (found := block.scalar(action)) is not None
    ]
    block.finish()
    if len(chosen) != 1:
        findings.add(
            "RULE020" if chosen else "RULE002",
            head(block.node),
            Text(
                zh="每个例外只写 set、at_least、at_most 之一",
                en="each exception has exactly one of set, at_least and at_most",
            ),
        )
    if name is None:
        return None
    seen.add(identifier(name, findings), name.span)
    if len(chosen) != 1 or condition is None:
        return None
    action, target = chosen[0]
    level = levels.find(target, findings)
    if level is None:
        return None
    if level.by_exception_only and action is not ExceptionAction.SET:
        findings.add(
            "RULE211",
            target.span,
            Text(
                zh=f"“{level.id}”没有高低之分，不能用 {action}",
                en=f"“{level.id}” has no rank, so {action} means nothing",
            ),
            Text(zh=f"改用 set: {level.id}", en=f"Write set: {level.id}"),
        )
    return TierException(
        id=name.text,
        reason=reason or Text.same(name.text),
        when=condition,
        action=action,
        level=level.id,
        span=block.span,
    )
