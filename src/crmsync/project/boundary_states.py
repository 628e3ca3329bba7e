"""Where a customer could stand before a case: other tiers, other stages, other days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeAlias

from crmsync.model.case import Case
from crmsync.model.lifecycle import LifecycleRules
from crmsync.model.period import Period
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.tier import TierRules
from crmsync.rules.case_state import Opening, opening_of

LONG_AGO = 400
"""Days of a standing nobody dated: beyond every usual hold and patience."""

LATELY = 10
"""Days of a standing that is new: within every usual hold and patience."""

Dated: TypeAlias = Callable[[date], Opening]


def standings(rules: Ruleset, base: Case) -> Iterator[tuple[Opening, Text]]:
    """The openings of *base* with another tier or another stage."""
    opening = opening_of(base.before)
    if rules.tier is not None:
        yield from _tiers(rules.tier, opening, base.today)
    if rules.lifecycle is not None:
        yield from _stages(rules.lifecycle, opening, base.today)


def _tiers(rules: TierRules, opening: Opening, today: date) -> Iterator[tuple[Opening, Text]]:
    """Every tier: of a year ago to the day, long below its line, and new."""
    year, new = Period(months=12).before(today), today - timedelta(days=LATELY)
    low = today - timedelta(days=LONG_AGO)
    for level in rules.levels:
        for since, below in ((year, None), (low, low), (new, None)):
            changed = replace(opening, tier=level.id, tier_since=since, below_keep_since=below)
            if changed == opening:
                continue
            text = Text(zh=f"{since} 起为{level.label.zh}", en=f"{level.label.en} since {since}")
            if below is not None:
                text = Text(zh=f"{text.zh}且低于保级线", en=f"{text.en}, below its line")
            yield changed, text


def _stages(rules: LifecycleRules, opening: Opening, today: date) -> Iterator[tuple[Opening, Text]]:
    old = today - timedelta(days=LONG_AGO)
    for stage in rules.stages:
        moved = replace(opening, lifecycle=stage.id, lifecycle_since=old, pending={})
        text = Text(zh=f"原在{stage.label.zh}", en=f"was {stage.label.en}")
        yield moved, text
        waiting = [m.id for m in rules.moves if stage.id in m.sources and m.lasting]
        for move in waiting:
            yield (
                replace(moved, pending={move: old}),
                Text(zh=f"{text.zh}，已等待很久", en=f"{text.en}, long waiting"),
            )


def clocks(rules: Ruleset, base: Case) -> Iterator[tuple[Dated, Text]]:
    """The days in the opening of *base*, each as what turns another day into an opening."""
    opening = opening_of(base.before)
    if opening.tier is not None:
        yield (
            lambda day: replace(opening, tier_since=day),
            Text(zh="等级始于", en="tier since"),
        )
        yield (
            lambda day: replace(opening, below_keep_since=day),
            Text(zh="低于保级线始于", en="below its line since"),
        )
    if opening.lifecycle is None or rules.lifecycle is None:
        return
    yield (
        lambda day: replace(opening, lifecycle_since=day),
        Text(zh="阶段始于", en="stage since"),
    )
    for move in rules.lifecycle.moves:
        if move.lasting and opening.lifecycle in move.sources:
            yield _pending(opening, move.id), Text(zh="移动等待始于", en="move waiting since")


def _pending(opening: Opening, move: str) -> Dated:
    return lambda day: replace(opening, pending={move: day})


def waits(rules: Ruleset) -> frozenset[int]:
    """Every number of days the policy counts, with its neighbours."""
    found: set[int] = set()
    if rules.tier is not None:
        up, down = rules.tier.up, rules.tier.down
        found |= {up.hold, down.hold, down.grace, down.notice, down.demote_after.days or 0}
        found.add((down.demote_after.days or 0) - down.notice)
    if rules.lifecycle is not None:
        found |= {move.lasting for move in rules.lifecycle.moves}
    return frozenset(days + shift for days in found if days for shift in (-1, 0, 1))
