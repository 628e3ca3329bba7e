"""``crmsync.yaml``: connections, jobs and where things lie; read with every problem at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from crmsync.config.jobs import JobConfig, name_lost_connections, read_jobs
from crmsync.config.keys import Keys, not_a_mapping, not_a_word
from crmsync.errors import ConfigError
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import (
    Mapping,
    Scalar,
    SourceFile,
    error,
    forgiving,
    has_errors,
    read_file,
    without_echoes,
)

FILE_NAME = "crmsync.yaml"
TOP = (
    "version",
    "language",
    "time_zone",
    "state",
    "store",
    "human_edits",
    "pilot",
    "people",
    "keep",
    "memory",
    "connections",
    "jobs",
)
OWN = frozenset(
    {
        "accept_duplicate_tasks",
        "allow_private",
        "approval",
        "connector",
        "expires",
        "look_back",
        "write_mode",
    }
)
"""Keys of a connection that are crmsync's, not the connector's."""
KEEP = ("values", "decisions", "backups")
MEMORY = "1 GB"
LOOK_BACK = 1000
"""Rows of a run that are looked back at unless the settings say otherwise: one call each."""
_MEMORY = re.compile(r"(\d{1,6})\s*(MB|GB)", re.IGNORECASE)
_LEAST_MEMORY = 256
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9._+/=-]{32,}")
_SECRET_KEY = re.compile(r"secret|token|password|permanent_code|api_key", re.IGNORECASE)
_OPEN_KEY = re.compile(r"(?:_id|_url|url|_domain|_host|_uri)$", re.IGNORECASE)
"""Identifiers and addresses are long but no secrets."""
_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/@:\s]*:[^/@\s]+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection: the connector's name and its own keys, secrets still as references.

    ``write_mode: strict`` writes each record alone with compare-and-set, where the CRM can.
    ``look_back`` is for how many rows of a run the CRM's history is asked what they replaced
    (``None``: all, 0: none). ``accept_duplicate_tasks`` creates tasks even where the CRM offers no
    way to create one once. ``approval: required`` takes plans only that somebody has approved.
    ``expires`` is the day the credentials end, where the CRM sets one.
    """

    name: str
    connector: str
    keys: MappingOf[str, object]
    allow_private: bool = False
    write_mode: str = "batch"
    look_back: int | None = LOOK_BACK
    approval: str = "optional"
    accept_duplicate_tasks: bool = False
    expires: date | None = None
    span: Span = field(default=Span("", 0, 0, 0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Pilot:
    """The group writing is limited to while a company tries crmsync out; empty: everybody."""

    owners: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def admits(self, id: str, owner: str | None) -> bool:
        """Whether a customer belongs to the group."""
        return not (self.owners or self.ids) or id in self.ids or owner in self.owners


@dataclass(frozen=True, slots=True)
class Keep:
    """How long our own books hold what may tell something of a person, and how many backups.

    ``values``: days old and new values of a run stay, so that it can be undone; a code remains
    after that. ``decisions``: days explanations stay. ``backups``: how many of ``crmsync backup``
    without a name of their own.
    """

    values: int = 30
    decisions: int = 400
    backups: int = 14


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """Everything ``crmsync.yaml`` says, with paths made absolute."""

    folder: Path
    language: str
    connections: MappingOf[str, ConnectionConfig]
    jobs: MappingOf[str, JobConfig]
    state: Path
    store_url: str | None = None
    human_edits: str = "conflict"
    pilot: Pilot = Pilot()
    keep: Keep = Keep()
    memory: str = MEMORY
    """What reading and evaluating a population may hold in memory; the rest goes to the disk."""
    people: MappingOf[str, str] = field(default_factory=dict)
    """Who stands behind ``role:`` and ``queue:`` words of tasks: word → user id."""
    source: SourceFile | None = None

    @property
    def rulesets(self) -> tuple[Path, ...]:
        """The ruleset folders of the project, by name."""
        return tuple(
            sorted(path.parent for path in (self.folder / "rulesets").glob("*/rules.yaml"))
        )


def load_project(folder: Path) -> ProjectConfig:
    """Read ``crmsync.yaml`` of *folder*; raises ConfigError with every problem in it."""
    path = folder / FILE_NAME
    if not os.path.lexists(path):
        raise ConfigError(
            Text(
                zh=f"{folder} 里没有 {FILE_NAME}",
                en=f"there is no {FILE_NAME} in {folder}",
            ),
            mend=Text(
                zh="在项目文件夹里运行，或加 --project DIR；新建项目： crmsync init",
                en="run it in a project folder, or add --project DIR; new project: crmsync init",
            ),
            code="CONF001",
        )
    source = read_file(path, name=FILE_NAME)
    config, problems = None, list(source.diagnostics)
    if source.node is not None:
        config, found = forgiving(source.node, lambda root: _read(folder, source, root))
        problems += found
    if config is None or has_errors(problems):
        raise ConfigError(
            Text(zh=f"{FILE_NAME} 有错误", en=f"{FILE_NAME} has errors"),
            code="CONF002",
            diagnostics=without_echoes(problems),
        )
    return config


def _read(
    folder: Path, source: SourceFile, root: Mapping
) -> tuple[ProjectConfig, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    keys = Keys(root, TOP, problems)
    version = keys.integer("version")
    if version not in {None, 1}:
        problems.append(
            error(
                "CONF003",
                keys.place("version"),
                Text(zh=f"版本 {version} 不认识", en=f"version {version} is not known"),
                Text(zh="写成 version: 1", en="Write version: 1."),
            )
        )
    zone = keys.zone("time_zone") or "UTC"
    state = folder / (keys.word("state") or "var")
    people = keys.mapping("people")
    pilot = keys.mapping("pilot")
    limited = Keys(pilot, ("owners", "ids"), problems) if pilot else None
    store = root.get("store")
    if isinstance(store, Scalar) and _URL_PASSWORD.match(store.text):
        problems.append(_pasted("store", store))
    config = ProjectConfig(
        folder=folder,
        language=keys.choice("language", ("zh", "en")) or "zh",
        connections=_connections(keys.mapping("connections"), problems),
        jobs=read_jobs(keys.mapping("jobs"), zone, problems),
        state=state,
        store_url=keys.word("store"),
        human_edits=keys.choice("human_edits", ("conflict", "adopt")) or "conflict",
        pilot=Pilot(
            owners=frozenset(limited.words("owners")) if limited else frozenset(),
            ids=frozenset(limited.words("ids")) if limited else frozenset(),
        ),
        keep=_keep(keys.mapping("keep"), problems),
        memory=_memory(keys, problems),
        people={
            key.text: value.text
            for key, value in (people.entries if people else ())
            if isinstance(value, Scalar)
        },
        source=source,
    )
    name_lost_connections(config.jobs, config.connections, problems)
    return config, problems


def _keep(node: Mapping | None, problems: list[Diagnostic]) -> Keep:
    if node is None:
        return Keep()
    keys, usual = Keys(node, KEEP, problems), Keep()
    told = {name: keys.integer(name) for name in KEEP}
    for name, number in told.items():
        if number is not None and number < 1:
            problems.append(
                error(
                    "CONF007",
                    keys.value_place(name),
                    Text(zh=f"“{name}”至少为 1", en=f"“{name}” must be 1 or more"),
                    Text(zh="写 1 或更大的整数", en="Write a whole number of 1 or more."),
                )
            )
    return Keep(
        values=told["values"] or usual.values,
        decisions=told["decisions"] or usual.decisions,
        backups=told["backups"] or usual.backups,
    )


def _memory(keys: Keys, problems: list[Diagnostic]) -> str:
    told = keys.word("memory")
    if told is None:
        return MEMORY
    found = _MEMORY.fullmatch(told)
    if found is not None:
        amount, unit = int(found[1]), found[2].upper()
        if amount * (1024 if unit == "GB" else 1) >= _LEAST_MEMORY:
            return f"{amount} {unit}"
    problems.append(
        error(
            "CONF007",
            keys.value_place("memory"),
            Text(zh=f"内存不能是“{told}”", en=f"memory cannot be “{told}”"),
            Text(
                zh=f"写成 512 MB 或 2 GB 这样，至少 {_LEAST_MEMORY} MB",
                en=f"Write an amount like 512 MB or 2 GB, {_LEAST_MEMORY} MB at least.",
            ),
        )
    )
    return MEMORY


def _connections(node: Mapping | None, problems: list[Diagnostic]) -> dict[str, ConnectionConfig]:
    found: dict[str, ConnectionConfig] = {}
    for name, body in node.entries if node else ():
        if not isinstance(body, Mapping):
            problems.append(not_a_mapping(name))
            continue
        keys = Keys(body, None, problems)
        connector = keys.word("connector", required=True)
        own = {
            key.text: _plain(name.text, key, value, problems)
            for key, value in body.entries
            if key.text not in OWN
        }
        found[name.text] = ConnectionConfig(
            name=name.text,
            connector=connector or "",
            keys=own,
            allow_private=keys.boolean("allow_private") or False,
            write_mode=keys.choice("write_mode", ("batch", "strict")) or "batch",
            look_back=keys.amount("look_back", LOOK_BACK, {"all": None, "off": 0}),
            approval=keys.choice("approval", ("optional", "required")) or "optional",
            accept_duplicate_tasks=keys.boolean("accept_duplicate_tasks") or False,
            expires=keys.day("expires"),
            span=name.span,
        )
    return found


def _plain(connection: str, key: Scalar, value: object, problems: list[Diagnostic]) -> object:
    if not isinstance(value, Scalar):
        problems.append(not_a_word(key.text, key.span))
        return ""
    text = value.text
    if _is_secret(key.text, text):
        problems.append(_pasted(f"{connection}/{key.text}", value))
        return ""
    return value.value if not isinstance(value.value, str) else text


def _is_secret(key: str, text: str) -> bool:
    if text.startswith("secret:") or not text:
        return False
    if _URL_PASSWORD.match(text):
        return True
    if _OPEN_KEY.search(key):
        return False
    return bool(_SECRET_KEY.search(key) or _TOKEN.fullmatch(text))


def _pasted(path: str, value: Scalar) -> Diagnostic:
    """CONF010 at the value; never with the value."""
    name, key = f"secret:{path}", path.rpartition("/")[2]
    return error(
        "CONF010",
        value.span,
        Text(
            zh=f"“{key}”像是密码或密钥，不能写在文件里",
            en=f"“{key}” looks like a secret; it must not stand in the file",
        ),
        Text(
            zh=f"改为 {name}，再把值放进环境变量、钥匙串或 var/secrets 文件",
            en=f"Write {name} and keep the value in the environment, the keyring or a"
            " var/secrets file.",
        ),
    )
