"""The group block: which fact names the parent, what adds up, and how tiers hang together."""

from __future__ import annotations

from crmsync.model.fact import FactType
from crmsync.model.group import GROUP, Group, GroupTier
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.model.tier import TierException
from crmsync.rules.language import Language
from crmsync.rules.reserved import reserve
from crmsync.rules.shape import Block, words
from crmsync.source import Node, Scalar

Facts = dict[str, FactDefinition]


def read_group(
    node: Node,
    facts: tuple[FactDefinition, ...],
    exceptions: tuple[TierException, ...],
    language: Language,
) -> Group | None:
    """Read ``group: {by: parent_account_id, sum: [revenue_12m], tier: at_least_parent}``."""
    findings = language.findings
    block = Block.of(node, findings)
    if block is None:
        return None
    known = {spelling: fact for fact in facts for spelling in (*fact.label.all(), fact.id)}
    by = _fact(block.scalar("by", required=True), known, language)
    if by is not None and by[1].type is not FactType.TEXT:
        _unfit(
            by[0],
            "应是文字类的事实，存放上级记录的编号",
            "must be a text fact: the parent's id",
            language,
        )
    sums = []
    for word in words(block.take("sum"), findings):
        found = _fact(word, known, language)
        if found is not None and not found[1].type.numeric:
            _unfit(word, "不是数值，无法相加", "is no number: it cannot be added up", language)
        elif found is not None:
            sums.append(found[1].id)
    tier = block.one_of("tier", [item.value for item in GroupTier])
    block.finish()
    if block.node.get("sum") is None and tier in {None, GroupTier.OWN.value}:
        findings.add(
            "RULE002",
            block.span,
            Text(
                zh="group 要写 sum，或 tier: shared、at_least_parent，否则什么也不做",
                en="group needs sum, or tier: shared or at_least_parent, or it does nothing",
            ),
            Text(
                zh="例如 group: {by: parent_account_id, sum: [revenue_12m]}",
                en="Such as group: {by: parent_account_id, sum: [revenue_12m]}.",
            ),
        )
    reserve(GROUP, exceptions, findings)
    if by is None:
        return None
    return Group(by[1].id, tuple(sums), GroupTier(tier or GroupTier.OWN), block.span)


def _fact(
    found: Scalar | None, known: Facts, language: Language
) -> tuple[Scalar, FactDefinition] | None:
    if found is None:
        return None
    fact = known.get(found.text)
    if fact is None:
        language.findings.unknown(
            "RULE101",
            found.span,
            Text(zh=f"没有事实“{found.text}”", en=f"there is no fact “{found.text}”"),
            found.text,
            known,
        )
        return None
    if fact.formula is not None:
        _unfit(found, "由公式算出", "has a formula", language)
        return None
    return found, fact


def _unfit(found: Scalar, zh: str, en: str, language: Language) -> None:
    language.findings.add(
        "RULE267",
        found.span,
        Text(zh=f"“{found.text}”{zh}", en=f"“{found.text}” {en}"),
        Text(
            zh="换一个类型合适、直接来自 CRM 的事实",
            en="Name a fact of the right type that comes straight from the CRM.",
        ),
    )
