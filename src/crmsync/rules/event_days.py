"""Days in event sentences: ``60 days before contract_end``, ``birthday``, ``春节前7天``."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

from crmsync.condition import ScopeName
from crmsync.condition.festivals import festival, festival_names
from crmsync.model.fact import FactType
from crmsync.model.period import Period
from crmsync.model.task import Anniversary, DayOf, FactDay, Festival, OnDay, YearDay
from crmsync.model.text import Text
from crmsync.rules.language import Language, at
from crmsync.source import Scalar

_ENGLISH = re.compile(r"([0-9][\w. ]*?)\s+(before|after)\s+(.+)\Z", re.IGNORECASE)
_CHINESE = re.compile(r"(.+?)\s*之?(前|后)\s*的?\s*([0-9]+\s*\w[\w ]*)\Z")
_BIRTHDAY = re.compile(r"(?:birthday|生日)(?:\s*(?:of|：|:)?\s+(.+))?\Z", re.IGNORECASE)
_OF_YEAR = re.compile(
    r"(?:date\s+of\s+year|每年)\s*(?:([0-9]{1,2})-([0-9]{1,2})|([0-9]{1,2})月([0-9]{1,2})[日号])\Z",
    re.IGNORECASE,
)
_FESTIVAL = re.compile(r"(?:festival|节日)\s*[:：]?\s*(.+)\Z", re.IGNORECASE)
_ON = re.compile(r"(?:on\s+)(.+)\Z", re.IGNORECASE)
_BIRTHDAYS = ("birthday", "birth_date", "date_of_birth", "生日", "出生日期")
_LONGEST = 10 * 366


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the sentence and where it stands."""

    text: str
    start: int


def read_day(found: Scalar, language: Language) -> OnDay | bool | None:
    """The day event a sentence means; ``False`` when it speaks of no day, ``None`` with a finding
    when it does and is wrong."""
    text = found.text.strip()
    lead = len(found.text) - len(found.text.lstrip())
    english, chinese = _ENGLISH.match(text), _CHINESE.match(text)
    if english is not None:
        shift = language.period(_scalar(found, _Part(english[1], lead)))
        day = _day(found, _Part(english[3], lead + english.start(3)), language, sure=True)
        return _shifted(found, day, shift, language, before=english[2].lower() == "before")
    if chinese is not None:
        day = _day(found, _Part(chinese[1], lead), language, sure=False)
        if day is not False:
            shift = language.period(_scalar(found, _Part(chinese[3], lead + chinese.start(3))))
            return _shifted(found, day, shift, language, before=chinese[2] == "前")
    day = _day(found, _Part(text, lead), language, sure=False)
    return OnDay(day) if day is not None and not isinstance(day, bool) else day


def _shifted(
    found: Scalar,
    day: DayOf | bool | None,
    shift: Period | None,
    language: Language,
    *,
    before: bool,
) -> OnDay | None:
    if day is None or isinstance(day, bool) or shift is None:
        return None
    if shift.months * 31 + shift.days > _LONGEST:
        language.findings.add(
            "RULE014",
            found.span,
            Text(zh="事件离那一天最多 10 年", en="an event is at most 10 years from its day"),
            Text(zh="写 10 年以内的时间", en="Write at most 10 years."),
        )
        return None
    return OnDay(day, shift, before)


def _day(found: Scalar, part: _Part, language: Language, *, sure: bool) -> DayOf | bool | None:
    """*sure*: the sentence speaks of a day, so a word nobody knows is a finding."""
    if match := _BIRTHDAY.match(part.text):
        if match[1] is not None:
            inner = _Part(match[1], part.start + match.start(1))
            return _dated(found, inner, language, Anniversary)
        return _birthday(found, part, language)
    if match := _OF_YEAR.match(part.text):
        month, day = (int(item) for item in match.groups() if item is not None)
        return _year_day(found, month, day, language)
    if match := _FESTIVAL.match(part.text):
        return _festival(found, _Part(match[1], part.start + match.start(1)), language)
    known = festival(part.text)
    if known is not None:
        return Festival(known.id)
    if match := _ON.match(part.text):
        return _dated(found, _Part(match[1], part.start + match.start(1)), language, FactDay)
    if sure or _named(part.text, language):
        return _dated(found, part, language, FactDay)
    return False


def _named(word: str, language: Language) -> tuple[ScopeName, ...]:
    return language.scope.named(word.strip().strip("“”"))


def _dated(
    found: Scalar,
    part: _Part,
    language: Language,
    kind: type[FactDay] | type[Anniversary],
) -> DayOf | None:
    names = _named(part.text, language)
    place = _scalar(found, part).span
    if not names:
        dates = [name for name in language.scope.names if name.type is FactType.DATE]
        known = [spelling for name in dates for spelling in name.spellings]
        language.findings.unknown(
            "RULE101",
            place,
            Text(
                zh=f"没有名为“{part.text}”的日期或节日",
                en=f"no date fact or festival is called “{part.text}”",
            ),
            part.text,
            known,
        )
        return None
    if names[0].type is not FactType.DATE:
        language.findings.add(
            "RULE015",
            place,
            Text(
                zh=f"“{part.text}”不是日期，不能决定事件的日子",
                en=f"“{part.text}” is no date: an event needs a day",
            ),
            Text(
                zh="换成 date 类的事实；条件成立时建任务请写：… becomes true",
                en="Name a date fact; for a condition write: … becomes true.",
            ),
        )
        return None
    return kind(names[0].id)


def _birthday(found: Scalar, part: _Part, language: Language) -> DayOf | None:
    for word in _BIRTHDAYS:
        for name in language.scope.named(word):
            if name.type is FactType.DATE:
                return Anniversary(name.id)
    language.findings.add(
        "RULE015",
        _scalar(found, part).span,
        Text(zh="不知道生日是哪个事实", en="which fact is the birthday?"),
        Text(
            zh="写成 birthday 事实名，或声明一个叫 birthday 的日期事实",
            en="Write “birthday FACT”, or declare a date fact called birthday.",
        ),
    )
    return None


def _year_day(found: Scalar, month: int, day: int, language: Language) -> DayOf | None:
    if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(2024, month)[1]:
        return YearDay(month, day)
    language.findings.add(
        "RULE058",
        found.span,
        Text(zh=f"没有 {month} 月 {day} 日", en=f"there is no day {day} in month {month}"),
        Text(zh="写成 date of year 12-25", en="Write it like: date of year 12-25."),
    )
    return None


def _festival(found: Scalar, part: _Part, language: Language) -> DayOf | None:
    known = festival(part.text)
    if known is not None:
        return Festival(known.id)
    language.findings.unknown(
        "RULE015",
        _scalar(found, part).span,
        Text(zh=f"不认识节日“{part.text}”", en=f"no festival is called “{part.text}”"),
        part.text,
        festival_names(),
    )
    return None


def _scalar(found: Scalar, part: _Part) -> Scalar:
    word = part.text.strip()
    start = part.start + len(part.text) - len(part.text.lstrip())
    return at(found, word, found.part(start, start + len(word)))
