"""The patterns and sentences shared by the two searches for mistakes (before and after parsing)."""

from __future__ import annotations

import re

from crmsync.model.diagnostic import Diagnostic, Fix
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import error

BLANKS = "\u3000\u00a0\u2000-\u200b\u202f\u205f\u2060\ufeff"
INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff\u00ad"
FULL_COLON = re.compile(r"^([ \t\u3000]*(?:- +)*)([^\s\"'{}\[\]#:：，,]+)\s*(：[ \u3000]*)")
"""A line whose key is followed by a full-width colon: indent, key, colon with its blanks."""

CANNOT_BEGIN = Text(
    zh="值不能以“>”开头：YAML 把它当作多行文字的记号",
    en="a value cannot begin with “>”: YAML takes it as the mark of a block of text",
)
USE_WHOLE_CONDITION = Text(
    zh="写出整个条件（如 days_since_order > 90）；分数表里用 ≥，或加引号",
    en="Write the whole condition (days_since_order > 90); in a points table use ≥ or quotes.",
)
USE_COMMA = Text(zh="改用英文逗号加空格“, ”", en="Use a plain comma and a space “, ”.")


def full_width_colon(span: Span, *, matched: str, fix: Fix | None = None) -> Diagnostic:
    """YAML010 at the colon; *span* covers the colon and the blanks after it."""
    colon = Span(span.file, span.line, span.column, span.line, span.column + 1)
    return error(
        "YAML010",
        colon,
        Text(zh=f"“{matched}”后面是全角冒号“：”", en=f"full-width colon “：” after “{matched}”"),
        Text(zh="改用英文冒号加空格“: ”", en="Use a plain colon and a space “: ”."),
        fix=fix if fix is not None else Fix(span, ": "),
    )


def full_width_comma(span: Span, fix: Fix | None) -> Diagnostic:
    """YAML016 at the comma."""
    return error(
        "YAML016",
        span,
        Text(
            zh="这里是全角逗号“，”，不会分开两项",
            en="full-width comma “，” does not separate entries",
        ),
        USE_COMMA,
        fix=fix,
    )


def blank_indent(name: str, lines: list[str], number: int) -> Diagnostic:
    """YAML003 for a line whose indent holds a full-width or invisible blank.

    The mend lines it up with a neighbour where one full-width space stands for one or for two.
    """
    line = lines[number - 1]
    indent = line[: len(line) - len(line.lstrip(" \t" + _blank_characters()))]
    odd = next(char for char in indent if char not in " \t")
    column = indent.index(odd) + 1
    narrow = sum(char not in INVISIBLE for char in indent)
    wide = narrow + indent.count("\u3000")
    width = narrow if narrow in _indents_near(lines, number) else wide
    what = (
        Text(zh="全角空格", en="full-width space")
        if odd == "\u3000"
        else Text(zh=f"看不见的字符 U+{ord(odd):04X}", en=f"invisible character U+{ord(odd):04X}")
    )
    return error(
        "YAML003",
        Span(name, number, column, number, len(indent) + 1),
        Text(zh=f"这一行的缩进里有{what.zh}", en=f"{what.en} in the indent of this line"),
        Text(zh="只用普通空格缩进", en="Indent with plain spaces only."),
        fix=Fix(Span(name, number, 1, number, len(indent) + 1), " " * width),
    )


def _indents_near(lines: list[str], number: int) -> set[int]:
    near = lines[max(0, number - 3) : number - 1] + lines[number : number + 2]
    return {
        len(line) - len(line.lstrip(" "))
        for line in near
        if line.startswith("  ") and not line.lstrip(" ").startswith(tuple(_blank_characters()))
    }


def _blank_characters() -> str:
    ranges = [*range(0x2000, 0x200C), 0x3000, 0xA0, 0x202F, 0x205F, 0x2060, 0xFEFF]
    return "".join(chr(code) for code in ranges)


def without_quotes(line: str) -> str:
    """The line with quoted text and comments blanked out, letter for letter."""
    return re.sub(
        r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?<=\s)#.*$", lambda found: " " * len(found.group()), line
    )
