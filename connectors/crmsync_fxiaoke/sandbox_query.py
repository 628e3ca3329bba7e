"""``search_query_info`` as the vendor documents it: keys, operators, paging limits.

Keys are taken strictly: ``field_name`` in filters but ``fieldName`` in orders. The value form of
IS, ISN and BETWEEN is not documented; a two-element list is taken for BETWEEN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from crmsync_fxiaoke.sandbox_schema import WireField, WireObject
from crmsync_fxiaoke.sandbox_values import BadValue, comparable

MAX_LIMIT = 100
MAX_OFFSET = 10_000
PARAMETERS, OFFSET_RANGE = 32000, 10013


class BadQuery(Exception):
    """A query the CRM refuses, with its errorCode."""

    def __init__(self, message: str, code: int = PARAMETERS) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition, its values ready to compare; several are ANDed."""

    field: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A checked query."""

    limit: int
    offset: int
    filters: tuple[Filter, ...]
    orders: tuple[tuple[str, bool], ...]
    projection: tuple[str, ...] | None

    def behind(self) -> str:
        """The highest id that cannot be in the answer: scanning may begin there."""
        above = [each.values[0] for each in self.filters if (each.field, each.operator) == AFTER_ID]
        return max(above, default="")


BY_ID = (("_id", True),)
AFTER_ID = ("_id", "GT")
KEYS = {"limit", "offset", "filters", "orders", "fieldProjection"}
Compare = Callable[[Any, tuple[Any, ...]], bool]

OPERATORS: dict[str, Compare] = {
    "EQ": lambda have, want: have == want[0],
    "N": lambda have, want: have != want[0],
    "GT": lambda have, want: bool(have > want[0]),
    "GTE": lambda have, want: bool(have >= want[0]),
    "LT": lambda have, want: bool(have < want[0]),
    "LTE": lambda have, want: bool(have <= want[0]),
    "LIKE": lambda have, want: str(want[0]) in str(have),
    "NLIKE": lambda have, want: str(want[0]) not in str(have),
    "IN": lambda have, want: have in want,
    "NIN": lambda have, want: have not in want,
    "BETWEEN": lambda have, want: bool(want[0] <= have <= want[1]),
    "NBETWEEN": lambda have, want: not want[0] <= have <= want[1],
    "STARTWITH": lambda have, want: str(have).startswith(str(want[0])),
    "ENDWITH": lambda have, want: str(have).endswith(str(want[0])),
}
NEGATIVE = frozenset({"N", "NLIKE", "NIN", "NBETWEEN"})
ON_LISTS = {"preset": frozenset({"HASANYOF", "NHASANYOF"}), "custom": frozenset({"CONTAINS"})}
EVERYWHERE = frozenset(OPERATORS) | {"IS", "ISN"}


def read_search(data: Mapping[str, Any], item: WireObject, *, custom_path: bool) -> Search:
    """Check ``data.search_query_info`` against the vendor's rules; raises BadQuery."""
    info = data.get("search_query_info")
    if not isinstance(info, dict):
        raise BadQuery("缺少search_query_info")
    unknown = info.keys() - KEYS
    if unknown:
        raise BadQuery(f"未知参数{min(unknown)}")
    missing = {"limit", "offset", "filters", "orders"} - info.keys()
    if missing:
        raise BadQuery(f"缺少参数{min(missing)}")
    limit, offset = _paging(info["limit"], info["offset"])
    operators = EVERYWHERE | ON_LISTS["custom" if custom_path else "preset"]
    projection = info.get("fieldProjection")
    if projection is not None and not (
        isinstance(projection, list) and all(isinstance(name, str) for name in projection)
    ):
        raise BadQuery("fieldProjection应为字符串列表")
    return Search(
        limit,
        offset,
        tuple(_filter(each, item, operators) for each in _list(info["filters"], "filters")),
        tuple(_order(each, item) for each in _list(info["orders"], "orders")),
        None if projection is None else tuple(projection),
    )


