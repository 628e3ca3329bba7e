"""Approvals of plans: one a plan, the latest counts; each is sealed by whoever records it."""

from __future__ import annotations

import sqlalchemy as sa

from crmsync.model.approval import Approval
from crmsync.model.canonical import dumps, loads
from crmsync.store.engine import Database
from crmsync.store.tables import approval
from crmsync.store.upsert import upsert


class Approvals:
    """Approvals by plan."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, given: Approval) -> None:
        """Keep an approval; a later one of the same plan replaces it."""
        row = {"plan_id": given.plan_id, "at": given.at, "content": dumps(given, Approval)}
        with self._database.write() as db:
            upsert(db, approval, [row])

    def of(self, plan_id: str) -> Approval | None:
        """The approval of a plan, as it was recorded; its seal is for the caller to verify."""
        query = sa.select(approval.c.content).where(approval.c.plan_id == plan_id)
        with self._database.read() as db:
            found = db.execute(query).scalar_one_or_none()
        return None if found is None else loads(found, Approval)
