"""Lines drawn across the population: ``top 50``, ``top 20%``, ``covers 80% of revenue_12m``."""

from __future__ import annotations

import re
from decimal import Decimal

from crmsync.model.condition import Name
from crmsync.model.cut import Cut, CutKind
from crmsync.model.text import Text
from crmsync.rules.language import Language, at
from crmsync.source import Scalar

_START = re.compile(r"(top|covers|前|覆盖)(?=[\s0-9])|覆盖", re.IGNORECASE)
_TOP = re.compile(r"(?:top|前)\s*([0-9]+(?:\.[0-9]+)?)\s*(%|名|位|家)?\Z", re.IGNORECASE)
_COVERS = re.compile(
    r"covers\s+(?P<share>[0-9]+(?:\.[0-9]+)?)\s*%\s+of\s+(?P<fact>.+)\Z", re.IGNORECASE
)
_COVERS_ZH = re.compile(r"覆盖\s*(?P<fact>.+?)\s*的\s*(?P<share>[0-9]+(?:\.[0-9]+)?)\s*%\Z")
_HUNDRED = Decimal(100)


def read_cut(found: Scalar, language: Language) -> Cut | None:
    """The cut *found* writes; ``None`` for anything else. A cut with a mistake is a finding."""
    text = found.text.strip()
    if _START.match(text) is None:
        return None
    top = _TOP.match(text)
    if top is not None:
        share = top.group(2) == "%"
        amount = Decimal(top.group(1))
        cut = Cut(
            CutKind.SHARE if share else CutKind.TOP,
            amount / _HUNDRED if share else amount,
            span=found.span,
        )
        return _sound(cut, found, language)
    covers = _COVERS.match(text) or _COVERS_ZH.match(text)
    if covers is None:
        _malformed(found, language)
        return Cut(CutKind.TOP, Decimal(1), span=found.span)
    share_of = Decimal(covers.group("share"))
    fact = _fact(found, covers, language)
    cut = Cut(CutKind.COVERS, share_of / _HUNDRED, fact, found.span)
    return _sound(cut, found, language)


def _fact(found: Scalar, covers: re.Match[str], language: Language) -> str:
    start, end = covers.span("fact")
    word = covers.group("fact").strip()
    expression = language.expression(at(found, word, found.part(start, end)))
    if isinstance(expression, Name) and expression.type.numeric:
        return expression.id
    if expression is not None:
        language.findings.add(
            "RULE260",
            found.span,
            Text(
                zh=f"“{word}”不是数值类的事实，无法相加",
                en=f"“{word}” is no numeric fact: it cannot be added up",
            ),
            Text(zh="换一个数值或金额类的事实", en="Name a fact that is a number or money."),
        )
    return word


def _sound(cut: Cut, found: Scalar, language: Language) -> Cut:
    whole = cut.amount == cut.amount.to_integral_value()
    if cut.kind is CutKind.TOP:
        fine = whole and cut.amount >= 1
    else:
        fine = 0 < cut.amount < 1
    if not fine:
        _malformed(found, language)
    return cut


def _malformed(found: Scalar, language: Language) -> None:
    language.findings.add(
        "RULE262",
        found.span,
        Text(
            zh=f"看不懂按排名划的线“{found.text}”",
            en=f"“{found.text}” is no line across the population",
        ),
        Text(
            zh="写成 top 50、top 20% 或 covers 80% of revenue_12m；比例在 0% 和 100% 之间",
            en="Write top 50, top 20% or covers 80% of revenue_12m; shares lie between 0 % and "
            "100 %.",
        ),
    )
