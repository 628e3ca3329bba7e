"""Builds the tree from parser events, without recursion and with a limit on depth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.findings import error
from crmsync.source.nodes import Mapping, Node, Scalar, Sequence, Style
from crmsync.source.scalars import complaint, plain_value

MAX_FINDINGS = 200
"""More findings than this help nobody; reading goes on without noting them."""

_STYLES = {"'": Style.QUOTED, '"': Style.QUOTED, "|": Style.BLOCK, ">": Style.BLOCK}


class TooDeep(Exception):
    """The text nests deeper than allowed."""

    def __init__(self, span: Span) -> None:
        super().__init__(str(span))
        self.span = span


class TooMany(Exception):
    """The text holds more values than allowed."""

    def __init__(self, span: Span) -> None:
        super().__init__(str(span))
        self.span = span


MAX_VALUES = 30_000
"""Keys, values, lists and blocks of one file; a ruleset of 2,000 rules has fewer."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    start: Span
    mapping: bool
    flow: bool
    items: list[Node] = field(default_factory=list)


class Builder:
    """Feed it parser events; ``root`` is the tree, ``findings`` what may not stand in a file."""

    def __init__(self, name: str, max_depth: int) -> None:
        self.root: Node | None = None
        self.findings: list[Diagnostic] = []
        self._name = name
        self._max_depth = max_depth
        self._open: list[_Open] = []
        self._documents = 0
        self._values = 0

    def _count(self, event: Any) -> None:  # noqa: ANN401 - parser events are untyped
        self._values += 1
        if self._values > MAX_VALUES:
            raise TooMany(self._span(event))

    def feed(self, events: Iterable[Any]) -> None:
        """Take every event; raises `TooDeep`, and the parser's own errors pass through."""
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    if self._document(event):
                        return
                case yaml.ScalarEvent():
                    self._count(event)
                    self._check_extras(event)
                    self._add(self._scalar(event))
                case yaml.AliasEvent():
                    self._refuse("YAML007", self._span(event), _ALIAS, _WRITE_OUT)
                    self._add(self._nothing(event))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._count(event)
                    self._check_extras(event)
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end(event)

    def _document(self, event: Any) -> bool:  # noqa: ANN401 - parser events are untyped
        self._documents += 1
        if self._documents == 1:
            return False
        line = event.start_mark.line + 1
        self._refuse(
            "YAML006",
            self._span(event),
            Text(
                zh=f"一个文件只放一份内容；第 {line} 行出现了第二个 ---",
                en=f"one document per file; a second one starts with --- at line {line}",
            ),
            Text(zh="拆成两个文件", en="Make it two files."),
        )
        return True

    def _start(self, event: Any) -> None:  # noqa: ANN401 - parser events are untyped
        span = self._span(event)
        if len(self._open) >= self._max_depth:
            raise TooDeep(span)
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(span, mapping, bool(event.flow_style)))

    def _end(self, event: Any) -> None:  # noqa: ANN401 - parser events are untyped
        done = self._open.pop()
        if done.flow or not done.items:
            last = self._span(event)
        else:
            last = done.items[-1].span
        span = Span(self._name, done.start.line, done.start.column, last.end_line, last.end_column)
        if done.mapping:
            self._add(Mapping(self._entries(done.items), span, done.flow))
        else:
            self._add(Sequence(tuple(done.items), span, done.flow))

    def _entries(self, items: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        seen: dict[str, Scalar] = {}
        entries: list[tuple[Scalar, Node]] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._refuse(
                    "YAML018",
                    key.span,
                    _COMPLEX_KEY,
                    Text(
                        zh="去掉开头的“? ”，写成 键: 值", en="Drop the “? ” and write key: value."
                    ),
                )
                continue
            if key.text == "<<" and key.style is Style.PLAIN:
                self._refuse("YAML007", key.span, _MERGE, _WRITE_OUT)
                continue
            if key.text in seen:
                if len(self.findings) < MAX_FINDINGS:
                    self.findings.append(_twice(key, seen[key.text]))
                continue
            seen[key.text] = key
            entries.append((key, value))
        return tuple(entries)

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].items.append(node)
        else:
            self.root = node

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401 - parser events are untyped
        style = _STYLES.get(event.style or "", Style.PLAIN)
        span = self._span(event)
        text: str = event.value
        if style is Style.PLAIN:
            wrong = complaint(text)
            if wrong is not None:
                self._refuse("YAML009", span, wrong.message, wrong.mend)
            return Scalar(text, plain_value(text), style, span, span)
        if style is Style.QUOTED:
            inner = Span(
                span.file, span.line, span.column + 1, span.end_line, max(span.end_column - 1, 1)
            )
            return Scalar(text, text, style, span, inner)
        return Scalar(text, text, style, span, span)

    def _nothing(self, event: Any) -> Scalar:  # noqa: ANN401 - parser events are untyped
        span = self._span(event)
        return Scalar("", None, Style.PLAIN, span, span)

    def _check_extras(self, event: Any) -> None:  # noqa: ANN401 - parser events are untyped
        span = self._span(event)
        if event.anchor is not None:
            here = Span(span.file, span.line, span.column, span.line, span.column + 1)
            self._refuse("YAML007", here, _ANCHOR, _WRITE_OUT)
        tagged = event.tag is not None or (
            isinstance(event, yaml.ScalarEvent)
            and event.style in {None, ""}
            and event.implicit == (False, True)
        )
        if tagged:
            here = Span(span.file, span.line, span.column, span.line, span.column + 1)
            self._refuse("YAML008", here, _TAG, _NO_TAG)

    def _span(self, event: Any) -> Span:  # noqa: ANN401 - parser events are untyped
        start, end = event.start_mark, event.end_mark
        return Span(self._name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _refuse(self, code: str, span: Span, message: Text, mend: Text) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(error(code, span, message, mend))


def _twice(key: Scalar, first: Scalar) -> Diagnostic:
    return error(
        "YAML002",
        key.span,
        Text(
            zh=f"“{key.text}”写了两次（第一次在第 {first.span.line} 行）",
            en=f"“{key.text}” appears twice (first at line {first.span.line})",
        ),
        Text(zh="只留一个", en="Keep one of them."),
        labels=(Label(first.span, Text(zh="第一次写在这里", en="first written here")),),
    )


_ALIAS = Text(zh="不能用 * 引用", en="aliases (*) are not allowed")
_ANCHOR = Text(zh="不能用 & 锚点", en="anchors (&) are not allowed")
_MERGE = Text(zh="不能用 << 合并", en="merge keys (<<) are not allowed")
_WRITE_OUT = Text(
    zh="把内容完整写出来；若本来就是文字，请加引号",
    en="Write the content out in full; put it in quotes if it is text.",
)
_TAG = Text(zh="不能用 ! 标签", en="tags (!) are not allowed")
_NO_TAG = Text(zh="删掉它；若是文字，请加引号", en="Delete it; put it in quotes if it is text.")
_COMPLEX_KEY = Text(zh="键必须是一个词", en="a key must be a single word")
