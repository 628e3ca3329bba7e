"""The local state: runs, plans, the journal, customer state, claims and the audit log.

SQLite by default, PostgreSQL by URL, through the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from crmsync.errors import ConfigError
from crmsync.model.record import RecordRef
from crmsync.model.text import Text
from crmsync.store import migrate
from crmsync.store.approvals import Approvals
from crmsync.store.audit import Audit, AuditEntry
from crmsync.store.decisions import Decisions
from crmsync.store.engine import Database
from crmsync.store.episodes import Episodes
from crmsync.store.frozen import Frozen
from crmsync.store.journal import Journal
from crmsync.store.journal_rows import Intent, NewOp, Op, OpKind, Settled
from crmsync.store.locks import Lock, hold_connection
from crmsync.store.metering import StoreMeter
from crmsync.store.naming import Named
from crmsync.store.overrides import Hold, Holds, Overrides, StoredOverride
from crmsync.store.plans import Plans, StoredPlan
from crmsync.store.purge import purge
from crmsync.store.reviews import Quotas, Reviews, RulesetTexts
from crmsync.store.runs import Runs, RunStart
from crmsync.store.slots import Slot, Slots, SlotState
from crmsync.store.states import Snapshot, States, StoredState

__all__ = [
    "AuditEntry",
    "Database",
    "Hold",
    "Intent",
    "Lock",
    "Named",
    "NewOp",
    "Op",
    "OpKind",
    "RunStart",
    "Settled",
    "Slot",
    "SlotState",
    "Snapshot",
    "Store",
    "StoreMeter",
    "StoredOverride",
    "StoredPlan",
    "StoredState",
    "open_store",
]


class Store:
    """One open state database, a repository for each kind of thing it holds."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.states = States(database)
        self.episodes = Episodes(database)
        self.journal = Journal(database, self.states, self.episodes)
        self.runs = Runs(database)
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

    def purge(self, connection: str, ref: RecordRef) -> dict[str, int]:
        """Remove one record from our books for good; says how much went, by table."""
        return purge(self.database, connection, ref)

    def backup(self, target: Path) -> None:
        """Copy a SQLite state file to *target*, complete and private, while it is in use."""
        if self.database.file is None:
            raise ConfigError(
                Text(
                    zh="PostgreSQL 状态库请用它自己的工具备份（pg_dump）",
                    en="back up a PostgreSQL state database with its own tools (pg_dump)",
                )
            )
        migrate.backup(self.database.file, target)

    def close(self) -> None:
        """Give back every connection; twice is fine."""
        self.database.close()


def open_store(place: Path | str) -> Store:
    """Open the state at a file path or a ``postgresql://`` URL, made or brought up to date first.

    Raises StoreError when the database cannot be used or is newer than this program.
    """
    if isinstance(place, Path) or "://" not in place:
        return Store(Database(sa.URL.create("sqlite", database=str(place))))
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
    return Store(Database(url))
