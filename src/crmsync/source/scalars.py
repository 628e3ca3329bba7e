"""Plain scalars by YAML 1.2, narrowed: true, false, null and decimal numbers; else text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from crmsync.model.text import Text
from crmsync.source.nodes import ScalarValue

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})\Z", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})\.[0-9]{1,40}\Z", re.ASCII)
_SUSPECT = re.compile(r"[-+.0-9]")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_ODD_NUMBER = re.compile(
    r"[-+]?(?:\.inf|\.nan|0x[0-9a-f]+|0o[0-7]+|[0-9][0-9_]*_[0-9_]*"
    r"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)e[-+]?[0-9]+|\.[0-9]+|[0-9]+\.|[0-9]{41,}(?:\.[0-9]*)?)\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a plain scalar is not accepted as it stands."""

    message: Text
    mend: Text


def plain_value(text: str) -> ScalarValue:
    """What a plain scalar means. ``yes``, ``on``, ``NO``, ``12:30`` and dates stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _SUSPECT.match(text):
        if _INTEGER.match(text):
            return int(text)
        if _DECIMAL.match(text):
            return Decimal(text)
    return text


def complaint(text: str) -> Complaint | None:
    """What is wrong with a plain scalar that looks like a number in another dialect."""
    if not _SUSPECT.match(text):
        return None
    if _LEADING_ZERO.match(text):
        return Complaint(
            Text(zh=f"“{text}”的前导零会丢失", en=f"the leading zero of “{text}” would be lost"),
            Text(
                zh=f'若是编号，请加引号："{text}"；若是数字，请去掉前面的零',
                en=f'Put an identifier in quotes: "{text}"; drop the zero of a number.',
            ),
        )
    if _ODD_NUMBER.match(text):
        shown = text if len(text) <= 40 else text[:37] + "…"
        return Complaint(
            Text(zh=f"“{shown}”不是普通写法的数字", en=f"“{shown}” is not a plain number"),
            Text(
                zh="数字只写成 1500、0.25、30万、20% 这样；若是文字，请加引号",
                en="Write numbers like 1500, 0.25, 30万 or 20%; put text in quotes.",
            ),
        )
    return None
