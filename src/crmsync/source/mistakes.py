"""What went wrong in a text that YAML cannot read, in a person's words and at the right place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from crmsync.model.diagnostic import Diagnostic, Fix
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.decoding import lines_of
from crmsync.source.findings import error
from crmsync.source.parser_words import explain_parser
from crmsync.source.words import (
    BLANKS,
    CANNOT_BEGIN,
    FULL_COLON,
    USE_WHOLE_CONDITION,
    blank_indent,
    full_width_colon,
    full_width_comma,
    without_quotes,
)

_ODD_INDENT = re.compile(f"[ \t]*[{BLANKS}]")
_TAB_INDENT = re.compile(r"[ ]*\t+[ \t]*")
_GREATER = re.compile(r"(?:^\s*-|:)[ \t]+(>=?[ \t]*(?![+-]?\s*$)[^\s#>|+-].*)$")
_GREATER_IN_FLOW = re.compile(r"[{,]\s*(>=?\s*[0-9.]+[^:,}]*)")
_BLOCK_HEADER = re.compile(r"^(\s*).*[:-]\s+[|>][+-]?\s*(?:#.*)?$")
_TIGHT_COLON = re.compile(r"^\s*(?:- +)*([A-Za-z_][A-Za-z0-9_]*):(?=[^\s/])(?!.*:(?:\s|$))")
"""A key like ``role:主管`` has its own colon, and a space after the next one."""
_MOST = 20
_LONGEST = 1_000
"""Longer lines are not searched to their end: patterns must stay quick on hostile text."""


def explain_failure(name: str, text: str, problem: yaml.MarkedYAMLError) -> list[Diagnostic]:
    """At least one finding. Typing mistakes found by their looks come first and all at once; only
    when there is none, the parser's own complaint is put into words."""
    lines = [line[:_LONGEST] for line in lines_of(text)]
    found: list[Diagnostic] = []
    for number, line in _live_lines(lines):
        if len(found) >= _MOST:
            break
        if _ODD_INDENT.match(line):
            found.append(blank_indent(name, lines, number))
        found.extend(_line_mistakes(name, number, line))
    found.extend(_commas(name, lines, problem))
    if not found:
        quote = _open_quote(name, lines, problem)
        if quote is not None:
            found.append(quote)
    if not found:
        found.append(explain_parser(name, lines, problem))
    return found[:_MOST]


def _live_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that are neither comments nor the inside of a block of text."""
    block: int | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and indent > block:
            continue
        block = None
        if line.lstrip().startswith("#"):
            continue
        header = _BLOCK_HEADER.match(line)
        if header:
            block = len(header.group(1))
        yield number, line


def _line_mistakes(name: str, number: int, line: str) -> Iterator[Diagnostic]:
    tab = _TAB_INDENT.match(line)
    if tab and tab.end() < len(line):
        yield error(
            "YAML012",
            Span(name, number, line.index("\t") + 1, number, tab.end() + 1),
            Text(zh=f"第 {number} 行用 Tab 缩进", en=f"line {number} is indented with a tab"),
            Text(zh="YAML 只认空格", en="YAML knows spaces only."),
            fix=Fix(Span(name, number, 1, number, tab.end() + 1), tab.group().replace("\t", "  ")),
        )
    colon = FULL_COLON.match(line)
    if colon:
        span = Span(name, number, colon.start(3) + 1, number, colon.end(3) + 1)
        yield full_width_colon(span, matched=colon.group(2))
    greater = _GREATER.search(line) or _GREATER_IN_FLOW.search(line)
    if greater:
        begin, end = greater.start(1), greater.start(1) + len(greater.group(1).rstrip())
        span = Span(name, number, begin + 1, number, end + 1)
        yield error("YAML011", span, CANNOT_BEGIN, USE_WHOLE_CONDITION)
    tight = _TIGHT_COLON.match(line)
    if tight:
        at = tight.end(1)
        span = Span(name, number, at + 1, number, at + 2)
        yield error(
            "YAML022",
            span,
            Text(zh="冒号后面要有一个空格", en="a space must follow the colon"),
            Text(zh=f"写成 {tight.group(1)}: …", en=f"Write {tight.group(1)}: …"),
            fix=": ",
        )


def _commas(name: str, lines: list[str], problem: yaml.MarkedYAMLError) -> Iterator[Diagnostic]:
    """Full-width commas between an open bracket and the place where reading stopped."""
    if "flow" not in (problem.context or "") or problem.context_mark is None:
        return
    first = problem.context_mark.line
    last = problem.problem_mark.line if problem.problem_mark is not None else first
    for index in range(first, min(last, len(lines) - 1) + 1):
        line = lines[index]
        begin = problem.context_mark.column if index == first else 0
        for match in re.finditer(r"，[ \u3000]*", without_quotes(line)):
            if match.start() >= begin:
                at = Span(name, index + 1, match.start() + 1, index + 1, match.start() + 2)
                whole = Span(name, index + 1, match.start() + 1, index + 1, match.end() + 1)
                yield full_width_comma(at, Fix(whole, ", "))


def _open_quote(name: str, lines: list[str], problem: yaml.MarkedYAMLError) -> Diagnostic | None:
    mark = problem.context_mark
    if mark is not None and "quoted scalar" in (problem.context or ""):
        return _never_closed(name, mark.line + 1, mark.column + 1, lines[mark.line][mark.column])
    last = problem.problem_mark.line if problem.problem_mark is not None else len(lines) - 1
    for number, line in _live_lines(lines[: last + 1]):
        rest = without_quotes(line)
        match = re.search(r"(?:^|[\s{\[,:-])(\")", rest)
        if match and rest.count('"') % 2 == 1:
            return _never_closed(name, number, match.start(1) + 1, '"')
    return None


def _never_closed(name: str, line: int, column: int, mark: str) -> Diagnostic:
    return error(
        "YAML014",
        Span(name, line, column, line, column + 1),
        Text(
            zh=f"这里的引号 {mark} 没有配对的另一半",
            en=f"the quote {mark} opened here never closes",
        ),
        Text(zh="在文字末尾补上引号", en="Close it at the end of the text."),
    )
