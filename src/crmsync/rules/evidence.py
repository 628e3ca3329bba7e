"""``evidence`` of a criterion: what whoever judges should look at, by kind of customer."""

from __future__ import annotations

from crmsync.model.condition import Condition, Expression
from crmsync.model.scorecard import Evidence
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.placeholders import check_placeholders
from crmsync.rules.shape import Block, bilingual, scalar
from crmsync.source import Mapping, Node, Scalar

OTHERWISE = frozenset({"otherwise", "其他", "否则"})


def read_evidence(node: Node | None, language: Language) -> tuple[Evidence, ...]:
    """One text for everybody, or ``by: FACT`` with “test: text” lines, the first that fits."""
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        text = _text(node, language)
        return () if text is None else (Evidence(None, text, node.span),)
    block = Block(node, language.findings, languages=language.languages)
    by = block.scalar("by", required=True)
    operand = None if by is None else language.expression(by)
    found = []
    for key, value in node.entries:
        if key.text == "by":
            continue
        line = _line(key, value, operand, language)
        if line is not None:
            found.append(line)
    if all(key.text == "by" for key, _ in node.entries):
        language.findings.add(
            "RULE002",
            node.span,
            Text(
                zh="evidence 里要有“条件: 看什么”的行",
                en="evidence needs lines of “test: what to look at”",
            ),
            Text(
                zh="如 政府: 土地面积 | Land held",
                en="Such as 政府: 土地面积 | Land held.",
            ),
        )
    return tuple(found)


def _line(
    key: Scalar, value: Node, operand: Expression | None, language: Language
) -> Evidence | None:
    text = _text(value, language)
    when: Condition | None = None
    if key.text not in OTHERWISE:
        when = None if operand is None else language.test(key, operand)
        if when is None:
            return None
    return None if text is None else Evidence(when, text, key.span)


def _text(node: Node, language: Language) -> Text | None:
    found = scalar(node, language.findings)
    if found is None:
        return None
    facts = (spelling for name in language.scope.names for spelling in name.spellings)
    check_placeholders(found, ("name", *facts), language.findings)
    return bilingual(found, language.languages, language.findings)
