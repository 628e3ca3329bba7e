"""Columns that line up for readers of Chinese: widths count screen cells, not characters."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from crmsync.cli.language import LANG, say
from crmsync.model.fact import FactType, FactValue
from crmsync.model.record import Value
from crmsync.model.text import Lang

_NO_WIDTH = {"Mn", "Me", "Cf"}
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Joiners are format characters too, but names in many scripts and emoji need them.
_JOINERS = {"\u200c", "\u200d"}


def cells(text: str) -> int:
    """How many terminal columns *text* takes."""
    return sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, width: int) -> str:
    """*text* filled with spaces to *width* columns."""
    return text + " " * max(0, width - cells(text))


def right(text: str, width: int) -> str:
    """*text* pushed to the right of *width* columns."""
    return " " * max(0, width - cells(text)) + text


def shortened(text: str, width: int) -> str:
    """*text* in at most *width* columns, ending in … where something was cut off."""
    if cells(text) <= width:
        return text
    kept, left = "", width - 1
    for char in text:
        left -= _width(char)
        if left < 0:
            break
        kept += char
    return f"{kept}…"


def clean(text: str) -> str:
    """*text* from a CRM without control, line and direction characters, safe for a terminal."""
    return "".join(
        char if unicodedata.category(char) not in _UNSAFE or char in _JOINERS else "�"
        for char in text
    )


def value_text(value: Value | FactValue) -> str:
    """A value as people read it; an unknown one is a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return clean(", ".join(value))
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    return clean(str(value))


def fact_text(value: FactValue, type: FactType | None) -> str:
    """The value of a fact: a ratio of type percent is shown in percent."""
    if type is FactType.PERCENT and isinstance(value, int | float | Decimal):
        return f"{_short(Decimal(str(value)) * 100)}%"
    return value_text(value)


def number_text(value: float | Decimal) -> str:
    """A number in the reader's habits: 147.2万 in Chinese, 1,472,000 in English."""
    number = Decimal(str(value)).normalize()
    if LANG is Lang.ZH and abs(number) >= 10000:
        unit, size = ("亿", 10**8) if abs(number) >= 10**8 else ("万", 10**4)
        return f"{_short(number / size)}{unit}"
    return _short(number, grouped=LANG is Lang.EN)


def _short(number: Decimal, *, grouped: bool = False) -> str:
    text = f"{number:,.2f}" if grouped else f"{number:.2f}"
    return text.rstrip("0").rstrip(".") or "0"


def bar(count: int, most: int, *, width: int = 28) -> str:
    """A bar of blocks; a sliver for the smallest count above none."""
    if count <= 0 or most <= 0:
        return ""
    return "█" * round(count * width / most) or "▏"


def table(rows: Sequence[tuple[str, ...]], *, align: str, gap: str = "  ") -> list[str]:
    """Rows as aligned lines; *align* holds one letter per column, ``l`` or ``r``."""
    widths = [max(cells(row[column]) for row in rows) for column in range(len(align))]
    lines = []
    for row in rows:
        parts = [
            (right if side == "r" else pad)(text, width)
            for text, side, width in zip(row, align, widths, strict=True)
        ]
        lines.append(gap.join(parts).rstrip())
    return lines


def figure_text(value: Decimal, *, share: bool) -> str:
    """A guard's figure: ``17.6 %`` for a share, a plain number for a count."""
    if not share:
        return f"{value.normalize():f}"
    return f"{(value * 100).quantize(Decimal('0.1')):f}".removesuffix(".0") + " %"


def local_zone() -> ZoneInfo:
    """The zone of this machine; UTC when it has no name."""
    name = os.environ.get("TZ") or ""
    try:
        link = Path("/etc/localtime").resolve().as_posix()
        name = name or link.partition("zoneinfo/")[2]
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")
