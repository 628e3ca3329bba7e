"""Who the rules are for: ``applies_to`` and the business line of ``scope``."""

from __future__ import annotations

from crmsync.model.condition import Compare, Comparison, Condition, Literal, Name
from crmsync.model.fact import FactType
from crmsync.model.population import ScopeLine
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node

_FITTING = frozenset({FactType.CHOICE, FactType.TEXT, FactType.YES_NO})


def read_applies_to(node: Node | None, language: Language) -> Condition | None:
    """The condition of ``applies_to``, over facts."""
    return None if node is None else language.condition(node)


def read_scope(
    node: Node | None, facts: tuple[FactDefinition, ...], language: Language
) -> tuple[ScopeLine, ...]:
    """``scope: {产品线: 工业}``: each line a fact and the value customers of this line have."""
    if node is None:
        return ()
    findings = language.findings
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return ()
    known = {spelling: fact for fact in facts for spelling in (*fact.label.all(), fact.id)}
    lines = []
    for key, value in node.entries:
        fact = known.get(key.text)
        if fact is None:
            findings.unknown(
                "RULE101",
                key.span,
                Text(zh=f"没有事实“{key.text}”", en=f"there is no fact “{key.text}”"),
                key.text,
                known,
            )
            continue
        single = scalar(value, findings)
        if fact.type not in _FITTING:
            findings.add(
                "RULE268",
                key.span,
                Text(
                    zh=f"“{key.text}”不能划分业务线：要用选项、文字或是否",
                    en=f"“{key.text}” divides no business lines: a choice, a text or yes/no does",
                ),
                Text(
                    zh="换一个选项、文字或是否类的事实",
                    en="Name a fact that is a choice, a text or yes/no.",
                ),
            )
        elif single is not None:
            found = language.value(single, fact.type, fact.choices)
            if found is not None:
                when = Compare(
                    Comparison.EQ,
                    Name(fact.id, fact.type),
                    Literal(found, fact.type),
                    key.span,
                )
                lines.append(ScopeLine(fact.id, found, when))
    return tuple(lines)
