"""The rfm block: recency, frequency and monetary value, their cut points, named segments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from crmsync.condition import Scope, ScopeName
from crmsync.model.condition import All, AnyOf, Compare, Comparison, Condition, Literal, Name, OneOf
from crmsync.model.fact import FactType
from crmsync.model.frozen import Freeze
from crmsync.model.position import Span
from crmsync.model.rfm import MAX_CLASSES, CutPoints, Part, RfmRules, RfmSegment
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.model_facts import Reads
from crmsync.rules.shape import Block, Findings, Seen, identifier, items, not_yet, scalar, split
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, Sequence

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
_DIGIT = re.compile(r"\*|\[[1-9](?:-[1-9]|[1-9]*)\]|[1-9]")
_LETTERS = {Part.RECENCY: "r", Part.FREQUENCY: "f", Part.MONETARY: "m"}


def segment_names(node: Node) -> tuple[RfmSegment, ...]:
    """The segments of the block without their conditions: other blocks may name them already."""
    inner = node.get("segments") if isinstance(node, MappingNode) else None
    silent = Findings()
    found = []
    for entry in inner.items if isinstance(inner, Sequence) else ():
        block = Block.of(entry, silent)
        name = None if block is None else block.scalar("id")
        if block is not None and name is not None:
            found.append(RfmSegment(name.text, block.label("label", default=name.text) or NO_LABEL))
    return tuple(found)


NO_LABEL = Text.same("")


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
    return replace(draft, segments=_segments(segments, draft, language))


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


# ── segments ───────────────────────────────────────────────────────────────────────────────────


def _segments(node: Node, rules: RfmRules, language: Language) -> tuple[RfmSegment, ...]:
    findings = language.findings
    if isinstance(node, MappingNode):
        not_yet(node.span, "segments: {table: …}", findings)
        return ()
    within = language.within(class_scope())
    seen, found = Seen(findings), []
    for entry in items(node, findings):
        block = Block.of(entry, findings, languages=language.languages)
        if block is None:
            continue
        name = block.scalar("id", required=True)
        label = block.label("label", default=None if name is None else name.text)
        when, codes = block.take("when"), block.scalar("codes")
        if when is not None and codes is not None:
            findings.add(
                "RULE020",
                block.place("codes"),
                Text(zh="when 和 codes 只能写一个", en="write either when or codes"),
                Text(zh="去掉其中一个", en="Drop one of them."),
            )
        condition = None if when is None else within.condition(when)
        if codes is not None:
            condition = _patterns(codes, rules, findings)
        block.finish()
        if name is None:
            continue
        seen.add(identifier(name, findings), name.span)
        found.append(RfmSegment(name.text, label or NO_LABEL, condition, name.span))
    return tuple(found)


def class_scope() -> Scope:
    """What a segment's condition may name: ``r``, ``f`` and ``m``."""
    return Scope(
        tuple(ScopeName(part.fact, FactType.INTEGER, Text.same(_LETTERS[part])) for part in Part)
    )


def _patterns(found: Scalar, rules: RfmRules, findings: Findings) -> Condition | None:
    """``5[45]*, 444``: a digit, a set of digits or any digit for r, f and m."""
    patterns = [_pattern(word, rules, findings) for word in split(found)]
    known = [item for item in patterns if item is not None]
    if len(known) < len(patterns) or not known:
        return None
    return known[0] if len(known) == 1 else AnyOf(tuple(known), span=found.span)


def _pattern(word: Scalar, rules: RfmRules, findings: Findings) -> Condition | None:
    digits = _DIGIT.findall(word.text)
    if "".join(digits) != word.text or len(digits) != len(Part):
        findings.add(
            "RULE241",
            word.span,
            Text(
                zh=f"“{word.text}”不是 R、F、M 三位的模式",
                en=f"“{word.text}” is no pattern of the three classes R, F and M",
            ),
            Text(
                zh="每位写一个数字、[45] 这样的一组，或 * 表示任意，例如 5[45]*",
                en="Write for each a digit, a set like [45], or * for any: 5[45]*.",
            ),
        )
        return None
    tests: list[Condition] = []
    for part, digit in zip(Part, digits, strict=True):
        if digit != "*":
            name = Name(part.fact, FactType.INTEGER, word.span)
            values = tuple(Literal(n, FactType.INTEGER, word.span) for n in _digits(digit))
            if len(values) == 1:
                tests.append(Compare(Comparison.EQ, name, values[0], word.span))
            else:
                tests.append(OneOf(name, values, word.span))
    return tests[0] if len(tests) == 1 else All(tuple(tests), span=word.span)


def _digits(written: str) -> list[int]:
    inner = written.strip("[]")
    if "-" in inner:
        low, high = sorted(int(end) for end in inner.split("-"))
        return list(range(low, high + 1))
    return [int(digit) for digit in dict.fromkeys(inner)]
