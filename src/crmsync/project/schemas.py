"""The CRM's own description of its fields as of the last pull, for work that must not ask again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from crmsync.errors import StoreError
from crmsync.model.canonical import decode, encode, text_of
from crmsync.model.schema import ObjectSchema
from crmsync.model.text import Text


def save_schemas(path: Path, schemas: Mapping[str, ObjectSchema]) -> None:
    """Add *schemas* to the file, whole or not at all, readable by its owner alone."""
    known = load_schemas(path) if path.is_file() else {}
    merged = {**known, **schemas}
    tree = {name: encode(merged[name], ObjectSchema) for name in sorted(merged)}
    part = path.with_name(path.name + ".new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text_of(tree))
    part.replace(path)


def load_schemas(path: Path) -> dict[str, ObjectSchema]:
    """What `save_schemas` kept; raises StoreError when there is nothing or it cannot be read."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {name: decode(item, ObjectSchema) for name, item in tree.items()}
    except (OSError, ValueError, AttributeError) as problem:
        raise StoreError(
            Text(
                zh="还没有读取过这个 CRM 的字段说明",
                en="the CRM's fields have not been read yet",
            ),
            mend=Text(zh="先运行 crmsync pull", en="run crmsync pull first"),
            code="MIRROR_MISSING",
        ) from problem
