"""``cut_lines`` of a case: where the lines drawn across the population lie for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.tier import TierRules
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings, number, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar


def read_cut_lines(node: Node, ruleset: Ruleset, language: Language) -> dict[str, Decimal]:
    """``{vip: 82, key: {enter: 60, keep: 55}}`` as ``vip.enter``, ``key.enter``, ``key.keep``."""
    findings = language.findings
    if not isinstance(node, MappingNode):
        findings.add(
            "TEST003",
            node.span,
            Text(zh="这里应是“等级: 线”", en="“tier: line” entries are expected here"),
            Text(zh="写成 cut_lines: {vip: 86}", en="Write it like cut_lines: {vip: 86}."),
        )
        return {}
    tier = ruleset.tier
    found: dict[str, Decimal] = {}
    for key, value in node.entries:
        for name, line in _named(key, value, tier):
            if tier is None or name not in tier.cuts:
                _unknown(key, tier, findings)
                continue
            amount = _amount(line, ruleset, tier, language)
            if amount is not None:
                found[name] = amount
    return found


def _named(key: Scalar, value: Node, tier: TierRules | None) -> Iterator[tuple[str, Node]]:
    levels = () if tier is None else tier.levels
    id = next((i.id for i in levels if key.text in {i.id, *i.label.all()}), key.text)
    if isinstance(value, MappingNode):
        for part, line in value.entries:
            yield f"{id}.{part.text}", line
    else:
        yield f"{id}.enter", value


def _amount(node: Node, ruleset: Ruleset, tier: TierRules, language: Language) -> Decimal | None:
    found = scalar(node, language.findings)
    if found is None:
        return None
    if tier.of is None:
        return number(found, language.findings)
    return language.number(found, ruleset.fact(tier.of).type)


def _unknown(key: Scalar, tier: TierRules | None, findings: Findings) -> None:
    known = () if tier is None else tuple(tier.cuts)
    listed = ", ".join(known) or "–"
    findings.add(
        "TEST018",
        key.span,
        Text(
            zh=f"“{key.text}”没有按排名划的线（有：{listed}）",
            en=f"“{key.text}” has no line drawn across the population (those that have: {listed})",
        ),
        Text(zh="只给按排名划线的等级写线", en="Give lines to those tiers only."),
    )


def own_cut_lines(
    block: Block, common: Mapping[str, Decimal], ruleset: Ruleset, language: Language
) -> Mapping[str, Decimal]:
    """The *common* lines of the file with those of one case; each cut of the rules needs one."""
    node, tier = block.take("cut_lines"), ruleset.tier
    own = {} if node is None else read_cut_lines(node, ruleset, language)
    lines = {**common, **own}
    lacking = () if tier is None else [name for name in tier.cuts if name not in lines]
    if lacking:
        said = ", ".join(lacking)
        language.findings.add(
            "TEST017",
            block.span,
            Text(
                zh=f"用例没有写按排名划的线在哪里：{said}",
                en=f"the case does not say where the line is drawn: {said}",
            ),
            Text(
                zh="在文件开头或用例里写 cut_lines: {vip: 82}",
                en="Write cut_lines: {vip: 82} at the top of the file or in the case.",
            ),
        )
    return lines


def cut_lines_text(lines: Mapping[str, Decimal]) -> dict[str, dict[str, Decimal]]:
    """The lines by level and kind, as a case writes them."""
    found: dict[str, dict[str, Decimal]] = {}
    for name, line in lines.items():
        level, _, kind = name.rpartition(".")
        found.setdefault(level, {})[kind] = line
    return found
