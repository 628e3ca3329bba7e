"""A merge in a plan: what goes over to the survivor, and which tasks are there twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crmsync.model.decision import TaskClosing
from crmsync.model.merge import HeldOverride, Keeping, MergedOverrides, MergedTasks
from crmsync.model.plan import Takeover
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Episode
from crmsync.model.text import Text
from crmsync.plan.identity import change_id
from crmsync.plan.inputs import Evaluated, Inheritance

DOUBLE = Text("合并后重复", "there twice after a merge")


def takeover(ruleset: Ruleset, item: Evaluated, inherits: Inheritance, digest: str) -> Takeover:
    """The line of a customer that takes over; *digest* is that of its facts.

    Its clocks are those the decision leaves, as an observation would have them: they come true
    together, or not at all.
    """
    decision, row = item.decision, inherits.row
    known = (name for name, value in item.row.facts.items() if value is not None)
    present = replace(
        row.present,
        clocks=decision.clocks,
        known=decision.known_facts | frozenset(known),
        ruleset_digest=ruleset.digest,
        facts_digest=digest,
    )
    ref = item.row.ref
    ended = ruleset.merging.overrides is MergedOverrides.DROP
    overrides = tuple(
        HeldOverride(held.number, held.ref if ended else ref, ended)
        for held in inherits.kept.overrides
    )
    after = Keeping(
        states=(replace(row, present=present),),
        episodes=dict.fromkeys(inherits.kept.episodes, ref),
        overrides=overrides,
    )
    return Takeover(
        change_id=change_id(ruleset.id, str(ref), "takeover"),
        ref=ref,
        name=item.row.name,
        lost=inherits.lost,
        after=after,
        text=_told(ruleset, inherits),
        told=inherits.told,
    )


def doubles(ruleset: Ruleset, inherits: Inheritance) -> Iterator[TaskClosing]:
    """The open tasks that are there twice now: of every rule those of one record stay, the record
    that has the oldest of them.

    Tasks for each person below a customer are no doubles: they are about different people.
    """
    if ruleset.merging.tasks is MergedTasks.KEEP:
        return
    for task in ruleset.tasks:
        if task.for_each is not None:
            continue
        ids = {task.id, task.was}
        own = [item for item in inherits.own_tasks if item.task_id in ids]
        groups: dict[RecordRef, list[Episode]] = {own[0].ref: own} if own else {}
        for item in inherits.their_tasks:
            if item.task_id in ids:
                groups.setdefault(item.ref, []).append(item)
        if len(groups) < 2:
            continue
        kept = min(groups, key=lambda ref: min((e.opened_on, e.key) for e in groups[ref]))
        for ref in sorted(groups.keys() - {kept}, key=str):
            yield from (TaskClosing(item.key, task.id, DOUBLE) for item in groups[ref])


def _told(ruleset: Ruleset, inherits: Inheritance) -> Text:
    """Which records went into this one, and what it goes on with."""
    ids = ", ".join(ref.id for ref in inherits.lost)
    standing = inherits.row.present.standing
    zh, en = [f"{ids} 已并入"], [f"{ids} was merged into it"]
    if len(inherits.lost) > 1:
        en = [f"{ids} were merged into it"]
    levels = {} if ruleset.tier is None else {item.id: item for item in ruleset.tier.levels}
    if standing.tier in levels:
        label = levels[standing.tier].label
        since_zh = f"（自 {standing.tier_since}）" if standing.tier_since else ""
        since_en = f" since {standing.tier_since}" if standing.tier_since else ""
        zh.append(f"此前等级按{label.zh}{since_zh}")
        en.append(f"it goes on as {label.en}{since_en}")
    return Text("，".join(zh), "; ".join(en))
