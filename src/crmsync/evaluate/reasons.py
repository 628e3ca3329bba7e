"""The sentence written to the customer's record: why this tier, and this stage."""

from __future__ import annotations

from crmsync.model.decision import StageResult, TierResult
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text


def reason(ruleset: Ruleset, tier: TierResult | None, stage: StageResult | None) -> Text:
    """One sentence in each language; empty when there is neither a tier nor a stage."""
    parts = [part for part in (_tier(ruleset, tier), _stage(ruleset, stage)) if part is not None]
    return Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))


def _tier(ruleset: Ruleset, tier: TierResult | None) -> Text | None:
    if tier is None or ruleset.tier is None:
        return None
    known = {level.id: level.label for level in ruleset.tier.levels}
    label = known.get(tier.after or "", Text(zh="未定级", en="No tier"))
    return Text(zh=f"{label.zh}：{tier.text.zh}", en=f"{label.en}: {tier.text.en}")


def _stage(ruleset: Ruleset, stage: StageResult | None) -> Text | None:
    if stage is None or ruleset.lifecycle is None or not stage.moves:
        return None
    label = ruleset.lifecycle.stage(stage.after).label
    text = stage.moves[-1].text
    return Text(zh=f"{label.zh}：{text.zh}", en=f"{label.en}: {text.en}")
