"""Misspelt keys: a file is read on as if each were the key it was meant to be."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from typing import TypeVar

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.source.nodes import Mapping, Node, Sequence

_MOST_READINGS = 4
"""Each reading may uncover slips below the keys that were mended for it."""
_UNKNOWN_KEY = frozenset({"RULE001", "TEST001", "MAP004", "CONF004"})

Found = TypeVar("Found")
Reading = tuple[Found, list[Diagnostic]]


def forgiving(root: Mapping, read: Callable[[Mapping], Reading[Found]]) -> Reading[Found]:
    """What *read* says of a file, without all that a misspelt key alone brings about.

    *read* gives what it makes of a mapping, and its findings. Where a key is unknown and a known
    one is near, the file is read again with that one in its place: the slip is told, an error, and
    what is wrong beside it, but nothing of what seems to be missing. What *read* made comes from
    the last reading: not to be used beside an error.
    """
    found, problems = read(root)
    slips: dict[Span, Diagnostic] = {}
    for _ in range(_MOST_READINGS):
        fresh = {
            item.span: item
            for item in problems
            if item.code in _UNKNOWN_KEY and item.fix is not None and item.span not in slips
        }
        if not fresh:
            break
        slips |= fresh
        meant = {span: item.fix.replacement for span, item in slips.items() if item.fix is not None}
        found, problems = read(_mended(root, meant))
    return found, [*slips.values(), *problems]


def _mended(node: Mapping, meant: MappingOf[Span, str]) -> Mapping:
    return Mapping(
        tuple(
            (
                replace(key, text=meant[key.span], value=meant[key.span])
                if key.span in meant
                else key,
                _below(value, meant),
            )
            for key, value in node.entries
        ),
        node.span,
        node.flow,
    )


def _below(node: Node, meant: MappingOf[Span, str]) -> Node:
    if isinstance(node, Mapping):
        return _mended(node, meant)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_below(item, meant) for item in node.items))
    return node
