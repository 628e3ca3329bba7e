"""A project opened for one run of one verb: settings, the state store, connections, the day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pydantic

from crmsync.config.project_file import ConnectionConfig, ProjectConfig, load_project
from crmsync.config.secrets import PREFIX, SecretSources
from crmsync.config.tokens import FileTokenShelf
from crmsync.connector import ConnectionContext, Connector, Reader, connector
from crmsync.errors import ConfigError, UsageError
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.shared_store import SharedStore
from crmsync.project.starting import KEY_FILE, is_placeholder
from crmsync.rules import load
from crmsync.store import Store, open_store


def unheard(text: Text) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Project:
    """What every use case starts from. ``now`` is the protocol's clock, ``today`` overrides the
    day rules are evaluated on."""

    config: ProjectConfig
    now: Callable[[], datetime]
    today: date | None = None
    sleep: Callable[[float], None] = time.sleep
    notice: Callable[[Text], None] = unheard
    """Told what a person at the screen should know now: a pause, a clock that is wrong."""
    shared: SharedStore = field(default_factory=SharedStore, repr=False, compare=False)

    def as_of(self, rules: Ruleset) -> date:
        """The local day in the ruleset's zone."""
        return self.today or self.now().astimezone(ZoneInfo(rules.time_zone)).date()

    def connection(self, name: str | None) -> ConnectionConfig:
        """The connection of that name; without a name, the only one there is."""
        known = self.config.connections
        if name is None and len(known) == 1:
            return next(iter(known.values()))
        if name is not None and name in known:
            return known[name]
        listed = ", ".join(known) or "–"
        if name is None:
            raise UsageError(
                Text(zh="有几个连接，请指明一个", en="there are several connections; name one"),
                mend=Text(zh=f"--connection，可选：{listed}", en=f"--connection, one of: {listed}"),
            )
        raise UsageError(
            Text(zh=f"没有连接“{name}”", en=f"there is no connection “{name}”"),
            mend=Text(zh=f"可选：{listed}", en=f"Declared: {listed}"),
        )

    def ruleset_folder(self, name: str | None) -> Path:
        """The folder of a ruleset; without a name, the only one there is."""
        folders = {path.name: path for path in self.config.rulesets}
        if name is not None and Path(name).name in folders:
            return folders[Path(name).name]
        if name is None and len(folders) == 1:
            return next(iter(folders.values()))
        listed = ", ".join(folders) or "–"
        if name is None:
            raise UsageError(
                Text(
                    zh="请指明规则集" if folders else "项目里没有规则集",
                    en="name a ruleset" if folders else "this project holds no ruleset",
                ),
                mend=Text(zh=f"可选：{listed}", en=f"There are: {listed}"),
            )
        raise UsageError(
            Text(zh=f"没有规则集“{name}”", en=f"there is no ruleset “{name}”"),
            mend=Text(zh=f"可选：{listed}", en=f"There are: {listed}"),
        )

    def folder_of(self, ruleset: str) -> Path:
        """The folder whose rules carry this id; raises UsageError when the project has none."""
        for folder in self.config.rulesets:
            rules, _ = load(folder)
            if rules is not None and rules.id == ruleset:
                return folder
        return self.ruleset_folder(ruleset)

    def mirror_path(self, connection: ConnectionConfig) -> Path:
        """The published mirror of a connection."""
        return self.config.state / "mirrors" / f"{connection.name}.duckdb"

    def schemas_path(self, connection: ConnectionConfig) -> Path:
        """Where the CRM's description of its fields is kept beside the mirror."""
        return self.config.state / "mirrors" / f"{connection.name}.schemas.json"

    def key(self) -> bytes:
        """The key that signs plans; raises ConfigError where ``init`` has not made one."""
        path = self.config.folder / KEY_FILE
        if not path.is_file():
            raise ConfigError(
                Text(zh=f"缺少签名密钥 {path}", en=f"the signing key {path} is missing"),
                mend=Text(
                    zh="运行 crmsync doctor --fix 生成；旧计划将失效",
                    en="crmsync doctor --fix makes one; plans signed before are refused then",
                ),
                code="CONF014",
            )
        return bytes.fromhex(path.read_text(encoding="ascii").strip())

    def signing_key(self) -> bytes | None:
        """The key that seals our books, where ``init`` has made one."""
        return self.key() if (self.config.folder / KEY_FILE).is_file() else None

    @property
    def store_place(self) -> Path | str:
        """Where the state lies: a SQLite file, or a PostgreSQL address."""
        where = self.config.store_url
        if where is not None and where.startswith(PREFIX):
            where = SecretSources(self.config.state / "secrets").get(where)
        if where is None:
            return self.config.state / "crmsync.db"
        file = where.removeprefix("sqlite:///")
        return where if "://" in file else Path(file)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The state store, migrated to today's shape, closed at the end."""
        with self.shared.use(self._open_store) as store:
            yield store

    def _open_store(self) -> Store:
        return open_store(self.store_place, key=self.signing_key())

    @contextmanager
    def connect(
        self,
        connection: ConnectionConfig,
        *,
        allowed: Mapping[str, frozenset[str]] | None = None,
    ) -> Iterator[Connector]:
        """An open connector that may write, closed at the end; ConfigError for wrong settings.

        For ``apply``, which names the fields that are *allowed*, and for creating fields;
        everything else takes a `reader`.
        """
        with self._opened(connection, read_only=False, allowed=allowed) as opened:
            yield opened

    @contextmanager
    def reader(self, connection: ConnectionConfig) -> Iterator[Reader]:
        """An open connector whose transport refuses every write."""
        with self._opened(connection, read_only=True) as opened:
            yield opened

    @contextmanager
    def _opened(
        self,
        connection: ConnectionConfig,
        *,
        read_only: bool,
        allowed: Mapping[str, frozenset[str]] | None = None,
    ) -> Iterator[Connector]:
        spec = connector(connection.connector)
        unfilled = [name for name, value in connection.keys.items() if is_placeholder(value)]
        if unfilled:
            raise _unfilled(connection, ", ".join(unfilled))
        model = spec.load("settings")
        try:
            settings = model.model_validate(dict(connection.keys))
        except pydantic.ValidationError as problem:
            raise _wrong_settings(connection, problem) from None
        with self.store() as store:
            context = ConnectionContext(
                connection=connection.name,
                secrets=SecretSources(self.config.state / "secrets"),
                tokens=FileTokenShelf(self.config.state / "tokens" / f"{connection.name}.json"),
                now=self.now,
                sleep=self.sleep,
                allow_private=connection.allow_private,
                read_only=read_only,
                meter=store.meter(connection.name),
                notice=self.notice,
                allowed=allowed,
            )
            opened: Connector = spec.load("open")(settings, context)
            try:
                yield opened
            finally:
                opened.close()


