"""Rules and mappings loaded for use: a wrong file stops the verb with every finding at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from crmsync.config.mapping_file import read_mapping
from crmsync.config.resolving import resolve
from crmsync.connector import Reader
from crmsync.errors import RulesetError
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.text import Text
from crmsync.rules import load
from crmsync.source import has_errors


def load_rules(folder: Path) -> Ruleset:
    """The ruleset of *folder*; raises RulesetError."""
    rules, problems = load(folder)
    if rules is None or has_errors(problems):
        raise _wrong(folder, problems)
    return rules


def load_mapping(folder: Path, connector: str, rules: Ruleset) -> CrmMapping:
    """The mapping of *folder* for one connector; raises RulesetError.

    The record's owner is among the fields it writes only where a rule may reassign it.
    """
    path = folder / "mapping" / f"{connector}.yaml"
    if not os.path.lexists(path):
        present = ", ".join(sorted(item.stem for item in (folder / "mapping").glob("*.yaml")))
        raise RulesetError(
            Text(
                zh=f"规则集 {folder.name} 没有 {connector} 的映射文件 mapping/{connector}.yaml",
                en=f"ruleset {folder.name} has no mapping/{connector}.yaml",
            ),
            mend=Text(
                zh=f"参照现有映射新建一个：{present or '–'}",
                en=f"write one after the mappings there are: {present or '–'}",
            ),
            code="MAP001",
        )
    mapping, problems = read_mapping(path, rules)
    if mapping is None or has_errors(problems):
        raise _wrong(path, problems)
    return mapping.owning() if rules.reassigns else mapping


def describe(reader: Reader, mapping: CrmMapping) -> dict[str, ObjectSchema]:
    """The schemas of every object the mapping touches."""
    objects = [mapping.object, *(item.object for item in mapping.related.values())]
    if mapping.tasks is not None:
        objects.append(mapping.tasks.object)
    return {name: reader.describe(name) for name in dict.fromkeys(objects)}


def resolved(mapping: CrmMapping, schemas: Mapping[str, ObjectSchema]) -> CrmMapping:
    """The mapping with every label replaced by an API name; raises ConfigError."""
    return resolve(mapping, schemas)


def _wrong(path: Path, problems: list[Diagnostic]) -> RulesetError:
    return RulesetError(
        Text(zh=f"{path.name} 有错误", en=f"{path.name} has errors"),
        mend=None,
        diagnostics=problems,
    )
