"""COQL in the sandbox, second half: a query checked against Zoho's limits and carried out."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from crmsync.testing import Row
from crmsync_zoho.sandbox_coql_text import Criterion, Query, Where, criteria, parse
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import Answer, Json, Refusal, invalid_module
from crmsync_zoho.sandbox_schema import ZohoField
from crmsync_zoho.sandbox_values import read_stamp

Comparable: TypeAlias = Any
"""A stored value in a type that Python can compare."""

_COMPARE: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LIMIT = re.compile(r"\blimit\s+(\d+)\s*(?:,\s*(\d+))?", re.IGNORECASE)


def announced_limit(text: str, default: int) -> int:
    """The LIMIT a query names, for its price; *default* without one."""
    found = _LIMIT.search(text)
    return default if found is None else int(found.group(2) or found.group(1))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column found in the schema: through a look-up, or the record's own."""

    name: str
    hop: str | None
    module: str
    field: ZohoField | None
    """``None`` for the id."""


class Coql:
    """Carries out queries on one organisation."""

    def __init__(self, organisation: Organisation, limits: ZohoLimits) -> None:
        self._org = organisation
        self._limits = limits

    def answer(self, body: Json) -> Answer:
        """Answer ``POST /coql``."""
        text = body.get("select_query") if isinstance(body, dict) else None
        if not isinstance(text, str):
            raise Refusal(400, "MANDATORY_NOT_FOUND", {"api_name": "select_query"})
        query = parse(text)
        if query.module not in self._org.modules:
            raise invalid_module()
        self._check(query)
        columns = [self._column(query.module, name) for name in query.columns]
        test = self._test(query.module, query.where)
        found = [row for row in self._org.indexed(query.module) if test(row)]
        found = self._sorted(query, found)
        limit = query.limit if query.limit is not None else self._limits.coql_default
        part = found[query.offset : query.offset + limit]
        if not part:
            return Answer(204)
        data = [self._shown(row, columns) for row in part]
        more = query.offset + limit < len(found)
        return Answer(200, {"data": data, "info": {"count": len(data), "more_records": more}})

    def _check(self, query: Query) -> None:
        limits = self._limits
        doubles = [name for name in query.columns if query.columns.count(name) > 1]
        if doubles:
            raise Refusal(400, "DUPLICATE_DATA", {"column_name": doubles[0]})
        _at_most(len(query.columns), limits.coql_fields)
        _at_most(len(criteria(query.where)), limits.coql_criteria)
        _at_most(len(query.orders), limits.coql_orders)
        _at_most(query.limit or 0, limits.coql_rows)
        _at_most(query.offset + (query.limit or limits.coql_default), limits.coql_offset)
        if query.limit == 0:
            raise Refusal(400, "INVALID_DATA", {"limit": "0"})
        for criterion in criteria(query.where):
            _at_most(len(criterion.values), limits.coql_values)

    def _column(self, module: str, name: str) -> _Column:
        head, _, tail = name.partition(".")
        own = self._org.modules[module].fields.get(head)
        if not tail:
            if own is None and head.lower() != "id":
                raise Refusal(400, "INVALID_QUERY", {"column_name": name, "clause": "select"})
            return _Column(name, None, module, own)
        if own is None or own.data_type != "lookup":
            raise Refusal(400, "INVALID_QUERY", {"column_name": name, "clause": "select"})
        if tail.lower() == "id":
            return _Column(name, head, own.target or "", None)
        target = self._org.modules.get(own.target or "")
        if target is None or tail not in target.fields:
            raise Refusal(400, "INVALID_QUERY", {"column_name": name, "clause": "select"})
        return _Column(name, head, target.api_name, target.fields[tail])

    def _value(self, row: Row, column: _Column) -> Comparable:
        if column.hop is not None:
            pointed = self._org.value(row, column.hop)
            if column.field is None:
                return None if pointed is None else int(str(pointed))
            target = None if pointed is None else self._org.find(column.module, str(pointed))
            if target is None:
                return None
            row = target
        if column.field is None:
            return int(row.id)
        value = self._org.value(row, column.field.api_name)
        if value is not None and column.field.json_type == "jsonobject":
            return int(str(value))
        return value

    def _shown(self, row: Row, columns: Iterable[_Column]) -> dict[str, Json]:
        shown: dict[str, Json] = {}
        for column in columns:
            source: Row | None = row
            if column.hop is not None and column.field is not None:
                pointed = self._org.value(row, column.hop)
                source = None if pointed is None else self._org.find(column.module, str(pointed))
            if column.field is None:
                value = self._value(row, column)
                shown[column.name] = None if value is None else str(value)
            else:
                shown[column.name] = (
                    None if source is None else self._org.shown(source, column.field)
                )
        shown["id"] = row.id
        return shown

    def _test(self, module: str, where: Where) -> Callable[[Row], bool]:
        if not isinstance(where, Criterion):
            left, right = self._test(module, where.left), self._test(module, where.right)
            if where.joiner == "and":
                return lambda row: left(row) and right(row)
            return lambda row: left(row) or right(row)
        column = self._column(module, where.column)
        if column.field is not None and column.field.data_type == "textarea":
            details = {"column_name": where.column, "operator": where.operator}
            raise Refusal(400, "INVALID_QUERY", details, "multi-line fields have no criteria")
        test = _criterion_test(column, where)
        return lambda row: test(self._value(row, column))

    def _sorted(self, query: Query, rows: list[Row]) -> list[Row]:
        rows = sorted(rows, key=lambda row: int(row.id), reverse=not query.orders)
        for name, descending in reversed(query.orders):
            column = self._column(query.module, name)
            filled = [row for row in rows if self._value(row, column) is not None]
            empty = [row for row in rows if self._value(row, column) is None]
            filled.sort(key=lambda row: self._value(row, column), reverse=descending)
            rows = filled + empty if descending else empty + filled
        return rows