def _list(value: Any, name: str) -> list[Any]:  # noqa: ANN401 - wire JSON
    if not isinstance(value, list):
        raise BadQuery(f"{name}应为列表")
    return value


def _paging(limit: Any, offset: Any) -> tuple[int, int]:  # noqa: ANN401 - wire JSON
    for value in (limit, offset):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadQuery("limit和offset应为整数")
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuery("limit最大为100")
    if offset < 0 or offset % limit:
        raise BadQuery("offset必须是limit的整数倍")
    if offset > MAX_OFFSET:
        raise BadQuery("offset out of range 10000", OFFSET_RANGE)
    return limit, offset


def _filter(each: Any, item: WireObject, operators: frozenset[str]) -> Filter:  # noqa: ANN401 - wire JSON
    if not isinstance(each, dict) or each.keys() != {"field_name", "operator", "field_values"}:
        raise BadQuery("filters需要field_name、operator、field_values")
    name, operator, values = each["field_name"], each["operator"], each["field_values"]
    if name not in item.fields:
        raise BadQuery(f"字段{name}不存在")
    if operator not in operators:
        raise BadQuery(f"不支持的operator {operator}")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadQuery("field_values应为字符串列表")
    needed = {"IS": 0, "ISN": 0, "BETWEEN": 2, "NBETWEEN": 2}.get(operator, 1)
    if len(values) < needed:
        raise BadQuery("field_values不能为空")
    try:
        want = tuple(comparable(item.fields[name], value) for value in values)
    except BadValue as problem:
        raise BadQuery(str(problem)) from problem
    return Filter(name, operator, want)


def _order(each: Any, item: WireObject) -> tuple[str, bool]:  # noqa: ANN401 - wire JSON
    if not isinstance(each, dict) or each.keys() != {"fieldName", "isAsc"}:
        raise BadQuery("orders需要fieldName、isAsc")
    if each["fieldName"] not in item.fields or not isinstance(each["isAsc"], bool):
        raise BadQuery("orders的字段或isAsc不正确")
    return each["fieldName"], each["isAsc"]


class WireRow(Protocol):
    """A record whose fields are asked for in their wire form."""

    def get(self, name: str) -> Any: ...  # noqa: ANN401 - wire JSON


Row = TypeVar("Row", bound=WireRow)


def matches(record: WireRow, filters: Iterable[Filter], item: WireObject) -> bool:
    """Whether *record* fits every filter. "Not equal" (N) also finds empty values."""
    return all(_fits(record.get(each.field), each, item.fields[each.field]) for each in filters)


def _fits(value: Any, condition: Filter, field: WireField) -> bool:  # noqa: ANN401 - wire JSON
    operator = condition.operator
    if operator in {"IS", "ISN"}:
        return (value is None) == (operator == "IS")
    if value is None:
        return operator in NEGATIVE or operator == "NHASANYOF"
    if isinstance(value, list):
        return _fits_list(value, operator, condition.values)
    if operator not in OPERATORS:
        raise BadQuery(f"{operator}只能用于列表字段")
    return OPERATORS[operator](comparable(field, value), condition.values)


def _fits_list(value: list[Any], operator: str, want: tuple[Any, ...]) -> bool:
    overlap = not set(value).isdisjoint(want)
    if operator in {"IN", "EQ", "HASANYOF", "CONTAINS"}:
        return overlap
    if operator in {"NIN", "N", "NHASANYOF"}:
        return not overlap
    raise BadQuery(f"列表字段不支持{operator}")


def in_order(
    records: Iterable[Row], orders: tuple[tuple[str, bool], ...], item: WireObject
) -> list[Row]:
    """*records* sorted by *orders*; empty values come first when ascending."""
    found = list(records)
    for name, ascending in reversed(orders):
        field = item.fields[name]

        def key(record: Row, field: WireField = field) -> Any:  # noqa: ANN401
            return comparable(field, record.get(field.api_name))

        empty = [record for record in found if record.get(name) is None]
        filled = [record for record in found if record.get(name) is not None]
        filled.sort(key=key, reverse=not ascending)
        found = empty + filled if ascending else filled + empty
    return found