def open_project(
    folder: Path,
    *,
    now: Callable[[], datetime],
    today: date | None = None,
    sleep: Callable[[float], None] = time.sleep,
    notice: Callable[[Text], None] = unheard,
) -> Project:
    """Read the project's settings; raises ConfigError with every problem at once."""
    return Project(load_project(folder), now, today, sleep, notice)


def _unfilled(connection: ConnectionConfig, names: str) -> ConfigError:
    place = f"crmsync.yaml:{connection.span.line}"
    return ConfigError(
        Text(
            zh=f"连接“{connection.name}”还没有填写：{names}（{place}）",
            en=f"connection “{connection.name}” is not filled in yet: {names} ({place})",
        ),
        mend=Text(
            zh="把 <…> 换成 CRM 给的值，见连接器指南",
            en="put what the CRM gave you in place of <…>; the connector's guide says where from",
        ),
        code="CONF015",
    )


def _wrong_settings(connection: ConnectionConfig, problem: pydantic.ValidationError) -> ConfigError:
    # Values are left out: a setting may be a secret somebody pasted.
    details = [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
        for item in problem.errors(include_input=False, include_url=False, include_context=False)
    ]
    listed = "; ".join(details)
    return ConfigError(
        Text(
            zh=f"连接“{connection.name}”的设置有误（{connection.span.short}）：{listed}",
            en=f"connection “{connection.name}” has wrong settings ({connection.span.short}):"
            f" {listed}",
        ),
        mend=Text(zh="按连接器指南修改 crmsync.yaml", en="mend crmsync.yaml after its guide"),
        code="CONF015",
    )
