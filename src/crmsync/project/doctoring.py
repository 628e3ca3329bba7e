"""``doctor``: looks at everything a run needs, without changing anything but with ``--fix``."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from crmsync import __version__
from crmsync.apply import Limits
from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Capabilities, CreateOnce, QuotaReporter
from crmsync.errors import CrmSyncError
from crmsync.evaluate import rete_status
from crmsync.model.diagnostic import Severity
from crmsync.model.text import Text
from crmsync.project.checking import check
from crmsync.project.connecting import look
from crmsync.project.doctoring_books import file_findings, sqlite_finding, store_findings
from crmsync.project.expiring import expiry_finding
from crmsync.project.finding import Finding, failed
from crmsync.project.opening import Project, open_project
from crmsync.store.mirror import open_mirror, read_meta

OLD_MIRROR = timedelta(days=2)
LOW_QUOTA = 0.1


def examine(
    folder: Path,
    *,
    now: Callable[[], datetime],
    fix: bool,
    jobs: Callable[[Project], Iterable[Finding]] = lambda project: (),
) -> list[Finding]:
    """Every finding, in the order a run needs things; *jobs* looks at the schedule."""
    found = [_versions(), sqlite_finding(), _rete()]
    try:
        project = open_project(folder, now=now)
    except CrmSyncError as error:
        return [*found, failed("project", error)]
    found += file_findings(project, fix=fix)
    found += _project(project)
    found += store_findings(project)
    for connection in project.config.connections.values():
        found += _connection(project, connection)
    return [*found, *jobs(project)]


def _versions() -> Finding:
    words = f"crmsync {__version__} · Python {platform.python_version()} · {platform.system()}"
    return Finding("ok", "program", Text.same(words))


def _rete() -> Finding:
    """Which matchers there are; the self-test of durable-rules runs in a process of its own."""
    status = rete_status()
    if status.usable:
        text = Text(
            zh="编译、列式与 rete 匹配器和 rete 任务推导可用；durable-rules 通过自检",
            en="compiled, columnar and rete matchers, rete agenda; durable-rules passed its"
            " self-test",
        )
        return Finding("ok", "engine", text)
    return Finding(
        "ok",
        "engine",
        Text(
            zh=f"编译与列式匹配器可用；durable-rules {status.why.zh}，匹配与任务推导由编译版代替",
            en=f"compiled and columnar matchers; durable-rules {status.why.en},"
            " the compiled matcher and agenda do its work",
        ),
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


def _connection(project: Project, connection: ConnectionConfig) -> Iterator[Finding]:
    name = connection.name
    ending = expiry_finding(connection, project.now().date())
    if ending is not None:
        yield ending
    try:
        with project.reader(connection) as crm:
            where, can = crm.check(), crm.capabilities
            quota = crm.quota() if isinstance(crm, QuotaReporter) else None
    except CrmSyncError as error:
        yield failed(name, error)
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
    yield _tasks(connection, can)
    yield from _fields(project, connection)
    yield from _mirror(project, connection)


def _tasks(connection: ConnectionConfig, can: Capabilities) -> Finding:
    """How surely a task is created once, and how long a look-up that finds none is not believed."""
    name, rung = f"{connection.name} tasks", can.create_once.value
    if can.create_once is CreateOnce.A:
        text = Text(
            zh=f"只建一次：{rung} 级，按唯一键写入",
            en=f"created once by rung {rung}: written by a unique key",
        )
        return Finding("ok", name, text)
    if can.create_once is CreateOnce.D:
        accepted = connection.accept_duplicate_tasks
        text = Text(
            zh="这个 CRM 不能保证任务只建一次（D 级）"
            + ("；已接受重复" if accepted else "，不建任务"),
            en="this CRM cannot create a task only once (rung D): "
            + ("duplicates are accepted" if accepted else "tasks are off"),
        )
        return Finding("warning", name, text)
    waits = (Limits().deadline, can.late_commit, can.index_lag)
    deadline, late, lag = (round(part.total_seconds()) for part in waits)
    return Finding(
        "ok",
        name,
        Text(
            zh=f"只建一次：{rung} 级；发出 {deadline + late + lag} 秒后仍查不到才算没有"
            f"（写入时限 {deadline} + 迟到提交 {late} + 索引滞后 {lag}）",
            en=f"created once by rung {rung}: “not there” is believed {deadline + late + lag} s"
            f" after sending (write deadline {deadline} + late commit {late} + index lag {lag})",
        ),
    )


def _fields(project: Project, connection: ConnectionConfig) -> Iterator[Finding]:
    for folder in project.config.rulesets:
        if not (folder / "mapping" / f"{connection.connector}.yaml").is_file():
            continue
        try:
            found = look(project, connection, folder)
        except CrmSyncError as error:
            yield failed(f"{folder.name} fields", error)
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
