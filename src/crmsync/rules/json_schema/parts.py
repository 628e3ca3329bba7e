"""The bricks of a JSON Schema: hover text in both languages, and the shapes YAML values have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Schema: TypeAlias = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
"""The draft that editors' YAML services know best."""

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"enum": [True, False, "yes", "no", "是", "否"]}
TEXT: Schema = {"type": "string"}
DURATION: Schema = {"type": ["string", "integer"]}
DATE: Schema = {"type": "string"}
WORDS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": SCALAR}]}
"""Words as a list or as one line with commas."""


def hover(schema: Schema, zh: str, en: str) -> Schema:
    """*schema* with what an editor shows when the pointer rests on the key."""
    return {**schema, "description": f"{zh}\n{en}", "markdownDescription": f"{zh}\n\n{en}"}


def ref(name: str) -> Schema:
    """The definition of that name."""
    return {"$ref": f"#/definitions/{name}"}


def one_of(words: Iterable[str]) -> Schema:
    """One of these words; editors offer them."""
    return {"enum": list(words)}


def suggested(words: Iterable[str]) -> Schema:
    """Any text; editors offer these words."""
    return {"anyOf": [{"enum": list(words)}, SCALAR]}


def items(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def mapping(of: Schema) -> Schema:
    """``name: value`` lines with names of the author's own."""
    return {"type": "object", "additionalProperties": of}


def block(properties: Mapping[str, Schema], *, required: Iterable[str] = ()) -> Schema:
    """A mapping of known keys, and no others."""
    found: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    if needed := list(required):
        found["required"] = needed
    return found


def every(declared: Iterable[str], known: Mapping[str, T]) -> dict[str, T]:
    """What is known of every declared key, in their order; KeyError for one nobody described."""
    keys = list(declared)
    if missing := [key for key in keys if key not in known]:
        raise KeyError(f"the editors' schema does not know {', '.join(missing)}")
    return {key: known[key] for key in keys}


def document(title: str, root: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """A whole schema file."""
    return {"$schema": DRAFT, "$comment": title, **root, "definitions": dict(definitions)}


CONDITION: Schema = {
    "anyOf": [
        {"type": ["string", "boolean"]},
        items(ref("condition")),
        block(
            {
                "any": hover(ref("condition"), "至少一条成立", "At least one of them holds."),
                "all": hover(ref("condition"), "全部成立", "All of them hold."),
                "none": hover(ref("condition"), "一条也不成立", "None of them holds."),
            }
        ),
    ]
}
"""A sentence, a list of which all must hold, or any, all, none."""
