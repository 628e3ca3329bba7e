"""Values by themselves: what a case, a ``missing:`` or a ``between:`` writes for a fact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from crmsync.condition.numbers import number_text, signed_number
from crmsync.condition.scope import ScopeChoice, ScopeName, fold
from crmsync.condition.trouble import Place, Trouble
from crmsync.condition.typing_rules import TYPE_WORDS, needs_percent, number_value
from crmsync.model.condition import Literal
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType, FactValue
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import did_you_mean

_YES = frozenset({"yes", "true", "是", "y", "真"})
_NO = frozenset({"no", "false", "否", "n", "假"})


def parse_literal(
    text: str, span: Span, type: FactType, choices: Sequence[str] | Sequence[ScopeChoice] = ()
) -> tuple[Literal | None, list[Diagnostic]]:
    """Read one value of *type*: ``30万``, ``20%``, ``2026-10-30``, ``yes``, ``高``.

    A percent needs its sign (0 may go without) and becomes a ratio; a moment needs its zone.
    """
    place = Place.of(text, span)
    options = tuple(
        choice if isinstance(choice, ScopeChoice) else ScopeChoice(choice) for choice in choices
    )
    try:
        value = _value(text.strip(), type, ScopeName("", type, None, options), (0, len(text)))
    except Trouble as trouble:
        return None, [place.finding(trouble)]
    return Literal(value, type, span), []


def parse_number(text: str, span: Span) -> tuple[Decimal | None, list[Diagnostic]]:
    """Read a bare number: ``20``, ``7.5``, ``30万``; ``20%`` gives the ratio 0.2."""
    number = signed_number(text)
    if number is not None:
        return number.ratio, []
    trouble = _unfit(text.strip(), FactType.NUMBER, (0, len(text)))
    return None, [Place.of(text, span).finding(trouble)]


def parse_range(text: str, span: Span) -> tuple[tuple[Decimal, Decimal] | None, list[Diagnostic]]:
    """Read ``10..15`` (or ``10%..25%``); the lower end comes first."""
    place = Place.of(text, span)
    low_text, dots, high_text = text.partition("..")
    low, high = signed_number(low_text), signed_number(high_text)
    if not dots or low is None or high is None:
        trouble = Trouble(
            "RULE068",
            (0, len(text)),
            Text(zh=f"“{text.strip()}”不是范围", en=f"“{text.strip()}” is not a range"),
            Text(zh="写成 0..15 这样", en="Write it like 0..15."),
        )
        return None, [place.finding(trouble)]
    if low.ratio > high.ratio:
        trouble = Trouble(
            "RULE067",
            (0, len(text)),
            Text(zh="范围的两端写反了", en="the range is written backwards"),
            Text(zh="小的在前", en="Put the lower end first."),
            fix=f"{high_text.strip()}..{low_text.strip()}",
        )
        return None, [place.finding(trouble)]
    return (low.ratio, high.ratio), []


def _value(word: str, type: FactType, name: ScopeName, where: tuple[int, int]) -> FactValue:
    match type:
        case FactType.TEXT:
            return word
        case FactType.CHOICE:
            return _choice(word, name, where)
        case FactType.YES_NO:
            small = fold(word)
            if small in _YES or small in _NO:
                return small in _YES
        case FactType.DATE:
            day = _day(word)
            if day is not None:
                return day
        case FactType.DATETIME:
            moment = _moment(word)
            if moment is not None:
                return moment
        case _:
            return _number(word, type, where)
    raise _unfit(word, type, where)


def _choice(word: str, name: ScopeName, where: tuple[int, int]) -> str:
    option = name.option(word)
    if option is not None:
        return option
    known = [spelling for choice in name.choices for spelling in choice.spellings]
    mend, near = did_you_mean(word, known)
    raise Trouble(
        "RULE103",
        where,
        Text(zh=f"“{word}”不在选项中", en=f"“{word}” is not one of the options"),
        mend,
        fix=near,
    )


def _number(word: str, type: FactType, where: tuple[int, int]) -> FactValue:
    number = signed_number(word)
    if number is None:
        raise _unfit(word, type, where)
    if type is FactType.PERCENT:
        if not number.percent and number.value != 0:
            raise needs_percent(number.value, where)
        return float(number.ratio)
    if number.percent and type is not FactType.NUMBER:
        raise _unfit(word, type, where)
    if type is FactType.INTEGER and number.value != number.value.to_integral_value():
        raise _unfit(number_text(number.value), type, where)
    return number_value(number, type)


def _day(word: str) -> date | None:
    if len(word) != 10 or word[4] != "-":
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2199 else None


def _moment(word: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 1900 <= moment.year <= 2199 else None


_WRITE = {
    FactType.DATE: Text(zh="日期写成 2026-12-31 这样", en="Write dates as 2026-12-31."),
    FactType.DATETIME: Text(
        zh="时刻写成 2026-12-31T08:00:00+08:00 这样",
        en="Write moments as 2026-12-31T08:00:00+08:00.",
    ),
    FactType.YES_NO: Text(zh="写 yes 或 no（是、否）", en="Write yes or no."),
    FactType.PERCENT: Text(zh="写成 20% 这样", en="Write it like 20%."),
    FactType.INTEGER: Text(zh="写整数", en="Write a whole number."),
}


def _unfit(word: str, type: FactType, where: tuple[int, int]) -> Trouble:
    kind = TYPE_WORDS[type]
    return Trouble(
        "RULE068",
        where,
        Text(zh=f"“{word}”不是{kind.zh}", en=f"“{word}” is not {kind.en}"),
        _WRITE.get(type, Text(zh="写成 60、7.5 或 30万 这样", en="Write it like 60, 7.5 or 30万.")),
    )
