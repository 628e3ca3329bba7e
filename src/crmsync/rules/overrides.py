"""The overrides block: what becomes of a tier a person wrote into the CRM."""

from __future__ import annotations

from crmsync.model.override import HumanEditRule
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block
from crmsync.source import Node


def read_overrides(node: Node, language: Language) -> HumanEditRule | None:
    """Read ``overrides: {human_edits: adopt, adopt_for: 90 days}``."""
    block = Block.of(node, language.findings)
    if block is None:
        return None
    policy = block.one_of("human_edits", ("conflict", "adopt"), required=True)
    days = language.days(block.scalar("adopt_for"))
    block.finish()
    if policy == "conflict" and days is not None:
        language.findings.add(
            "RULE020",
            block.place("adopt_for"),
            Text(
                zh="conflict 不会接受人工改动，adopt_for 不起作用",
                en="conflict adopts no edit, so adopt_for does nothing",
            ),
            Text(zh="去掉 adopt_for，或写 human_edits: adopt", en="Remove it, or write adopt."),
        )
    if policy is None:
        return None
    if days is None:
        return HumanEditRule(adopt=policy == "adopt")
    return HumanEditRule(adopt=policy == "adopt", days=days)
