"""Single-point changes of what holds for new customers and of the season."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crmsync.model.condition import Within
from crmsync.model.group import Group, GroupTier
from crmsync.model.newcomer import Newcomer
from crmsync.model.period import Period, RollingWindow
from crmsync.model.ruleset import Ruleset
from crmsync.model.season import ALL_YEAR, Season
from crmsync.rules.mutant_sentences import WITHOUT, Change


def newcomer_changes(ruleset: Ruleset) -> Iterator[tuple[Newcomer | None, Change]]:
    """The block taken away, its period, floor and protection changed."""
    item = ruleset.newcomer
    if item is None or ruleset.tier is None:
        return
    yield None, Change("newcomer", WITHOUT, item.span)
    for period in _near(item.period):
        assert isinstance(item.when, Within)
        when = replace(item.when, window=RollingWindow(period))
        change = Change(f"for: {_told(item.period)}", f"for: {_told(period)}", item.span)
        yield replace(item, period=period, when=when), change
    if item.at_least is not None:
        ranked = [level.id for level in ruleset.tier.ranked]
        place = ranked.index(item.at_least) if item.at_least in ranked else 0
        for other in (place - 1, place + 1):
            if 0 <= other < len(ranked):
                text = f"at_least: {item.at_least}", f"at_least: {ranked[other]}"
                yield replace(item, at_least=ranked[other]), Change(*text, item.span)
        words = ("true", "false") if item.no_demotion else ("false", "true")
        change = Change(f"no_demotion: {words[0]}", f"no_demotion: {words[1]}", item.span)
        yield replace(item, no_demotion=not item.no_demotion), change


def group_changes(ruleset: Ruleset) -> Iterator[tuple[Group, Change]]:
    """The other ways tiers of a group may hang together; sums are none of a case's business."""
    group = ruleset.group
    if group is None or group.tier is GroupTier.OWN:
        return
    for tier in GroupTier:
        if tier is not group.tier:
            change = Change(f"tier: {group.tier.value}", f"tier: {tier.value}", group.span)
            yield replace(group, tier=tier), change


def season_changes(ruleset: Ruleset) -> Iterator[tuple[Season, Change]]:
    """No season, and each of its ends a month off."""
    season = ruleset.season
    if season == ALL_YEAR:
        return
    yield ALL_YEAR, Change(_months(season), WITHOUT, season.span)
    others = (
        replace(season, first=season.first % 12 + 1),
        replace(season, last=(season.last - 2) % 12 + 1),
    )
    for other in others:
        yield other, Change(_months(season), _months(other), season.span)


def _near(period: Period) -> tuple[Period, ...]:
    if period.months:
        shorter = Period(period.months - 1, period.days)
        return tuple(p for p in (shorter, Period(period.months + 1, period.days)) if p != Period())
    step = max(1, period.days // 10)
    return tuple(Period(days=days) for days in (period.days - step, period.days + step) if days > 0)


def _told(period: Period) -> str:
    return f"{period.months} months" if period.months else f"{period.days} days"


def _months(season: Season) -> str:
    return f"active_months: {season.first}..{season.last}"
