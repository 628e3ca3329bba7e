"""The segments block: groups of customers, several per customer."""

from __future__ import annotations

from crmsync.model.segment import Segment
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Seen, identifier, items
from crmsync.source import Node


def read_segments(node: Node, language: Language) -> tuple[Segment, ...]:
    """Read ``segments:``, a list of names with their conditions."""
    seen = Seen(language.findings)
    found = (_segment(entry, language, seen) for entry in items(node, language.findings))
    return tuple(segment for segment in found if segment is not None)


def _segment(node: Node, language: Language, seen: Seen) -> Segment | None:
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    label = block.label("label", default=None if name is None else name.text)
    when = block.need("when")
    condition = None if when is None else language.condition(when)
    block.finish()
    if name is None:
        return None
    seen.add(identifier(name, findings), name.span)
    if condition is None:
        return None
    return Segment(name.text, label or Text.same(name.text), condition, block.span)
