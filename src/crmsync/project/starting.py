"""``init``: a project folder with settings, one ruleset, its mapping and a signing key."""

from __future__ import annotations

import os
import secrets as randomness
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import yaml

from crmsync.connector import ConnectorSpec
from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.project.shipped import shipped_ruleset
from crmsync.rules.json_schema import SCHEMAS, committed, modeline

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
SETTINGS_FILE = "crmsync.yaml"
KEY_FILE = "var/plan.key"
SCHEMA_FOLDER = "schemas"
_SCHEMA_OF = {
    SETTINGS_FILE: "project.schema.json",
    "rules.yaml": "rules.schema.json",
    "rules.test.yaml": "cases.schema.json",
}
SECRET = "secret:"  # noqa: S105 - the mark of a reference


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What ``init`` was told. ``keys`` are the connection's own settings; secrets stay references
    (``secret:NAME``)."""

    folder: Path
    spec: ConnectorSpec
    ruleset: str
    connection: str
    language: str
    time_zone: str
    keys: Mapping[str, object] = field(default_factory=dict)
    nightly_at: str = "02:00"


def start(wanted: NewProject) -> tuple[Path, ...]:
    """Write the project and return the files made; an existing crmsync.yaml is never touched."""
    settings = wanted.folder / SETTINGS_FILE
    if settings.exists():
        raise UsageError(
            Text(
                zh=f"{settings.name} 已存在，不会覆盖",
                en=f"{settings.name} is already there and will not be touched",
            ),
            mend=Text(zh="换一个空文件夹", en="choose an empty folder"),
        )
    source = shipped_ruleset(wanted.ruleset)
    target = wanted.folder / "rulesets" / wanted.ruleset
    if target.exists():
        raise UsageError(
            Text(zh=f"{target} 已存在", en=f"{target} is already there"),
            mend=Text(zh="换一个空文件夹", en="choose an empty folder"),
        )
    wanted.folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    schemas = write_schemas(wanted.folder)
    for mapping in (target / "mapping").glob("*.yaml"):
        if mapping.stem != wanted.spec.name:
            mapping.unlink()
    for path in target.rglob("*.yaml"):
        told(path, schemas)
    settings.write_text(sample(wanted), encoding="utf-8")
    told(settings, schemas)
    ignore = wanted.folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("var/\n", encoding="utf-8")
    make_key(wanted.folder)
    files = sorted(path for path in target.rglob("*") if path.is_file())
    return (settings, *files)


def write_schemas(folder: Path) -> Path:
    """Put the editors' schemas into the project; gives their folder."""
    schemas = folder / SCHEMA_FOLDER
    schemas.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (schemas / name).write_text(committed(name), encoding="utf-8")
    return schemas


def told(path: Path, schemas: Path) -> None:
    """Make the first line of a file tell editors which schema it follows."""
    name = _SCHEMA_OF.get(path.name, "mapping.schema.json" if path.parent.name == "mapping" else "")
    if name:
        way = Path(os.path.relpath(schemas / name, path.parent)).as_posix()
        path.write_text(modeline(way) + path.read_text(encoding="utf-8"), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class SettingToFill:
    """One of a connector's own settings as ``init`` writes it: ``start`` stands in the file until a
    person says otherwise; ``choices`` where only some words will do."""

    name: str
    start: str
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Whether the file holds a reference only."""
        return self.start.startswith(SECRET)

    @property
    def is_open(self) -> bool:
        """Whether it must be filled in before anything works."""
        return is_placeholder(self.start)


def settings_to_fill(spec: ConnectorSpec) -> tuple[SettingToFill, ...]:
    """What a person must or should look at: required settings, choices, secrets as references."""
    found: list[SettingToFill] = []
    for name, info in spec.load("settings").model_fields.items():
        if info.is_required():
            found.append(SettingToFill(name, f"<{name}>"))
        elif isinstance(info.default, Enum):
            words = tuple(str(item.value) for item in type(info.default))
            found.append(SettingToFill(name, str(info.default.value), words))
        elif isinstance(info.default, str) and info.default.startswith(SECRET):
            found.append(SettingToFill(name, info.default))
    return tuple(found)


def is_placeholder(value: object) -> bool:
    """Whether a setting still holds what ``init`` wrote for a person to replace."""
    return isinstance(value, str) and value.startswith("<") and value.endswith(">")


def make_key(folder: Path) -> Path:
    """The key that signs plans: made once, readable by the owner alone."""
    path = folder / KEY_FILE
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=PRIVATE_FILE)
        path.write_text(randomness.token_hex(32) + "\n", encoding="ascii")
    return path


def sample(wanted: NewProject) -> str:
    """The text of ``crmsync.yaml``: one connection, one nightly job, secrets by reference."""
    keys = {"connector": wanted.spec.name, **wanted.keys}
    return _TEMPLATE.format(
        language=wanted.language,
        connection=wanted.connection,
        keys=_indented(keys, 4),
        ruleset=wanted.ruleset,
        at=wanted.nightly_at,
        zone=wanted.time_zone,
    )


def _indented(keys: Mapping[str, object], depth: int) -> str:
    text = yaml.safe_dump(dict(keys), allow_unicode=True, sort_keys=False, default_flow_style=False)
    return "\n".join(" " * depth + line for line in text.splitlines())


_TEMPLATE = """\
# crmsync 项目 / project. 改完运行 / after editing run:  crmsync check
version: 1
language: {language}                 # zh | en

connections:
  {connection}:
{keys}

# 密钥不写在这里 / secrets are never written here. secret:crm/key is looked up in this order:
#   1. environment  CRMSYNC_SECRET_CRM_KEY    2. systemd credentials
#   3. var/secrets/crm/key, mode 0600         4. the system keyring (service crmsync, name crm/key)

# 任务负责人 / who stands behind the roles that tasks name:  word: user id in the CRM
# people:
#   role:客服主管: "1000"

jobs:
  nightly:
    ruleset: {ruleset}
    connection: {connection}
    at: "{at}"                      # or  cron: "0 2 * * 1-5"
    time_zone: {zone}
    catch_up: once                   # 错过后补一次 / once | skip | all
"""
