"""Mistakes that YAML accepts: what was read is not what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from crmsync.model.diagnostic import Diagnostic, Fix
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.builder import MAX_FINDINGS
from crmsync.source.decoding import lines_of
from crmsync.source.findings import error, warning
from crmsync.source.nodes import Mapping, Node, Scalar, Sequence, Style
from crmsync.source.words import (
    BLANKS,
    CANNOT_BEGIN,
    FULL_COLON,
    INVISIBLE,
    USE_WHOLE_CONDITION,
    blank_indent,
    full_width_colon,
    full_width_comma,
)

_HIDDEN = re.compile(f"[{INVISIBLE}]")
_KEY_FULL_COLON = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*：[ \u3000]*")
_TIGHT_COLON = re.compile(r"([^\s:：]+):(?=\S)")
_COLON_BLANK = re.compile("[^\\s:]+:([\u3000\u00a0]+)")
_BLOCK_MISTAKE = re.compile(r">[ \t]*=?[ \t]*[0-9.]")
_ODD_INDENT = re.compile(f"[ \t]*[{BLANKS}]")


def lint_tree(name: str, text: str, root: Node | None) -> list[Diagnostic]:
    """Findings about a tree that could be read."""
    return list(islice(_findings(name, text, root), MAX_FINDINGS))


def _findings(name: str, text: str, root: Node | None) -> Iterator[Diagnostic]:
    lines = lines_of(text)
    covered: set[int] = set()
    if root is not None:
        for node, parent in _walk(root):
            if isinstance(node, Scalar):
                yield from _scalar(node, parent, lines)
                if node.style is not Style.PLAIN:
                    covered.update(range(node.span.line + 1, node.span.end_line + 1))
            elif isinstance(node, Mapping) and node.flow:
                yield from _flow_mapping(node)
    for number, line in enumerate(lines, 1):
        if _ODD_INDENT.match(line) and number not in covered and line.strip():
            yield blank_indent(name, lines, number)


def _walk(root: Node) -> Iterator[tuple[Node, Node | None]]:
    waiting: list[tuple[Node, Node | None]] = [(root, None)]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        if isinstance(node, Sequence):
            waiting.extend((item, node) for item in node.items)
        elif isinstance(node, Mapping):
            for key, value in node.entries:
                waiting.append((key, node))
                waiting.append((value, node))


def _scalar(node: Scalar, parent: Node | None, lines: list[str]) -> Iterator[Diagnostic]:
    if node.style is Style.BLOCK:
        written = lines[node.span.line - 1][node.span.column - 1 :]
        if _BLOCK_MISTAKE.match(written):
            span = Span(
                node.span.file,
                node.span.line,
                node.span.column,
                node.span.line,
                node.span.column + len(written.rstrip()),
            )
            yield error("YAML011", span, CANNOT_BEGIN, USE_WHOLE_CONDITION)
        return
    if node.style is not Style.PLAIN:
        return
    text = node.text
    for match in _HIDDEN.finditer(text):
        code = f"U+{ord(match.group()):04X}"
        yield error(
            "YAML003",
            node.part(match.start(), match.end()),
            Text(zh=f"这里有看不见的字符 {code}", en=f"invisible character {code}"),
            Text(zh="删掉它", en="Delete it."),
            fix="" if node.verbatim else None,
        )
    if text.startswith("“") and text.endswith("”") and text.count("“") == 1:
        yield warning(
            "YAML017",
            node.span,
            Text(zh="中文引号会成为文字的一部分", en="curly quotes are kept as part of the text"),
            Text(zh='请用英文引号 "…"', en='Use straight quotes "…".'),
            fix=_quoted(text[1:-1]) if node.verbatim else None,
        )
    blank = _COLON_BLANK.match(text)
    if blank and node.verbatim:
        yield error(
            "YAML003",
            node.part(blank.start(1), blank.end(1)),
            Text(zh="冒号后面是全角空格", en="a full-width space after the colon"),
            Text(zh="改用普通空格", en="Use a plain space."),
            fix=" ",
        )
    yield from _list_item(node, parent)
    if node.span.line != node.span.end_line:
        yield from _continued(node, lines)


def _list_item(node: Scalar, parent: Node | None) -> Iterator[Diagnostic]:
    if not isinstance(parent, Sequence):
        return
    if parent.flow and "，" in node.text:
        at = node.text.index("，")
        fix = Fix(node.inner, node.text.replace("，", ", ")) if node.verbatim else None
        yield full_width_comma(node.part(at, at + 1), fix)
    match = _KEY_FULL_COLON.match(node.text)
    if match and node.verbatim:
        yield full_width_colon(node.part(match.end(1), match.end()), matched=match.group(1))


def _continued(node: Scalar, lines: list[str]) -> Iterator[Diagnostic]:
    """Keys with a full-width colon that became part of a text over several lines.

    Prose may well hold such a colon: a Chinese word counts as a key only where the text begins on
    a line of its own, as entries do.
    """
    own_line = lines[node.span.line - 1][: node.span.column - 1].strip() == ""
    matches = []
    for number in range(node.span.line, node.span.end_line + 1):
        match = FULL_COLON.match(lines[number - 1])
        if match and (own_line or match.group(2).isascii()):
            matches.append((number, match))
    if not any(number > node.span.line for number, _ in matches):
        return
    for number, match in matches:
        span = Span(node.span.file, number, match.start(3) + 1, number, match.end(3) + 1)
        yield full_width_colon(span, matched=match.group(2))


def _flow_mapping(node: Mapping) -> Iterator[Diagnostic]:
    previous: tuple[Scalar, Node] | None = None
    for key, value in node.entries:
        if isinstance(value, Scalar) and value.empty and value.span.line == value.span.end_line:
            yield _no_value(key, previous)
        elif "，" in key.text and key.style is Style.PLAIN:
            at = key.text.index("，")
            yield full_width_comma(key.part(at, at + 1), None)
        previous = (key, value)


def _no_value(key: Scalar, previous: tuple[Scalar, Node] | None) -> Diagnostic:
    if "：" in key.text and key.style is Style.PLAIN:
        at = key.text.index("：")
        whole = key.text.replace("：", ": ").replace("，", ", ")
        fix = Fix(key.inner, whole) if key.verbatim else None
        return full_width_colon(key.part(at, at + 1), matched=key.text[:at], fix=fix)
    tight = _TIGHT_COLON.match(key.text)
    if tight and key.style is Style.PLAIN:
        at = tight.end(1)
        return error(
            "YAML022",
            key.part(at, at + 1),
            Text(zh="冒号后面要有一个空格", en="a space must follow the colon"),
            Text(zh=f"写成 {tight.group(1)}: …", en=f"Write {tight.group(1)}: …"),
            fix=Fix(key.part(at, at + 1), ": ") if key.verbatim else None,
        )
    return _comma_inside(key, previous)


def _comma_inside(key: Scalar, previous: tuple[Scalar, Node] | None) -> Diagnostic:
    fix = None
    if previous is not None:
        value = previous[1]
        if (
            isinstance(value, Scalar)
            and value.style is Style.PLAIN
            and not value.empty
            and value.span.line == key.span.end_line
        ):
            joined = f"{value.text}, {key.text}"
            if joined.startswith("“") and joined.endswith("”"):
                joined = joined[1:-1]
            span = Span(
                value.span.file,
                value.span.line,
                value.span.column,
                key.span.end_line,
                key.span.end_column,
            )
            fix = Fix(span, _quoted(joined))
    return error(
        "YAML015",
        key.span,
        Text(
            zh=f"大括号里的逗号开始了新的一项：“{key.text}”没有值",
            en=f"a comma inside {{ }} starts a new entry: “{key.text}” has no value",
        ),
        Text(zh="把含逗号的文字放进英文引号", en="Put text with a comma in quotes.")
        if previous is not None
        else Text(zh="写成 键: 值", en="Write key: value."),
        fix=fix,
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
