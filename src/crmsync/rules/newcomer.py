"""The newcomer block and the months of a seasonal trade."""

from __future__ import annotations

import re

from crmsync.model.condition import Name, Within
from crmsync.model.fact import FactType
from crmsync.model.newcomer import NEWCOMER, Newcomer
from crmsync.model.period import Period, RollingWindow
from crmsync.model.season import Season
from crmsync.model.text import Text
from crmsync.model.tier import TierException
from crmsync.rules.language import Language, at
from crmsync.rules.level_names import Levels
from crmsync.rules.reserved import reserve
from crmsync.rules.shape import Block
from crmsync.source import Node, Scalar

_AFTER = re.compile(r"(?P<period>.+?)\s+after\s+(?P<fact>.+)\Z")
_AFTER_ZH = re.compile(r"(?P<fact>.+?)\s*(?:之后|后)\s*(?P<period>[0-9].*?)(?:内|以内)?\Z")
_MONTHS = re.compile(r"([0-9]{1,2})\s*月?\s*\.\.\s*([0-9]{1,2})\s*月?\Z")


def read_newcomer(
    node: Node, levels: Levels, exceptions: tuple[TierException, ...], language: Language
) -> Newcomer | None:
    """Read ``newcomer: {for: 90 days after first_order_on, at_least: …, no_demotion: true}``."""
    findings = language.findings
    block = Block.of(node, findings)
    if block is None:
        return None
    span = block.scalar("for", required=True)
    named = block.scalar("at_least")
    level = None if named is None else levels.find(named, findings)
    calm = block.flag("no_demotion")
    block.finish()
    if level is not None and level.by_exception_only and named is not None:
        findings.add(
            "RULE211",
            named.span,
            Text(
                zh=f"“{level.id}”没有高低之分，不能作为下限",
                en=f"“{level.id}” has no rank: it cannot be a floor",
            ),
            Text(zh="换一个有升级线的等级", en="Name a tier with an enter line."),
        )
    if named is None and not calm:
        findings.add(
            "RULE002",
            block.span,
            Text(
                zh="newcomer 要写 at_least 或 no_demotion，否则什么也不做",
                en="newcomer needs at_least or no_demotion, or it does nothing",
            ),
            Text(
                zh="例如 newcomer: {for: 90 days after first_order_on, at_least: standard}",
                en="Such as newcomer: {for: 90 days after first_order_on, at_least: standard}.",
            ),
        )
    free = reserve(NEWCOMER, exceptions, findings)
    read = None if span is None else _period(span, language)
    if read is None or not free:
        return None
    period, name = read
    when = Within(name, RollingWindow(period), block.span)
    return Newcomer(name.id, period, when, None if level is None else level.id, calm, block.span)


def _period(found: Scalar, language: Language) -> tuple[Period, Name] | None:
    match = _AFTER.match(found.text) or _AFTER_ZH.match(found.text)
    if match is None:
        language.findings.add(
            "RULE265",
            found.span,
            Text(
                zh=f"看不懂“{found.text}”",
                en=f"“{found.text}” is no stretch of time after a day",
            ),
            Text(
                zh="写成 90 days after first_order_on",
                en="Write it like 90 days after first_order_on.",
            ),
        )
        return None
    period = language.period(_part(found, match, "period"))
    fact = _part(found, match, "fact")
    expression = language.expression(fact)
    if period is None or expression is None:
        return None
    if not isinstance(expression, Name) or expression.type not in {
        FactType.DATE,
        FactType.DATETIME,
    }:
        language.findings.add(
            "RULE265",
            fact.span,
            Text(zh=f"“{fact.text}”不是日期", en=f"“{fact.text}” is not a date"),
            Text(zh="写一个 date 类的事实", en="Name a fact of type date."),
        )
        return None
    return period, expression


def _part(found: Scalar, match: re.Match[str], group: str) -> Scalar:
    start, end = match.span(group)
    return at(found, match.group(group), found.part(start, end))


def read_season(found: Scalar | None, language: Language) -> Season | None:
    """``active_months: 3..9``, or ``10..2`` across the end of the year."""
    if found is None:
        return None
    match = _MONTHS.match(found.text.strip())
    months = [int(part) for part in match.groups()] if match is not None else []
    if not months or not all(1 <= month <= 12 for month in months):
        language.findings.add(
            "RULE266",
            found.span,
            Text(zh=f"“{found.text}”不是月份范围", en=f"“{found.text}” is no range of months"),
            Text(
                zh="写成 3..9；跨年写成 10..2",
                en="Write 3..9, or 10..2 across the end of the year.",
            ),
        )
        return None
    first, last = months
    if first == last % 12 + 1:
        language.findings.add(
            "RULE266",
            found.span,
            Text(zh="全年都在内，时钟不会停", en="that is the whole year: no clock would stop"),
            Text(zh="去掉 active_months", en="Remove active_months."),
        )
        return None
    return Season(first, last, found.span)
