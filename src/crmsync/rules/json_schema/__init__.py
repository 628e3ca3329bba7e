"""JSON Schemas of every file a person edits: what editors complete, explain and underline.

They say what may be written where; whether it makes sense is for `crmsync check`. The keys come
from the readers' own declarations where those are data, and a test compares the rest with the code.
The files beside this module are what `python -m crmsync.rules.json_schema` writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files

from crmsync.rules.json_schema.parts import Schema
from crmsync.rules.json_schema.project_files import mapping_schema, project_schema
from crmsync.rules.json_schema.rules_file import cases_schema, rules_schema

SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "rules.schema.json": rules_schema,
    "cases.schema.json": cases_schema,
    "mapping.schema.json": mapping_schema,
    "project.schema.json": project_schema,
}
"""File name → what makes its schema."""

__all__ = ["SCHEMAS", "committed", "generated", "modeline"]


def generated(name: str) -> str:
    """The schema of that name as text, made from the code."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n"


def committed(name: str) -> str:
    """The schema of that name as it comes with the package."""
    return (files(__name__) / name).read_text(encoding="utf-8")


def modeline(path: str) -> str:
    """The first line of a YAML file that tells an editor where its schema is."""
    return f"# yaml-language-server: $schema={path}\n"
