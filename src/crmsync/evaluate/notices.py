"""Notice of a demotion that waits: said some days ahead, while there is time to do something."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from crmsync.evaluate.exceptions import departure
from crmsync.evaluate.tier import Computed, Waiting
from crmsync.model.decision import Notice
from crmsync.model.override import Override
from crmsync.model.text import Text
from crmsync.model.tier import TierException, TierRules


def notice_of(
    rules: TierRules,
    computed: Computed,
    exceptions: Sequence[TierException],
    overrides: Sequence[Override],
    today: date,
) -> Notice | None:
    """The notice of *computed*'s waiting demotion, once it is due within ``notice`` days.

    The exceptions and overrides of the day it is due have their say: no notice is given of a fall
    that they would prevent, and one they would soften names the tier they lead to. MUST only be
    asked where neither decides today.
    """
    waiting = computed.waiting
    if waiting is None or not rules.down.notice:
        return None
    if (waiting.due_on - today).days > rules.down.notice:
        return None
    departed = departure(rules, waiting.level, exceptions, overrides, waiting.due_on)
    reached = waiting.level if departed is None else departed.tier
    ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
    if reached not in ranks or computed.tier is None or ranks[reached] <= ranks[computed.tier]:
        return None
    text = _text(rules, waiting, reached, today)
    return Notice(reached, waiting.due_on, waiting.missing, text)


def _text(rules: TierRules, waiting: Waiting, reached: str, today: date) -> Text:
    then, due, saving = rules.level(reached).label, waiting.due_on, waiting.saving
    if not waiting.review:
        zh, en = f"将于 {due} 降为{then.zh}", f"falls to {then.en} on {due}"
    elif due > today:
        zh = f"最早 {due}、经复核放行后降为{then.zh}"
        en = f"falls to {then.en} once a review is released, not before {due}"
    else:
        zh, en = f"复核放行后降为{then.zh}", f"falls to {then.en} once the review is released"
    return Text(zh=f"{zh}；{saving.zh}", en=f"{en}; {saving.en}")
