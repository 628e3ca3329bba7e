"""Event sentences of tasks: ``enters at_risk``, ``rises to vip``, ``birthday`` …"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.model.service import ServiceLevel
from crmsync.model.task import (
    BecomesTrue,
    EntersStage,
    Event,
    EveryPeriod,
    LeavesStage,
    ScoreMissing,
    TierFalls,
    TierRises,
)
from crmsync.model.text import Text
from crmsync.rules.event_days import read_day
from crmsync.rules.language import Language
from crmsync.rules.level_names import Levels
from crmsync.rules.lifecycle import Stages
from crmsync.source import Scalar

_STAGE = re.compile(r"(enters|leaves|进入|离开)\s*(.+)\Z")
_TIER = re.compile(r"(rises|falls|升级|降级)(?:\s*(?:to|到|至)\s*(.+))?\Z")
_EVERY = re.compile(r"(?:every|每)\s*(.+)\Z")
_SERVICE = re.compile(r"service\s*\.\s*(\w+)\Z")
_MISSING = frozenset({"score missing", "评分缺失", "缺少评分"})
_BECOMES = re.compile(r"(.+?)\s*(?:becomes\s+true|变为真|开始成立)\Z", re.IGNORECASE)
EXAMPLES = (
    "enters STAGE",
    "leaves STAGE",
    "rises",
    "rises to TIER",
    "falls",
    "falls to TIER",
    "every 1 quarter",
    "every service.visit_every",
    "score missing",
    "60 days before DATE",
    "7 days after DATE",
    "birthday",
    "date of year 12-25",
    "festival 春节",
    "CONDITION becomes true",
)


@dataclass(frozen=True, slots=True)
class EventNames:
    """What an event may speak of."""

    stages: Stages
    levels: Levels
    service: Mapping[str, ServiceLevel]


def read_event(found: Scalar, names: EventNames, language: Language) -> Event | None:
    """The event a sentence means; an unreadable one is a finding that lists what can be said."""
    text = found.text.strip()
    if text in _MISSING:
        return ScoreMissing()
    if becomes := _BECOMES.match(text):
        condition = language.condition(_part(found, becomes, 1))
        return None if condition is None else BecomesTrue(condition)
    if stage := _STAGE.match(text):
        known = names.stages.find(_part(found, stage, 2), language.findings)
        if known is None:
            return None
        enters = stage.group(1) in {"enters", "进入"}
        return EntersStage(known.id) if enters else LeavesStage(known.id)
    if tier := _TIER.match(text):
        return _tier_event(found, tier, names, language)
    day = read_day(found, language)
    if not isinstance(day, bool):
        return day
    if every := _EVERY.match(text):
        return _every(_part(found, every, 1), names, language)
    language.findings.add(
        "RULE015",
        found.span,
        Text(zh=f"看不懂事件“{text}”", en=f"the event “{text}” is not understood"),
        _say_instead(),
    )
    return None


def _tier_event(
    found: Scalar, match: re.Match[str], names: EventNames, language: Language
) -> Event | None:
    rises = match.group(1) in {"rises", "升级"}
    target = None
    if match.group(2) is not None:
        level = names.levels.find(_part(found, match, 2), language.findings)
        if level is None:
            return None
        target = level.id
    return TierRises(target) if rises else TierFalls(target)


def _every(found: Scalar, names: EventNames, language: Language) -> Event | None:
    value = _SERVICE.match(found.text)
    if value is None:
        period = language.period(found)
        return None if period is None else EveryPeriod(period=period)
    name = value.group(1)
    periods = {
        item.name for level in names.service.values() for item in level.values if item.period
    }
    if name in periods:
        return EveryPeriod(service_value=name)
    language.findings.unknown(
        "RULE113",
        found.span,
        Text(
            zh=f"没有哪个等级的服务标准写了周期“{name}”",
            en=f"no tier's service has a period called “{name}”",
        ),
        name,
        sorted(periods),
    )
    return None


def _part(found: Scalar, match: re.Match[str], group: int) -> Scalar:
    start = len(found.text) - len(found.text.lstrip()) + match.start(group)
    word = match.group(group).strip()
    span = found.part(start, start + len(word))
    return Scalar(word, word, found.style, span, span)


def _say_instead() -> Text:
    listed = " · ".join(EXAMPLES)
    return Text(zh=f"可以写：{listed}", en=f"You can write: {listed}")
