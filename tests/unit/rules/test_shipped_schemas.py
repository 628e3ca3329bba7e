"""Every shipped file fits the schema editors get, and what is wrong does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from crmsync.project.shipped import shipped_rulesets
from crmsync.rules.json_schema import committed

ROOT = Path(__file__).resolve().parents[3]


def shipped_files() -> list[tuple[str, Path]]:
    found = []
    for name in shipped_rulesets():
        folder = ROOT / "rulesets" / name
        found += [("rules.schema.json", folder / "rules.yaml")]
        found += [("cases.schema.json", folder / "rules.test.yaml")]
        found += [("mapping.schema.json", path) for path in sorted(folder.glob("mapping/*.yaml"))]
    return found


class Words(yaml.SafeLoader):
    """YAML 1.2: only true and false are booleans, and dates are words."""


Words.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Words.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def as_json(value: Any) -> Any:
    """What an editor's YAML service compares with a schema: keys are words."""
    if isinstance(value, dict):
        return {str(key): as_json(inner) for key, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("name", "path"), shipped_files(), ids=lambda item: str(item).removeprefix(str(ROOT))
)
def test_every_shipped_file_fits_its_schema(name: str, path: Path) -> None:
    content = as_json(yaml.load(path.read_text(encoding="utf-8"), Loader=Words))
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft7Validator(json.loads(committed(name))).iter_errors(content)
    ]
    assert not problems


def test_a_wrong_key_and_a_wrong_word_do_not_fit() -> None:
    path = ROOT / "rulesets/b2b-standard/rules.yaml"
    content = as_json(yaml.load(path.read_text(encoding="utf-8"), Loader=Words))
    validator = Draft7Validator(json.loads(committed("rules.schema.json")))
    assert validator.is_valid(content)
    content["tier"]["levels"][0]["entre"] = 80
    assert not validator.is_valid(content)
    del content["tier"]["levels"][0]["entre"]
    content["facts"]["overdue_days"]["type"] = "intger"
    assert not validator.is_valid(content)
