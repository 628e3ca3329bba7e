"""The facts of a case: plain values, and values with who gave them and when."""

from __future__ import annotations

from datetime import date

from crmsync.model.fact import FactType, FactValue, Judgement
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.case_names import Names
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

_UNKNOWN = frozenset({"missing", "unknown", "缺失", "未知"})
_Judged = dict[str, Judgement]


def read_facts(
    node: Node | None, names: Names, language: Language
) -> tuple[dict[str, FactValue], _Judged]:
    """Values by fact, and what is told of judgements: ``{value: 12, author: 王, date: …}``."""
    found: dict[str, FactValue] = {}
    judged: _Judged = {}
    findings = language.findings
    if node is None or not isinstance(node, MappingNode):
        if node is not None:
            Block.of(node, findings)
        return found, judged
    for key, value in node.entries:
        fact = _given(key, names, language)
        if fact is None:
            continue
        if fact.id in found:
            _twice(key, fact, language)
            continue
        single: Node | None = value
        if isinstance(value, MappingNode) and fact.judged_by is not None:
            block = Block(value, findings)
            single = block.scalar("value", required=True)
            judged[fact.id] = _judgement(block, language)
            block.finish()
        one = None if single is None else scalar(single, findings)
        if one is not None:
            found[fact.id] = _value(one, fact, language)
    return found, judged


def _twice(key: Scalar, fact: FactDefinition, language: Language) -> None:
    language.findings.add(
        "TEST007",
        key.span,
        Text(zh=f"“{fact.id}”给了两次", en=f"“{fact.id}” is given twice"),
        Text(zh="每个事实只写一次", en="Give each fact once."),
    )


def _given(key: Scalar, names: Names, language: Language) -> FactDefinition | None:
    """The fact *key* names, if a case may give it."""
    fact = names.facts.get(key.text)
    if fact is None:
        language.findings.unknown(
            "TEST010",
            key.span,
            Text(zh=f"没有事实“{key.text}”", en=f"there is no fact “{key.text}”"),
            key.text,
            names.facts,
        )
        return None
    if fact.formula is None:
        return fact
    language.findings.add(
        "TEST011",
        key.span,
        Text(
            zh=f"“{fact.id}”由公式算出，不能直接给值",
            en=f"“{fact.id}” comes from a formula and cannot be given",
        ),
        Text(zh="请给公式所用的事实", en="Give the facts its formula uses."),
    )
    return None


def _judgement(block: Block, language: Language) -> Judgement:
    author, day, remark = (block.scalar(part) for part in ("author", "date", "remark"))
    on = None if day is None else language.value(day, FactType.DATE)
    return Judgement(
        author=None if author is None else author.text,
        on=on if isinstance(on, date) else None,
        remark=None if remark is None else remark.text,
    )


def _value(found: Scalar, fact: FactDefinition, language: Language) -> FactValue:
    if found.text in _UNKNOWN and found.text not in fact.choices:
        return None
    return language.value(found, fact.type, fact.choices)
