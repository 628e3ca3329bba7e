"""The rfm block: recency, frequency and monetary value, their cut points, named segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from crmsync.model.fact import FactType
from crmsync.model.frozen import Freeze
from crmsync.model.position import Span
from crmsync.model.rfm import MAX_CLASSES, CutPoints, Part, RfmRules
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.model_facts import Reads
from crmsync.rules.rfm_segments import read_segments
from crmsync.rules.shape import Block, items, scalar
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node

QUANTILES: Mapping[str, int] = {
    "tertiles": 3,
    "三分位": 3,
    "quartiles": 4,
    "四分位": 4,
    "quintiles": 5,
    "五分位": 5,
    "sextiles": 6,
    "septiles": 7,
    "octiles": 8,
    "noniles": 9,
}


def read_rfm(
    node: Node, facts: Mapping[str, FactDefinition], language: Language
) -> RfmRules | None:
    """Read the block; *facts* are the declared ones."""
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    reads = Reads(facts, findings)
    named = {
        part: reads.fact(block.scalar(part.value, required=True), _wanted(part)) for part in Part
    }
    cut = block.need("cut")
    classes, cuts, spans = (0, None, {}) if cut is None else _cut(cut, language)
    freeze = _freeze(block, drawn=cuts is None and bool(classes))
    draft = RfmRules(
        reads={part: fact.id for part, fact in named.items() if fact is not None},
        classes=classes,
        cuts=cuts,
        freeze=freeze,
        span=block.place(Part.RECENCY.value),
        cut_spans=spans,
    )
    segments = block.take("segments")
    block.finish()
    if len(draft.reads) < len(Part) or not (classes or cuts):
        return None
    reads.no_circle(draft.reads.values(), "rfm_", node.span)
    if segments is None:
        return draft
    return replace(draft, segments=read_segments(segments, draft, language))


def _wanted(part: Part) -> frozenset[FactType]:
    numeric = frozenset({FactType.INTEGER, FactType.NUMBER, FactType.MONEY})
    if part is Part.RECENCY:
        return frozenset({FactType.DATE, FactType.INTEGER, FactType.NUMBER})
    return numeric - {FactType.MONEY} if part is Part.FREQUENCY else numeric


def _freeze(block: Block, *, drawn: bool) -> Freeze | None:
    word = block.one_of("freeze", [item.value for item in Freeze], required=drawn)
    if word is not None and not drawn and block.node.get("cut") is not None:
        block.findings.add(
            "RULE020",
            block.place("freeze"),
            Text(
                zh="固定切点不需要 freeze",
                en="fixed cut points need no freeze",
            ),
            Text(zh="去掉 freeze", en="Remove freeze."),
        )
    return None if word is None else Freeze(word)


# ── cut points ─────────────────────────────────────────────────────────────────────────────────


def _cut(
    node: Node, language: Language
) -> tuple[int, CutPoints | None, dict[Part, tuple[Span, ...]]]:
    findings = language.findings
    if not isinstance(node, MappingNode):
        found = scalar(node, findings)
        known = None if found is None else QUANTILES.get(found.text)
        if found is not None and known is None:
            findings.unknown(
                "RULE004",
                found.span,
                Text(
                    zh=f"“{found.text}”不是分位数，也不是切点",
                    en=f"“{found.text}” is neither quantiles nor cut points",
                ),
                found.text,
                QUANTILES,
            )
        return known or 0, None, {}
    block = Block(node, findings)
    cuts: dict[Part, tuple[Decimal, ...]] = {}
    spans: dict[Part, tuple[Span, ...]] = {}
    for part in Part:
        given = block.need(part.value)
        if given is None:
            continue
        points = read_points(given, part, language)
        if points:
            cuts[part] = tuple(value for value, _ in points)
            spans[part] = tuple(span for _, span in points)
    block.finish()
    if len(cuts) < len(Part):
        return 0, None, {}
    return max(len(points) + 1 for points in cuts.values()), cuts, spans


def read_points(node: Node, part: Part, language: Language) -> list[tuple[Decimal, Span]]:
    """Rising cut points of one value; for recency days, for the others numbers."""
    findings = language.findings
    found: list[tuple[Decimal, Span]] = []
    for item in items(node, findings):
        single = scalar(item, findings)
        if single is None:
            continue
        if part is Part.RECENCY:
            days = language.days(single)
            value = None if days is None else Decimal(days)
        else:
            value = language.number(single, FactType.NUMBER)
        if value is not None:
            found.append((value, single.span))
    rising = all(before[0] < after[0] for before, after in pairwise(found))
    if found and (not rising or len(found) >= MAX_CLASSES):
        findings.add(
            "RULE240",
            node.span,
            Text(
                zh=f"切点应从小到大、互不相同，最多 {MAX_CLASSES - 1} 个",
                en=f"cut points rise, none twice, at most {MAX_CLASSES - 1} of them",
            ),
            Text(
                zh="例如 recency: [14, 30, 75, 180] 天，monetary: [450, 900, 1900, 3400]",
                en="For instance recency: [14, 30, 75, 180], monetary: [450, 900, 1900, 3400].",
            ),
        )
        return []
    return found


def read_cut_points(node: Node, rules: RfmRules, language: Language) -> CutPoints | None:
    """Cut points a case gives: as many of each value as the block has."""
    block = Block.of(node, language.findings)
    if block is None:
        return None
    cuts: dict[Part, tuple[Decimal, ...]] = {}
    for part in Part:
        given = block.need(part.value)
        points = [] if given is None else read_points(given, part, language)
        if given is None or not points:
            continue
        if len(points) != rules.most(part) - 1:
            language.findings.add(
                "TEST016",
                given.span,
                Text(
                    zh=f"{part.value} 有 {rules.most(part)} 档，应写 {rules.most(part) - 1} 个切点",
                    en=f"{part.value} has {rules.most(part)} classes, so"
                    f" {rules.most(part) - 1} cut points",
                ),
                Text(zh="补上或去掉几个切点", en="Add or drop cut points."),
            )
            continue
        cuts[part] = tuple(value for value, _ in points)
    block.finish()
    return cuts if len(cuts) == len(Part) else None
