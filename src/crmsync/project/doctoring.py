"""``doctor``: looks at everything a run needs, without changing anything but with ``--fix``."""

from __future__ import annotations

import platform
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crmsync import __version__
from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import QuotaReporter
from crmsync.errors import CrmSyncError
from crmsync.evaluate import rete_status
from crmsync.model.diagnostic import Severity
from crmsync.model.text import Text
from crmsync.project.checking import check
from crmsync.project.connecting import look
from crmsync.project.opening import Project, open_project
from crmsync.project.starting import KEY_FILE, PRIVATE_FOLDER, make_key
from crmsync.store.mirror import open_mirror, read_meta

OLD_MIRROR = timedelta(days=2)
LOW_QUOTA = 0.1
# SQLite's WAL-reset race: fixed in these releases and all later ones (sqlite.org, 2026).
_FIXED_SQLITE = ((3, 44, 6), (3, 50, 7), (3, 51, 3))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; ``level`` is ``ok``, ``warning`` or ``problem``."""

    level: str
    about: str
    text: Text
    mend: Text | None = None

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"level": self.level, "about": self.about, "text": self.text, "mend": self.mend}


def examine(folder: Path, *, now: Callable[[], datetime], fix: bool) -> list[Finding]:
    """Every finding, in the order a run needs things."""
    found = [_versions(), _sqlite(), _rete()]
    try:
        project = open_project(folder, now=now)
    except CrmSyncError as error:
        return [*found, _failed("project", error)]
    found += _files(project, fix=fix)
    found += _project(project)
    found += _store(project)
    for connection in project.config.connections.values():
        found += _connection(project, connection)
    return [*found, *_jobs(project)]


def _versions() -> Finding:
    words = f"crmsync {__version__} · Python {platform.python_version()} · {platform.system()}"
    return Finding("ok", "program", Text.same(words))


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version_info
    fixed = version >= _FIXED_SQLITE[-1] or any(
        version[:2] == known[:2] and version >= known for known in _FIXED_SQLITE
    )
    name = f"SQLite {sqlite3.sqlite_version}"
    if fixed:
        return Finding("ok", "sqlite", Text.same(name))
    return Finding(
        "warning",
        "sqlite",
        Text(
            zh=f"{name} 有 WAL 重置缺陷；状态库只用一个写连接来避开它",
            en=f"{name} has the WAL-reset race; the state is written by one connection to avoid it",
        ),
    )


def _rete() -> Finding:
    """Which matchers there are; the self-test of durable-rules runs in a process of its own."""
    status = rete_status()
    if status.usable:
        text = Text(
            zh="编译、列式与 rete 匹配器可用；durable-rules 通过自检",
            en="compiled, columnar and rete matchers; durable-rules passed its self-test",
        )
        return Finding("ok", "engine", text)
    return Finding(
        "ok",
        "engine",
        Text(
            zh=f"编译与列式匹配器可用；durable-rules {status.why.zh}，编译匹配器代替它",
            en=f"compiled and columnar matchers; durable-rules {status.why.en},"
            " compiled does its work",
        ),
    )


def _files(project: Project, *, fix: bool) -> Iterator[Finding]:
    key = project.config.folder / KEY_FILE
    if not key.is_file() and fix:
        make_key(project.config.folder)
    if not key.is_file():
        yield Finding(
            "problem",
            "signing key",
            Text(zh="缺少签名密钥", en="the key that signs plans is missing"),
            Text.same("crmsync doctor --fix"),
        )
    state = project.config.state
    if state.is_dir() and stat.S_IMODE(state.stat().st_mode) & 0o077:
        if fix:
            state.chmod(PRIVATE_FOLDER)
        else:
            yield Finding(
                "problem",
                "files",
                Text(zh=f"{state} 别人也能进入", en=f"others can enter {state}"),
                Text.same(f"chmod 700 {state}"),
            )


def _project(project: Project) -> Iterator[Finding]:
    report = check(project.config.folder, ())
    errors = sum(item.severity is Severity.ERROR for item in report.diagnostics)
    warnings = len(report.diagnostics) - errors
    level = "problem" if errors else "warning" if warnings else "ok"
    yield Finding(
        level,
        "project",
        Text(
            zh=f"{len(report.texts)} 个文件，{errors} 个错误，{warnings} 个警告",
            en=f"{len(report.texts)} files, {errors} errors, {warnings} warnings",
        ),
        Text.same("crmsync check") if errors or warnings else None,
    )


def _store(project: Project) -> Iterator[Finding]:
    try:
        with project.store() as store:
            broken = store.audit.broken_at()
            runs = store.runs.latest(1)
    except CrmSyncError as error:
        yield _failed("store", error)
        return
    if broken is not None:
        yield Finding(
            "problem",
            "store",
            Text(
                zh=f"审计记录第 {broken} 行被改动过",
                en=f"the audit log was altered at row {broken}",
            ),
        )
        return
    last = runs[0].started_at.isoformat(timespec="minutes") if runs else "–"
    yield Finding("ok", "store", Text(zh=f"可用，最近运行 {last}", en=f"usable; last run {last}"))


def _connection(project: Project, connection: ConnectionConfig) -> Iterator[Finding]:
    name = connection.name
    try:
        with project.reader(connection) as crm:
            where = crm.check()
            quota = crm.quota() if isinstance(crm, QuotaReporter) else None
    except CrmSyncError as error:
        yield _failed(name, error)
        return
    yield Finding(
        "ok",
        name,
        Text(
            zh=f"已登录 {where.name}（{where.environment}），身份 {where.user_name}",
            en=f"signed in to {where.name} ({where.environment}) as {where.user_name}",
        ),
    )
    if quota is not None and quota.limit:
        left = quota.limit - quota.used if quota.remaining is None else quota.remaining
        level = "warning" if left < quota.limit * LOW_QUOTA else "ok"
        yield Finding(
            level,
            f"{name} quota",
            Text(
                zh=f"剩余 {left}/{quota.limit} {quota.unit}",
                en=f"{left} of {quota.limit} {quota.unit} left",
            ),
        )
    yield from _fields(project, connection)
    yield from _mirror(project, connection)


def _fields(project: Project, connection: ConnectionConfig) -> Iterator[Finding]:
    for folder in project.config.rulesets:
        if not (folder / "mapping" / f"{connection.connector}.yaml").is_file():
            continue
        try:
            found = look(project, connection, folder)
        except CrmSyncError as error:
            yield _failed(f"{folder.name} fields", error)
            continue
        if found.sources:
            names = ", ".join(str(item.field.name or item.field.label) for item in found.sources)
            yield Finding(
                "problem",
                f"{folder.name} sources",
                Text(
                    zh=f"CRM 没有指标的来源字段：{names}",
                    en=f"the CRM lacks fields that facts are read from: {names}",
                ),
                Text.same(f"crmsync connect {connection.name}"),
            )
        lacking = len(found.missing) + len(found.choices)
        if not lacking:
            text = Text(zh="写回字段齐全", en="every write-back field is there")
            yield Finding("ok", folder.name, text)
            continue
        yield Finding(
            "problem",
            folder.name,
            Text(
                zh=f"缺 {lacking} 个写回字段或选项",
                en=f"{lacking} write-back fields or options are missing",
            ),
            Text.same(f"crmsync connect {connection.name}"),
        )


def _mirror(project: Project, connection: ConnectionConfig) -> Iterator[Finding]:
    try:
        mirror = open_mirror(project.mirror_path(connection))
    except CrmSyncError as error:
        yield Finding("warning", f"{connection.name} mirror", error.message, error.mend)
        return
    try:
        pulled = read_meta(mirror).pulled_at
    finally:
        mirror.close()
    age = project.now() - pulled
    when = pulled.isoformat(timespec="minutes")
    yield Finding(
        "warning" if age > OLD_MIRROR else "ok",
        f"{connection.name} mirror",
        Text(zh=f"读取于 {when}", en=f"read at {when}"),
    )


def _jobs(project: Project) -> Iterator[Finding]:
    with project.store() as store:
        for job in project.config.jobs.values():
            last = store.slots.last(job.name, 5)
            listed = ", ".join(slot.state.value for slot in last) or "–"
            zone = ZoneInfo(job.time_zone)
            yield Finding(
                "warning" if last and last[0].state.value in {"failed", "missed"} else "ok",
                f"job {job.name}",
                Text(
                    zh=f"{job.when}（{zone}），最近：{listed}",
                    en=f"{job.when} ({zone}); last: {listed}",
                ),
            )


def _failed(about: str, error: CrmSyncError) -> Finding:
    return Finding("problem", about, error.message, error.mend)
