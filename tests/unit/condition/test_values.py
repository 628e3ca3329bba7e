"""Values, numbers, ranges and spans of time by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.unit.condition.language import levels, span

from crmsync.condition import (
    Duration,
    Unit,
    parse_days,
    parse_duration,
    parse_literal,
    parse_number,
    parse_period,
    parse_range,
)
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import Period

GOOD: list[tuple[str, FactType, FactValue]] = [
    ("30万", FactType.MONEY, Decimal(300000)),
    ("-1.5亿", FactType.MONEY, Decimal(-150000000)),
    ("120,000.50", FactType.MONEY, Decimal("120000.50")),
    ("13", FactType.INTEGER, 13),
    ("1千", FactType.INTEGER, 1000),
    ("0.3", FactType.NUMBER, 0.3),
    ("20%", FactType.PERCENT, 0.2),
    ("-20%", FactType.PERCENT, -0.2),
    ("0", FactType.PERCENT, 0.0),
    ("2026-10-30", FactType.DATE, date(2026, 10, 30)),
    ("2026-10-30T08:00:00Z", FactType.DATETIME, datetime(2026, 10, 30, 8, tzinfo=UTC)),
    ("yes", FactType.YES_NO, True),
    ("否", FactType.YES_NO, False),
    ("False", FactType.YES_NO, False),
    ("高", FactType.CHOICE, "高"),
    ("anything, at all", FactType.TEXT, "anything, at all"),
]


@pytest.mark.parametrize(("text", "type", "value"), GOOD)
def test_values(text: str, type: FactType, value: FactValue) -> None:
    literal, found = parse_literal(text, span(text), type, ["高", "中"])
    assert found == []
    assert literal is not None
    assert literal.value == value
    assert literal.value.__class__ is value.__class__
    assert literal.type is type


def test_a_choice_may_be_written_by_its_label() -> None:
    literal, _ = parse_literal(
        "重要客户", span("重要客户"), FactType.CHOICE, levels(("key", "重要客户", "Key"))
    )
    assert literal is not None
    assert literal.value == "key"


BAD = [
    ("20", FactType.PERCENT, "RULE061", "百分比要带 % 号", "needs its % sign"),
    ("high", FactType.CHOICE, "RULE103", "“high”不在选项中", "not one of the options"),
    ("2.5", FactType.INTEGER, "RULE068", "“2.5”不是整数", "is not a whole number"),
    ("20%", FactType.MONEY, "RULE068", "不是金额", "not an amount of money"),
    ("high", FactType.NUMBER, "RULE068", "“high”不是数字", "“high” is not a number"),
    ("1e5", FactType.NUMBER, "RULE068", "不是数字", "not a number"),
    ("nan", FactType.NUMBER, "RULE068", "不是数字", "not a number"),
    ("2026-02-30", FactType.DATE, "RULE068", "不是日期", "not a date"),
    ("31/12/2026", FactType.DATE, "RULE068", "不是日期", "not a date"),
    ("0001-01-01", FactType.DATE, "RULE068", "不是日期", "not a date"),
    ("2026-10-30T08:00:00", FactType.DATETIME, "RULE068", "不是时刻", "not a moment"),
    ("maybe", FactType.YES_NO, "RULE068", "不是是非项", "not yes or no"),
    ("", FactType.INTEGER, "RULE068", "不是整数", "not a whole number"),
]


@pytest.mark.parametrize(("text", "type", "code", "zh", "en"), BAD)
def test_values_that_do_not_fit(text: str, type: FactType, code: str, zh: str, en: str) -> None:
    literal, found = parse_literal(text, span(text), type, ["高", "中"])
    assert literal is None
    assert [item.code for item in found] == [code]
    assert zh in found[0].message.zh
    assert en in found[0].message.en


def test_numbers_and_ranges() -> None:
    assert parse_number("7.5", span("7.5")) == (Decimal("7.5"), [])
    assert parse_number("20%", span("20%")) == (Decimal("0.2"), [])
    assert parse_number("2M", span("2M")) == (Decimal(2_000_000), [])
    assert parse_range("0..15", span("0..15")) == ((Decimal(0), Decimal(15)), [])
    assert parse_range("-10%..25%", span("-10%..25%"))[0] == (Decimal("-0.1"), Decimal("0.25"))


@pytest.mark.parametrize(
    ("text", "code"),
    [("15", "RULE068"), ("a..b", "RULE068"), ("15..0", "RULE067"), ("", "RULE068")],
)
def test_bad_ranges(text: str, code: str) -> None:
    bounds, found = parse_range(text, span(text))
    assert bounds is None
    assert [item.code for item in found] == [code]


def test_a_small_m_is_no_million() -> None:
    value, found = parse_number("2m", span("2m"))
    assert value is None
    assert [item.code for item in found] == ["RULE068"]


DURATIONS = [
    ("90 days", Duration(Decimal(90), Unit.DAY), Period(days=90), 90),
    ("90 天", Duration(Decimal(90), Unit.DAY), Period(days=90), 90),
    ("2 weeks", Duration(Decimal(2), Unit.WEEK), Period(days=14), 14),
    ("12个月", Duration(Decimal(12), Unit.MONTH), Period(months=12), None),
    ("1 quarter", Duration(Decimal(1), Unit.QUARTER), Period(months=3), None),
    ("3年", Duration(Decimal(3), Unit.YEAR), Period(months=36), None),
    ("2 workdays", Duration(Decimal(2), Unit.WORKDAY), None, None),
    ("2 个工作日", Duration(Decimal(2), Unit.WORKDAY), None, None),
    ("24 hours", Duration(Decimal(24), Unit.HOUR), None, None),
    ("20 s", Duration(Decimal(20), Unit.SECOND), None, None),
    ("1.5 days", Duration(Decimal("1.5"), Unit.DAY), None, None),
]


@pytest.mark.parametrize(("text", "duration", "period", "days"), DURATIONS)
def test_durations(text: str, duration: Duration, period: Period | None, days: int | None) -> None:
    assert parse_duration(text, span(text)) == (duration, [])
    assert duration.period == period
    assert duration.days == days


def test_seconds_of_clock_units() -> None:
    assert Duration(Decimal(2), Unit.HOUR).seconds == 7200
    assert Duration(Decimal(2), Unit.DAY).seconds is None


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("90 dys", "不认识单位“dys”", "“dys” is not a unit"),
        ("90", "“90”不是时长", "“90” is not a span of time"),
        ("soon", "不是时长", "not a span of time"),
        ("99999 years", "不是时长", "not a span of time"),
        ("", "不是时长", "not a span of time"),
    ],
)
def test_bad_durations(text: str, zh: str, en: str) -> None:
    duration, found = parse_duration(text, span(text))
    assert duration is None
    assert found[0].code == "RULE057"
    assert zh in found[0].message.zh
    assert en in found[0].message.en


def test_periods_are_calendar_spans() -> None:
    assert parse_period("1 month", span("1 month")) == (Period(months=1), [])
    period, found = parse_period("2 workdays", span("2 workdays"))
    assert period is None
    assert found[0].message.en == "“2 workdays” is no calendar period"


def test_days_may_be_a_bare_number_but_never_months() -> None:
    assert parse_days("30", span("30")) == (30, [])
    assert parse_days("30 days", span("30 days")) == (30, [])
    assert parse_days("2 周", span("2 周")) == (14, [])
    days, found = parse_days("3 months", span("3 months"))
    assert days is None
    assert found[0].message.zh == "“3 months”不是天数"
