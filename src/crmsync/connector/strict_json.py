"""Reading JSON from the wire without surprises: exact numbers, no doubles, no broken text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crmsync.model.text import Text

_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_NUMBER = re.compile(r'"([A-Za-z_][\w.]{0,63})"\s*:\s*(NaN|-?Infinity)')
_LONGEST_NUMBER = 400
_HIGHEST_POWER = 400


class NotJson(ValueError):
    """The text is not JSON that can be trusted; ``why`` holds no value of it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.why = Text(zh, en)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed document; ``mended`` counts texts in which broken characters were replaced."""

    value: Any
    mended: int = 0


def parse_json(data: bytes, charset: str = "utf-8") -> Parsed:
    """Parse strictly: numbers become ``int`` or ``Decimal``, never ``float``.

    Refused with NotJson: NaN and Infinity, doubled keys, numbers of absurd length or power, bytes
    that are not in *charset*, nesting deeper than the interpreter allows. Lone surrogates become
    U+FFFD and NUL disappears, both counted.
    """
    try:
        text = data.decode(charset)
    except (UnicodeDecodeError, LookupError) as problem:
        raise NotJson(
            "文本的编码与声明不符", "the text is not in the encoding it claims"
        ) from problem
    try:
        value = _DECODER.decode(text.lstrip("\ufeff"))
    except NotJson as problem:
        field = _NO_NUMBER.search(text)
        if field is not None and "not a number" in str(problem):
            raise NotJson(
                f"{field.group(1)} 不是数字，而是 {field.group(2)}",
                f"{field.group(1)} is not a number but {field.group(2)}",
            ) from None
        raise
    except (ValueError, RecursionError) as problem:
        raise NotJson("不是合法的 JSON", "not valid JSON") from problem
    if not _SUSPECT.search(data):
        return Parsed(value)
    mender = _Mender()
    return Parsed(mender.mend(value), mender.count)


class _Mender:
    def __init__(self) -> None:
        self.count = 0

    def mend(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            good = _SURROGATE.sub("\ufffd", value).replace("\0", "")
            self.count += good != value
            return good
        if isinstance(value, list):
            return [self.mend(item) for item in value]
        if isinstance(value, dict):
            return {self.mend(key): self.mend(item) for key, item in value.items()}
        return value


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise NotJson("有一个数字长得离谱", "a number is absurdly long")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise NotJson("有一个数字长得离谱", "a number is absurdly long")
    number = Decimal(text)
    if abs(number.adjusted()) > _HIGHEST_POWER:
        raise NotJson("有一个数字大得或小得离谱", "a number is absurdly large or small")
    return number


def _constant(name: str) -> Any:  # noqa: ANN401 - never returns
    raise NotJson(f"{name} 不是数字", f"{name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("同一个键出现了两次", "a key appears twice")
    return found


_DECODER = json.JSONDecoder(
    parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
)
