"""The head of a ruleset: its name, version, languages, time zone, currency and work calendar."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass

from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text
from crmsync.rules.shape import LANGUAGES, Block, identifier, one_of, replaceable, words
from crmsync.source import Scalar, did_you_mean

RECORDS = ("account", "contact", "lead")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_MONTH = re.compile(r"([0-9]{1,2})\s*月?份?\Z", re.ASCII)
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WRONG_ZONES = {
    "EST": "America/New_York",
    "CST": "Asia/Shanghai",
    "PST": "America/Los_Angeles",
    "MST": "America/Denver",
    "UTC+8": "Asia/Shanghai",
    "GMT+8": "Asia/Shanghai",
    "Beijing": "Asia/Shanghai",
    "Asia/Beijing": "Asia/Shanghai",
    "北京": "Asia/Shanghai",
}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the blocks."""

    id: str
    version: int
    title: Text
    record: str
    languages: tuple[str, ...]
    time_zone: str
    currency: str | None
    workdays: str
    year_starts: int = 1
    span: Span = NOWHERE


def read_header(block: Block) -> Header:
    """Read the head; what is wrong is in the block's findings and replaced by something "
    "harmless."""
    languages = _languages(block)
    block.languages = languages
    name = block.scalar("ruleset", required=True)
    return Header(
        id="" if name is None else identifier(name, block.findings),
        version=block.whole("version", least=1, required=True) or 1,
        title=block.label("title") or Text.same(""),
        record=block.one_of("record", RECORDS, required=True) or RECORDS[0],
        languages=languages,
        time_zone=_time_zone(block),
        currency=_code(block, "currency", _CURRENCY),
        workdays=_code(block, "workdays", _COUNTRY) or "CN",
        year_starts=_year_starts(block),
        span=block.span if name is None else name.span,
    )


def _languages(block: Block) -> tuple[str, ...]:
    found = words(block.take("languages"), block.findings)
    names = tuple(
        word for item in found if (word := one_of(item, LANGUAGES, block.findings)) is not None
    )
    return tuple(dict.fromkeys(names)) or LANGUAGES


def _time_zone(block: Block) -> str:
    found = block.scalar("time_zone", required=True)
    if found is None:
        return "UTC"
    if _known_zone(found):
        return found.text
    near = _WRONG_ZONES.get(found.text)
    if near is None:
        mend, near = did_you_mean(found.text, sorted(zoneinfo.available_timezones()))
    if near is not None:
        mend = Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?")
    else:
        mend = Text(zh="写成 Asia/Shanghai 这样", en="Write it like Asia/Shanghai.")
    block.findings.add(
        "RULE010",
        found.span,
        Text(zh=f"没有时区“{found.text}”", en=f"there is no time zone “{found.text}”"),
        mend,
        fix=near if replaceable(found.text, found.span, near or "") else None,
    )
    return "UTC"


def _year_starts(block: Block) -> int:
    """The month years begin with: ``4月``, ``4``, ``April``."""
    found = block.scalar("year_starts")
    if found is None:
        return 1
    word = found.text.strip().casefold()
    match = _MONTH.match(word)
    if match is not None and 1 <= int(match[1]) <= 12:
        return int(match[1])
    names = [name for name in _MONTH_NAMES if len(word) >= 3 and name.startswith(word)]
    if len(names) == 1:
        return _MONTH_NAMES.index(names[0]) + 1
    block.findings.add(
        "RULE005",
        found.span,
        Text(zh=f"“{found.text}”不是月份", en=f"“{found.text}” is no month"),
        Text(zh="写成 4月 这样", en="Write it like 4月 or April."),
    )
    return 1


def _known_zone(found: Scalar) -> bool:
    if found.text in _WRONG_ZONES:
        return False
    try:
        zoneinfo.ZoneInfo(found.text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _code(block: Block, key: str, shape: re.Pattern[str]) -> str | None:
    found = block.scalar(key, required=key == "workdays")
    if found is None:
        return None
    if shape.match(found.text):
        return found.text
    example = "CNY" if key == "currency" else "CN"
    block.findings.add(
        "RULE011",
        found.span,
        Text(
            zh=f"“{found.text}”不是{'货币' if key == 'currency' else '国家'}代码",
            en=f"“{found.text}” is no {'currency' if key == 'currency' else 'country'} code",
        ),
        Text(zh=f"写成 {example} 这样的大写字母", en=f"Write capital letters like {example}."),
    )
    return None
