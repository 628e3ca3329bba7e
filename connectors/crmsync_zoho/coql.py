"""Writes COQL: conditions joined in pairs, values quoted, pages by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema, FieldType
from crmsync_zoho.codec import stamp

MAX_VALUES = 100
MAX_COLUMNS = 500
MAX_ROWS = 2_000


def select(columns: Sequence[str], module: str, where: Sequence[str], limit: int) -> str:
    """A query for records behind an id, in the order of ids; *where* are its conditions."""
    return (
        f"select {', '.join(columns)} from {module} where {both(where)} "
        f"order by id asc limit {limit}"
    )


def both(conditions: Sequence[str], joiner: str = "and") -> str:
    """Conditions joined by ``and`` (or another joiner); Zoho wants every join to have two sides."""
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = f"({joined} {joiner} {condition})"
    return joined


def behind(record: str) -> str:
    """Records whose id is greater."""
    return f"id > {record}"


def since(moment: datetime) -> str:
    """Records modified at or after *moment*."""
    return f"Modified_Time >= '{stamp(moment)}'"


def one_of(field: FieldSchema | None, name: str, values: Sequence[Value]) -> str:
    """The field *name* holds one of *values* (``None`` among them means empty)."""
    column = name
    if field is not None and field.type is FieldType.LOOKUP and field.target is not None:
        column = f"{name}.id"
    filled = [literal(value) for value in values if value is not None]
    parts = [f"{column} in ({', '.join(filled)})"] if filled else []
    if len(filled) < len(values):
        parts.append(f"{name} is null")
    return both(parts, "or")


def literal(value: Value) -> str:
    """A value as COQL writes it."""
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return f"'{stamp(value)}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    text = str(value).replace("'", "''")
    return f"'{text}'"
