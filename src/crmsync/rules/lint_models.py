"""Lints of the model blocks: segments that take nobody or leave some out, windows that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import product

from crmsync.condition import verdict
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.decision import Verdict
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import AggregateSource, CrmMapping
from crmsync.model.period import CalendarWindow, Period, RollingWindow
from crmsync.model.rfm import Part, RfmRules
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.rules.lint_facts import read_by_rules
from crmsync.source import error, warning

_ANY_DAY = date(2026, 1, 1)


def lint_models(ruleset: Ruleset, mappings: Sequence[CrmMapping] = ()) -> Iterator[Diagnostic]:
    """Everything about rfm and clv that can be seen without a customer."""
    used = read_by_rules(ruleset)
    for model, block in (("rfm", ruleset.rfm), ("clv", ruleset.clv)):
        own = {fact.id for fact in ruleset.facts if fact.model == model}
        if block is not None and not own & used:
            yield warning(
                "RULE213",
                block.span,
                Text(zh=f"没有规则使用 {model} 块的结果", en=f"no rule reads what {model} gives"),
                Text(
                    zh=f"去掉它，或在规则中使用 {'、'.join(sorted(own))}",
                    en=f"Remove it, or use one of {', '.join(sorted(own))} in a rule.",
                ),
            )
    if ruleset.rfm is not None and ruleset.rfm.segments:
        yield from _segments(ruleset.rfm)
    if ruleset.clv is not None:
        for mapping in mappings:
            yield from _windows(ruleset.clv, mapping)


def _segments(rules: RfmRules) -> Iterator[Diagnostic]:
    """Every code is put to the segments: there are at most 729, so this is a proof."""
    taken: set[str] = set()
    left: list[str] = []
    for classes in product(*(range(1, rules.most(part) + 1) for part in Part)):
        values = {part.fact: number for part, number in zip(Part, classes, strict=True)}
        for segment in rules.segments:
            if segment.when is None or (verdict(segment.when, values, _ANY_DAY) is Verdict.TRUE):
                taken.add(segment.id)
                break
        else:
            left.append("".join(map(str, classes)))
    for segment in rules.segments:
        if segment.id not in taken:
            yield error(
                "RULE244",
                segment.span,
                Text(
                    zh=f"分群“{segment.id}”永远取不到客户：前面的分群已全部包含",
                    en=f"the segment “{segment.id}” can take nobody: those before it take all",
                ),
                Text(zh="调整次序或条件", en="Change the order or the condition."),
            )
    if left:
        some = ", ".join(left[:5])
        yield warning(
            "RULE245",
            rules.segments[-1].span,
            Text(
                zh=f"有 {len(left)} 种 RFM 代码不属于任何分群，例如 {some}",
                en=f"{len(left)} RFM codes belong to no segment, such as {some}",
            ),
            Text(
                zh="在最后加一个不写 when 的分群",
                en="Add a last segment without when for all others.",
            ),
        )


def _windows(rules: ClvRules, mapping: CrmMapping) -> Iterator[Diagnostic]:
    wanted = rules.window if rules.model is ClvModel.SIMPLE else None
    for fact in (rules.orders, rules.revenue):
        source = mapping.read.get(fact)
        if not isinstance(source, AggregateSource):
            continue
        within = source.within
        if isinstance(within, CalendarWindow) and wanted is not None:
            continue  # a calendar span grows from day to day: there is no length to compare
        length = within.length if isinstance(within, RollingWindow) else None
        if length == wanted and not isinstance(within, CalendarWindow):
            continue
        yield warning(
            "RULE246",
            rules.span,
            Text(
                zh=f"clv 认为“{fact}”统计{_span(wanted).zh}，"
                f"而 {mapping.connector} 中它统计{_span(length).zh}",
                en=f"clv takes “{fact}” to count {_span(wanted).en}, but in"
                f" {mapping.connector} it counts {_span(length).en}",
            ),
            Text(
                zh="写明 window，或换用另一个事实",
                en="State the window, or name another fact.",
            ),
        )


def _span(length: Period | None) -> Text:
    if length is None:
        return Text(zh="全部历史", en="the whole history")
    if length.months and not length.days:
        return Text(zh=f"近 {length.months} 个月", en=f"the last {length.months} months")
    days = length.months * 30 + length.days
    return Text(zh=f"近 {days} 天", en=f"the last {days} days")
