"""Writes the schemas beside this module: ``python -m crmsync.rules.json_schema``."""

from __future__ import annotations

from pathlib import Path

from crmsync.rules.json_schema import SCHEMAS, generated

for name in SCHEMAS:
    Path(__file__).with_name(name).write_text(generated(name), encoding="utf-8")
