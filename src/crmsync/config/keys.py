"""Takes typed values out of a file's keys and reports what does not fit, with the nearest name."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence as SequenceOf
from datetime import date
from zoneinfo import ZoneInfo

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import Mapping, Scalar, Sequence, did_you_mean, error, not_here

_ZONES = {
    "EST": "America/New_York",
    "PST": "America/Los_Angeles",
    "CST": "Asia/Shanghai",
    "UTC+8": "Asia/Shanghai",
    "GMT+8": "Asia/Shanghai",
    "北京时间": "Asia/Shanghai",
}


_DIGITS = 7
"""Digits of the largest amount."""
MAX_PROBLEMS = 300
"""Problems after which unknown keys of one file are no longer named."""


class Keys:
    """The keys of one place in a file; every wrong value becomes a finding and reads as absent.

    *family* names the file: the codes 004 to 008 are ``CONF`` in ``crmsync.yaml`` and ``MAP`` in a
    mapping. Keys in *elsewhere* stand in another place, with words for which.
    """

    def __init__(
        self,
        node: Mapping,
        known: SequenceOf[str] | None,
        problems: list[Diagnostic],
        *,
        family: str = "CONF",
        elsewhere: MappingOf[str, Text] | None = None,
    ) -> None:
        self._node = node
        self._problems = problems
        self._family = family
        for key, _ in node.entries if known is not None else ():
            if elsewhere is not None and key.text in elsewhere:
                self._report("009", key.span, not_here(key.text), elsewhere[key.text])
            elif known is not None and key.text not in known and len(problems) < MAX_PROBLEMS:
                free = [name for name in known if node.get(name) is None]
                mend, near = did_you_mean(key.text, free)
                unknown = Text(zh=f"没有“{key.text}”这个键", en=f"there is no key “{key.text}”")
                self._report("004", key.span, unknown, mend, fix=near)

    def place(self, name: str) -> Span:
        """Where the key stands, else where the mapping begins."""
        key = self._node.key(name)
        return key.span if key is not None else self._node.span

    def word(self, name: str, *, required: bool = False) -> str | None:
        """A single value as text."""
        node = self._node.get(name)
        if node is None or (isinstance(node, Scalar) and node.empty):
            if required:
                self.lacks(name)
            return None
        if not isinstance(node, Scalar):
            self._problems.append(not_a_word(name, node.span, family=self._family))
            return None
        return node.text

    def words(self, name: str) -> tuple[str, ...]:
        """A list of single values."""
        node = self._node.get(name)
        if node is None:
            return ()
        if isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
            return tuple(item.text for item in node.items if isinstance(item, Scalar))
        self._report(
            "005",
            node.span,
            Text(zh=f"“{name}”应是一个列表", en=f"“{name}” must be a list"),
            Text(zh="写成 [值, 值]", en="Write it like [one, another]."),
        )
        return ()

    def day(self, name: str) -> date | None:
        """A day written 2026-12-01."""
        word = self.word(name)
        if word is None:
            return None
        try:
            return date.fromisoformat(word)
        except ValueError:
            mend = Text(zh="日期写成 2026-12-01", en="write a day as 2026-12-01")
            self._cannot_be(name, word, mend)
            return None

    def choice(self, name: str, options: SequenceOf[str]) -> str | None:
        """One of *options*."""
        word = self.word(name)
        if word is None or word in options:
            return word
        mend, near = did_you_mean(word, options)
        self._cannot_be(name, word, mend, fix=near)
        return None

    def integer(self, name: str) -> int | None:
        """A whole number."""
        node = self._node.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and type(node.value) is int:
            return node.value
        self._report(
            "005",
            self.value_place(name),
            Text(zh=f"“{name}”应是整数", en=f"“{name}” must be a whole number"),
            Text(
                zh="写成 30 这样，不带单位和引号", en="Write it like 30, without a unit or quotes."
            ),
        )
        return None

    def amount(self, name: str, default: int, words: MappingOf[str, int | None]) -> int | None:
        """A whole number from 0, or what one of *words* stands for."""
        word = self.word(name)
        if word is None:
            return default
        if word in words:
            return words[word]
        if word.isascii() and word.isdigit() and len(word) <= _DIGITS:
            return int(word)
        listed = ", ".join(words)
        mend = Text(zh=f"写整数，或 {listed}", en=f"write a whole number, or one of: {listed}")
        self._cannot_be(name, word, mend)
        return default

    def boolean(self, name: str) -> bool | None:
        """``true`` or ``false``."""
        node = self._node.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self._report(
            "005",
            self.value_place(name),
            Text(zh=f"“{name}”应是 true 或 false", en=f"“{name}” must be true or false"),
            Text(zh="写 true 或 false", en="Write true or false."),
        )
        return None

    def mapping(self, name: str) -> Mapping | None:
        """A nested mapping."""
        node = self._node.get(name)
        if node is None or (isinstance(node, Scalar) and node.empty):
            return None
        if isinstance(node, Mapping):
            return node
        self._report(
            "005",
            node.span,
            Text(zh=f"“{name}”下面应是“键: 值”", en=f"“{name}” must hold “key: value” lines"),
            Text(
                zh="另起一行缩进写“键: 值”",
                en="Write “key: value” on lines of their own, indented below it.",
            ),
        )
        return None

    def zone(self, name: str) -> str | None:
        """An IANA time zone."""
        word = self.word(name)
        if word is None:
            return None
        try:
            ZoneInfo(word)
        except (ValueError, OSError, KeyError):
            better = _ZONES.get(word, "Asia/Shanghai")
        else:
            if word not in _ZONES:
                return word
            better = _ZONES[word]
        self._report(
            "008",
            self.value_place(name),
            Text(zh=f"没有时区“{word}”", en=f"there is no time zone “{word}”"),
            Text(zh=f"写成 {better} 这样", en=f"Write it like {better}."),
        )
        return None

    def lacks(self, name: str) -> None:
        """Report that *name* must be written here."""
        self._report(
            "006",
            self._node.span,
            Text(zh=f"缺少“{name}”", en=f"“{name}” is missing"),
            Text(zh=f"请写上 {name}: …", en=f"Write {name}: …"),
        )

    def has(self, name: str) -> bool:
        """Whether the key is written."""
        return self._node.get(name) is not None

    def value_place(self, name: str) -> Span:
        """Where the value stands, else the whole."""
        node = self._node.get(name)
        return node.span if node is not None else self._node.span

    def _cannot_be(self, name: str, word: str, mend: Text, *, fix: str | None = None) -> None:
        message = Text(zh=f"“{name}”不能是“{word}”", en=f"“{name}” cannot be “{word}”")
        self._report("007", self.value_place(name), message, mend, fix=fix)

    def _report(
        self, code: str, span: Span, message: Text, mend: Text, *, fix: str | None = None
    ) -> None:
        self._problems.append(error(f"{self._family}{code}", span, message, mend, fix=fix))


def not_a_word(name: str, span: Span, *, family: str = "CONF") -> Diagnostic:
    """005 of *family* at *span*: under *name* stands a list or a block."""
    return error(
        f"{family}005",
        span,
        Text(zh=f"“{name}”应是一个值", en=f"“{name}” must be a single value"),
        Text(zh="只写一个值，不写列表或块", en="Write one value, not a list or a block."),
    )


def not_a_mapping(name: Scalar, *, family: str = "CONF") -> Diagnostic:
    """005 of *family*: below *name* there is a single value or a list."""
    return error(
        f"{family}005",
        name.span,
        Text(
            zh=f"“{name.text}”下面应是“键: 值”",
            en=f"“{name.text}” must hold “key: value” lines",
        ),
        Text(
            zh="另起一行缩进写“键: 值”",
            en="Write “key: value” on lines of their own, indented below it.",
        ),
    )
