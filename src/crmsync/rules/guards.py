"""The guards block: limits beyond which a plan is held."""

from __future__ import annotations

import re
from decimal import Decimal

from crmsync.model.guard import GuardLimit
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, scalar
from crmsync.source import Node, Scalar

COUNT_OR_SHARE = (
    "records_changed",
    "tier_changes",
    "demotions",
    "first_assignments",
    "new_tasks",
    "tasks_per_owner",
)
SHARE_ONLY = ("population_shrink", "missing_rise", "rule_edit")
DAYS = ("source_age",)
LATER = ("demotions_by_pair",)
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*[%％]\Z", re.ASCII)


def read_guards(node: Node, language: Language) -> tuple[GuardLimit, ...]:
    """Read the guards; a share is written ``10%``, a count as a whole number, an age in days."""
    block = Block.of(node, language.findings, later=dict.fromkeys(LATER))
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
    block.finish()
    return tuple(found)


def _limit(name: str, found: Scalar, language: Language) -> GuardLimit | None:
    if name in DAYS:
        days = language.days(found)
        return None if days is None else GuardLimit(name, Decimal(days), False, found.span)
    share = _SHARE.match(found.text)
    if share is not None:
        ratio = Decimal(share.group(1)) / 100
        if ratio <= 1:
            return GuardLimit(name, ratio, True, found.span)
        _refuse(name, found, "100%", language)
        return None
    value = found.value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and name not in SHARE_ONLY and int(found.text) >= 0:
        return GuardLimit(name, Decimal(found.text), False, found.span)
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
