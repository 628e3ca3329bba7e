"""How canonical values become mirror columns: names, DuckDB types, and what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

from crmsync.errors import ConfigError
from crmsync.model.record import Record, Value
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync.model.text import Text

Stored: TypeAlias = bool | int | str | date | datetime | list[str] | None

RECORD_COLUMNS: Final = ("id", "_modified", "_version", "_unfit")
"""What every object's table begins with; ``_unfit`` lists fields whose value could not be kept."""

_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(28, 6)",
    FieldType.CURRENCY: "DECIMAL(28, 6)",
    FieldType.PERCENT: "DECIMAL(28, 6)",
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "TIMESTAMP",
    FieldType.MULTI_PICKLIST: "VARCHAR[]",
}
_LARGEST_INTEGER: Final = 2**63
_LARGEST_DECIMAL: Final = Decimal(10) ** 22
_MILLIONTH: Final = Decimal("0.000001")


class Unfit(Exception):
    """A value the field's type cannot hold."""


def sql_type(type: FieldType) -> str:
    """The DuckDB type of a mirror column; text-like fields are VARCHAR."""
    return _TYPES.get(type, "VARCHAR")


def quoted(name: str) -> str:
    """*name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def stored_fields(fields: Sequence[FieldSchema]) -> tuple[FieldSchema, ...]:
    """The fields that get a column: the record's own id is there already, whatever its spelling.

    Raises ConfigError when two names differ only in case, which DuckDB cannot tell apart.
    """
    kept: dict[str, FieldSchema] = {}
    for field in sorted(fields, key=lambda field: field.name):
        folded = field.name.casefold()
        if folded == "id":
            continue
        other = kept.get(folded)
        if folded in RECORD_COLUMNS or (other is not None and other.name != field.name):
            first = other.name if other is not None else folded
            raise ConfigError(
                Text(
                    zh=f"字段 {field.name} 与 {first} 只有大小写不同，本地镜像无法区分",
                    en=f"the fields {field.name} and {first} differ only in case: "
                    "the local mirror cannot hold both",
                ),
                mend=Text(zh="映射中只保留其中一个", en="Map only one of them."),
                code="MAP090",
            )
        kept[folded] = field
    return tuple(kept.values())


def fields_to_json(fields: Sequence[FieldSchema]) -> str:
    """The stored fields as text: names, types, picklist choices and labels."""
    rows = [
        [
            field.name,
            field.type.value,
            [[choice.value, choice.label] for choice in field.choices],
            field.label,
        ]
        for field in fields
    ]
    return json.dumps(rows, ensure_ascii=False)


def same_columns(left: Sequence[FieldSchema], right: Sequence[FieldSchema]) -> bool:
    """Whether rows stored for *left* fit the columns of *right*; choices and labels may differ."""
    return [(field.name, field.type) for field in left] == [
        (field.name, field.type) for field in right
    ]


def fields_from_json(text: str) -> tuple[FieldSchema, ...]:
    """The fields as stored. Labels are kept: a mapping may name a field by nothing else."""
    return tuple(
        FieldSchema(
            name=name,
            label=label,
            type=FieldType(kind),
            choices=tuple(Choice(value=value, label=words) for value, words in choices),
        )
        for name, kind, choices, label in json.loads(text)
    )


def column_ddl(fields: Sequence[FieldSchema]) -> str:
    """The column definitions of an object's table."""
    own = ["id VARCHAR", "_modified TIMESTAMP", "_version VARCHAR", "_unfit VARCHAR[]"]
    return ", ".join(own + [f"{quoted(field.name)} {sql_type(field.type)}" for field in fields])


def column_names(fields: Sequence[FieldSchema]) -> tuple[str, ...]:
    """The quoted names of an object's columns, in table order."""
    return RECORD_COLUMNS + tuple(quoted(field.name) for field in fields)


def column_lists(
    records: Sequence[Record], fields: Sequence[FieldSchema]
) -> list[list[Stored] | list[list[str] | None]]:
    """One list per column of `column_names`, ready to be unnested by one INSERT."""
    unfit: list[list[str] | None] = [None] * len(records)
    columns: list[list[Stored]] = []
    for field in fields:
        store = _STORERS.get(field.type, _text)
        column: list[Stored] = []
        for number, record in enumerate(records):
            try:
                column.append(store(record.fields.get(field.name)))
            except (Unfit, OverflowError):
                column.append(None)
                unfit[number] = [*(unfit[number] or ()), field.name]
        columns.append(column)
    ids: list[Stored] = [record.ref.id for record in records]
    moments: list[Stored] = [moment(record.modified_at) for record in records]
    versions: list[Stored] = [record.version for record in records]
    return [ids, moments, versions, unfit, *columns]


def unnest_expressions(fields: Sequence[FieldSchema]) -> str:
    """The SELECT list that turns `column_lists` back into rows.

    Decimals travel as text: DuckDB would otherwise guess one scale for the whole list.
    """
    own = ["unnest(?::VARCHAR[])", "unnest(?::TIMESTAMP[])", "unnest(?::VARCHAR[])"]
    own.append("unnest(?::VARCHAR[][])")
    for field in fields:
        kind = sql_type(field.type)
        carried = "VARCHAR" if kind.startswith("DECIMAL") else kind
        own.append(f"CAST(unnest(?::{carried}[]) AS {kind})")
    return ", ".join(own)


def moment(value: datetime) -> datetime:
    """An aware moment as the naive UTC that TIMESTAMP columns hold."""
    return value.astimezone(UTC).replace(tzinfo=None)


def _text(value: Value) -> Stored:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Unfit
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _boolean(value: Value) -> Stored:
    if value is None or isinstance(value, bool):
        return value
    raise Unfit


def _integer(value: Value) -> Stored:
    if value is None:
        return None
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit
    if not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        raise Unfit
    return value


def _decimal(value: Value) -> Stored:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= _LARGEST_DECIMAL:
        raise Unfit
    return format(number.quantize(_MILLIONTH), "f")


def _date(value: Value) -> Stored:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise Unfit


def _datetime(value: Value) -> Stored:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unfit
    return moment(value)


def _choices(value: Value) -> Stored:
    if value is None or value == ():
        return None
    if not isinstance(value, tuple):
        raise Unfit
    return [str(item) for item in value]


_STORERS: Final[Mapping[FieldType, Callable[[Value], Stored]]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.CURRENCY: _decimal,
    FieldType.PERCENT: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.MULTI_PICKLIST: _choices,
}
