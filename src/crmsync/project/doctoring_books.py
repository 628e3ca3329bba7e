"""``doctor`` on our own books: can they be used, were they altered, is anything left open."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from crmsync.errors import CrmSyncError
from crmsync.model.text import Text
from crmsync.project.finding import Finding, failed
from crmsync.project.keeping import backup_folder
from crmsync.project.opening import Project
from crmsync.project.starting import KEY_FILE, PRIVATE_FILE, PRIVATE_FOLDER, make_key
from crmsync.store import Store
from crmsync.store.turns import wal_reset_mended

OLD_BACKUP = timedelta(days=7)


def sqlite_finding() -> Finding:
    """Its version, and what is done about the fault it may have."""
    name = f"SQLite {sqlite3.sqlite_version}"
    if wal_reset_mended():
        return Finding("ok", "sqlite", Text.same(name))
    return Finding(
        "warning",
        "sqlite",
        Text(
            zh=f"{name} 有 WAL 重置缺陷（3.51.3、3.50.7、3.44.6 已修复）；"
            "crmsync 的所有进程轮流写入和做检查点来避开它；别的程序不要打开这个文件",
            en=f"{name} has the WAL-reset race (mended in 3.51.3, 3.50.7 and 3.44.6); crmsync"
            " avoids it: its processes take turns at writing and checkpointing. Let no other"
            " program open the file",
        ),
    )


def file_findings(project: Project, *, fix: bool) -> Iterator[Finding]:
    """The key that signs, and who else can read our files."""
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
    for path in _open_to_others(project.config.state):
        wanted = PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE
        if fix:
            path.chmod(wanted)
            continue
        yield Finding(
            "problem",
            "files",
            Text(zh=f"{path} 别人也能读", en=f"others can read {path}"),
            Text.same(f"chmod {wanted:o} {path}"),
        )


def _open_to_others(state: Path) -> Iterator[Path]:
    """The state folder and everything in it that is not the owner's alone."""
    if not state.is_dir():
        return
    for path in (state, *sorted(state.rglob("*"))):
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield path


def store_findings(project: Project) -> Iterator[Finding]:
    """Whether the books can be used and are as they were written; what is unsettled; backups."""
    try:
        with project.store() as store:
            altered = tuple(_altered(store))
            unsettled = store.journal.unsettled()
            runs = store.runs.latest(1)
    except CrmSyncError as error:
        yield failed("store", error)
        return
    yield from altered
    if not altered:
        last = runs[0].started_at.isoformat(timespec="minutes") if runs else "–"
        text = Text(zh=f"完好可用，最近运行 {last}", en=f"sound and usable; last run {last}")
        yield Finding("ok", "store", text)
    for run_id, rows in unsettled.items():
        yield Finding(
            "warning",
            "in doubt",
            Text(
                zh=f"第 {run_id} 次运行有 {rows} 行还不知道 CRM 是否收到",
                en=f"run {run_id} has {rows} row{'s' * (rows != 1)} the CRM may or may not have"
                " received",
            ),
            Text.same(f"crmsync apply --resume {run_id}"),
        )
    if runs:
        yield _backups(project)


def _altered(store: Store) -> Iterator[Finding]:
    chain, seals = store.audit.chain(), store.check_seals()
    if chain.broken_at is not None:
        yield _problem(
            f"审计记录第 {chain.broken_at} 行被改动过",
            f"the audit log was altered at row {chain.broken_at}",
        )
    for run_id in seals.altered:
        yield _problem(
            f"第 {run_id} 次运行的流水被改动过，不要据此撤销",
            f"the journal of run {run_id} was altered; do not undo by it",
        )
    for run_id in seals.unsealed:
        yield _problem(
            f"第 {run_id} 次运行的封印不见了：审计记录被截断过",
            f"the seal of run {run_id} is gone: the audit log was cut",
        )
    if chain.foreign:
        yield Finding(
            "warning",
            "store",
            Text(
                zh=f"{chain.foreign} 条审计记录由另一台机器的密钥封印，这里只能核对顺序",
                en=f"{chain.foreign} audit entries were sealed with another machine's key; only"
                " their order can be verified here",
            ),
        )


def _backups(project: Project) -> Finding:
    newest = max(
        (path.stat().st_mtime for path in backup_folder(project).glob("*.db")), default=None
    )
    mend = Text.same("crmsync backup")
    if newest is None:
        return Finding("warning", "backup", Text("还没有备份", "there is no backup yet"), mend)
    days = int((project.now().timestamp() - newest) // 86400)
    text = Text(
        zh=f"最近一次备份在 {days} 天前", en=f"the latest is {days} day{'s' * (days != 1)} old"
    )
    old = days >= OLD_BACKUP.days
    return Finding("warning" if old else "ok", "backup", text, mend if old else None)


def _problem(zh: str, en: str) -> Finding:
    mend = Text(
        zh="查明是谁改的；需要时用 crmsync restore 放回备份。",
        en="Find out who did it; crmsync restore puts a backup back where that is needed.",
    )
    return Finding("problem", "store", Text(zh=zh, en=en), mend)
