"""Who judged, on which day and why, in a few words."""

from __future__ import annotations

from crmsync.cli.language import say
from crmsync.cli.layout import clean, fact_text
from crmsync.model.fact import FactType, Judgement


def told(judged: Judgement, type: FactType | None = None) -> str:
    """``张敏 2026-10-03：“长期合作”``; an expired value is named with what became of it."""
    who = " ".join(part for part in (clean(judged.author or ""), str(judged.on or "")) if part)
    words = f"“{clean(judged.remark)}”" if judged.remark else ""
    text = say("：", ": ").join(part for part in (who, words) if part)
    if judged.expired is None:
        return text
    value = fact_text(judged.expired, type)
    old = (
        say(f"{value} 没有评分日期，不计", f"{value} has no day, so it does not count")
        if judged.on is None
        else say(f"{value} 已过有效期", f"{value} is too old to count")
    )
    return say("；", "; ").join(part for part in (old, text) if part)
