"""What the sandbox accepts and answers as a field's value: the vendor's types, taken strictly.

The vendor documents the form of each type (numbers as text, dates in milliseconds, people as
lists) but not what happens to a value of another form. The sandbox refuses it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from crmsync.model.record import Value
from crmsync_fxiaoke.sandbox_schema import WireField

BEIJING = timezone(timedelta(hours=8))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBERS = frozenset({"number", "currency", "percentile", "count"})
PEOPLE = frozenset({"employee", "employee_many"})
ONE_IN_A_LIST = frozenset({"employee", "department"})
LISTS = ONE_IN_A_LIST | {"select_many", "employee_many", "department_many"}
PLAIN = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)


class BadValue(Exception):
    """A value the CRM does not take; the text goes into errorMessage."""


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds, the vendor's form of a moment."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def accept(field: WireField, value: Any, people: frozenset[str]) -> Value:  # noqa: ANN401 - wire JSON
    """The canonical value of *value* as it came in a body; raises BadValue.

    ``None`` and ``""`` empty the field (which of the two the vendor wants is not documented).
    """
    if value is None or value in ("", []):
        if field.required:
            raise BadValue(f"{field.label}为必填项")
        return None
    kind = field.type
    if kind in NUMBERS:
        return _number(field, value)
    if kind in {"date", "date_time"}:
        return _moment(field, value)
    if kind == "true_or_false":
        if not isinstance(value, bool):
            raise BadValue(f"{field.label}应为布尔值")
        return value
    if kind in LISTS:
        return _many(field, value, people)
    if not isinstance(value, str):
        raise BadValue(f"{field.label}应为文本")
    return _single(field, value)


def _number(field: WireField, value: Any) -> int | Decimal:  # noqa: ANN401 - wire JSON
    if not isinstance(value, str) or not PLAIN.fullmatch(value):
        raise BadValue(f"{field.label}应为数字字符串")
    places = field.decimal_places or 0
    number = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return number if places else int(number)


def _moment(field: WireField, value: Any) -> date | datetime:  # noqa: ANN401 - wire JSON
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(f"{field.label}应为毫秒时间戳")
    try:
        moment = EPOCH + timedelta(milliseconds=value)
        return moment.astimezone(BEIJING).date() if field.type == "date" else moment
    except OverflowError as problem:
        raise BadValue(f"{field.label}超出范围") from problem


def _many(field: WireField, value: Any, people: frozenset[str]) -> str | tuple[str, ...]:  # noqa: ANN401
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadValue(f"{field.label}应为字符串列表")
    if field.type in PEOPLE and not people.issuperset(value):
        raise BadValue(f"{field.label}中的员工不存在")
    if field.type in ONE_IN_A_LIST:
        if len(value) != 1:
            raise BadValue(f"{field.label}只能有一个值")
        return str(value[0])
    if field.type == "select_many":
        _known(field, value)
    return tuple(sorted(set(value)))


def _single(field: WireField, value: str) -> str:
    if field.type in {"select_one", "record_type"}:
        _known(field, [value])
    if field.max_length is not None and len(value) > field.max_length:
        raise BadValue(f"{field.label}超过最大长度{field.max_length}")
    return value


def _known(field: WireField, values: list[str]) -> None:
    known = {stored for stored, _ in field.options}
    if not known.issuperset(values):
        raise BadValue(f"{field.label}的选项值不存在")


def render(field: WireField, value: Value) -> Any:  # noqa: ANN401 - wire JSON
    """*value* as the vendor writes it in a reply."""
    if value is None:
        return None
    if field.type in NUMBERS:
        grain = Decimal(1).scaleb(-(field.decimal_places or 0))
        return str(Decimal(str(value)).quantize(grain, rounding=ROUND_HALF_UP))
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, date):
        return milliseconds(datetime.combine(value, time(), BEIJING))
    if isinstance(value, tuple):
        return list(value)
    if field.type in LISTS:
        return [value]
    return value


def comparable(field: WireField, value: Any) -> Any:  # noqa: ANN401 - wire JSON
    """*value* in the form in which two wire values of that field are compared."""
    if field.type in NUMBERS:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise BadValue("比较值不是数字") from None
    if field.type in {"date", "date_time"}:
        try:
            return int(value)
        except (TypeError, ValueError):
            raise BadValue("时间比较值应为毫秒时间戳") from None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
