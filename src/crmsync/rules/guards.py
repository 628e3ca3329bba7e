"""The guards block: limits beyond which a plan is held."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from crmsync.model.guard import GuardLimit
from crmsync.model.text import Text
from crmsync.rules.language import Language, at
from crmsync.rules.level_names import Levels
from crmsync.rules.shape import Block, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

COUNT_OR_SHARE = (
    "records_changed",
    "tier_changes",
    "demotions",
    "first_assignments",
    "new_tasks",
    "tasks_per_owner",
)
SHARE_ONLY = ("population_shrink", "missing_rise", "rule_edit", "tier_shift")
DAYS = ("source_age",)
PAIRS = "demotions_by_pair"
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:%|％|points?|pp|个?百分点)\Z")
_PAIR = re.compile(r"\s*(.+?)\s*(?:→|->|=>|－>|到|至|\bto\b)\s*(.+?)\s*\Z")


def read_guards(node: Node, levels: Levels, language: Language) -> tuple[GuardLimit, ...]:
    """Read the guards; a share is written ``10%``, a count as a whole number, an age in days.

    ``demotions_by_pair`` is one limit for every pair of tiers, or ``{vip→key: 5}``.
    """
    block = Block.of(node, language.findings)
    if block is None:
        return ()
    found = []
    for name in (*COUNT_OR_SHARE, *SHARE_ONLY, *DAYS):
        value = block.take(name)
        single = None if value is None else scalar(value, language.findings)
        if single is None:
            continue
        limit = _limit(name, single, language)
        if limit is not None:
            found.append(limit)
    pairs = block.take(PAIRS)
    if pairs is not None:
        found += _pairs(pairs, levels, language)
    block.finish()
    return tuple(found)


def _pairs(node: Node, levels: Levels, language: Language) -> list[GuardLimit]:
    if not isinstance(node, MappingNode):
        single = scalar(node, language.findings)
        limit = None if single is None else _limit(PAIRS, single, language)
        return [] if limit is None else [limit]
    found: dict[str, GuardLimit] = {}
    for key, value in node.entries:
        place = _pair(key, levels, language)
        single = scalar(value, language.findings)
        limit = None if single is None else _limit(PAIRS, single, language)
        if place is None or limit is None:
            continue
        if place in found:
            language.findings.add(
                "RULE007",
                key.span,
                Text(zh=f"“{place}”出现了两次", en=f"“{place}” is given twice"),
                Text(zh="只留一个", en="Keep one of them."),
            )
        found[place] = replace(limit, place=place)
    return list(found.values())


def _pair(key: Scalar, levels: Levels, language: Language) -> str | None:
    match = _PAIR.match(key.text)
    if match is None:
        language.findings.add(
            "RULE013",
            key.span,
            Text(zh=f"“{key.text}”不是两个等级", en=f"“{key.text}” is no pair of tiers"),
            Text(zh="写成 vip→key: 5", en="Write it like vip→key: 5."),
        )
        return None
    ends = []
    for number in (1, 2):
        place = key.part(match.start(number), match.end(number))
        ends.append(levels.find(at(key, match[number], place), language.findings))
    high, low = ends
    if high is None or low is None:
        return None
    if levels.ids.index(high.id) >= levels.ids.index(low.id):
        language.findings.add(
            "RULE013",
            key.span,
            Text(
                zh=f"从“{high.id}”到“{low.id}”不是降级",
                en=f"from “{high.id}” to “{low.id}” is no demotion",
            ),
            Text(zh=f"写成 {low.id}→{high.id}？", en=f"Is {low.id}→{high.id} meant?"),
        )
    return f"{high.id}→{low.id}"


def _limit(name: str, found: Scalar, language: Language) -> GuardLimit | None:
    if name in DAYS:
        days = language.days(found)
        return None if days is None else GuardLimit(name, Decimal(days), False, span=found.span)
    share = _SHARE.match(found.text)
    if share is not None:
        ratio = Decimal(share.group(1)) / 100
        if ratio <= 1:
            return GuardLimit(name, ratio, True, span=found.span)
        _refuse(name, found, "100%", language)
        return None
    value = found.value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and name not in SHARE_ONLY and int(found.text) >= 0:
        return GuardLimit(name, Decimal(found.text), False, span=found.span)
    _refuse(name, found, _meant(found), language)
    return None


def _is_number(found: Scalar) -> bool:
    return isinstance(found.value, int | Decimal) and not isinstance(found.value, bool)


def _meant(found: Scalar) -> str:
    """The share a bare number probably stands for."""
    if _is_number(found):
        number = Decimal(found.text)
        percent = number * 100 if abs(number) < 1 else number
        if 0 <= percent <= 100:
            return f"{percent.normalize():f}%"
    return "10%"


def _refuse(name: str, found: Scalar, meant: str, language: Language) -> None:
    zh = "百分比" if name in SHARE_ONLY else "百分比或整数条数"
    en = "a percentage" if name in SHARE_ONLY else "a percentage or a whole count"
    language.findings.add(
        "RULE013",
        found.span,
        Text(zh=f"{name} 应写成{zh}", en=f"{name} is written as {en}"),
        Text(zh=f"百分比写成 {meant}", en=f"Write a share as {meant}."),
        fix=meant if _is_number(found) else None,
    )