def _criterion_test(column: _Column, criterion: Criterion) -> Callable[[Comparable], bool]:
    match criterion.operator:
        case "is null":
            return lambda value: value is None
        case "is not null":
            return lambda value: value is not None
        case "like" | "not like":
            pattern = re.compile(
                ".*".join(re.escape(part) for part in criterion.values[0].split("%")),
                re.IGNORECASE | re.DOTALL,
            )
            wanted = criterion.operator == "like"
            return lambda value: value is not None and bool(pattern.fullmatch(str(value))) is wanted
        case "in" | "not in":
            values = {_typed(column, text) for text in criterion.values}
            inside = criterion.operator == "in"
            return lambda value: value is not None and (value in values) is inside
        case "between":
            low, high = (_typed(column, text) for text in criterion.values)
            return lambda value: value is not None and low <= value <= high
        case comparison:
            compare = _COMPARE[comparison]
            other = _typed(column, criterion.values[0])
            if isinstance(other, bool):
                return lambda value: compare(bool(value), other)
            return lambda value: value is not None and compare(value, other)


def _typed(column: _Column, text: str) -> Comparable:
    """The criterion's value in the column's type; refuses what does not fit."""
    kind = "id" if column.field is None else column.field.data_type
    try:
        if kind in {"id", "lookup", "ownerlookup", "userlookup", "integer", "bigint"}:
            return int(text)
        if kind in {"currency", "double", "percent"}:
            return Decimal(text)
        if kind == "date":
            return date.fromisoformat(text)
    except (ValueError, InvalidOperation):
        raise _unfit(column, text) from None
    if kind == "datetime":
        moment: datetime | None = read_stamp(text)
        if moment is None:
            raise _unfit(column, text)
        return moment
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise _unfit(column, text)
        return text.lower() == "true"
    return text


def _unfit(column: _Column, text: str) -> Refusal:
    return Refusal(400, "INVALID_QUERY", {"column_name": column.name, "value": text})


def _at_most(count: int, limit: int) -> None:
    if count > limit:
        raise Refusal(400, "LIMIT_EXCEEDED", {"limit": limit}, "the query exceeds a limit")
