"""The sentences of the tier policy: why a line is met, missed or still waited for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from crmsync.evaluate.wording import points, shown
from crmsync.model.cut import Cut
from crmsync.model.decision import Because
from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules

WAITS: dict[str, tuple[str, str]] = {
    Because.GRACE: ("处于首次定级宽限期", "within the grace after the first assignment"),
    Because.NEWCOMER: ("新客户保护期内", "new customers are not demoted"),
    Because.HOLD: ("处于等级保持期", "the tier is held"),
    Because.PATIENCE: ("需持续低于保级线才降级", "it must stay below for longer"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """How amounts of the measure are told: points, or the fact with its label."""

    label: Text | None = None
    type: FactType | None = None

    def amount(self, value: Decimal) -> Text:
        """``82 points``, ``Revenue 120,000``."""
        if self.label is None:
            return Text(zh=f"{points(value)} 分", en=f"{points(value)} points")
        said = shown(value, self.type)
        return Text(zh=f"{self.label.zh} {said.zh}", en=f"{self.label.en} {said.en}")

    def line(self, value: Decimal) -> Text:
        """The bare number."""
        if self.label is None:
            return Text.same(points(value))
        return shown(value, self.type)

    def more(self, value: Decimal) -> Text:
        """What is still lacking: ``7 more points``, ``Revenue 7,000 more``."""
        if self.label is None:
            return Text(zh=f"再得 {points(value)} 分", en=f"{points(value)} more points")
        said = shown(value, self.type)
        return Text(zh=f"{self.label.zh}再增加 {said.zh}", en=f"{said.en} more of {self.label.en}")


POINTS = Words()


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


def below(words: Words, value: Decimal, level: Level, count: int) -> Text:
    """That *value* lies below the keep line of *level*, for the *count*th time."""
    amount, line = words.amount(value), words.line(keep_line(level) or Decimal(0))
    space = "" if words.label is None else " "
    return Text(
        zh=f"{amount.zh}{space}低于保级线 {line.zh}（第 {count} 次）",
        en=f"{amount.en}, below the keep line {line.en} (evaluation {count})",
    )


def saving(words: Words, value: Decimal, level: Level) -> Text:
    """What *value* still lacks to keep *level*."""
    line = keep_line(level) or Decimal(0)
    more, said = words.more(line - value), words.line(line)
    verb = "keep" if words.label is None else "keeps"
    return Text(
        zh=f"{more.zh}可保住{level.label.zh}（保级线 {said.zh}）",
        en=f"{more.en} {verb} {level.label.en} (keep line {said.en})",
    )


def _drawn(rules: TierRules, cut: Cut | None) -> Text:
    """What a line was drawn at and for which period; nothing for a line the file writes."""
    if cut is None or rules.drawn is None:
        return Text.same("")
    what, period = cut.words, rules.drawn.period
    return Text(zh=f"（{what.zh}，{period}）", en=f" ({what.en}, {period})")
