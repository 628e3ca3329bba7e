"""The named segments of the rfm block: a list of conditions or codes, or a table of either."""

from __future__ import annotations

import re

from crmsync.condition import Scope, ScopeName
from crmsync.model.condition import All, AnyOf, Compare, Comparison, Condition, Literal, Name, OneOf
from crmsync.model.fact import FactType
from crmsync.model.rfm import Part, RfmRules, RfmSegment
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.rfm_table import segments_of_table
from crmsync.rules.shape import LANGUAGES, Block, Findings, Seen, identifier, items, split
from crmsync.rules.shelf import Shelf
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, Sequence

_DIGIT = re.compile(r"\*|\[[1-9](?:-[1-9]|[1-9]*)\]|[1-9]")
_LETTERS = {Part.RECENCY: "r", Part.FREQUENCY: "f", Part.MONETARY: "m"}


def segment_names(node: Node, shelf: Shelf) -> tuple[RfmSegment, ...]:
    """The segments of the block without their conditions: other blocks may name them already."""
    inner = node.get("segments") if isinstance(node, MappingNode) else None
    silent = Findings()
    if isinstance(inner, MappingNode):
        # a shelf tells what is wrong with a file once, and here nobody listens
        language = Language(class_scope(), LANGUAGES, silent, shelf=shelf.again())
        return segments_of_table(inner, language, None, codes_of)
    found = []
    for entry in inner.items if isinstance(inner, Sequence) else ():
        block = Block.of(entry, silent)
        name = None if block is None else block.scalar("id")
        if block is not None and name is not None:
            found.append(RfmSegment(name.text, block.label("label", default=name.text) or NO_LABEL))
    return tuple(found)


NO_LABEL = Text.same("")


def read_segments(node: Node, rules: RfmRules, language: Language) -> tuple[RfmSegment, ...]:
    """Read ``segments:``, a list or ``{table: …}``; *rules* say how many classes there are."""
    findings = language.findings
    within = language.within(class_scope())
    if isinstance(node, MappingNode):
        return segments_of_table(node, within, rules, codes_of)
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
            condition = codes_of(codes, findings)
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


def codes_of(found: Scalar, findings: Findings) -> Condition | None:
    """``5[45]*, 444``: a digit, a set of digits or any digit for r, f and m."""
    patterns = [_pattern(word, findings) for word in split(found)]
    known = [item for item in patterns if item is not None]
    if len(known) < len(patterns) or not known:
        return None
    return known[0] if len(known) == 1 else AnyOf(tuple(known), span=found.span)


def _pattern(word: Scalar, findings: Findings) -> Condition | None:
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
