"""Puts new values into the text of ``rules.yaml``; the rest, comments too, stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crmsync.model.diagnostic import Diagnostic, Fix, Severity
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.rules.sheets import CellEdit, Unwritten, Written
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, apply_fixes
from crmsync.source import Sequence as SequenceNode

_PLAIN = re.compile(r"[\w≥≤][\w≥≤.%/ ·-]*\Z")
_ODD_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "~", "y", "n"})
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z", re.ASCII)


def spliced(text: str, edits: Sequence[CellEdit]) -> str:
    """*text* with every edit carried out. Raises ValueError for an edit of a fixed cell."""
    fixes = [_fix(edit) for edit in edits]
    findings = [Diagnostic("", Severity.ERROR, fix.span, Text.same(""), fix=fix) for fix in fixes]
    return apply_fixes(text, findings)[0]


def _fix(edit: CellEdit) -> Fix:
    match edit.cell.place:
        case Written(scalar=scalar):
            return Fix(scalar.span, yaml_scalar(edit.text))
        case Unwritten(block=block, key=key):
            return _inserted(block, key, edit.text)
    raise ValueError("a fixed cell has no place in the file")


def _inserted(block: MappingNode, key: str, text: str) -> Fix:
    end = _end(block.entries[-1][1])
    indent = " " * (block.entries[0][0].span.column - 1)
    line = f"{key}: {yaml_scalar(text)}"
    at = Span(end.file, end.end_line, end.end_column, end.end_line, end.end_column)
    return Fix(at, f", {line}" if block.flow else f"\n{indent}{line}")


def _end(node: Node) -> Span:
    """Where the last word of a value stands."""
    if isinstance(node, Scalar) or node.flow:
        return node.span
    if isinstance(node, SequenceNode):
        return _end(node.items[-1])
    return _end(node.entries[-1][1])


def yaml_scalar(text: str) -> str:
    """*text* as YAML reads it back, between brackets too: plain where that is safe."""
    number = _NUMBER.match(text) is not None
    word = _PLAIN.match(text) is not None and not text[0].isdigit() and text[-1] != " "
    measured = re.match(r"[0-9]+(?:\.[0-9]+)?(?: ?[^\W\d_]+|%)\Z", text) is not None
    if number or measured or (word and text.casefold() not in _ODD_WORDS):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
