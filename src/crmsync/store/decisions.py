"""Stored decisions: why each change of each plan was decided, facts included."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from crmsync.model.canonical import dumps, loads
from crmsync.model.decision import Decision
from crmsync.model.record import RecordRef
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.tables import decision, run
from crmsync.store.upsert import upsert


class Decisions:
    """Decisions by plan and record; a plan stores those that change more than facts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, decisions: Iterable[Decision], *, plan_id: str, connection: str, ruleset: str
    ) -> None:
        """Store decisions of one plan, streamed in pieces."""
        for piece in batched(decisions, 200):
            rows = [
                {
                    "plan_id": plan_id,
                    "object": item.ref.object,
                    "record_id": item.ref.id,
                    "connection": connection,
                    "ruleset": ruleset,
                    "as_of": item.as_of,
                    "content": zlib.compress(dumps(item, Decision).encode()),
                }
                for item in piece
            ]
            with self._database.write() as db:
                upsert(db, decision, rows)

    def of_run(self, run_id: int, ref: RecordRef) -> Decision | None:
        """The decision behind one record's change in a run."""
        plan_id = sa.select(run.c.plan_id).where(run.c.id == run_id).scalar_subquery()
        return self._one(decision.c.plan_id == plan_id, ref)

    def of_plan(self, plan_id: str, ref: RecordRef) -> Decision | None:
        """The decision behind one record's change in a plan."""
        return self._one(decision.c.plan_id == plan_id, ref)

    def history(self, connection: str, ruleset: str, ref: RecordRef) -> tuple[Decision, ...]:
        """Every stored decision of applied plans on one record, newest first."""
        query = (
            sa.select(decision.c.content)
            .join(run, run.c.plan_id == decision.c.plan_id)
            .where(decision.c.connection == connection, decision.c.ruleset == ruleset, *_is(ref))
            .order_by(run.c.id.desc())
        )
        with self._database.read() as db:
            return tuple(_decision(content) for content in db.execute(query).scalars())

    def forget(self, *, before: date) -> int:
        """Drop decisions of days before *before*; says how many."""
        with self._database.write() as db:
            return db.execute(sa.delete(decision).where(decision.c.as_of < before)).rowcount

    def _one(self, where: sa.ColumnElement[bool], ref: RecordRef) -> Decision | None:
        query = sa.select(decision.c.content).where(where, *_is(ref))
        with self._database.read() as db:
            content = db.execute(query).scalar_one_or_none()
        return None if content is None else _decision(content)


def _is(ref: RecordRef) -> tuple[sa.ColumnElement[bool], ...]:
    return decision.c.object == ref.object, decision.c.record_id == ref.id


def _decision(content: bytes) -> Decision:
    return loads(zlib.decompress(content).decode(), Decision)
