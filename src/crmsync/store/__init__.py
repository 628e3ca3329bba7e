"""The local state: runs, plans, the journal, customer state, claims and the audit log.

SQLite by default, PostgreSQL by URL, through the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from crmsync.errors import ConfigError
from crmsync.model.record import RecordRef
from crmsync.model.text import Text
from crmsync.store import migrate
from crmsync.store.approvals import Approvals
from crmsync.store.audit import Audit, AuditEntry
from crmsync.store.backups import Manifest, take
from crmsync.store.decisions import Decisions
from crmsync.store.echoes import Echoes, EchoState, Sent
from crmsync.store.engine import Database
from crmsync.store.episodes import Episodes
from crmsync.store.frozen import Frozen
from crmsync.store.journal import Journal
from crmsync.store.journal_rows import Intent, NewOp, Op, OpKind, Settled
from crmsync.store.locks import Lock, fences, hold_connection, raise_fences
from crmsync.store.look_backs import Finding, LookBacks
from crmsync.store.merges import Merges
from crmsync.store.metering import StoreMeter
from crmsync.store.naming import Named
from crmsync.store.overrides import Hold, Holds, Overrides, StoredOverride
from crmsync.store.plans import Plans, StoredPlan
from crmsync.store.purge import Purged, mentions, purge
from crmsync.store.refusals import Refusal, Refusals
from crmsync.store.reviews import Quotas, Reviews, RulesetTexts
from crmsync.store.runs import Runs, RunStart
from crmsync.store.seals import SEAL, SealCheck, check_seals
from crmsync.store.slots import Slot, Slots, SlotState
from crmsync.store.states import States
from crmsync.store.tables import restored
from crmsync.store.upsert import upsert

__all__ = [
    "AuditEntry",
    "Database",
    "EchoState",
    "Finding",
    "Hold",
    "Intent",
    "Lock",
    "LookBacks",
    "Manifest",
    "Marks",
    "Named",
    "NewOp",
    "Op",
    "OpKind",
    "Purged",
    "Refusal",
    "RunStart",
    "SealCheck",
    "Sent",
    "Settled",
    "Slot",
    "SlotState",
    "Store",
    "StoreMeter",
    "StoredOverride",
    "StoredPlan",
    "open_store",
]


@dataclass(frozen=True, slots=True)
class Marks:
    """Numbers that only ever rise: of runs, and of each connection's lock."""

    run: int = 0
    fences: Mapping[str, int] = field(default_factory=dict)


class Store:
    """One open state database, a repository for each kind of thing it holds."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.states = States(database)
        self.episodes = Episodes(database)
        self.merges = Merges(database, self.states)
        self.journal = Journal(database, self.states, self.episodes, self.merges)
        self.runs = Runs(database)
        self.refusals = Refusals(database)
        self.plans = Plans(database)
        self.approvals = Approvals(database)
        self.decisions = Decisions(database)
        self.overrides = Overrides(database)
        self.holds = Holds(database)
        self.slots = Slots(database)
        self.audit = Audit(database)
        self.reviews = Reviews(database)
        self.frozen = Frozen(database)
        self.rulesets = RulesetTexts(database)
        self.quotas = Quotas(database)
        self.echoes = Echoes(database)
        self.look_backs = LookBacks(database)

    @property
    def schema(self) -> str:
        """The schema's number, such as ``0001``."""
        return migrate.head()

    def connection_lock(
        self, folder: Path, connection: str, *, by: str, now: Callable[[], datetime]
    ) -> AbstractContextManager[Lock]:
        """Hold the lock of *connection*; raises LockHeld naming who has it and since when."""
        return hold_connection(self.database, folder, connection, by=by, now=now)

    def meter(self, connection: str) -> StoreMeter:
        """The books of a connection's calls, shared with every process on this state."""
        return StoreMeter(self.database, connection)

    def seal_run(
        self, run_id: int, *, at: datetime, who: str, what: str, detail: Mapping[str, str]
    ) -> None:
        """Note something about a run together with the seal over its rows as they stand now."""
        told = {"run": str(run_id), **detail, SEAL: self.journal.digest(run_id)}
        self.audit.add(at=at, who=who, what=what, detail=told)

    def check_seals(self) -> SealCheck:
        """Compare every ended run with the seal the audit log holds for it."""
        with self.database.read() as db:
            return check_seals(db, self.database.sealer)

    def backup(self, target: Path, *, now: datetime) -> Manifest:
        """Write a verified backup, private and complete, while the state is in use."""
        return take(self.database, target, now=now)

    def marks(self) -> Marks:
        """The numbers given so far, which a restored state must not give again."""
        return Marks(self.runs.highest(), fences(self.database))

    def restored(self, made: Manifest, marks: Marks, *, at: datetime, by: str) -> None:
        """Note that a backup was put back: tasks are looked up before they are created from now
        on, every ruleset pauses until a person has looked, and no number of a run or lock is given
        twice."""
        with self.database.write() as db:
            self.runs.never_below(marks.run)
            raise_fences(db, marks.fences, since=at)
            upsert(db, restored, [{"at": at, "made_at": made.moment, "by": by}])
            for connection, ruleset in self.runs.scopes():
                if self.holds.active(connection, ruleset) is None:
                    reason = f"a backup of {made.made_at} was put back"
                    self.holds.pause(Hold(0, connection, ruleset, at, by, reason, run_id=None))
            detail = {"made_at": made.made_at, "sha256": made.sha256}
            self.audit.add(at=at, who=by, what="restore", detail=detail)

    def purge(self, connection: str, ref: RecordRef, *, at: datetime, who: str) -> Purged:
        """Remove one record from our books for good; the runs it was part of are sealed anew."""

        def seal(runs: Sequence[int]) -> None:
            for run_id in runs:
                self.seal_run(run_id, at=at, who=who, what="sealed after a purge", detail={})

        return purge(self.database, connection, ref, then=seal)

    def mentions(self, word: str) -> dict[str, int]:
        """Where a word still stands by itself: ``table.column`` → rows."""
        return mentions(self.database, word)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back every connection; twice is fine."""
        self.database.close()


def open_store(place: Path | str, *, key: bytes | None = None) -> Store:
    """Open the state at a file path or a ``postgresql://`` URL, made or brought up to date first.

    *key* seals the books; without one the seals show accidents only. Raises StoreError when the
    database cannot be used or is newer than this program.
    """
    if isinstance(place, Path) or "://" not in place:
        return Store(Database(sa.URL.create("sqlite", database=str(place)), key=key))
    url = sa.make_url(place)
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError(
            Text(
                zh=f"不支持的状态库：{url.get_backend_name()}",
                en=f"{url.get_backend_name()} is not a state database crmsync can use",
            ),
            mend=Text(
                zh="用 SQLite 文件（默认）或 postgresql:// 地址。",
                en="Use a SQLite file (the default) or a postgresql:// URL.",
            ),
        )
    return Store(Database(url, key=key))
