"""Plans the store knows of: their digest, and the run that used them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from crmsync.model.canonical import dumps, loads
from crmsync.model.plan import PlanHeader
from crmsync.model.run import RunState
from crmsync.store.engine import Database
from crmsync.store.tables import plan, run
from crmsync.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One plan as it was made; ``run_id`` is the run that used it, ``ended`` whether that ended
    with nothing left to do."""

    plan_id: str
    digest: str
    path: str | None
    created_at: datetime
    header: PlanHeader
    run_id: int | None
    ended: bool


class Plans:
    """Plans by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, header: PlanHeader, *, digest: str, path: str | None) -> None:
        """Remember a plan that was made; registering it again keeps the run that used it."""
        row = {
            "id": header.plan_id,
            "kind": header.kind.value,
            "connection": header.connection,
            "ruleset": header.ruleset,
            "digest": digest,
            "path": path,
            "created_at": header.created_at,
            "expires_at": header.expires_at,
            "as_of": header.as_of,
            "header": pack_header(header),
        }
        with self._database.write() as db:
            upsert(db, plan, [row])

    def use(self, plan_id: str, run_id: int) -> bool:
        """Note that a run applies the plan; false when a run has done so before."""
        with self._database.write() as db:
            done = db.execute(
                sa.update(plan)
                .where(plan.c.id == plan_id, plan.c.run_id.is_(None))
                .values(run_id=run_id)
            )
            return done.rowcount == 1

    def get(self, plan_id: str) -> StoredPlan | None:
        """What is known of a plan, or ``None``."""
        found = self._select(plan.c.id == plan_id, limit=1)
        return found[0] if found else None

    def latest(self, limit: int = 20) -> tuple[StoredPlan, ...]:
        """The newest plans first."""
        return self._select(limit=limit)

    def _select(self, *where: sa.ColumnElement[bool], limit: int) -> tuple[StoredPlan, ...]:
        query = (
            sa.select(plan, run.c.state.label("run_state"))
            .outerjoin(run, run.c.id == plan.c.run_id)
            .where(*where)
            .order_by(plan.c.created_at.desc(), plan.c.id)
            .limit(limit)
        )
        with self._database.read() as db:
            return tuple(
                StoredPlan(
                    plan_id=row.id,
                    digest=row.digest,
                    path=row.path,
                    created_at=row.created_at,
                    header=loads(row.header, PlanHeader),
                    run_id=row.run_id,
                    ended=row.run_state in {RunState.DONE.value, RunState.PARTIAL.value},
                )
                for row in db.execute(query)
            )


def pack_header(header: PlanHeader) -> str:
    """A header without its withheld rows (they hold names and stand in the plan file)."""
    return dumps(replace(header, withheld=()), PlanHeader)
