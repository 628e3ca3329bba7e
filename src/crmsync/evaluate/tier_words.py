"""The sentences of the tier policy: why a line is met, missed or still waited for."""

from __future__ import annotations

from decimal import Decimal

from crmsync.evaluate.measure import Words
from crmsync.model.cut import Cut
from crmsync.model.decision import Because
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules

WAITS: dict[str, tuple[str, str]] = {
    Because.GRACE: ("处于首次定级宽限期", "within the grace after the first assignment"),
    Because.NEWCOMER: ("新客户保护期内", "new customers are not demoted"),
    Because.HOLD: ("处于等级保持期", "the tier is held"),
    Because.PATIENCE: ("需持续低于保级线才降级", "it must stay below for longer"),
}


def keep_line(level: Level) -> Decimal | None:
    """The line that keeps a level: its own ``keep``, else its ``enter``."""
    return level.enter if level.keep is None else level.keep


def entering(rules: TierRules, words: Words, value: Decimal, level: Level) -> Text:
    """Why *value* stands at *level* by enter lines."""
    amount = words.amount(value)
    if level.enter is None:
        above = rules.ranked[rules.ranked.index(level) - 1]
        if above.enter is None:
            return amount
        line, drawn = words.line(above.enter), _drawn(rules, above.enter_cut)
        return Text(
            zh=f"{amount.zh} < 升级线 {line.zh}{drawn.zh}",
            en=f"{amount.en} < enter line {line.en}{drawn.en}",
        )
    line, drawn = words.line(level.enter), _drawn(rules, level.enter_cut)
    return Text(
        zh=f"{amount.zh} ≥ 升级线 {line.zh}{drawn.zh}",
        en=f"{amount.en} ≥ enter line {line.en}{drawn.en}",
    )


def keeping(rules: TierRules, words: Words, value: Decimal, level: Level) -> Text:
    """Why *value* keeps *level* without reaching its enter line."""
    amount = words.amount(value)
    keep = words.line(keep_line(level) or Decimal(0))
    enter, drawn = words.line(level.enter or Decimal(0)), _drawn(rules, level.keep_cut)
    return Text(
        zh=f"{amount.zh} ≥ 保级线 {keep.zh}{drawn.zh}（升级线 {enter.zh}）",
        en=f"{amount.en} ≥ keep line {keep.en}{drawn.en} (enter line {enter.en})",
    )


def falling(rules: TierRules, words: Words, value: Decimal, level: Level) -> Text:
    """Why *value* no longer keeps *level*."""
    amount, line = words.amount(value), words.line(keep_line(level) or Decimal(0))
    drawn = _drawn(rules, level.enter_cut if level.keep is None else level.keep_cut)
    be = "is" if words.label is not None else "are"
    return Text(
        zh=f"{amount.zh}低于保级线 {line.zh}{drawn.zh}"
        if words.label is None
        else f"{amount.zh} 低于保级线 {line.zh}{drawn.zh}",
        en=f"{amount.en} {be} below the keep line {line.en}{drawn.en}",
    )


def _drawn(rules: TierRules, cut: Cut | None) -> Text:
    """What a line was drawn at and for which period; nothing for a line the file writes."""
    if cut is None or rules.drawn is None:
        return Text.same("")
    what, period = cut.words, rules.drawn.period
    return Text(zh=f"（{what.zh}，{period}）", en=f" ({what.en}, {period})")
