"""Model values as canonical JSON and back: the same value always gives the same bytes.

Shapes follow the declared types. Where a field may hold several scalar types (`Value`,
`FactValue`), what JSON cannot tell apart is tagged: ``{"dec": "1.50"}``, ``{"on": "2026-11-22"}``,
``{"at": "…+00:00"}``, ``{"set": […]}``. Members of a union of dataclasses carry ``"is"``. Fields
that hold their default are left out.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")
Json = Any
"""A tree of dict, list, str, int, float, bool and None: what the json module takes and gives."""


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def encode(value: object, declared: Any) -> Json:  # noqa: ANN401 - a type or a union of types
    """*value*, which has the *declared* type, as a JSON tree."""
    return _codec(declared).encode(value)


def decode(tree: Json, declared: type[T]) -> T:
    """The value a tree made by `encode` stands for; raises ValueError for any other tree."""
    return cast(T, decode_any(tree, declared))


def decode_any(tree: Json, declared: Any) -> Any:  # noqa: ANN401 - unions are no ``type``
    """`decode` for unions and generic types."""
    try:
        return _codec(declared).decode(tree)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a {declared}: {type(error).__name__}") from error


def dumps(value: object, declared: Any) -> str:  # noqa: ANN401 - a type or a union of types
    """`encode` as one line of text: no spaces, mappings sorted, NaN refused."""
    return text_of(encode(value, declared))


def loads(text: str, declared: type[T]) -> T:
    """`decode` of one line made by `dumps`."""
    return decode(json.loads(text), declared)


def text_of(tree: Json) -> str:
    """A JSON tree as one canonical line."""
    return _LINE.encode(tree)


_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@cache
def _codec(declared: Any) -> _Codec:  # noqa: ANN401
    origin = typing.get_origin(declared)
    if origin in {typing.Union, types.UnionType}:
        return _union(typing.get_args(declared))
    if origin is not None:
        return _container(origin, typing.get_args(declared))
    if dataclasses.is_dataclass(declared):
        return _structure(cast(type, declared))
    if isinstance(declared, type) and issubclass(declared, Enum):
        return _Codec(lambda member: member.value, declared)
    if declared in _PLAIN:
        return _PLAIN[declared]
    raise TypeError(f"no canonical form for {declared!r}")


def _union(members: tuple[Any, ...]) -> _Codec:
    present = tuple(member for member in members if member is not type(None))
    if len(present) == 1:
        inner = _codec(present[0])
        return _Codec(
            lambda value: None if value is None else inner.encode(value),
            lambda tree: None if tree is None else inner.decode(tree),
        )
    if all(dataclasses.is_dataclass(member) for member in present):
        return _tagged(present)
    return _Codec(encode_value, decode_value)


def _tagged(members: tuple[Any, ...]) -> _Codec:
    by_name = {member.__name__: member for member in members}

    def write(value: object) -> Json:
        name = type(value).__name__
        return {"is": name, **_codec(by_name[name]).encode(value)}

    def read(tree: Json) -> object:
        rest = {key: item for key, item in tree.items() if key != "is"}
        return _codec(by_name[tree["is"]]).decode(rest)

    return _Codec(write, read)


def _container(origin: Any, arguments: tuple[Any, ...]) -> _Codec:  # noqa: ANN401
    if origin is tuple and arguments[-1] is Ellipsis:
        item = _codec(arguments[0])
        return _Codec(
            lambda values: [item.encode(value) for value in values],
            lambda tree: tuple(item.decode(part) for part in _list(tree)),
        )
    if origin is tuple:
        items = tuple(_codec(argument) for argument in arguments)
        return _Codec(
            lambda values: [c.encode(value) for c, value in zip(items, values, strict=True)],
            lambda tree: tuple(c.decode(part) for c, part in zip(items, _list(tree), strict=True)),
        )
    if origin is frozenset:
        return _Codec(sorted, lambda tree: frozenset(_list(tree)))
    if issubclass(origin, Mapping):
        inner = _codec(arguments[1])
        return _Codec(
            lambda entries: {key: inner.encode(entries[key]) for key in sorted(entries)},
            lambda tree: {str(key): inner.decode(part) for key, part in tree.items()},
        )
    raise TypeError(f"no canonical form for {origin!r}")


def _list(tree: Json) -> list[Json]:
    if not isinstance(tree, list):
        raise TypeError("a list is expected")
    return tree


def _structure(declared: type) -> _Codec:
    hints = typing.get_type_hints(declared)
    codecs = {field.name: _codec(hints[field.name]) for field in dataclasses.fields(declared)}
    defaults = {field.name: _default(field) for field in dataclasses.fields(declared)}
    fields = [(name, codec.encode, *defaults[name]) for name, codec in codecs.items()]

    def write(value: object) -> Json:
        tree = {}
        for name, encode, default, kind in fields:
            item = getattr(value, name)
            if item is default or ((kind is type(item) or kind is _ANY) and item == default):
                continue
            tree[name] = encode(item)
        return tree

    def read(tree: Json) -> object:
        if not tree.keys() <= codecs.keys():
            raise ValueError(f"{declared.__name__} has no {sorted(tree.keys() - codecs.keys())}")
        return declared(**{name: codecs[name].decode(part) for name, part in tree.items()})

    return _Codec(write, read)


_NONE, _ANY = object(), object


def _default(field: dataclasses.Field[Any]) -> tuple[object, type | None]:
    """A field's default with the type of value that may be it; a container may be of any type."""
    if field.default is not dataclasses.MISSING:
        return field.default, type(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory(), _ANY
    return _NONE, None


def encode_value(value: object) -> Json:
    """A `Value` or `FactValue` as JSON; what JSON cannot tell apart is tagged."""
    match value:
        case None | bool() | int() | str() | float():
            return value
        case Decimal():
            return {"dec": _decimal(value)}
        case datetime():
            return {"at": _moment(value)}
        case date():
            return {"on": value.isoformat()}
        case tuple():
            return {"set": list(value)}
    raise TypeError(f"{type(value).__name__} is not a canonical value")


def decode_value(tree: Json) -> Any:  # noqa: ANN401 - a Value or a FactValue
    """The value `encode_value` made the tree from."""
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise ValueError("a list is not a canonical value")
        return tree
    ((tag, content),) = tree.items()
    return _TAGS[tag](content)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("a number must be finite")
    return str(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return value.astimezone(UTC).isoformat()


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _expect(kind: type) -> Callable[[Json], Any]:
    def read(tree: Json) -> Any:  # noqa: ANN401
        if type(tree) is not kind:
            raise TypeError(f"{kind.__name__} is expected")
        return tree

    return read


_TAGS: Mapping[str, Callable[[Json], Any]] = {
    "dec": Decimal,
    "on": date.fromisoformat,
    "at": datetime.fromisoformat,
    "set": tuple,
}
_PLAIN: Mapping[Any, _Codec] = {
    str: _Codec(_same, _expect(str)),
    bool: _Codec(_same, _expect(bool)),
    int: _Codec(_same, _expect(int)),
    float: _Codec(float, float),
    Decimal: _Codec(_decimal, Decimal),
    date: _Codec(date.isoformat, date.fromisoformat),
    datetime: _Codec(_moment, datetime.fromisoformat),
}
