"""Single-point changes of the tier block: lines, policy numbers and exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from crmsync.model.tier import (
    DownChange,
    ExceptionAction,
    Level,
    Patience,
    TierException,
    TierRow,
    TierRules,
    UpChange,
)
from crmsync.rules.mutant_points import plain
from crmsync.rules.mutant_sentences import Change, Sentences, nearby

NO_WAITING = 30
"""Days put where a policy has none: long enough for a case to show it."""


def tier_changes(rules: TierRules, sentences: Sentences) -> Iterator[tuple[str, TierRules, Change]]:
    """Each changed tier block, with the part of it that differs."""
    for number, level in enumerate(rules.levels):
        for changed, change in _lines(level, rules):
            levels = (*rules.levels[:number], changed, *rules.levels[number + 1 :])
            yield f"levels.{level.id}", replace(rules, levels=levels), change
    if rules.table is not None:
        for number, row in enumerate(rules.table.rows):
            for changed_row, change in _row(row, rules, sentences):
                middle = () if changed_row is None else (changed_row,)
                rows = (*rules.table.rows[:number], *middle, *rules.table.rows[number + 1 :])
                table = replace(rules.table, rows=rows)
                yield f"table.{row.number}", replace(rules, table=table), change
    for up, change in _up(rules.up):
        yield "change.up", replace(rules, up=up), change
    for down, change in _down(rules.down):
        yield "change.down", replace(rules, down=down), change
    for number, item in enumerate(rules.exceptions):
        before, after = rules.exceptions[:number], rules.exceptions[number + 1 :]
        place = f"exceptions.{item.id}"
        gone = Change(item.id, "", item.span)
        yield place, replace(rules, exceptions=(*before, *after)), gone
        for other, change in _exception(item, rules, sentences):
            yield place, replace(rules, exceptions=(*before, other, *after)), change


def _row(
    row: TierRow, rules: TierRules, sentences: Sentences
) -> Iterator[tuple[TierRow | None, Change]]:
    """A row gone, its tier one up and one down, what it keeps gone or one less, its tests."""
    ranked = [level.id for level in rules.ranked]
    place, kept = ranked.index(row.level), ranked.index(row.keep)
    yield None, Change(f"{row.text}: {row.level}", "", row.span)
    for other in (place - 1, place + 1):
        if 0 <= other < len(ranked):
            keep = ranked[min(other, kept)] if row.keep != row.level else ranked[other]
            change = Change(f"tier: {row.level}", f"tier: {ranked[other]}", row.span)
            yield replace(row, level=ranked[other], keep=keep), change
    if kept < place:
        change = Change(f"keep: {row.keep}", f"keep: {ranked[kept + 1]}", row.span)
        yield replace(row, keep=ranked[kept + 1]), change
    for condition, change in () if row.when is None else sentences.of(row.when):
        yield replace(row, when=condition), change


def _lines(level: Level, rules: TierRules) -> Iterator[tuple[Level, Change]]:
    """A line a tenth of the way down and up, as long as the levels stay in order."""
    ranked = rules.ranked
    place = next((n for n, item in enumerate(ranked) if item.id == level.id), None)
    if place is None or level.enter is None:
        return
    above = ranked[place - 1].enter if place else None
    below = next((item.enter for item in ranked[place + 1 :]), None)
    for enter in _near(level.enter):
        in_order = (above is None or enter < above) and (below is None or enter > below)
        if in_order and (level.keep is None or level.keep == level.enter or enter >= level.keep):
            keep = enter if level.keep == level.enter else level.keep
            change = Change(f"enter: {plain(level.enter)}", f"enter: {plain(enter)}", level.span)
            yield replace(level, enter=enter, keep=keep), change
    if level.keep is None or level.keep == level.enter:
        return
    for keep in _near(level.keep):
        if keep <= level.enter:
            change = Change(f"keep: {plain(level.keep)}", f"keep: {plain(keep)}", level.span)
            yield replace(level, keep=keep), change


def _near(line: Decimal) -> tuple[Decimal, ...]:
    """Lines close by: a twentieth off, at least a point."""
    low, high = nearby(line / 2, whole=True)
    step = (high - low) / 2
    return (line - step, line + step)


def _days(days: int) -> tuple[int, ...]:
    if not days:
        return (NO_WAITING,)
    return tuple(int(end) for end in nearby(Decimal(days), whole=True) if end >= 0)


def _up(up: UpChange) -> Iterator[tuple[UpChange, Change]]:
    for days in _days(up.hold):
        yield replace(up, hold=days), Change(f"hold: {up.hold}", f"hold: {days}", up.span)
    step = None if up.max_step is not None else 1
    text = f"max_step: {up.max_step or 'any'}", f"max_step: {step or 'any'}"
    yield replace(up, max_step=step), Change(*text, up.span)


def _down(down: DownChange) -> Iterator[tuple[DownChange, Change]]:
    for patience in _patience(down.demote_after):
        text = f"demote_after: {_told(down.demote_after)}", f"demote_after: {_told(patience)}"
        yield replace(down, demote_after=patience), Change(*text, down.span)
    for days in _days(down.hold):
        yield replace(down, hold=days), Change(f"hold: {down.hold}", f"hold: {days}", down.span)
    # a grace no longer than the hold does nothing
    for days in _days(down.grace) if down.grace else (down.hold + NO_WAITING,):
        change = Change(f"grace: {down.grace}", f"grace: {days}", down.span)
        yield replace(down, grace=days), change
    if down.notice:
        for days in _days(down.notice):
            change = Change(f"notice: {down.notice}", f"notice: {days}", down.span)
            yield replace(down, notice=days), change
    step = None if down.max_step is not None else 1
    text = f"max_step: {down.max_step or 'any'}", f"max_step: {step or 'any'}"
    yield replace(down, max_step=step), Change(*text, down.span)
    words = ("at review", "any time") if down.at_review else ("any time", "at review")
    change = Change(f"when: {words[0]}", f"when: {words[1]}", down.span)
    yield replace(down, at_review=not down.at_review), change


def _patience(patience: Patience) -> Iterator[Patience]:
    if patience.evaluations is not None:
        for count in (patience.evaluations - 1, patience.evaluations + 1):
            if count > 0:
                yield replace(patience, evaluations=count)
    if patience.days is not None:
        for days in _days(patience.days):
            yield replace(patience, days=days)


def _told(patience: Patience) -> str:
    if patience.evaluations is not None:
        return f"{patience.evaluations} evaluations"
    return f"{patience.days} days"


def _exception(
    item: TierException, rules: TierRules, sentences: Sentences
) -> Iterator[tuple[TierException, Change]]:
    for condition, change in sentences.of(item.when):
        yield replace(item, when=condition), change
    ranked = [level.id for level in rules.ranked]
    if item.level not in ranked:
        return
    for action in ExceptionAction:
        if action is not item.action:
            text = f"{item.action.value}: {item.level}", f"{action.value}: {item.level}"
            yield replace(item, action=action), Change(*text, item.span)
    place = ranked.index(item.level)
    for other in (place - 1, place + 1):
        if 0 <= other < len(ranked):
            text = f"{item.action.value}: {item.level}", f"{item.action.value}: {ranked[other]}"
            yield replace(item, level=ranked[other]), Change(*text, item.span)
