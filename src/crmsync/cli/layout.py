"""Columns that line up for readers of Chinese: widths count screen cells, not characters."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from crmsync.cli.language import LANG, say
from crmsync.model.fact import FactValue
from crmsync.model.record import Value
from crmsync.model.text import Lang


def cells(text: str) -> int:
    """How many terminal columns *text* takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def pad(text: str, width: int) -> str:
    """*text* filled with spaces to *width* columns."""
    return text + " " * max(0, width - cells(text))


def right(text: str, width: int) -> str:
    """*text* pushed to the right of *width* columns."""
    return " " * max(0, width - cells(text)) + text


def clean(text: str) -> str:
    """*text* from a CRM without control and direction characters, safe for a terminal."""
    return "".join(
        char if unicodedata.category(char) not in {"Cc", "Cf", "Cs"} or char == "\u200d" else "�"
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


def number_text(value: float | Decimal) -> str:
    """A number in the reader's habits: 147.2万 in Chinese, 1,472,000 in English."""
    number = Decimal(str(value)).normalize()
    if LANG is Lang.ZH and abs(number) >= 10000:
        unit, size = ("亿", 10**8) if abs(number) >= 10**8 else ("万", 10**4)
        return f"{_short(number / size)}{unit}"
    return _short(number, grouped=abs(number) >= 10000)


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


def counts_text(counts: Mapping[str, int]) -> str:
    """``name 3, other 5`` for the figures that are not zero."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


def local_zone() -> ZoneInfo:
    """The zone of this machine; UTC when it has no name."""
    name = os.environ.get("TZ") or ""
    try:
        link = Path("/etc/localtime").resolve().as_posix()
        name = name or link.partition("zoneinfo/")[2]
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")
