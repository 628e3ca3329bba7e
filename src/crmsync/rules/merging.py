"""The on_merge block: what the survivor of a merge takes over from the record that vanished."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from crmsync.model.merge import (
    MergedOverrides,
    MergedSince,
    MergedTasks,
    MergedTier,
    MergeRules,
)
from crmsync.rules.language import Language
from crmsync.rules.shape import Block
from crmsync.source import Node

Word = TypeVar("Word", bound=StrEnum)


def read_on_merge(node: Node, language: Language) -> MergeRules | None:
    """Read ``on_merge: {tier: higher, since: earlier, overrides: keep, tasks: close doubles}``.

    A key that is not written has its default.
    """
    block = Block.of(node, language.findings)
    if block is None:
        return None
    rules = MergeRules(
        tier=_word(block, "tier", MergedTier.HIGHER),
        since=_word(block, "since", MergedSince.EARLIER),
        overrides=_word(block, "overrides", MergedOverrides.KEEP),
        tasks=_word(block, "tasks", MergedTasks.CLOSE_DOUBLES),
    )
    block.finish()
    return rules


def _word(block: Block, key: str, default: Word) -> Word:
    kind = type(default)
    found = block.one_of(key, [item.value for item in kind])
    return default if found is None else kind(found)
