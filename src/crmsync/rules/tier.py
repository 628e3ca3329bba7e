"""The tier block: levels, how they change, and exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crmsync.model.diagnostic import Label
from crmsync.model.frozen import Freeze
from crmsync.model.text import Text
from crmsync.model.tier import (
    DownChange,
    ExceptionAction,
    Patience,
    TierException,
    TierRules,
    UpChange,
)
from crmsync.rules.language import Language
from crmsync.rules.level_names import Levels
from crmsync.rules.shape import (
    Block,
    Findings,
    Seen,
    head,
    identifier,
    items,
)
from crmsync.rules.tables import KEYS
from crmsync.rules.tier_levels import Ladder
from crmsync.source import Node, Scalar

_DOWN_KEYS = ("demote_after", "hold", "grace", "max_step", "when", "notice")
_OVERRIDES = Text(
    zh="overrides 和 tier 并列写，在文件最外层",
    en="overrides stands beside tier, at the top of the file.",
)
_ELSEWHERE: Mapping[str, Text] = {
    "override": _OVERRIDES,
    "overrides": _OVERRIDES,
}


def read_tier(node: Node, ladder: Ladder, language: Language) -> TierRules | None:
    """Read the tier block; its *ladder* comes from `read_levels`."""
    block = Block.of(node, language.findings, elsewhere=_ELSEWHERE, languages=language.languages)
    if block is None:
        return None
    for key in ("levels", "of", *(KEYS if ladder.tabled else ())):
        block.take(key)
    change = block.take("change")
    up, down = UpChange(), DownChange()
    if change is not None:
        up, down = _change(change, language)
    names = Levels(ladder.levels)
    freeze = block.one_of("freeze", [item.value for item in Freeze])
    seen = Seen(language.findings)
    exceptions = tuple(
        item
        for entry in (items(block.take("exceptions"), block.findings))
        if (item := _exception(entry, names, language, seen)) is not None
    )
    block.finish()
    rules = TierRules(
        levels=ladder.levels,
        up=up,
        down=down,
        exceptions=exceptions,
        of=None if ladder.of is None else ladder.of.id,
        freeze=Freeze.QUARTER if freeze is None else Freeze(freeze),
        table=ladder.table,
        span=block.span,
    )
    if freeze is not None and not rules.cuts:
        _nothing_to_freeze(block)
    return rules


def _nothing_to_freeze(block: Block) -> None:
    block.findings.add(
        "RULE263",
        block.place("freeze"),
        Text(
            zh="freeze 不起作用：没有按排名划的线",
            en="freeze does nothing: no line is drawn across the population",
        ),
        Text(zh="去掉它，或写 enter: top 50", en="Remove it, or write enter: top 50."),
    )


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
            Text(zh="只留一个", en="Keep one of them."),
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
