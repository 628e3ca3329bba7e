"""``backup`` and ``restore``: the state in one verified file, and back; what is kept how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from crmsync.errors import StoreError, UsageError
from crmsync.model.text import Text
from crmsync.project.opening import Project
from crmsync.store import Manifest, Marks
from crmsync.store.backups import (
    copy_rows,
    current_copy,
    manifest_of,
    put_back,
    set_aside,
    verify,
)
from crmsync.store.locks import hold_file
from crmsync.store.migrate import BEFORE

PATTERN = "crmsync-*.db"
UNKNOWN = 100_000
"""Where numbers go on from when the state that gave the last ones cannot be read."""


@dataclass(frozen=True, slots=True)
class BackupMade:
    """One backup; ``dropped`` are older ones that were removed to keep only so many."""

    file: Path
    manifest: Manifest
    dropped: tuple[Path, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "file": str(self.file),
            "made_at": self.manifest.made_at,
            "database": self.manifest.source,
            "state_schema": self.manifest.schema,
            "sha256": self.manifest.sha256,
            "rows": dict(self.manifest.rows),
            "dropped": [str(path) for path in self.dropped],
        }


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was put back; ``aside`` is where the state before it lies."""

    manifest: Manifest
    aside: Path | None
    paused: int

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "made_at": self.manifest.made_at,
            "rows": dict(self.manifest.rows),
            "aside": str(self.aside) if self.aside else None,
            "paused": self.paused,
        }


def backup_folder(project: Project) -> Path:
    """Where backups without a name of their own lie."""
    return project.config.state / "backups"


def backups(project: Project) -> tuple[Path, ...]:
    """Every copy of the state below the state folder, oldest first: backups, states set aside,
    and those made before a migration."""
    state = project.config.state
    found = [*backup_folder(project).glob("*.db"), *state.glob(f"*.db{BEFORE}*")]
    return tuple(sorted(path for path in found if path.is_file()))


def make_backup(project: Project, out: Path | None, *, by: str) -> BackupMade:
    """Write and verify a backup while crmsync may be at work; an existing file is never replaced.

    Without *out* it goes to the state folder, where only the newest ``keep: backups`` stay.
    """
    now = project.now()
    file = out or backup_folder(project) / f"crmsync-{now:%Y%m%dT%H%M%SZ}.db"
    if file.exists():
        raise UsageError(
            Text(zh=f"{file} 已存在", en=f"{file} is already there"),
            mend=Text(zh="换一个文件名", en="choose another name"),
        )
    with project.store() as store:
        made = store.backup(file, now=now)
        detail = {"sha256": made.sha256}
        store.audit.add(at=now, who=by, what="backup", detail=detail)
    return BackupMade(file, made, () if out else _drop_old(project))


def _drop_old(project: Project) -> tuple[Path, ...]:
    kept = project.config.keep.backups
    dropped = tuple(sorted(backup_folder(project).glob(PATTERN))[:-kept])
    for path in dropped:
        path.unlink()
        manifest_of(path).unlink(missing_ok=True)
    return dropped


def restore(project: Project, file: Path, *, by: str) -> Restored:
    """Put a backup back. The state before it is kept aside; no run may be under way.

    Raises StoreError when the backup is damaged, altered or newer than this program, LockHeld when
    a run is under way; nothing is changed then.
    """
    made = verify(file)
    folder = backup_folder(project)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / f"replaced-{project.now():%Y%m%dT%H%M%SZ}.db"
    with _alone(project, by), current_copy(file, folder) as copy:
        place = project.store_place
        if isinstance(place, Path):
            kept, marks = _keep_file(project, place, aside)
            source = copy.file
            copy.close()
            assert source is not None
            put_back(source, place)
        else:
            with project.store() as store:
                marks = store.marks()
                store.backup(aside, now=project.now())
                copy_rows(copy, store.database)
            kept = aside
        with project.store() as store:
            store.restored(made, marks, at=project.now(), by=by)
            paused = len(store.runs.scopes())
    return Restored(made, kept, paused)


def _keep_file(project: Project, live: Path, aside: Path) -> tuple[Path | None, Marks]:
    """Copy the present state, or move it where it cannot even be opened."""
    if not live.exists():
        return None, Marks()
    try:
        with project.store() as store:
            marks = store.marks()
            store.backup(aside, now=project.now())
    except StoreError:
        set_aside(live, aside)
        return aside, Marks(run=UNKNOWN, fences=dict.fromkeys(project.config.connections, UNKNOWN))
    return aside, marks


@contextmanager
def _alone(project: Project, by: str) -> Iterator[None]:
    """No run is under way on any connection, here or on a machine that shares the database."""
    locks = project.config.state / "locks"
    with ExitStack() as held:
        if isinstance(project.store_place, Path):
            for name in project.config.connections:
                held.enter_context(hold_file(locks, name))
        else:
            store = held.enter_context(project.store())
            for name in project.config.connections:
                lock = store.connection_lock(locks, name, by=by, now=project.now)
                held.enter_context(lock)
        yield


def tidy(project: Project) -> Mapping[str, int]:
    """Forget what was kept long enough, by ``keep`` in crmsync.yaml; says how many rows."""
    now, keep = project.now(), project.config.keep
    with project.store() as store:
        return {
            "values": store.journal.forget_values(ended_before=now - timedelta(days=keep.values)),
            "decisions": store.decisions.forget(
                before=(now - timedelta(days=keep.decisions)).date()
            ),
        }
