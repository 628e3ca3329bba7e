"""A sentence that cannot be read: what is wrong, where in the text, and the mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.model.diagnostic import Diagnostic, Fix, Severity
from crmsync.model.position import Span
from crmsync.model.text import Text

CODES: Mapping[str, Text] = {
    "RULE050": Text(zh="条件或公式的写法读不懂", en="a condition or formula that cannot be read"),
    "RULE051": Text(zh="运算符写错了，如 => 或 ==", en="a mistyped operator such as => or =="),
    "RULE052": Text(zh="一个条件里有两次比较", en="two comparisons in one condition"),
    "RULE053": Text(zh="列表里少了逗号", en="a comma is missing in a list"),
    "RULE054": Text(zh="一行里用了“且/或”", en="“and” or “or” inside one condition"),
    "RULE055": Text(zh="引号没有配对", en="a quote that never closes"),
    "RULE056": Text(zh="括号没有配对", en="a bracket without its other half"),
    "RULE057": Text(zh="不认识的单位", en="an unknown unit"),
    "RULE058": Text(zh="日期写法不对", en="a date written wrongly"),
    "RULE059": Text(zh="条件太长或嵌套太深", en="a condition too long or too deeply nested"),
    "RULE060": Text(zh="类型不能相互比较", en="types that cannot be compared"),
    "RULE061": Text(zh="百分比要写 %", en="a percent needs its % sign"),
    "RULE062": Text(zh="函数的参数不对", en="wrong arguments of a function"),
    "RULE063": Text(zh="这不是一个条件", en="not a condition"),
    "RULE065": Text(zh="判断缺失要用“缺失”", en="absence is asked with “is missing”"),
    "RULE066": Text(zh="条件里没有事实", en="a condition without a fact"),
    "RULE067": Text(zh="范围的两端写反了", en="a range written backwards"),
    "RULE068": Text(zh="值不符合类型", en="a value that does not fit its type"),
    "RULE069": Text(zh="条件块的结构不对", en="a block of conditions of the wrong shape"),
    "RULE101": Text(zh="没有这个名字的事实", en="an unknown fact"),
    "RULE102": Text(zh="一个名字指两个事实", en="a name of two facts"),
    "RULE103": Text(zh="没有这个选项", en="an unknown option"),
}
"""Every code a condition, formula or literal can give, with what it is about."""


class Trouble(Exception):
    """Stops the reading of one text; ``start`` and ``end`` count characters of that text."""

    def __init__(
        self,
        code: str,
        where: tuple[int, int],
        message: Text,
        mend: Text,
        *,
        fix: str | None = None,
    ) -> None:
        super().__init__(message.en)
        self.code = code
        self.start, self.end = where
        self.message = message
        self.mend = mend
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands in its file; turns offsets into spans.

    *exact* is false where the file spells the text in another way (escapes, folded lines): then
    every span is the whole, and no mechanical mend is offered.
    """

    span: Span
    exact: bool

    @classmethod
    def of(cls, text: str, span: Span) -> Place:
        """The place of *text*, which stands at *span* without quotes."""
        width = span.end_column - span.column
        return cls(span, span.line > 0 and span.line == span.end_line and width == len(text))

    def part(self, start: int, end: int) -> Span:
        """The span of the characters from *start* up to *end*, at least one wide."""
        if not self.exact:
            return self.span
        last = self.span.end_column
        first = min(self.span.column + start, max(self.span.column, last - 1))
        stop = max(first + 1, min(self.span.column + end, last))
        line = self.span.line
        return Span(self.span.file, line, first, line, stop, self.span.cell)

    def finding(self, trouble: Trouble) -> Diagnostic:
        """The trouble as a finding of `check`."""
        span = self.part(trouble.start, trouble.end)
        fix = None
        if trouble.fix is not None and self.exact:
            line, base = self.span.line, self.span.column
            exact = Span(self.span.file, line, base + trouble.start, line, base + trouble.end)
            fix = Fix(exact, trouble.fix)
        return Diagnostic(
            trouble.code, Severity.ERROR, span, trouble.message, trouble.mend, fix=fix
        )
