"""Numbers as people write them: thousands, decimals, 万 亿 k M and %."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from crmsync.condition.scope import fold

_FACTORS = {
    "": 1,
    "百": 10**2,
    "千": 10**3,
    "k": 10**3,
    "万": 10**4,
    "十万": 10**5,
    "m": 10**6,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "十亿": 10**9,
    "百亿": 10**10,
    "千亿": 10**11,
    "万亿": 10**12,
}
_UNIT = (
    r"(?:(?P<latin>[kKmM])(?![0-9A-Za-z_])"
    r"|\s*(?P<han>十万|百万|千万|万亿|十亿|百亿|千亿|[百千万亿])(?:元)?|元)?"
)
_PLAIN = r"(?P<digits>[0-9]+(?:\.[0-9]+)?)"
_GROUPED = r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
_PERCENT = r"(?P<percent>\s*%)?"
_ALONE = re.compile(_GROUPED + _UNIT + _PERCENT)
_LISTED = re.compile(_PLAIN + _UNIT + _PERCENT)
MAX_DIGITS = 30


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number and whether it carries ``%``; ``value`` of ``20%`` is 20."""

    value: Decimal
    percent: bool
    end: int
    too_long: bool = False

    @property
    def ratio(self) -> Decimal:
        """The value, a percent divided out."""
        return self.value / 100 if self.percent else self.value


def number_at(folded: str, start: int, *, grouped: bool) -> WrittenNumber | None:
    """The unsigned number at *start* of a folded text; *grouped* allows ``1,000``.

    A small ``m`` is no unit (it might be months); ``M`` is a million, which folding hides, so
    *folded* may also be the text as written.
    """
    match = (_ALONE if grouped else _LISTED).match(folded, start)
    if match is None:
        return None
    digits = match["digits"].replace(",", "")
    unit = (match["latin"] or match["han"] or "").lower()
    if match["latin"] == "m":
        return WrittenNumber(Decimal(digits), False, match.end("digits"))
    if len(digits) > MAX_DIGITS:
        return WrittenNumber(Decimal(0), False, match.end(), too_long=True)
    value = Decimal(digits) * _FACTORS[unit]
    return WrittenNumber(value, match["percent"] is not None, match.end())


def signed_number(text: str) -> WrittenNumber | None:
    """The number a whole text is, with its sign; ``None`` when it is anything else."""
    written = plain_signs(text).strip()
    sign = -1 if written.startswith(("-", "−")) else 1
    body = written.lstrip("+-−") if written[:1] in {"+", "-", "−"} else written
    if not body[:1].isdigit():
        return None
    number = number_at(body, 0, grouped=True)
    if number is None or number.too_long or number.end != len(body):
        return None
    return WrittenNumber(number.value * sign, number.percent, number.end)


def plain_signs(text: str) -> str:
    """Full-width digits and signs made plain; capitals stay, so ``M`` remains a million."""
    return "".join(
        char if char == small or char.lower() == small else small
        for char, small in zip(text, fold(text), strict=True)
    )


def number_text(value: Decimal, *, han: bool = False) -> str:
    """A number in plain digits; with *han* in 万 or 亿 where that loses nothing."""
    if han:
        for unit, factor in (("亿", 10**8), ("万", 10**4)):
            scaled = value / factor
            if abs(value) >= factor and scaled == scaled.quantize(Decimal("0.0001")):
                return number_text(scaled) + unit
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
