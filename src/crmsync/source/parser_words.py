"""The YAML parser's complaints, told in Chinese and English."""

from __future__ import annotations

import yaml

from crmsync.model.diagnostic import Diagnostic, Fix
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import error
from crmsync.source.words import without_quotes


def explain_parser(name: str, lines: list[str], problem: yaml.MarkedYAMLError) -> Diagnostic:
    """One finding for what the parser met, at the most useful place it knows."""
    mark = problem.problem_mark or problem.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    here = Span(name, line + 1, column + 1, line + 1, column + 2)
    words = problem.problem or ""
    context = problem.context or ""
    if "mapping values are not allowed" in words:
        return _second_colon(name, lines, line, column)
    if "cannot start any token" in words:
        return _bad_start(here, lines[line][column : column + 1])
    if "scanning an alias" in context or "scanning an anchor" in context:
        begin = problem.context_mark or mark
        assert begin is not None
        at = Span(name, begin.line + 1, begin.column + 1, begin.line + 1, begin.column + 2)
        return _bad_start(at, lines[begin.line][begin.column : begin.column + 1])
    if "flow" in context and problem.context_mark is not None:
        return _flow(name, lines, problem, here)
    if "block scalar" in context:
        return error("YAML018", here, _BLOCK_MARK, _BLOCK_MEND)
    if "block sequence entries are not allowed" in words:
        return error("YAML018", here, _DASH, _DASH_MEND)
    if lines[line][:column].rstrip().endswith(('"', "'")):
        return error("YAML018", here, _AFTER_QUOTE, _AFTER_QUOTE_MEND)
    if "expected key" in words or "'-' indicator" in words or "expected <block end>" in words:
        return error("YAML018", here, _DOES_NOT_FIT, _DOES_NOT_FIT_MEND)
    if "expected ':'" in words:
        return error("YAML018", here, _NO_COLON, _NO_COLON_MEND)
    return error("YAML018", here, _SYNTAX, _DOES_NOT_FIT_MEND)


def _second_colon(name: str, lines: list[str], line: int, column: int) -> Diagnostic:
    written = lines[line]
    before = written[:column]
    first = before.find(": ")
    if first >= 0 and not before.lstrip().startswith(("{", "[")):
        start = first + 2 + len(before[first + 2 :]) - len(before[first + 2 :].lstrip())
        value = written[start:].split(" #")[0].rstrip()
        here = Span(name, line + 1, column + 1, line + 1, column + 2)
        quotable = '"' not in value and "\\" not in value
        whole = Span(name, line + 1, start + 1, line + 1, start + len(value) + 1)
        return error(
            "YAML013",
            here,
            Text(zh="一行里不能有第二个“: ”", en="a second “: ” in one line"),
            Text(zh="把冒号后面的文字放进引号", en="Put the text after the first colon in quotes."),
            fix=Fix(whole, f'"{value}"') if quotable else None,
        )
    above = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), None)
    if above is not None and ":" not in lines[above]:
        text = lines[above].rstrip()
        begin = len(text) - len(text.lstrip())
        place = Span(name, above + 1, begin + 1, above + 1, len(text) + 1)
        return error("YAML018", place, _NO_COLON, _NO_COLON_MEND)
    indent = len(written) - len(written.lstrip())
    here = Span(name, line + 1, indent + 1, line + 1, column + 1)
    return error("YAML018", here, _DEEPER, _DOES_NOT_FIT_MEND)


def _bad_start(here: Span, char: str) -> Diagnostic:
    return error(
        "YAML021",
        here,
        Text(zh=f"值不能以“{char}”开头", en=f"a value cannot begin with “{char}”"),
        Text(zh="给这段文字加引号", en="Put the text in quotes."),
    )


def _flow(name: str, lines: list[str], problem: yaml.MarkedYAMLError, here: Span) -> Diagnostic:
    mark = problem.context_mark
    assert mark is not None
    line, column = mark.line, mark.column
    if "flow node" in (problem.context or ""):
        line, column = _innermost_open(lines, line, column)
    opening = lines[line][column : column + 1]
    closing = "]" if opening == "[" else "}"
    at_end = here.line == len(lines) and not lines[-1][here.column - 1 :].strip()
    if here.line - 1 != line or at_end:
        at = Span(name, line + 1, column + 1, line + 1, column + 2)
        return error(
            "YAML014",
            at,
            Text(zh=f"“{opening}”没有配对的“{closing}”", en=f"“{opening}” never closes"),
            Text(zh=f"在末尾补上“{closing}”", en=f"Close it with “{closing}”."),
        )
    return error(
        "YAML018",
        here,
        Text(zh=f"这里应是逗号或“{closing}”", en=f"a comma or “{closing}” is expected here"),
        Text(
            zh="含逗号、冒号或括号的文字要加引号",
            en="Text with commas, colons or brackets needs quotes.",
        ),
    )


def _innermost_open(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """Where the innermost bracket still open before a place was opened."""
    opened: list[tuple[int, int]] = []
    for number, text in enumerate(lines[: line + 1]):
        plain = without_quotes(text)
        for at, char in enumerate(plain[:column] if number == line else plain):
            if char in "[{":
                opened.append((number, at))
            elif char in "]}" and opened:
                opened.pop()
    return opened[-1] if opened else (min(line, len(lines) - 1), 0)


_BLOCK_MARK = Text(zh="“|”和“>”后面不能再写文字", en="nothing may follow “|” or “>” on its line")
_BLOCK_MEND = Text(
    zh="文字写在下一行，或者加引号", en="Begin the text on the next line, or quote it."
)
_DASH = Text(zh="“- ”要另起一行", en="“- ” must begin its own line")
_DASH_MEND = Text(zh="把列表写在下一行并缩进", en="Put the list on the next lines, indented.")
_DEEPER = Text(
    zh="这一行比上一行缩进更深，但上一行已经有值",
    en="this line is indented below one that already has a value",
)
_DOES_NOT_FIT = Text(
    zh="这一行与前面的内容接不上", en="this line does not fit what stands before it"
)
_DOES_NOT_FIT_MEND = Text(
    zh="检查缩进是否对齐，以及引号和括号是否多了或少了",
    en="Check that it lines up with its neighbours, and look for a quote or bracket too many.",
)
_NO_COLON = Text(zh="这一行没有“: ”", en="this line has no “: ”")
_NO_COLON_MEND = Text(zh="写成 键: 值", en="Write key: value.")
_AFTER_QUOTE = Text(zh="引号后面还有文字", en="there is text after the closing quote")
_AFTER_QUOTE_MEND = Text(
    zh="把全部文字放进引号，里面的引号改用“ ”",
    en="Put all of it inside; use “ ” for quotes within.",
)
_SYNTAX = Text(zh="这里的写法 YAML 读不懂", en="YAML cannot read this place")
