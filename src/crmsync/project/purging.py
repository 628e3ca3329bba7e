"""``purge``: one record leaves everything we keep; the report says what could not be reached."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import CrmSyncError, StoreError, UsageError
from crmsync.model.mapping import CrmMapping
from crmsync.model.record import RecordRef
from crmsync.model.text import Text
from crmsync.plan.planfile import FORMAT
from crmsync.project.explaining import mirrored_mapping
from crmsync.project.keeping import backups
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.store import Store, open_store
from crmsync.store.audit import standing_alone
from crmsync.store.backups import current_copy, manifest_of
from crmsync.store.mirror import open_mirror, pointing_to, purge_mirror
from crmsync.store.mirror_columns import quoted

LARGEST = 64 * 1024 * 1024
"""A file above this is no text of ours."""


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge removed, and where the record's id still stands.

    ``left`` names files of the project and columns of the state; a record of another kind with the
    same id may be meant.
    """

    ref: RecordRef
    rows: Mapping[str, int]
    mirrored: int
    plans: tuple[Path, ...]
    backups: tuple[Path, ...]
    left: tuple[str, ...]

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "object": self.ref.object,
            "id": self.ref.id,
            "rows": dict(self.rows),
            "mirrored_records": self.mirrored,
            "plan_files": [str(path) for path in self.plans],
            "backups": [str(path) for path in self.backups],
            "left": list(self.left),
        }


def find_doomed(
    project: Project, folder: Path, connection: ConnectionConfig, wanted: str, object: str | None
) -> RecordRef:
    """The record of that id or exact name; an id may be unknown to the mirror, for the CRM may
    have deleted it long ago. Raises UsageError when a name fits several."""
    if object is not None:
        return RecordRef(object, wanted)
    rules = load_rules(folder)
    mapping = mirrored_mapping(project, folder, connection, rules)
    ids = _named(project, connection, mapping, wanted)
    if len(ids) > 1:
        listed = ", ".join(ids)
        raise UsageError(
            Text(zh=f"有 {len(ids)} 个客户叫这个名字", en=f"{len(ids)} customers have this name"),
            mend=Text(zh=f"用编号：{listed}", en=f"use an id: {listed}"),
        )
    return RecordRef(mapping.object, ids[0] if ids else wanted)


def purge_record(
    project: Project, connection: ConnectionConfig, ref: RecordRef, *, by: str
) -> PurgeReport:
    """Remove a record, and mirrored records that point to it, from state, mirror, plan files and
    every backup we keep. Raises LockHeld while a run is under way."""
    mirror = project.mirror_path(connection)
    locks = project.config.state / "locks"
    with (
        project.store() as store,
        store.connection_lock(locks, connection.name, by=by, now=project.now),
    ):
        mirrored = purge_mirror(mirror, [(ref.object, ref.id), *pointing_to(mirror, ref)])
        rows = _purge_state(project, store, connection.name, ref, by)
        plans = tuple(_drop_plans(project, ref.id))
        copies, unread = _purge_backups(project, connection.name, ref)
        left = (*unread, *sorted(store.mentions(ref.id)), *_left_in_files(project, ref))
    return PurgeReport(ref, rows, mirrored, plans, copies, left)


def _named(
    project: Project, connection: ConnectionConfig, mapping: CrmMapping, name: str
) -> tuple[str, ...]:
    """Ids of mirrored customers with exactly this name, in scope of the rules or not."""
    field = mapping.identity_name.name
    if field is None:
        return ()
    try:
        mirror = open_mirror(project.mirror_path(connection))
    except CrmSyncError:
        return ()
    try:
        where = f"{quoted(field)} = ? ORDER BY id"
        query = f"SELECT id FROM mirror.main.{quoted(mapping.object)} WHERE {where}"
        return tuple(row[0] for row in mirror.execute(query, [name]).fetchall())
    finally:
        mirror.close()


def _purge_state(
    project: Project, store: Store, connection: str, ref: RecordRef, by: str
) -> Mapping[str, int]:
    purged = store.purge(connection, ref, at=project.now(), who=by)
    told = {"connection": connection, "rows": str(sum(purged.removed.values()))}
    store.audit.add(at=project.now(), who=by, what="purge", detail=told)
    store.database.drop_copies()
    if not purged.clean or not store.database.rewrite():
        raise _busy()
    return purged.removed


def _busy() -> StoreError:
    return StoreError(
        Text(
            zh="另一个进程正在读状态库，旧内容还留在日志文件里",
            en="another process is reading the state, so its log file still holds old content",
        ),
        mend=Text(
            zh="停下 crmsync serve，再执行一次 purge。",
            en="Stop crmsync serve, then run purge again.",
        ),
        code="PURGE_BUSY",
    )


def _drop_plans(project: Project, id: str) -> Iterator[Path]:
    """Plan files that hold the record: they cannot be rewritten without losing their seal, and a
    new plan is one command away."""
    alone = standing_alone(id)
    for path in sorted(
        {*project.config.folder.glob("*.json"), *project.config.state.rglob("*.json")}
    ):
        content = path.read_text(encoding="utf-8", errors="replace")
        if _is_plan(content) and alone.search(content):
            path.unlink()
            yield path


def _is_plan(content: str) -> bool:
    first = content.partition("\n")[0]
    try:
        head = json.loads(first)
    except ValueError:
        return False
    return isinstance(head, dict) and head.get("format") == FORMAT


def _purge_backups(
    project: Project, connection: str, ref: RecordRef
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Purge every copy of the state; those that changed, and those that could not be opened."""
    changed, unread = [], []
    for file in backups(project):
        try:
            if _purge_backup(project, file, connection, ref):
                changed.append(file)
        except (StoreError, sqlite3.Error):
            unread.append(str(file))
    return tuple(changed), tuple(unread)


def _purge_backup(project: Project, file: Path, connection: str, ref: RecordRef) -> bool:
    with current_copy(file, file.parent) as copy:
        place = copy.file
        assert place is not None
        copy.close()
        with open_store(place, key=project.signing_key()) as store:
            if not store.mentions(ref.id):
                return False
            store.purge(connection, ref, at=project.now(), who="purge")
            store.backup(file, now=_made(file) or project.now())
    return True


def _made(file: Path) -> datetime | None:
    """When a backup was made, by its manifest: purging does not make it younger."""
    try:
        told = json.loads(manifest_of(file).read_text(encoding="utf-8"))
        return datetime.fromisoformat(told["made_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _left_in_files(project: Project, ref: RecordRef) -> Iterator[str]:
    """Files of the project that still hold the id: rules a person wrote, copies of their own."""
    word = ref.id.encode()
    folder = project.config.folder
    for path in sorted({*folder.rglob("*"), *project.config.state.rglob("*")}):
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        if any(part.startswith(".") for part in shown.parts) or not path.is_file():
            continue
        if path.stat().st_size <= LARGEST and word in path.read_bytes():
            yield str(shown)
